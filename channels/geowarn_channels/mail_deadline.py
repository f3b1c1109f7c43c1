"""An end for a whole call: a server that says a line now and then keeps every single read within its time-out."""

from __future__ import annotations

import smtplib
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

_AGAIN = 0.2  # seconds; a connection that comes about after the end is cut then

Watch = Callable[[smtplib.SMTP], None]


@contextmanager
def ending(until: float) -> Iterator[Watch]:
    """Cut the connection given last at `until`, in seconds of the monotonic clock, if what is inside still goes on."""
    watched: list[smtplib.SMTP] = []
    done = threading.Event()
    threading.Thread(target=_cut, args=(watched, done, until), name="mail-deadline", daemon=True).start()
    try:
        yield watched.append
    finally:
        done.set()


def _cut(watched: list[smtplib.SMTP], done: threading.Event, until: float) -> None:
    left = until - time.monotonic()
    while not done.wait(max(left, 0.0)):
        left = _AGAIN
        found = watched[-1].sock if watched else None
        if found is not None:
            with suppress(OSError):  # past the TLS layer: it belongs to the thread that reads
                socket.socket.shutdown(found, socket.SHUT_RDWR)


class _Watched:
    """Is watched before it connects, since the greeting is read while it is made."""

    def __init__(self, watch: Watch, *where: Any, **how: Any) -> None:
        watch(self)  # type: ignore[arg-type]
        super().__init__(*where, **how)


class Plain(_Watched, smtplib.SMTP):
    """A connection that may turn to TLS later."""


class Tls(_Watched, smtplib.SMTP_SSL):
    """A connection over TLS from its first byte."""
