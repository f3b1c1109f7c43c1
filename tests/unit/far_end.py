"""A server on the loopback that misbehaves on purpose: each path answers what a test told it to, in turn."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

Act = Callable[[BaseHTTPRequestHandler], None]


def answer(status: int, body: bytes = b"", **headers: str) -> Act:
    """A plain answer; header names with _ for -."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        for name, value in {"Content-Length": str(len(body)), **named}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(body)

    return act


def file(body: bytes, **headers: str) -> Act:
    """A file whose parts can be had."""

    def act(handler: BaseHTTPRequestHandler) -> None:
        wanted = handler.headers.get("Range", "")
        if not wanted:
            answer(200, body, **headers)(handler)
            return
        first, _, last = wanted.removeprefix("bytes=").partition("-")
        part = body[int(first) : int(last) + 1 if last else None]
        span = f"bytes {first}-{int(first) + len(part) - 1}/{len(body)}"
        answer(206, part, Content_Range=span, **headers)(handler)

    return act


class FarEnd:
    """What is answered by path, and what was asked: the last answer of a path is repeated."""

    def __init__(self, port: int) -> None:
        self.base = f"http://127.0.0.1:{port}"
        self.paths: dict[str, list[Act]] = {}
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.queries: list[dict[str, str]] = []
        self.released = threading.Event()

    def on(self, path: str, *acts: Act) -> str:
        """Answer this path so; returns its address."""
        self.paths[path] = list(acts)
        return self.base + path

    def count(self, path: str) -> int:
        return sum(one == path for one, _ in self.asked)

    def act(self, handler: BaseHTTPRequestHandler) -> None:
        path = urlsplit(handler.path).path
        self.queries.append(dict(parse_qsl(urlsplit(handler.path).query)))
        self.asked.append((path, {name.lower(): value for name, value in handler.headers.items()}))
        acts = self.paths.get(path)
        if not acts:
            answer(404, b"no")(handler)
            return
        (acts.pop(0) if len(acts) > 1 else acts[0])(handler)


@contextmanager
def far_end() -> Iterator[FarEnd]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                served.act(self)
            except (BrokenPipeError, ConnectionResetError):
                self.close_connection = True

        def log_message(self, *args: object) -> None:
            """Quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        served = FarEnd(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield served
        finally:
            served.released.set()
            server.shutdown()
            thread.join()
