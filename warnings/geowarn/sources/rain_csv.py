"""Rain per warning area or per station as CSV, one row an area or station and interval.

Areas: `area,start,end,mm,kind`. Stations: `station,lon,lat,start,end,mm,kind`, positions in degrees, WGS 84; the
header decides. Times are ISO 8601 with offset, an empty `mm` is missing (never zero), `kind` is `forecast` or
`observed`. Lines that begin with `#` may stand before the header: `# synthetic: …` marks the whole file as synthetic,
`# run: TIME` gives the run time and `# source: …` the source; others are comments. Without `# run:` the run time is
the start of the first forecast interval, or, where all is observed, the end of the last. Rows of one interval and kind
make one field; fields of different places may overlap in time, those of one place and kind may not.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from pathlib import Path

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Payload, RainField, RainKind, Reading, Stations
from geowarn.sources.gates import check_range, only_file, read_text
from geowarn.sources.rain_csv_rows import Place, Row, header_of, lines_of, moment, row_of


@dataclass(slots=True)
class _Preamble:
    synthetic: bool = False
    source: str = ""
    run: datetime | None = None
    notes: list[str] = field(default_factory=list)


class RainCsvReader:
    """`geowarn.ports.Reader` for rain per area or per station."""

    name = "csv"

    def __init__(self, *, file_mebibytes: int = 32) -> None:
        self.file_mebibytes = file_mebibytes

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Fields of every interval; raises Refused naming line, column, value and what to do."""
        payload = only_file(files, self.name)
        file_name = payload.name
        lines = lines_of(read_text(payload.path, file_name, self.file_mebibytes))
        preamble, header = _preamble(lines, file_name)
        rows = list(_rows(lines, header, file_name))
        if not rows:
            raise Refused("sources.csv-no-rows", file=file_name)
        _refuse_overlaps(rows, file_name)
        _refuse_moved(rows, file_name)
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
        _comment(found, line, Place(file_name, index + 1))
    raise Refused("sources.csv-no-rows", file=file_name)


def _comment(found: _Preamble, line: str, place: Place) -> None:
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
        found.run = moment(value, "run", place)
    else:
        found.source = value


def _rows(lines: Sequence[str], header: int, file_name: str) -> Iterator[Row]:
    names = header_of(lines[header], Place(file_name, header + 1))
    for index, line in enumerate(lines[header + 1 :], start=header + 2):
        if line.strip():
            yield row_of(line, names, Place(file_name, index))


def _refuse_overlaps(rows: Sequence[Row], file_name: str) -> None:
    by_place: dict[tuple[str, RainKind], list[Row]] = {}
    for row in rows:
        by_place.setdefault((row.code, row.kind), []).append(row)
    for (code, _), own in by_place.items():
        own.sort(key=lambda row: row.period)
        for before, after in pairwise(own):
            if before.period.overlaps(after.period):
                first, second = sorted((before.line, after.line))
                raise Refused("sources.csv-overlap", file=file_name, area=code, line=second, other=first)
        series = [(row.period, np.array([row.mm])) for row in own]
        check_range(series, AreaUnits((code,)), file_name)


def _refuse_moved(rows: Sequence[Row], file_name: str) -> None:
    """One station stands in one place."""
    first: dict[str, Row] = {}
    for row in rows:
        known = first.setdefault(row.code, row)
        if known.position != row.position:
            facts = {"station": row.code, "line": row.line, "other": known.line}
            raise Refused("sources.csv-station-moved", file=file_name, **facts)


def _run_time(rows: Sequence[Row]) -> datetime:
    forecast = [row.period.start for row in rows if row.kind is RainKind.FORECAST]
    return min(forecast) if forecast else max(row.period.end for row in rows)


def _fields(rows: Sequence[Row], source: str, run_time: datetime) -> Iterator[RainField]:
    groups: dict[tuple[Period, RainKind], list[Row]] = {}
    for row in rows:
        groups.setdefault((row.period, row.kind), []).append(row)
    for period, kind in sorted(groups):
        own = groups[period, kind]
        yield RainField(period, _support(own), tuple(row.mm for row in own), kind, source, run_time)


def _support(rows: Sequence[Row]) -> AreaUnits | Stations:
    codes = tuple(row.code for row in rows)
    positions = [row.position for row in rows if row.position is not None]
    if not positions:
        return AreaUnits(codes)
    lons, lats = zip(*positions, strict=True)
    return Stations(codes, lons, lats)
