"""What is kept for a while only: files taken in from the inbox, and what a killed process left half done.

The bytes of everything taken in stay below `raw/`; `inbox/taken/` is there for people, and for later files of a run.
Refused files stay in `inbox/refused/` until a person takes them away: they are kept nowhere else.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from pathlib import Path

_HALF_DONE = timedelta(days=1)  # no errand and no copy takes longer


def remove_taken(inbox: Path, now: datetime, days: int) -> int:
    """Remove what was taken in more than `days` days ago; returns how many files.

    The files of one run go together, when the last of them is that old. Counted from when a file was put there.
    """
    before = (now - timedelta(days=days)).timestamp()
    return sum(_removed(unit) for unit in _units(inbox / "taken") if _newest_change(unit) < before)


def remove_half_done(raw_dir: Path, fetched_dir: Path, now: datetime) -> int:
    """Remove copies and errands that a killed process left; returns how many."""
    before = (now - _HALF_DONE).timestamp()
    found = [*raw_dir.glob(".incoming-*"), *fetched_dir.glob("fetched-*")]
    return sum(_removed(unit) > 0 for unit in found if _newest_change(unit) < before)


def _units(taken: Path) -> Iterator[Path]:
    """Files taken one by one, and the folder of each run (`taken/<source>/run-<run>`)."""
    for path in _inside(taken):
        yield from _inside(path) if path.is_dir() else (path,)


def _inside(folder: Path) -> Iterable[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else ()


def _newest_change(unit: Path) -> float:
    """When something was last put there: moving a file keeps the time of its contents, and changes this one."""
    return max((path.lstat().st_ctime for path in (unit, *unit.rglob("*"))), default=0.0)


def _removed(unit: Path) -> int:
    files = [path for path in (unit, *unit.rglob("*")) if not path.is_dir()]
    with contextlib.suppress(OSError):
        if unit.is_dir():
            shutil.rmtree(unit)
        else:
            unit.unlink()
        return len(files)
    return 0
