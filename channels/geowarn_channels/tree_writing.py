"""The one writer of a public tree, and how far that tree is."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from geowarn_channels.files import locked, sweep

STATE = "current.json"
_WRITING = ".writing"  # is there while a tree is being written: after a crash it says that something may lie about


@contextmanager
def writing(root: Path) -> Iterator[None]:
    """The one writer of a tree; first removes what a killed one left half-written, which in a large tree takes long."""
    with locked(root / ".lock"):
        mark = root / _WRITING
        if mark.exists() or not (root / STATE).exists():
            sweep(root)
        mark.touch()
        yield
        mark.unlink(missing_ok=True)


def sequence_of(root: Path) -> int:
    """The sequence of the state that the tree shows; -1 where it shows none."""
    try:
        found = json.loads((root / STATE).read_bytes())["sequence"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return -1
    return found if isinstance(found, int) else -1
