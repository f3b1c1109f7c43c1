"""MICAPS text files, types 3 (stations) and 4 (grid): the first line, the header's numbers and the values.

The layout is that of the MICAPS format description (第三类、第四类数据格式). Only the first line may hold Chinese, in
GBK or UTF-8; everything after it is numbers, of which type 4 breaks its lines wherever it likes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from warnings import catch_warnings, simplefilter

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Grid, Payload, Stations
from geowarn.sources.gates import Values, check_size

MISSING = 9999.0  # 缺值 in the format description
_FIRST = re.compile(r"\s*diamond\s+(\d{1,3})\b[ \t]*(.*)", re.IGNORECASE)
_NUMBER = re.compile(rb"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})([eE][+-]?\d{1,2})?")
_SIDES = ("dlon", "dlat", "lon0", "lon1", "lat0", "lat1")
_DRAWING = ("contour step", "contour from", "contour to", "smoothing", "bold contour")
_LONGEST_LINE = 1 << 20
_MOST_STATIONS = 200_000
_MOST_EDGE = 10_000


@dataclass(frozen=True, slots=True)
class MicapsFile:
    """One file: lead in hours (type 3 has none), values in mm (NaN = missing), `quantum` their last printed decimal."""

    name: str
    type: int
    title: str
    time: datetime  # as written, no zone
    lead: int | None
    level: int
    support: Grid | Stations
    values: Values
    quantum: float
    declared: int  # stations or cells the header promises


def read_micaps(payload: Payload, most_mebibytes: int, most_points: int) -> MicapsFile:
    """The file's parts; raises Refused naming line, field, value and what to do."""
    check_size(payload.path, payload.name, most_mebibytes)
    data = payload.path.read_bytes().replace(b"\r\n", b"\n")
    if data[:512].removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"<":
        raise Refused("sources.web-page", file=payload.name)
    if b"\0" in data:
        raise Refused("sources.binary", file=payload.name, line=data[: data.index(b"\0")].count(b"\n") + 1)
    first, _, rest = data.partition(b"\n")
    kind, title = _first_line(first, payload.name)
    lines = [b"", *rest.split(b"\n")]
    for number, line in enumerate(lines, start=1):
        if len(line) > _LONGEST_LINE:
            raise Refused("micaps.line-too-long", file=payload.name, line=number, value=len(line))
    cursor = _Cursor(payload.name, lines)
    return (_grid_file if kind == 4 else _station_file)(cursor, title, most_points)


def _first_line(first: bytes, file_name: str) -> tuple[int, str]:
    text = _decoded(first[:1024].removeprefix(b"\xef\xbb\xbf"))
    found = _FIRST.fullmatch(text) if text is not None else None
    if not found or len(first) > 1024 or int(found[1]) not in (3, 4):
        shown = " ".join((text or "?").split())[:60]
        raise Refused("micaps.type", file=file_name, value=shown if shown.isprintable() else repr(shown))
    return int(found[1]), " ".join(found[2].split())


def _decoded(line: bytes) -> str | None:
    for encoding in ("utf-8", "gb18030"):  # Chinese in GBK is hardly ever valid UTF-8; the other way round it often is
        with suppress(UnicodeDecodeError):
            return line.decode(encoding)
    return None


