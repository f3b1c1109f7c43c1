"""Rain per warning area as CSV: `area,start,end,mm,kind`, one row an area and interval.

Times are ISO 8601 with offset, an empty `mm` is missing (never zero), `kind` is `forecast` or `observed`. Lines that
begin with `#` may stand before the header: `# synthetic: …` marks the whole file as synthetic, `# run: TIME` gives the
run time and `# source: …` the source; others are comments. Without `# run:` the run time is the start of the first
forecast interval, or, where all is observed, the end of the last. Rows of one interval and kind make one field; fields
of different areas may overlap in time, those of one area and kind may not.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import pairwise
from math import nan
from pathlib import Path

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Payload, RainField, RainKind, Reading
from geowarn.sources.gates import check_range, most_mm, only_file, read_text

COLUMNS = ("area", "start", "end", "mm", "kind")
_NUMBER = re.compile(r"[+-]?(\d{1,9}(\.\d{1,12})?|\.\d{1,12})", re.ASCII)
_LINE_END = re.compile(r"\r\n|\n|\r")
_LONGEST_LINE = 4096
_LONGEST_CODE = 64


@dataclass(frozen=True, slots=True)
class _Row:
    line: int
    area: str
    period: Period
    mm: float
    kind: RainKind


@dataclass(slots=True)
class _Preamble:
    synthetic: bool = False
    source: str = ""
    run: datetime | None = None
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Place:
    file: str
    line: int

    def refuse(self, name: str, column: str, value: str) -> Refused:
        """A refusal that names file, line, column and value."""
        return Refused(f"sources.csv-{name}", file=self.file, line=self.line, column=column, value=value[:60])


class RainCsvReader:
    """`geowarn.ports.Reader` for rain per area."""

    name = "csv"

    def __init__(self, *, file_mebibytes: int = 32) -> None:
        self.file_mebibytes = file_mebibytes

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Fields of every interval; raises Refused naming line, column, value and what to do."""
        payload = only_file(files, self.name)
        file_name = payload.name
        lines = _LINE_END.split(read_text(payload.path, file_name, self.file_mebibytes))
        preamble, header = _preamble(lines, file_name)
        rows = list(_rows(lines, header, file_name))
        if not rows:
            raise Refused("sources.csv-no-rows", file=file_name)
        _refuse_overlaps(rows, file_name)
        source = preamble.source or Path(file_name).stem
        run_time = preamble.run or _run_time(rows)
        fields = tuple(_fields(rows, source, run_time))
        return (Reading(fields, source, run_time, preamble.synthetic, tuple(preamble.notes)),)


def _preamble(lines: Sequence[str], file_name: str) -> tuple[_Preamble, int]:
    """What the leading comments say, and the header's index."""
    found = _Preamble()
    for index, line in enumerate(lines):
        if not line.strip():
            continue
        if not line.startswith("#"):
            return found, index
        _comment(found, line, _Place(file_name, index + 1))
    raise Refused("sources.csv-no-rows", file=file_name)


def _comment(found: _Preamble, line: str, place: _Place) -> None:
    key, _, value = line.lstrip("# ").partition(":")
    key, value = key.strip().lower(), value.strip()
    if key not in {"synthetic", "run", "source"}:
        return
    if not value.isprintable() or not 0 < len(value) <= 200:
        raise place.refuse("comment", key, value if value.isprintable() else repr(value))
    if key == "synthetic":
        found.synthetic = True
        found.notes.append(note("sources.note-synthetic", text=value))
    elif key == "run":
        found.run = _moment(value, "run", place)
    else:
        found.source = value


def _cells(line: str, place: _Place) -> list[str]:
    if len(line) > _LONGEST_LINE:
        raise place.refuse("line-too-long", "-", str(len(line)))
    try:
        return [cell.strip() for cell in next(csv.reader([line], strict=True))]
    except (csv.Error, StopIteration):
        raise place.refuse("quoting", "-", line) from None


def _header(line: str, place: _Place) -> list[str]:
    names = _cells(line, place)
    for name in names:
        if name not in COLUMNS:
            raise place.refuse("unknown-column", name or "?", name)
        if names.count(name) > 1:
            raise place.refuse("column-twice", name, name)
    missing = [name for name in COLUMNS if name not in names]
    if missing:
        raise place.refuse("column-missing", ", ".join(missing), line)
    return names


def _rows(lines: Sequence[str], header: int, file_name: str) -> Iterator[_Row]:
    names = _header(lines[header], _Place(file_name, header + 1))
    for index, line in enumerate(lines[header + 1 :], start=header + 2):
        if not line.strip():
            continue
        place = _Place(file_name, index)
        cells = _cells(line, place)
        if len(cells) != len(names):
            raise place.refuse("cells", "-", str(len(cells)))
        yield _row(dict(zip(names, cells, strict=True)), place)


def _row(cells: dict[str, str], place: _Place) -> _Row:
    code = cells["area"]
    if not code or not code.isprintable() or len(code) > _LONGEST_CODE:
        raise place.refuse("area", "area", code if code.isprintable() else repr(code))
    start, end = _moment(cells["start"], "start", place), _moment(cells["end"], "end", place)
    if end <= start:
        raise place.refuse("end", "end", cells["end"])
    if cells["kind"] not in set(RainKind):
        raise place.refuse("kind", "kind", cells["kind"])
    period = Period(start, end)
    return _Row(place.line, code, period, _mm(cells["mm"], period, place), RainKind(cells["kind"]))


def _moment(text: str, column: str, place: _Place) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise place.refuse("time", column, text) from None
    if moment.tzinfo is None:
        raise place.refuse("no-offset", column, text)
    try:
        moment = moment.astimezone(UTC)
    except OverflowError:
        raise place.refuse("time", column, text) from None
    if not 1900 <= moment.year <= 2200:
        raise place.refuse("time", column, text)
    return moment


def _mm(text: str, period: Period, place: _Place) -> float:
    if not text:
        return nan
    if not _NUMBER.fullmatch(text):
        raise place.refuse("number", "mm", text)
    value = float(text)
    if value < 0:
        raise place.refuse("negative", "mm", text)
    if value > most_mm(period.hours):
        raise place.refuse("impossible", "mm", text)
    return value


def _refuse_overlaps(rows: Sequence[_Row], file_name: str) -> None:
    by_area: dict[tuple[str, RainKind], list[_Row]] = {}
    for row in rows:
        by_area.setdefault((row.area, row.kind), []).append(row)
    for (area, _), own in by_area.items():
        own.sort(key=lambda row: row.period)
        for before, after in pairwise(own):
            if before.period.overlaps(after.period):
                first, second = sorted((before.line, after.line))
                raise Refused("sources.csv-overlap", file=file_name, area=area, line=second, other=first)
        series = [(row.period, np.array([row.mm])) for row in own]
        check_range(series, AreaUnits((area,)), file_name)


def _run_time(rows: Sequence[_Row]) -> datetime:
    forecast = [row.period.start for row in rows if row.kind is RainKind.FORECAST]
    return min(forecast) if forecast else max(row.period.end for row in rows)


def _fields(rows: Sequence[_Row], source: str, run_time: datetime) -> Iterator[RainField]:
    groups: dict[tuple[Period, RainKind], list[_Row]] = {}
    for row in rows:
        groups.setdefault((row.period, row.kind), []).append(row)
    for period, kind in sorted(groups):
        own = groups[period, kind]
        support = AreaUnits(tuple(row.area for row in own))
        yield RainField(period, support, tuple(row.mm for row in own), kind, source, run_time)
