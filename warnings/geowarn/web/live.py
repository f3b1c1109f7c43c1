"""Boards that fill by themselves: one look at the database a second for every open board, however many listen."""

from __future__ import annotations

import asyncio
import itertools
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

import structlog
from starlette.concurrency import run_in_threadpool

from geowarn.ports import Store
from geowarn.web.board_state import BoardState, read_board

LOOK_SECONDS = 1.0
MOST_LISTENERS = 200
LIFETIME_SECONDS = 120.0  # then the browser comes again, and its session is looked at again
BEAT_SECONDS = 5.0
REDRAWN_SECONDS = 15.0  # what names an age is drawn again after this long
OLD_SECONDS = 5.0  # a look that succeeded is older than this only where the database cannot be read
_STEP_SECONDS = 0.2
_FORGOTTEN_SECONDS = 15.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Key:
    """One bulletin of one warning."""

    warning: str
    bulletin: str


class Forgotten(Exception):
    """A listener that did not ask for too long, and is no longer looked for."""


class Live:
    """Watches the boards that somebody looks at; its thread ends with the last listener, or by `close`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._wanted: dict[int, tuple[Key, float]] = {}  # by listener: what, and when it last asked
        self._numbers = itertools.count(1)
        self._seen: dict[Key, BoardState] = {}
        self._thread: threading.Thread | None = None
        self._looked = self._read = 0.0  # when it last tried, and when it last could
        self._closed = threading.Event()
        self.looks = 0

    def join(self, key: Key) -> int | None:
        """Listen to a board; None when there are too many listeners, or the process is ending."""
        with self._lock:
            if self._closed.is_set() or len(self._wanted) >= MOST_LISTENERS:
                return None
            listener = next(self._numbers)
            self._wanted[listener] = (key, time.monotonic())
            if self._thread is None:
                self._thread = threading.Thread(target=self._watch, name="live-boards", daemon=True)
                self._thread.start()
        return listener

    def leave(self, listener: int) -> None:
        """Listen no more."""
        with self._lock:
            self._wanted.pop(listener, None)

    def close(self) -> None:
        """Let every stream end, so that the server can."""
        self._closed.set()

    @property
    def closed(self) -> bool:
        """Whether the process is ending."""
        return self._closed.is_set()

    @property
    def listeners(self) -> int:
        """How many listen now."""
        with self._lock:
            return len(self._wanted)

    @property
    def age(self) -> timedelta:
        """How old what was last seen is."""
        return timedelta(seconds=time.monotonic() - self._read)

    def state(self, listener: int) -> BoardState | None:
        """What was last seen of this listener's board; raises Forgotten where it asked too late."""
        with self._lock:
            if listener not in self._wanted:
                raise Forgotten
            key, _ = self._wanted[listener]
            self._wanted[listener] = (key, time.monotonic())
            return self._seen.get(key)

    def _watch(self) -> None:
        while not self._closed.wait(max(0.0, self._looked + LOOK_SECONDS - time.monotonic())):
            keys = self._boards()
            if not keys:
                return
            self._looked = time.monotonic()
            try:
                self._look(keys)
            except Exception as error:
                _log.error("live.fault", error=type(error).__name__)  # the boards keep what they show, with its age

    def _boards(self) -> set[Key]:
        """What is listened to; without listeners the thread ends. One that never began to read does not count."""
        with self._lock:
            least = time.monotonic() - _FORGOTTEN_SECONDS
            self._wanted = {one: held for one, held in self._wanted.items() if held[1] >= least}
            keys = {key for key, _ in self._wanted.values()}
            self._seen = {key: state for key, state in self._seen.items() if key in keys}
            if not keys:
                self._thread = None
        return keys

    def _look(self, keys: set[Key]) -> None:
        self.looks += 1
        began = time.monotonic()
        with self._store.read() as work:
            found = {}
            for key in keys:
                warning = work.warnings.get(key.warning)
                found[key] = read_board(work, warning, key.bulletin) if warning else None
        with self._lock:
            self._seen |= {key: state for key, state in found.items() if state is not None}
            self._read = began


async def stream(
    live: Live, listener: int, last: str, draw: Callable[[BoardState, timedelta], str]
) -> AsyncIterator[bytes]:
    """Server-sent events of one board for a listener that has joined; `last` is what the browser saw last.

    An event is the whole board as HTML, with a digest of what it shows as its id: after a broken line nothing is
    lost, and nothing that the browser has is sent again. It is drawn with its age. Ends by itself.
    """
    began = beat = time.monotonic()
    try:
        yield b"retry: 2000\n\n"
        while not live.closed and time.monotonic() - began < LIFETIME_SECONDS:
            age, state, now = live.age, live.state(listener), time.monotonic()
            mark = f"{state.mark}.{int(time.time() // REDRAWN_SECONDS)}.{int(is_old(age))}" if state else last
            if state is not None and mark != last:
                text = await run_in_threadpool(draw, state, age)
                yield _event(mark, text)
                last, beat = mark, now
            elif now - beat >= BEAT_SECONDS:
                yield b": still here\n\n"
                beat = now
            await asyncio.sleep(_STEP_SECONDS)
    except Forgotten:
        return  # on a machine that stood still: the browser comes again and is a new listener
    finally:
        live.leave(listener)


def is_old(age: timedelta) -> bool:
    """Whether what a board shows may no longer be so."""
    return age > timedelta(seconds=OLD_SECONDS)


def _event(mark: str, text: str) -> bytes:
    lines = "".join(f"data: {line}\n" for line in text.splitlines() if line.strip())
    return f"id: {mark}\n{lines}\n".encode()
