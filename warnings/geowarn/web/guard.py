"""What stands before every route: bounded bodies, no cross-site acts, headers that browsers obey, no tracebacks."""

from __future__ import annotations

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
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
# These carry a key or a signature instead of a cookie, so no browser can be tricked into them.
KEYED_PATHS = ("/hooks/", "/broadcast/", "/api/")

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
        try:
            replay = await self._admitted(request, receive)
            await self.app(scope, replay, with_headers)
        except _NotAdmitted as refusal:
            await self.explain(request, refusal.why, refusal.status)(scope, receive, with_headers)
        except Exception:
            log.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            await self.explain(request, Refused("web.fault"), 500)(scope, receive, with_headers)

    async def _admitted(self, request: Request, receive: Receive) -> Receive:
        by_browser = request.method not in SAFE_METHODS and not request.url.path.startswith(KEYED_PATHS)
        if by_browser and not same_site(request.headers):
            raise _NotAdmitted(Refused("web.cross-site"), 403)
        body = await _bounded(request, receive)
        request.scope.setdefault("state", {})["body"] = body
        return _replay(body, receive)


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


async def _bounded(request: Request, receive: Receive) -> bytes:
    claimed = request.headers.get("content-length", "0")
    if not claimed.isdigit() or int(claimed) > LARGEST_BODY:
        raise _NotAdmitted(Refused("web.too-large", kilobytes=LARGEST_BODY // 1024), 413)
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_BODY:
            raise _NotAdmitted(Refused("web.too-large", kilobytes=LARGEST_BODY // 1024), 413)
    return body


def _replay(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
