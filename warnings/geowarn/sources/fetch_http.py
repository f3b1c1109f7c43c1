"""One careful HTTP GET: bounded in time and size, retried with jitter, and never believed without a check.

No redirect to another host, no proxy from the environment, no compressed answer (a small one could unpack to
anything). A part of a file is taken only as 206 with the range that was asked for.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Self
from urllib.parse import urljoin, urlsplit

import requests
import urllib3

from geowarn.domain.errors import Refused
from geowarn.domain.settings_table import SettingsTable
from geowarn.domain.source import pause
from geowarn.sources.fetch_wires import WatchedAdapter, Wires

HTTP_KEYS = ("connect_seconds", "read_seconds", "transfer_seconds", "total_seconds", "most_mebibytes", "proxy")
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_GONE = frozenset({404, 410})
_MOVED = frozenset({301, 302, 303, 307, 308})
_MOST_MOVES = 3
_BLOCK = 1 << 16
_PAGE = re.compile(rb"\s*<(!doctype\s+html|html)", re.IGNORECASE)
_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18}|\*)", re.ASCII)


class Absent(Exception):
    """The far end does not have it, or not yet."""


class _TryAgain(Exception):
    def __init__(self, reason: str, asked: float = 0.0) -> None:
        super().__init__(reason)
        self.reason, self.asked = reason, asked


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """Seconds to connect, between two reads, for one answer, and for everything with all tries; the largest answer."""

    connect: float
    read: float
    transfer: float
    total: float
    mebibytes: int
    proxy: str


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole and checked answer: 200, 206 with the range asked for, or 304."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def limits_of(table: SettingsTable) -> HttpLimits:
    """The limits of one source; raises Refused."""
    return HttpLimits(
        table.number("connect_seconds", 0.1, 60, 10),
        table.number("read_seconds", 0.1, 120, 30),
        table.number("transfer_seconds", 1, 1800, 120),
        table.number("total_seconds", 1, 3600, 600),
        table.whole("most_mebibytes", 1, 512, 64),
        table.url("proxy", ""),
    )


def shown(url: str) -> str:
    """An address as messages show it: without user, query and fragment, where keys may stand."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{f':{parts.port}' if parts.port else ''}{parts.path}"


