"""One line of rain CSV: cells by column, times in UTC, mm or missing; everything else refused by line and column."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import nan

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import RainKind
from geowarn.sources.gates import most_mm

AREA_COLUMNS = ("area", "start", "end", "mm", "kind")
STATION_COLUMNS = ("station", "lon", "lat", "start", "end", "mm", "kind")
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{1,12})?|\.\d{1,12})", re.ASCII)
_LINE_END = re.compile(r"\r\n|\n|\r")
_LONGEST_LINE = 4096
_LONGEST_CODE = 64
# What loggers, exchange formats and databases write for "missing" or "trace"; exactly these are never rain.
_SENTINELS = frozenset(
    {-1.0, -9.0, -99.0, -999.0, -9999.0, -99999.0, -999.9, -9999.9, 999.0, 999.9, 9999.0, 9999.9, 99999.0}
    | {999.8, 32766.0, 32767.0, 999990.0, 999996.0, 999998.0, 999999.0}
)


@dataclass(frozen=True, slots=True)
class Row:
    """Rain in mm (NaN = missing) of one area or station; `position` is (lon, lat) of a station."""

    line: int
    code: str
    period: Period
    mm: float
    kind: RainKind
    position: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which file."""

    file: str
    line: int

    def refuse(self, name: str, column: str, value: str) -> Refused:
        """A refusal that names file, line, column and value."""
        return Refused(f"sources.csv-{name}", file=self.file, line=self.line, column=column, value=value[:60])


def lines_of(text: str) -> list[str]:
    """The lines, whatever ends them."""
    return _LINE_END.split(text)


def _cells(line: str, place: Place) -> list[str]:
    if len(line) > _LONGEST_LINE:
        raise place.refuse("line-too-long", "-", str(len(line)))
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except (csv.Error, StopIteration):
        raise place.refuse("quoting", "-", line) from None


def header_of(line: str, place: Place) -> list[str]:
    """The column names in the file's order: those of areas or those of stations, all of them and no other."""
    names = _cells(line, place)
    wanted = STATION_COLUMNS if "station" in names else AREA_COLUMNS
    for name in names:
        if name not in wanted:
            raise place.refuse("unknown-column", name or "?", name)
        if names.count(name) > 1:
            raise place.refuse("column-twice", name, name)
    missing = [name for name in wanted if name not in names]
    if missing:
        raise place.refuse("column-missing", ", ".join(missing), line)
    return names


def row_of(line: str, names: Sequence[str], place: Place) -> Row:
    """One row; raises Refused naming line, column and value."""
    found = _cells(line, place)
    if len(found) != len(names):
        raise place.refuse("cells", "-", str(len(found)))
    cells = dict(zip(names, found, strict=True))
    key = "station" if "station" in cells else "area"
    code = cells[key]
    if not code or not code.isprintable() or len(code) > _LONGEST_CODE:
        raise place.refuse(key, key, code if code.isprintable() else repr(code))
    start, end = moment(cells["start"], "start", place), moment(cells["end"], "end", place)
    if end <= start:
        raise place.refuse("end", "end", cells["end"])
    if cells["kind"] not in set(RainKind):
        raise place.refuse("kind", "kind", cells["kind"])
    period = Period(start, end)
    position = _position(cells, place) if key == "station" else None
    return Row(place.line, code, period, _mm(cells["mm"], period, place), RainKind(cells["kind"]), position)


def _position(cells: Mapping[str, str], place: Place) -> tuple[float, float]:
    """Longitude and latitude in degrees; 0,0 lies in the sea off Africa and stands for "unknown" in many lists."""
    found: dict[str, float] = {}
    for column, most in (("lon", 180), ("lat", 90)):
        text = cells[column]
        if not _NUMBER.fullmatch(text) or abs(float(text)) > most:
            raise place.refuse("position", column, text)
        found[column] = float(text)
    if not any(found.values()):
        raise place.refuse("position", "lon, lat", "0, 0")
    return found["lon"], found["lat"]


def moment(text: str, column: str, place: Place) -> datetime:
    """A time with offset, in UTC."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse("time", column, text) from None
    if found.tzinfo is None:
        raise place.refuse("no-offset", column, text)
    try:
        found = found.astimezone(UTC)
    except OverflowError:
        raise place.refuse("time", column, text) from None
    if not 1900 <= found.year <= 2200:
        raise place.refuse("time", column, text)
    return found


def _mm(text: str, period: Period, place: Place) -> float:
    if not text:
        return nan
    if not _NUMBER.fullmatch(text):
        raise place.refuse("number", "mm", text)
    value = float(text)
    if value in _SENTINELS:
        raise place.refuse("sentinel", "mm", text)
    if value < 0:
        raise place.refuse("negative", "mm", text)
    if value > most_mm(period.hours):
        raise place.refuse("impossible", "mm", text)
    return value
