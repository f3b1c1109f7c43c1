"""MICAPS types 3 (stations) and 4 (grid) as text, one file a step: `geowarn.ports.Reader` for what offices exchange.

Every file of a run is read together. Interval totals must follow each other; totals since the start of the run are
parted by subtraction. What the header leaves open (zone, length of the total) is settled by title, file name or the
reader's settings, see `micaps_title`, or refused.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import NamedTuple

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainField, RainKind, Reading, Stations
from geowarn.domain.settings_table import SettingsTable
from geowarn.sources.gates import Values, check_range
from geowarn.sources.micaps_text import MicapsFile, read_micaps
from geowarn.sources.micaps_title import BEIJING, FROM_START, LENGTHS, Meaning, meaning_of

_MOST_FILES = 400
_DRAWN_AS_SIX_HOURS = -1  # level code of type 3


@dataclass(frozen=True, slots=True)
class Settings:
    """What an office knows of its files: header zone "utc" or "beijing", hours of the totals (0: since the run).

    `rows_may_lack` is the share of declared stations that may be absent: producers declare more rows than they write
    (1869 declared, 1864 written in a real file); a station that is absent stays missing.
    """

    zone: str | None = None
    hours: int | None = None
    rows_may_lack: float = 0.01


class _Total(NamedTuple):
    file: MicapsFile
    period: Period
    values: Values
    notes: tuple[str, ...]


class MicapsReader:
    """`geowarn.ports.Reader` for MICAPS text; limits are MiB and grid points per file."""

    name = "micaps"

    def __init__(self, settings: Settings | None = None, *, file_mebibytes: int = 64, points: int = 10_000_000) -> None:
        self.settings = settings or Settings()
        self.file_mebibytes = file_mebibytes
        self.points = points

    def configured(self, options: SettingsTable) -> MicapsReader:
        """The reader with `zone`, `hours` and `rows_may_lack` as in `Settings`; raises Refused."""
        options.refuse_unknown(("zone", "hours", "rows_may_lack"))
        lengths = (FROM_START, *LENGTHS)
        hours = options.whole("hours", 0, max(LENGTHS)) if "hours" in options.values else None
        if hours is not None and hours not in lengths:
            raise options.bad("hours", ", ".join(str(one) for one in lengths))
        zone = options.text("zone", pattern="utc|beijing", allowed="utc, beijing") if "zone" in options.values else None
        share = options.number("rows_may_lack", 0, 0.5, self.settings.rows_may_lack)
        chosen = Settings(zone, hours, share)
        return MicapsReader(chosen, file_mebibytes=self.file_mebibytes, points=self.points)

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One reading of all files; raises Refused naming file, line, field, value and what to do."""
        if not 0 < len(files) <= _MOST_FILES:
            raise Refused("micaps.files", count=len(files), limit=_MOST_FILES, file=files[0].name if files else "-")
        found = [read_micaps(file, self.file_mebibytes, self.points) for file in files]
        meanings = [meaning_of(one, self.settings.zone, self.settings.hours) for one in found]
        for one in found:
            self._refuse_lacking_rows(one)
        _refuse_mixture(found, meanings)
        run = _utc(found[0], meanings[0])
        totals = sorted((_total(*pair) for pair in zip(found, meanings, strict=True)), key=lambda one: one.period)
        if meanings[0].hours == FROM_START:
            totals = _parted(totals)
        _refuse_overlap(totals)
        _check(totals)
        if meanings[0].observed:
            run = totals[-1].period.end
        kind = RainKind.OBSERVED if meanings[0].observed else RainKind.FORECAST
        source = f"MICAPS {found[0].type}"
        fields = tuple(_field(total, kind, source, run) for total in totals)
        notes = tuple(dict.fromkeys(text for field in fields for text in field.quality))
        return (Reading(fields, source, run, notes=notes),)

    def _refuse_lacking_rows(self, file: MicapsFile) -> None:
        found = len(file.values)
        if found > file.declared or found < file.declared * (1 - self.settings.rows_may_lack):
            raise Refused("micaps.count", file=file.name, declared=file.declared, found=found)


def _utc(file: MicapsFile, meaning: Meaning) -> datetime:
    return (file.time - meaning.offset).replace(tzinfo=UTC)


def _refuse_mixture(files: Sequence[MicapsFile], meanings: Sequence[Meaning]) -> None:
    def facts(file: MicapsFile, meaning: Meaning) -> dict[str, str]:
        run = "observed" if meaning.observed else f"{_utc(file, meaning):%Y-%m-%dT%HZ}"
        grid = str(file.support) if isinstance(file.support, Grid) else "-"
        length = "0" if meaning.hours == FROM_START else "interval"
        return {"type": str(file.type), "run": run, "grid": grid, "length": length}

    first = facts(files[0], meanings[0])
    for file, meaning in zip(files[1:], meanings[1:], strict=True):
        for field, value in facts(file, meaning).items():
            if value != first[field]:
                both = {"one": first[field], "two": value}
                raise Refused("micaps.mixture", file=file.name, other=files[0].name, field=field, **both)