class HttpClient:
    """Gets within limits; `stopped` as in `ports.Errand`, `ticking` and `chance` are there for tests."""

    def __init__(
        self,
        limits: HttpLimits,
        stopped: Callable[[float], bool],
        *,
        ticking: Callable[[], float] = time.monotonic,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.limits, self._stopped, self._ticking, self._chance = limits, stopped, ticking, chance
        self._until = ticking() + limits.total
        self._session = requests.Session()
        self._session.trust_env = False
        self._wires = Wires()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, WatchedAdapter(self._wires))
        self._session.headers.update({"User-Agent": "geowarn", "Accept-Encoding": "identity"})
        if limits.proxy:
            self._session.proxies = {"http": limits.proxy, "https": limits.proxy}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._session.close()
        self._wires.close()

    def get(
        self,
        url: str,
        *,
        first: int | None = None,
        last: int | None = None,
        query: Mapping[str, str] | None = None,
        validators: Mapping[str, str] | None = None,
        within: float | None = None,
    ) -> Answer:
        """Get a file, or its bytes `first` to `last` (None: its end); raises Absent and Refused.

        `within` so many seconds: a single try.
        """
        headers = dict(validators or {})
        if first is not None:
            headers["Range"] = f"bytes={first}-{'' if last is None else last}"
        attempt = 1
        while True:
            try:
                answer = self._once(url, headers, query, self.left if within is None else min(within, self.left))
            except _TryAgain as fault:
                wait = pause(attempt, self._chance(), fault.asked, self.left) if within is None else None
                if wait is None:
                    raise Refused("fetch.unreachable", url=shown(url), reason=fault.reason, tries=attempt) from None
                if self._stopped(wait):
                    raise Refused("fetch.stopped", url=shown(url)) from None
                attempt += 1
                continue
            if first is not None:
                _check_range(url, answer, first, last)
            return answer

    @property
    def left(self) -> float:
        """Seconds left for everything."""
        return self._until - self._ticking()

    def _once(self, url: str, headers: Mapping[str, str], query: Mapping[str, str] | None, left: float) -> Answer:
        left = max(left, 0.1)
        seconds = min(self.limits.transfer, left)
        with self._wires.cut_after(seconds) as late:
            try:
                answer = self._followed(url, headers, query, left, self._ticking() + seconds)
            except _TryAgain:
                if late.is_set():
                    raise _TryAgain("too slow") from None
                raise
        if late.is_set():  # headers that break off look like headers that end
            raise _TryAgain("too slow")
        return answer

    def _followed(
        self, url: str, headers: Mapping[str, str], query: Mapping[str, str] | None, left: float, until: float
    ) -> Answer:
        """The answer, on the same host wherever it moved to."""
        where = url
        for _ in range(_MOST_MOVES):
            try:
                with self._session.get(
                    where,
                    headers=dict(headers),
                    params=query if where == url else None,
                    timeout=(min(self.limits.connect, left), min(self.limits.read, left)),
                    stream=True,
                    allow_redirects=False,
                ) as response:
                    if response.status_code not in _MOVED:
                        return self._answer(response, url, until)
                    where = _same_host(url, response)
            except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
                raise _TryAgain(type(error).__name__) from None
        raise Refused("fetch.redirect", url=shown(url), to=shown(where))

    def _answer(self, response: requests.Response, url: str, until: float) -> Answer:
        status = response.status_code
        if status in _GONE:
            raise Absent(url)
        if status in _AGAIN:
            raise _TryAgain(f"HTTP {status}", _asked(response))
        if status == 304:
            return Answer(304, response.headers, b"")
        body = self._body(response, url, until)
        if status not in (200, 206):
            reason = "".join(c for c in body[:300].decode("utf-8", "replace") if c.isprintable())
            raise Refused("fetch.status", url=shown(url), status=status, reason=reason or "-")
        if response.headers.get("Content-Encoding", "identity") != "identity":
            raise Refused("fetch.encoded", url=shown(url), encoding=response.headers["Content-Encoding"][:40])
        if response.headers.get("Content-Type", "").startswith("text/html") or _PAGE.match(body):
            raise Refused("fetch.page", url=shown(url))
        return Answer(status, response.headers, body)

    def _body(self, response: requests.Response, url: str, until: float) -> bytes:
        """The whole body, counted: `read1` returns what is there, so that a slow drip cannot outlast the deadline."""
        declared, most = response.headers.get("Content-Length", ""), self.limits.mebibytes << 20
        if declared.isdecimal() and int(declared) > most:
            raise Refused("fetch.too-large", url=shown(url), limit=self.limits.mebibytes)
        body = bytearray()
        while block := response.raw.read1(_BLOCK, decode_content=False):
            body += block
            if len(body) > most:
                raise Refused("fetch.too-large", url=shown(url), limit=self.limits.mebibytes)
            if self._ticking() > until:
                raise _TryAgain("too slow")
            if self._stopped(0):
                raise Refused("fetch.stopped", url=shown(url))
        if declared.isdecimal() and len(body) != int(declared):
            raise _TryAgain(f"{len(body)} of {declared} B")
        return bytes(body)


def _asked(response: requests.Response) -> float:
    """Seconds the far end wants us to wait; a date is left to the back-off."""
    asked = response.headers.get("Retry-After", "")
    return float(asked) if asked.isdecimal() and len(asked) < 7 else 0.0


def _same_host(url: str, response: requests.Response) -> str:
    wanted = urljoin(response.url, response.headers.get("Location", ""))
    one, two = urlsplit(url), urlsplit(wanted)
    if (one.scheme, one.hostname, one.port) != (two.scheme, two.hostname, two.port):
        raise Refused("fetch.redirect", url=shown(url), to=f"{two.scheme}://{two.hostname}")
    return wanted


def _check_range(url: str, answer: Answer, first: int, last: int | None) -> None:
    """A server may answer with the whole file, or with other bytes than those asked for."""
    asked = f"{first}-{'' if last is None else last}"
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != 206 or found is None:
        raise Refused("fetch.range", url=shown(url), range=asked, given=f"HTTP {answer.status}")
    begin, end, size = int(found[1]), int(found[2]), found[3]
    to_the_end = size.isdecimal() and end == int(size) - 1
    if begin != first or not (to_the_end if last is None else end == last) or len(answer.body) != end - begin + 1:
        raise Refused("fetch.range", url=shown(url), range=asked, given=f"{begin}-{end}, {len(answer.body)} B")
