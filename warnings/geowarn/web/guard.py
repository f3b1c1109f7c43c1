"""What stands before every route: bounded bodies, no cross-site acts, headers that browsers obey, no tracebacks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from geowarn.domain.errors import Refused

log = logging.getLogger(__name__)

LARGEST_BODY = 64 * 1024  # bytes
# Forms with a photo. So many large ones at a time: who finds no room sends the words without it.
LARGER_BODIES = {"/say": 8 << 20, "/en/say": 8 << 20}
LARGE_AT_ONCE = 8
_SECONDS = 180  # that a large body may take on its way
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These carry a key, a token or a signature instead of a cookie, so no browser can be tricked into them.
KEYED_PATHS = ("/hooks/", "/broadcast/", "/api/", "/subscribe-end", "/en/subscribe-end")

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'"
)
# The console's own script and stream, on its own pages only; of the public ones those of the tree have a script.
CONSOLE_POLICY = f"{CONTENT_SECURITY_POLICY}; script-src 'self'; connect-src 'self'"
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    # `no-referrer` would turn the Origin of our own forms into `null`.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cache-Control": "no-store",
}

STRICT_TRANSPORT = {"Strict-Transport-Security": "max-age=31536000"}

Explain = Callable[[Request, Refused, int], Response]


def complete(headers: MutableHeaders, path: str, strict_transport: bool) -> None:
    """Add what browsers are to obey, where the answer does not say it itself."""
    if path.startswith("/console/"):
        headers.setdefault("Content-Security-Policy", CONSOLE_POLICY)
    for name, value in (HEADERS | STRICT_TRANSPORT if strict_transport else HEADERS).items():
        headers.setdefault(name, value)


class Guard:
    """ASGI middleware; `explain` makes the page (or JSON) that tells a person why not and what to do."""

    def __init__(self, app: ASGIApp, explain: Explain, strict_transport: bool) -> None:
        self.app = app
        self.explain = explain
        self._room = LARGE_AT_ONCE
        self.strict_transport = strict_transport

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = False

        async def with_headers(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                complete(MutableHeaders(scope=message), scope["path"], self.strict_transport)
            await send(message)

        request = Request(scope)
        held = _Held(self)
        try:
            replay = await self._admitted(request, receive, held)
            await self.app(scope, replay, with_headers)
        except _NotAdmitted as refusal:
            await self.explain(request, refusal.why, refusal.status)(scope, receive, with_headers)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await self.explain(request, Refused("web.fault"), 500)(scope, receive, with_headers)
        finally:
            held.give_back()

    def take_room(self) -> bool:
        """Whether one more large body finds room."""
        if self._room < 1:
            return False
        self._room -= 1
        return True

    def give_room(self) -> None:
        """The large body is gone."""
        self._room += 1

    async def _admitted(self, request: Request, receive: Receive, held: _Held) -> Receive:
        by_browser = request.method not in SAFE_METHODS and not request.url.path.startswith(KEYED_PATHS)
        if by_browser and not same_site(request.headers):
            raise _NotAdmitted(Refused("web.cross-site"), 403)
        try:
            async with asyncio.timeout(_SECONDS if request.url.path in LARGER_BODIES else None):
                body = await _bounded(request, receive, held)
        except TimeoutError:
            raise _NotAdmitted(Refused("web.too-slow", seconds=_SECONDS), 408) from None
        request.scope.setdefault("state", {})["body"] = body
        return _replay(body, receive)


class _Held:
    """The room that one large body takes, given back whatever happens."""

    def __init__(self, guard: Guard) -> None:
        self._guard, self._taken = guard, False

    def take(self) -> None:
        """Take room, or raise for the want of it."""
        if not self._taken and not self._guard.take_room():
            raise _NotAdmitted(Refused("web.no-room"), 503)
        self._taken = True

    def give_back(self) -> None:
        """Let the next one in."""
        if self._taken:
            self._taken = False
            self._guard.give_room()


class _NotAdmitted(Exception):
    def __init__(self, why: Refused, status: int) -> None:
        super().__init__(why)
        self.why, self.status = why, status


def same_site(headers: Headers) -> bool:
    """Whether a browser says that our own page caused this request (Fetch Metadata, else Origin against Host)."""
    fetch_site = headers.get("sec-fetch-site")
    if fetch_site is not None:
        return fetch_site in ("same-origin", "none")
    origin = urlsplit(headers.get("origin", ""))
    return bool(origin.netloc) and origin.netloc == headers.get("host")


async def _bounded(request: Request, receive: Receive, held: _Held) -> bytes:
    largest = LARGER_BODIES.get(request.url.path, LARGEST_BODY)
    claimed = request.headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > largest:
        raise _NotAdmitted(Refused("web.too-large", kilobytes=largest // 1024), 413)
    body, more = bytearray(), True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > largest:
            raise _NotAdmitted(Refused("web.too-large", kilobytes=largest // 1024), 413)
        if len(body) > LARGEST_BODY:
            held.take()
    return bytes(body)


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
