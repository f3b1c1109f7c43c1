"""Runs of a weather model on a server: one file and one index a step, and of each file only the bytes of the rain.

A run is fetched only when the index of every step is there and has been left alone for `settle_minutes`, because such
servers are eventually consistent. A newer run that is not whole hides no older one.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.settings_table import SettingsTable
from geowarn.ports import Errand, Haul
from geowarn.sources.fetch_http import HTTP_KEYS, Absent, Answer, HttpClient, limits_of, shown

_KEYS = ("base_url", "cycles", "steps", "settle_minutes", *HTTP_KEYS)
_REACH = timedelta(hours=25)  # how far back a run is looked for


@dataclass(frozen=True, slots=True)
class Piece:
    """The bytes of one message; `last` None: up to the end of the file."""

    first: int
    last: int | None


@dataclass(frozen=True, slots=True)
class _Step:
    hours: int
    url: str
    pieces: tuple[Piece, ...]


class _NotYet(Exception):
    def __init__(self, steps: Sequence[int]) -> None:
        super().__init__(steps)
        self.steps = tuple(steps)


class RunFetcher(ABC):
    """`geowarn.ports.Fetcher` for servers that lay out runs by date, hour and step."""

    name: str
    base_url: str

    def check(self, parameters: SettingsTable) -> None:
        """Raise Refused naming the parameter that is wrong."""
        parameters.refuse_unknown(_KEYS)
        parameters.url("base_url", self.base_url)
        parameters.wholes("cycles", 0, 23)
        parameters.wholes("steps", 1, 384)
        parameters.whole("settle_minutes", 0, 120, 10)
        limits_of(parameters)

    @abstractmethod
    def data_url(self, base: str, run: datetime, step: int) -> str:
        """Where the file of one step is."""

    @abstractmethod
    def index_url(self, data_url: str) -> str:
        """Where its index is."""

    @abstractmethod
    def pieces(self, index: str, url: str) -> tuple[Piece, ...]:
        """The bytes of the rain; raises Refused for an index that cannot be read."""

    def fetch(self, errand: Errand) -> Haul:
        """The newest whole run that is newer than the last one; raises Refused."""
        waits_for: tuple[str, ...] = ()
        newer = ""
        with self.client(errand) as client:
            for run in _runs(errand):
                label = f"{run:%Y%m%d%H}"
                try:
                    files = self._run(client, errand, run)
                except _NotYet as missing:
                    if not newer:
                        newer, waits_for = label, tuple(f"{step} h" for step in missing.steps)
                    continue
                return Haul(files, {"run": label}, waits_for, newer)
        return Haul((), {}, waits_for, newer)

    def client(self, errand: Errand) -> HttpClient:
        """The client of one errand."""
        return HttpClient(limits_of(errand.parameters), errand.stopped)

    def _run(self, client: HttpClient, errand: Errand, run: datetime) -> tuple[Path, ...]:
        base = errand.parameters.url("base_url", self.base_url)
        settle = timedelta(minutes=errand.parameters.whole("settle_minutes", 0, 120, 10))
        found, missing = [], []
        for hours in errand.parameters.wholes("steps", 1, 384):
            step = self._indexed(client, self.data_url(base, run, hours), hours, errand.now - settle)
            if step is None:
                missing.append(hours)
            else:
                found.append(step)
        if missing:
            raise _NotYet(missing)
        return tuple(self._got(client, step, errand.folder, run) for step in found)

    def _indexed(self, client: HttpClient, data_url: str, hours: int, before: datetime) -> _Step | None:
        """The step with the bytes of its rain, None where its index is not there or changed just now."""
        url = self.index_url(data_url)
        try:
            answer = client.get(url)
        except Absent:
            return None
        if not settled(answer, before):
            return None
        pieces = self.pieces(answer.body.decode("utf-8", "replace"), url)
        if not pieces:
            raise Refused("fetch.no-rain", url=shown(url))
        return _Step(hours, data_url, pieces)

    def _got(self, client: HttpClient, step: _Step, folder: Path, run: datetime) -> Path:
        try:
            answers = [client.get(step.url, first=piece.first, last=piece.last) for piece in step.pieces]
        except Absent:
            raise _NotYet([step.hours]) from None
        if len({answer.headers.get("ETag") for answer in answers}) > 1:  # the file changed between two parts
            raise _NotYet([step.hours])
        body = b"".join(answer.body for answer in answers)
        check_grib(body, step.url)
        file = folder / f"{self.name}-{run:%Y%m%d%H}-{step.hours:03d}.grib2"
        file.write_bytes(body)
        return file


def _runs(errand: Errand) -> Iterator[datetime]:
    """The runs that may be there, newest first, down to the last one that came."""
    cycles = errand.parameters.wholes("cycles", 0, 23)
    hour = errand.now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    while hour > errand.now - _REACH:
        if f"{hour:%Y%m%d%H}" <= errand.known.get("run", ""):
            return
        if hour.hour in cycles:
            yield hour
        hour -= timedelta(hours=1)


def settled(answer: Answer, before: datetime) -> bool:
    """Whether the file was last changed before this; a server that does not say is believed."""
    try:
        changed = parsedate_to_datetime(answer.headers.get("Last-Modified", ""))
    except (TypeError, ValueError):
        return True
    return (changed if changed.tzinfo else changed.replace(tzinfo=UTC)) <= before


def check_grib(body: bytes, url: str) -> None:
    """Raise Refused unless the bytes are whole GRIB messages and nothing else (WMO 306, section 0: the length)."""
    position = 0
    while position < len(body):
        head = body[position : position + 16]
        if len(head) < 16 or head[:4] != b"GRIB" or head[7] not in (1, 2):
            raise Refused("fetch.not-grib", url=shown(url), place=position)
        length = int.from_bytes(head[8:16] if head[7] == 2 else head[4:7], "big")
        end = position + length
        if length < 16 or body[end - 4 : end] != b"7777":
            raise Refused("fetch.not-grib", url=shown(url), place=position)
        position = end