class _Cursor:
    """Takes header numbers one after the other, wherever the lines break."""

    def __init__(self, file_name: str, lines: Sequence[bytes]) -> None:
        self.file = file_name
        self.lines = lines
        self.line = 1  # of the last token taken
        self._taken = 0  # tokens of that line
        self._tokens = self._all()

    def _all(self) -> Iterator[bytes]:
        for number, line in enumerate(self.lines, start=1):
            for index, token in enumerate(line.split(), start=1):
                self.line, self._taken = number, index
                yield token

    def rest(self) -> bytes:
        """Everything after the tokens taken, as it stands."""
        begun = b" ".join(self.lines[self.line - 1].split()[self._taken :])
        return b"\n".join([begun, *self.lines[self.line :]])

    def bad(self, field: str, value: object, *, line: int | None = None) -> Refused:
        """A refusal that names file, line, field and value."""
        shown = value.decode("ascii", "replace") if isinstance(value, bytes) else str(value)
        shown = shown[:40] if shown.isprintable() else repr(shown)[:40]
        return Refused("micaps.field", file=self.file, line=line or self.line, field=field, value=shown)

    def number(self, field: str, token: bytes | None = None) -> float:
        """The next header number, or this token as one."""
        found = next(self._tokens, None) if token is None else token
        if found is None:
            raise Refused("micaps.header-short", file=self.file, field=field)
        if not _NUMBER.fullmatch(found):
            raise self.bad(field, found)
        return float(found)

    def whole(self, field: str, least: int, most: int) -> int:
        """The next header number, which must be a whole one within limits."""
        value = self.number(field)
        if value != int(value) or not least <= value <= most:
            raise self.bad(field, f"{value:g}")
        return int(value)

    def time(self) -> datetime:
        """Year, month, day and hour as written; years of two digits are 1970 to 2069."""
        year = self.whole("year", 0, 2200)
        year += 0 if year >= 100 else 2000 if year < 70 else 1900
        month, day, hour = (self.whole(name, 0, 31) for name in ("month", "day", "hour"))
        try:
            return datetime(year, month, day, hour)  # noqa: DTZ001  the zone is not in the header
        except ValueError:
            raise self.bad("year month day hour", f"{year} {month} {day} {hour}") from None


def _grid_file(cursor: _Cursor, title: str, most_points: int) -> MicapsFile:
    time = cursor.time()
    lead, level = cursor.whole("lead", 0, 9999), cursor.whole("level", -(10**6), 10**6)
    sides = {name: cursor.number(name) for name in _SIDES}
    nx, ny = cursor.whole("nx", 1, 100_000), cursor.whole("ny", 1, 100_000)
    if nx * ny > most_points:
        raise Refused("micaps.points", file=cursor.file, points=nx * ny, limit=most_points)
    grid = _grid(cursor, sides, nx, ny)
    for name in _DRAWING:
        cursor.number(name)
    values, quantum = _values(cursor, cursor.rest())
    if values.size != grid.size:
        raise Refused("micaps.count", file=cursor.file, declared=grid.size, found=values.size)
    return MicapsFile(cursor.file, 4, title, time, lead, level, grid, values, quantum, grid.size)


def _grid(cursor: _Cursor, sides: dict[str, float], nx: int, ny: int) -> Grid:
    lon0, lon1, lat0, lat1 = (sides[name] for name in ("lon0", "lon1", "lat0", "lat1"))
    for name, value, low, high in (("lon0", lon0, -180, 360), ("lat0", lat0, -90, 90), ("lat1", lat1, -90, 90)):
        if not low <= value <= high:
            raise cursor.bad(name, f"{value:g}")
    dlon, dlat = (
        _step(cursor, "dlon", sides["dlon"], lon1 - lon0, nx),
        _step(cursor, "dlat", sides["dlat"], lat1 - lat0, ny),
    )
    if dlon <= 0:
        raise cursor.bad("dlon", f"{dlon:g}")
    if nx * dlon > 360 + 0.5 * dlon:
        raise Refused("micaps.wraps", file=cursor.file, columns=nx, dlon=f"{dlon:g}")
    return Grid(lon0 - 360 if lon0 >= 180 else lon0, lat0, dlon, dlat, nx, ny)


def _step(cursor: _Cursor, field: str, written: float, span: float, count: int) -> float:
    """Degrees between neighbours with their sign; the written step must lead from one corner to the other."""
    if written == 0 or (count > 1 and (span > 0) != (written > 0)):
        raise Refused("micaps.step-sign", file=cursor.file, field=field, value=f"{written:g}", span=f"{span:g}")
    if abs(written * (count - 1) - span) > max(0.02 * abs(written), 0.006):  # corners come with two decimals
        expected = f"{span / (count - 1):g}" if count > 1 else "0"
        raise Refused("micaps.step", file=cursor.file, field=field, value=f"{written:g}", expected=expected)
    return written


