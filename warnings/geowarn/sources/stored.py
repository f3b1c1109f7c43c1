"""Numbers of a field that lie in a file and are loaded each time they are asked for.

A run of many steps never stands in memory as a whole: whoever needs a field loads it, and lets go of it again.
"""

from __future__ import annotations

import contextlib
import shutil
import weakref
from collections.abc import Iterator, Sequence
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import IO, Any, overload

import numpy as np
from numpy.typing import NDArray

Numbers = Sequence[float] | NDArray[Any]


_PREFIX, _ALIVE = "geowarn-decoding-", ".alive"
_YOUNG = 60  # seconds in which a folder may not have its lock yet


class Folder:
    """A private folder for files of numbers; it is removed when nothing refers to it any more.

    While it is in use a file in it is locked: a process that was killed leaves folders without a lock
    (`remove_abandoned`).
    """

    def __init__(self, name: str) -> None:
        self.path = Path(mkdtemp(prefix=f"{_PREFIX}{name}-"))
        self._count = 0
        alive = (self.path / _ALIVE).open("wb")
        _locked(alive)
        weakref.finalize(self, _remove, self.path, alive)

    def keep(self, values: NDArray[Any], instead_of: Numbers | None = None) -> Stored:
        """Put these numbers away, in the file of others that nobody needs any more where such are given."""
        self._count += 1
        path = instead_of.give_up() if isinstance(instead_of, Stored) else self.path / f"kept-{self._count}.npy"
        np.save(path, values)
        return Stored(self, path, values.size, *extremes_of(values))


def _remove(path: Path, alive: IO[bytes]) -> None:
    alive.close()
    shutil.rmtree(path, ignore_errors=True)


def _locked(file: IO[bytes]) -> bool:
    """Whether this process has the lock now; where the system knows none, nothing is ever abandoned."""
    try:
        import fcntl
    except ImportError:
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def remove_abandoned(now: float, place: Path | None = None) -> int:
    """Remove the folders of processes that were killed; returns how many. `now` in seconds since 1970."""
    removed = 0
    for path in sorted((place or Path(gettempdir())).glob(f"{_PREFIX}*")):
        with contextlib.suppress(OSError):  # another user's, or gone meanwhile
            if path.is_symlink() or path.stat().st_mtime > now - _YOUNG:
                continue
            with (path / _ALIVE).open("ab") as alive:
                abandoned = _locked(alive)
            if abandoned:
                shutil.rmtree(path)
                removed += 1
    return removed


class Stored(Sequence[float]):
    """A one-dimensional array in a file of its own, float32 or float64, NaN = missing; the file lives as long as this.

    `numpy.asarray` loads all of it; one index reads one number. `lowest` and `highest` leave missing ones out and are
    NaN where all are missing.
    """

    def __init__(self, folder: Folder, path: Path, size: int, lowest: float, highest: float) -> None:
        self._folder, self._path, self._size = folder, path, size
        self.lowest, self.highest = lowest, highest
        self._removal = weakref.finalize(self, path.unlink, missing_ok=True)

    def give_up(self) -> Path:
        """The file, which this no longer removes: its pages are already there, and writing them again costs little."""
        self._removal.detach()
        return self._path

    def __len__(self) -> int:
        return self._size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """A fresh array each time."""
        if copy is False:
            raise ValueError("numbers on disk cannot be had without a copy")
        loaded: NDArray[Any] = np.load(self._path, allow_pickle=False)
        return loaded if dtype is None else loaded.astype(dtype, copy=False)

    def take(self, indices: NDArray[np.int64]) -> NDArray[Any]:
        """The numbers at these places; nothing else is read."""
        mapped = np.load(self._path, mmap_mode="r", allow_pickle=False)
        return np.array(mapped[indices])

    @overload
    def __getitem__(self, index: int) -> float: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[float]: ...
    def __getitem__(self, index: int | slice) -> float | Sequence[float]:
        mapped = np.load(self._path, mmap_mode="r", allow_pickle=False)
        found = mapped[index]
        return [float(value) for value in found] if isinstance(index, slice) else float(found)

    def __iter__(self) -> Iterator[float]:
        return iter(np.asarray(self).tolist())


def extremes_of(values: Numbers) -> tuple[float, float]:
    """The lowest and the highest number, missing ones left out; NaN where all are missing."""
    if isinstance(values, Stored):
        return values.lowest, values.highest
    numbers = np.asarray(values)
    return float(np.fmin.reduce(numbers, axis=None)), float(np.fmax.reduce(numbers, axis=None))