def _total(file: MicapsFile, meaning: Meaning) -> _Total:
    end = _utc(file, meaning) + timedelta(hours=meaning.lead)
    hours = meaning.hours or meaning.lead
    zone = "UTC" if meaning.offset != BEIJING else "UTC+8"
    notes = [note("micaps.note-header-zone", time=f"{file.time:%Y-%m-%d %H}", zone=zone)]
    if file.type == 3 and file.level == _DRAWN_AS_SIX_HOURS and meaning.hours != 6:
        notes.append(note("micaps.note-code", level=file.level, hours=hours))
    if len(file.values) < file.declared:
        notes.append(note("micaps.note-rows", file=file.name, declared=file.declared, found=len(file.values)))
    values, clipped = _not_negative(file.values, file.quantum, file.name)
    return _Total(file, Period(end - timedelta(hours=hours), end), values, (*notes, *clipped))


def _not_negative(values: Values, tolerance: float, file_name: str) -> tuple[Values, tuple[str, ...]]:
    """Without the negative zeros of rounding: one step of the last printed decimal, at most 0.1 mm."""
    negative = values < 0
    if not negative.any():
        return values, ()
    most = float(-np.nanmin(values))
    if most > min(tolerance, 0.1) + 1e-9:
        raise Refused("micaps.negative", file=file_name, value=f"{-most:g}")
    clipped = note("micaps.note-clipped", file=file_name, cells=int(negative.sum()), most=f"{most:g}")
    return np.where(negative, 0.0, values), (clipped,)


def _parted(totals: Sequence[_Total]) -> list[_Total]:
    """Totals since the start of the run as intervals: each less the one before it."""
    parts = [totals[0]]
    for before, after in pairwise(totals):
        if before.period == after.period or before.file.support != after.file.support:
            raise Refused("micaps.not-alike", file=after.file.name, other=before.file.name)
        tolerance = before.file.quantum + after.file.quantum
        values, clipped = _not_negative(after.values - before.values, tolerance, after.file.name)
        less = note("micaps.note-differenced", file=after.file.name, other=before.file.name)
        parts.append(
            _Total(after.file, Period(before.period.end, after.period.end), values, (*after.notes, less, *clipped))
        )
    return parts


def _refuse_overlap(totals: Sequence[_Total]) -> None:
    for before, after in pairwise(totals):
        if before.period.overlaps(after.period):
            facts = {"start": f"{after.period.start:%Y-%m-%dT%HZ}", "end": f"{before.period.end:%Y-%m-%dT%HZ}"}
            raise Refused("micaps.overlap", file=after.file.name, other=before.file.name, **facts)


def _check(totals: Sequence[_Total]) -> None:
    for total in totals:
        check_range([(total.period, total.values)], total.file.support, total.file.name)
    every = _every_place(totals)
    series = [(total.period, _spread(total, every)) for total in totals]
    check_range(series, every, totals[-1].file.name)


def _every_place(totals: Sequence[_Total]) -> Grid | Stations:
    """The files' grid, or every station that any of them names; refused where one stands in two places."""
    places: dict[str, tuple[float, float, str]] = {}
    for total in totals:
        support = total.file.support
        if not isinstance(support, Stations):
            return support
        for station, lon, lat in zip(support.ids, support.lons, support.lats, strict=True):
            known = places.setdefault(station, (lon, lat, total.file.name))
            if known[:2] != (lon, lat):
                raise Refused("micaps.station-moved", file=total.file.name, other=known[2], station=station)
    lons, lats, _ = zip(*places.values(), strict=True)
    return Stations(tuple(places), lons, lats)


def _spread(total: _Total, every: Grid | Stations) -> Values:
    """The total's values at every place, NaN where its file does not name the station."""
    support = total.file.support
    if not isinstance(every, Stations) or not isinstance(support, Stations):
        return total.values
    index = {station: at for at, station in enumerate(every.ids)}
    values = np.full(every.size, np.nan)
    values[[index[station] for station in support.ids]] = total.values
    return values


def _field(total: _Total, kind: RainKind, source: str, run: datetime) -> RainField:
    mm = array("d", total.values.tobytes())  # a run of many steps as tuples would be four times as large
    return RainField(total.period, total.file.support, mm, kind, source, run, quality=total.notes)
