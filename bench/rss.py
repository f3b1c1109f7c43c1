"""Resident memory of a process and its children, watched from beside: the peak of what stands at one moment.

Pages that both hold (libraries) count twice, so the sum is rather too high than too low. A child that was only just
made still stands in its parent's memory and is left out until it runs its own program: counting it would count the
parent twice.
"""

from __future__ import annotations

import os
import threading
from pathlib import Path
from types import TracebackType
from typing import Self

_PAGE = os.sysconf("SC_PAGE_SIZE")


class Watch:
    """`with Watch() as watch: …`; then `watch.peak` is in MB, `watch.own` this process's share of it."""

    def __enter__(self) -> Self:
        self.peak, self.own, self._done = 0.0, 0.0, threading.Event()
        self._started_as = _text(_program(os.getpid()))
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._done.wait(0.004):
            own = resident(os.getpid())
            whole = own + sum(resident(child) for child in _children() if _text(_program(child)) != self._started_as)
            if whole > self.peak:
                self.peak, self.own = whole, own


def _children() -> list[int]:
    tasks = Path("/proc/self/task").glob("*/children")
    return [int(pid) for task in tasks for pid in _text(task).split()]


def _program(pid: int) -> Path:
    """What it was started with, which it has from its own memory."""
    return Path(f"/proc/{pid}/cmdline")


def resident(pid: int | None = None) -> float:
    """MB of memory that a process, or this one, has at this moment."""
    text = _text(Path(f"/proc/{pid or os.getpid()}/statm")).split()
    return int(text[1]) * _PAGE / 1e6 if text else 0.0


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