def _values(cursor: _Cursor, text: bytes) -> tuple[Values, float]:
    """Numbers in order, NaN = missing, and their last printed decimal (of the first thousand) in mm."""
    with catch_warnings():
        simplefilter("error")  # numpy stops at what is no number and only warns of it
        try:
            values = np.fromstring(text, dtype=np.float64, sep=" ")
        except (DeprecationWarning, ValueError):
            values = np.array([np.nan])
    if not np.isfinite(values).all():
        tokens = text.split()
        index = next((i for i, token in enumerate(tokens) if not _NUMBER.fullmatch(token)), 0)
        raise cursor.bad("mm", tokens[index], line=_line_of(cursor.lines, len(tokens) - index))
    decimals = max((len(token.partition(b".")[2]) for token in text[:8000].split()[:1000]), default=0)
    values[values == MISSING] = np.nan
    return values, float(10.0 ** -min(decimals, 6))


def _line_of(lines: Sequence[bytes], from_end: int) -> int:
    """The line of the token that stands `from_end` tokens before the end."""
    for number in range(len(lines), 0, -1):
        from_end -= len(lines[number - 1].split())
        if from_end <= 0:
            return number
    return 1


def _station_file(cursor: _Cursor, title: str, most_points: int) -> MicapsFile:
    time, level = cursor.time(), cursor.whole("level", -(10**6), 10**6)
    for _ in range(cursor.whole("contours", 0, 1000)):
        cursor.number("contour")
    cursor.number("smoothing")
    cursor.number("bold contour")
    for _ in range(2 * cursor.whole("edge points", 0, _MOST_EDGE)):
        cursor.number("edge")
    elements = cursor.whole("elements", 1, 100)
    if elements != 1:
        raise cursor.bad("elements", elements)
    declared = cursor.whole("stations", 1, min(_MOST_STATIONS, most_points))
    support, values, quantum = _stations(cursor)
    return MicapsFile(cursor.file, 3, title, time, None, level, support, values, quantum, declared)


def _stations(cursor: _Cursor) -> tuple[Stations, Values, float]:
    rows: dict[str, tuple[float, float, bytes, int]] = {}
    for number, line in enumerate(cursor.lines[cursor.line :], start=cursor.line + 1):
        cells = line.split()
        if not cells:
            continue
        if len(cells) != 5:
            raise Refused("micaps.row", file=cursor.file, line=number, found=len(cells))
        station, lon, lat, mm = _row(cursor, cells, number)
        known = rows.setdefault(station, (lon, lat, mm, number))
        if known[:3] != (lon, lat, mm):
            raise Refused("micaps.station-twice", file=cursor.file, line=number, station=station, other=known[3])
    if not rows:
        raise Refused("micaps.count", file=cursor.file, declared=1, found=0)
    lons, lats, texts, _ = zip(*rows.values(), strict=True)
    values, quantum = _values(cursor, b" ".join(texts))
    return Stations(tuple(rows), lons, lats), values, quantum


def _row(cursor: _Cursor, cells: Sequence[bytes], line: int) -> tuple[str, float, float, bytes]:
    """Station id as written (leading zeros are part of it), longitude, latitude and the value's text."""
    if not cells[0].isalnum() or len(cells[0]) > 16:
        raise cursor.bad("station", cells[0], line=line)
    for field, cell in zip(("lon", "lat", "elevation", "mm"), cells[1:], strict=True):
        if not _NUMBER.fullmatch(cell):
            raise cursor.bad(field, cell, line=line)
    lon, lat = float(cells[1]), float(cells[2])
    if not -180 <= lon <= 180:
        raise cursor.bad("lon", cells[1], line=line)
    if not -90 <= lat <= 90:
        raise cursor.bad("lat", cells[2], line=line)
    return cells[0].decode("ascii"), lon, lat, cells[4]
