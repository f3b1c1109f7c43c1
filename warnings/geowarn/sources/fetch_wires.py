"""The wires of one HTTP client: whatever a far end drips, status and headers too, a deadline cuts them.

A read time-out counts from byte to byte, so that a header sent byte by byte never meets it. Here a timer shuts the
connection down from the other side of the call.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool, PoolManager, ProxyManager
from urllib3.connection import HTTPConnection, HTTPSConnection


class Wires:
    """Every connection that a client opened."""

    def __init__(self) -> None:
        self._open: list[socket.socket] = []
        self._turn = threading.Lock()
        self._over = False  # the time of the running block

    def add(self, wire: socket.socket) -> None:
        """A second handle of this connection: TLS takes the first one over. One that comes too late is cut at once."""
        with self._turn:
            self._open.append(wire.dup())
            if self._over:
                _cut(self._open[-1])

    @contextlib.contextmanager
    def cut_after(self, seconds: float) -> Iterator[threading.Event]:
        """Cut all of them when the block takes longer; the event says that it did."""
        late = threading.Event()

        def cut() -> None:
            with self._turn:
                self._over = True
                late.set()
                for wire in self._open:
                    _cut(wire)

        timer = threading.Timer(seconds, cut)
        timer.daemon = True
        timer.start()
        try:
            yield late
        finally:
            timer.cancel()
            timer.join()
            self._over = False

    def close(self) -> None:
        """Let go of them."""
        while self._open:
            self._open.pop().close()


def _cut(wire: socket.socket) -> None:
    with contextlib.suppress(OSError):
        wire.shutdown(socket.SHUT_RDWR)


class WatchedAdapter(HTTPAdapter):
    """An adapter of `requests` whose connections can be cut."""

    def __init__(self, wires: Wires) -> None:
        self._pools = _pools(wires)
        super().__init__()

    def init_poolmanager(self, *given: Any, **named: Any) -> None:
        """Called by `requests` for connections of its own."""
        super().init_poolmanager(*given, **named)
        self._watch(self.poolmanager)

    def proxy_manager_for(self, proxy: str, **named: Any) -> ProxyManager:
        """Called by `requests` for connections through a proxy."""
        manager: ProxyManager = super().proxy_manager_for(proxy, **named)
        self._watch(manager)
        return manager

    def _watch(self, manager: PoolManager) -> None:
        manager.pool_classes_by_scheme = self._pools


def _pools(wires: Wires) -> dict[str, type[HTTPConnectionPool]]:
    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            wire = super()._new_conn()
            wires.add(wire)
            return wire

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            wire = super()._new_conn()
            wires.add(wire)
            return wire

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}
