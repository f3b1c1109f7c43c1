"""Puts files where the public reads them: whole or not at all, under one lock, unchanged ones untouched."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

TEMPORARY = ".part-"
AT_ONCE = 16  # files on their way to the disk


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock file at `path` for as long as the block runs; waits for other processes and threads."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+b") as handle:
        _lock(handle.fileno())
        try:
            yield
        finally:
            _unlock(handle.fileno())


if sys.platform == "win32":
    import msvcrt

    def _lock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)

    def _unlock(descriptor: int) -> None:
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


def holds(path: Path, body: bytes) -> bool:
    """Whether the file is there with exactly these bytes."""
    try:
        return path.stat().st_size == len(body) and path.read_bytes() == body
    except FileNotFoundError:
        return False


def write_whole(path: Path, body: bytes) -> bool:
    """Replace one file by these bytes in one step that survives a power cut; returns whether it had to change."""
    return bool(write_all(path.parent, {path.name: body}))


def write_all(root: Path, files: Mapping[str, bytes]) -> tuple[str, ...]:
    """Replace every file of a group below `root`, each in one step; returns the paths that had to change.

    All bytes are on the disk before the first name moves, so a crash leaves old or new files, never half ones.
    """
    changed = [name for name, body in files.items() if not holds(root / name, body)]
    # The disk takes many at once as quickly as a few one after the other.
    with ThreadPoolExecutor(AT_ONCE) as pool:
        begun = {name: pool.submit(_put_beside, root / name, files[name]) for name in changed}
        wait(begun.values())
        parts = {name: part.result() for name, part in begun.items() if part.exception() is None}
        try:
            for part in begun.values():
                part.result()
            for name in changed:
                parts[name].replace(root / name)
        except BaseException:
            for left in parts.values():
                left.unlink(missing_ok=True)
            raise
        list(pool.map(_sync_folder, {(root / name).parent for name in changed}))
    return tuple(changed)


def _put_beside(path: Path, body: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(prefix=TEMPORARY, dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as handle:
            handle.write(body)
            handle.flush()
            os.fsync(handle.fileno())
        Path(name).chmod(0o644)  # mkstemp makes it private; a web server of another user must read it
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    return Path(name)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sweep(root: Path) -> None:
    """Remove what an earlier, killed writer left half-written; only while the lock is held."""
    for part in root.rglob(f"{TEMPORARY}*"):
        part.unlink(missing_ok=True)
