"""Answers for files of the public tree that need no more than to be written to the connection.

In a storm everybody asks for the same few pages and every aggregator for the same four feeds. What was read once and
has not changed on disk is answered before a request object exists; everything else takes the application's way, and
both ways give the same bytes (tests/integration/test_ready.py).
"""

from __future__ import annotations

import os
import re
import time
from dataclasses import dataclass
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from geowarn.web.guard import complete
from geowarn.web.public_tree import PublicTree, stamp_of

_PLAIN = re.compile(rb"/[A-Za-z0-9._/-]*")
_MOST = 1024  # answers kept ready
WHOLE_SECONDS = 0.2
# A request with one of these wants more than a whole file or less, or goes on: the application sees to it.
_SPECIAL = frozenset(
    {b"range", b"if-range", b"if-modified-since", b"content-length", b"transfer-encoding", b"upgrade", b"expect"}
)
_REASONS = {status.value: status.phrase.encode() for status in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Ready:
    """The bytes of an answer after the status line and the date, for one file as it was on disk."""

    path: str
    stamp: tuple[int, int, int]
    etag: bytes
    head: bytes
    body: bytes
    unchanged: bytes


class ReadyAnswers:
    """Of one tree; used by the one thread that serves."""

    def __init__(self, tree: PublicTree, strict_transport: bool) -> None:
        self._tree, self._strict = tree, strict_transport
        self._must = (str(tree.root / "index.html"), str(tree.root / "current.json"))
        self._ready: dict[tuple[bytes, bytes], Ready] = {}
        self._whole_until = 0.0
        self._lines_now: list[tuple[bytes, bytes]] = []
        self._openings: dict[int, bytes] = {}

    def opening(self, status: int, lines: list[tuple[bytes, bytes]]) -> bytes:
        """Status line and these header lines, which the server makes anew every second: the date is among them."""
        if lines is not self._lines_now:
            self._lines_now, self._openings = lines, {}
        if status not in self._openings:
            self._openings[status] = status_line(status) + b"".join(b"%s: %s\r\n" % line for line in lines)
        return self._openings[status]

    def find(self, method: bytes, target: bytes, headers: list[tuple[bytes, bytes]]) -> tuple[int, bytes] | None:
        """Status and the bytes after the date, or None where the application has to answer; names are lower-case."""
        if method not in (b"GET", b"HEAD") or not _PLAIN.fullmatch(target):
            return None
        accepts, tags = b"", None
        for name, value in headers:
            if name == b"accept-encoding":
                accepts = value
            elif name == b"if-none-match":
                tags = value
            elif name in _SPECIAL or (name == b"connection" and value.lower() != b"keep-alive"):
                return None
        ready = self._ready.get((target, accepts)) or self._made(target, accepts)
        if ready is None or not self._stands(ready):
            self._ready.pop((target, accepts), None)
            return None
        if tags is not None:
            if tags == ready.etag:
                return 304, ready.unchanged
            return None
        return 200, ready.head if method == b"HEAD" else ready.head + ready.body

    def _stands(self, ready: Ready) -> bool:
        """Whether the tree is complete and the file in it still the one that was read."""
        try:
            self._refuse_unwhole(time.monotonic())
            return stamp_of(os.stat(ready.path)) == ready.stamp
        except OSError:
            return False

    def _refuse_unwhole(self, now: float) -> None:
        """Raise OSError where the tree is not complete; looked at every WHOLE_SECONDS, for it does not come and go."""
        if now >= self._whole_until:
            for path in self._must:
                os.stat(path)
            self._whole_until = now + WHOLE_SECONDS

    def _made(self, target: bytes, accepts: bytes) -> Ready | None:
        wanted = target[1:].decode("ascii")
        path = self._tree.place(wanted)
        found = self._tree.shelf.held(path) if path is not None else None
        if path is None or found is None:
            return None
        whole = self._tree.dressed(_request(accepts), wanted, path, found)
        etag = whole.headers["etag"].encode("ascii")
        unchanged = self._tree.dressed(_request(accepts, etag), wanted, path, found)
        heads = [self._lines(answer, wanted) for answer in (whole, unchanged)]
        made = Ready(str(path), found.stamp, etag, heads[0], bytes(whole.body), heads[1])
        if len(self._ready) >= _MOST:
            self._ready.clear()
        self._ready[target, accepts] = made
        return made

    def _lines(self, answer: Response, wanted: str) -> bytes:
        complete(answer.headers, f"/{wanted}", self._strict)
        return b"".join(b"%s: %s\r\n" % line for line in answer.raw_headers) + b"\r\n"


def _request(accepts: bytes, tags: bytes = b"") -> Request:
    headers = [(b"accept-encoding", accepts)] if accepts else []
    headers += [(b"if-none-match", tags)] if tags else []
    return Request({"type": "http", "method": "GET", "path": "/", "headers": headers})


def status_line(status: int) -> bytes:
    """As HTTP/1.1 wants it."""
    return b"HTTP/1.1 %d %s\r\n" % (status, _REASONS[status])
