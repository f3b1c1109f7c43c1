"""The parts of an Open-Meteo response, each refused with its place where it cannot be used."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite, nan
from typing import Any, NamedTuple, NoReturn
from zoneinfo import ZoneInfo

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid

# `precipitation`, `precipitation_member01`, `precipitation_icon_eu`, `precipitation_member01_icon_seamless_eps`
_COLUMN = re.compile(r"precipitation(?:_member(?P<member>\d{1,3}))?(?:_(?P<model>[a-z][a-z0-9_]{0,60}))?", re.ASCII)
_NO_MODEL = ("probability", "hours", "sum", "type", "member", "anomaly")  # other variables that begin alike
_MOST_STEPS = 4 * 24 * 400
_MOST_PLACES = 10_000

Place = Mapping[str, Any]


class Block(NamedTuple):
    """A table of the response and the length of its steps: each value is the sum of the step before its label."""

    name: str
    step: timedelta


HOURLY = Block("hourly", timedelta(hours=1))
QUARTERS = Block("minutely_15", timedelta(minutes=15))


class Column(NamedTuple):
    """Which run and member a column belongs to; model "" where the response names none."""

    model: str
    member: int | None


Table = dict[Column, list[float]]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


class Document:
    """One response."""

    def __init__(self, file_name: str, text: str) -> None:
        self.file = file_name
        self.places = self._places(text)

    def bad(self, place: str, value: object) -> NoReturn:
        """Refuse a value at a place of the document."""
        shown = str(value)[:60]
        raise Refused("sources.openmeteo-value", file=self.file, place=place, value=shown)

    def _places(self, text: str) -> list[Place]:
        """The responses, one a location."""
        try:
            found = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            facts = {"line": error.lineno, "column": error.colno}
            raise Refused("sources.openmeteo-json", file=self.file, **facts) from None
        except (ValueError, RecursionError):
            raise Refused("sources.openmeteo-json", file=self.file, line="?", column="?") from None
        places = found if isinstance(found, list) else [found]
        for place in places:
            if not isinstance(place, dict):
                self.bad("$", type(place).__name__)
            if place.get("error") or ("reason" in place and "latitude" not in place):
                reason = " ".join(str(place.get("reason", "?")).split())[:200]
                raise Refused("sources.openmeteo-error", file=self.file, reason=reason)
        if not 0 < len(places) <= _MOST_PLACES:
            self.bad("$", len(places))
        return places

    def blocks(self) -> list[Block]:
        """The tables with rain in them, hours before quarters; raises Refused where there is none."""
        found = [
            block
            for block in (HOURLY, QUARTERS)
            if isinstance(table := self.places[0].get(block.name), dict) and any(self._column(name) for name in table)
        ]
        if not found:
            raise Refused("sources.openmeteo-no-hourly", file=self.file)
        return found

    def labels(self, place: Place, block: Block) -> list[Period]:
        """The step before each label, in UTC; the labels must follow each other step by step."""
        table = place.get(block.name)
        labels = table.get("time") if isinstance(table, dict) else None
        if not isinstance(labels, list) or not labels:
            raise Refused("sources.openmeteo-no-hourly", file=self.file)
        if len(labels) > _MOST_STEPS:
            self.bad(f"{block.name}.time", len(labels))
        units = place.get(f"{block.name}_units")
        unix = isinstance(units, dict) and units.get("time") == "unixtime"
        offset = self._offset(place)
        ends = [self._end(label, f"{block.name}.time[{i}]", unix, offset) for i, label in enumerate(labels)]
        for index in range(1, len(ends)):
            if ends[index] - ends[index - 1] != block.step:
                self.bad(f"{block.name}.time[{index}]", labels[index])
        if not unix:
            self._refuse_clock_change(place, offset, ends)
        return [Period(end - block.step, end) for end in ends]

    def _offset(self, place: Place) -> timedelta:
        offset = place.get("utc_offset_seconds")
        if not isinstance(offset, int) or isinstance(offset, bool) or abs(offset) > 18 * 3600:
            self.bad("utc_offset_seconds", offset)
        return timedelta(seconds=offset)

    def _end(self, label: object, where: str, unix: bool, offset: timedelta) -> datetime:
        try:
            if unix and isinstance(label, int) and not isinstance(label, bool):
                end = datetime.fromtimestamp(label, UTC)
            else:
                local = datetime.fromisoformat(label if isinstance(label, str) and not unix else "")
                if local.tzinfo is not None:
                    raise ValueError
                end = (local - offset).replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            self.bad(where, label)
        if not 1900 <= end.year <= 2200:
            self.bad(where, label)
        return end

    def _refuse_clock_change(self, place: Place, offset: timedelta, ends: Sequence[datetime]) -> None:
        """Local labels under one offset prove nothing where the named zone changes its clock among them."""
        name = place.get("timezone")
        if name is None:
            return
        facts = {"file": self.file, "zone": str(name)[:64], "seconds": int(offset.total_seconds())}
        try:
            zone = ZoneInfo(name if isinstance(name, str) and len(name) <= 64 else "")
        except (ValueError, KeyError, OSError, UnicodeError):
            raise Refused("openmeteo.zone-unknown", **facts) from None
        for end in (ends[0], *ends):
            if end.astimezone(zone).utcoffset() != offset:
                raise Refused("openmeteo.clock-change", **facts, time=f"{end:%Y-%m-%dT%H:%MZ}")

    def _column(self, name: str) -> Column | None:
        found = _COLUMN.fullmatch(name)
        if not found or (found["model"] or "").startswith(_NO_MODEL):
            return None
        return Column(found["model"] or "", int(found["member"]) if found["member"] else None)

    def table(self, place: Place, block: Block, labels: Sequence[Period]) -> Table:
        """Values in mm by run and member in the order of `labels`; null is NaN."""
        if self.labels(place, block) != labels:
            self.bad(f"{block.name}.time", "locations differ")
        values, units = place[block.name], place.get(f"{block.name}_units")
        found = {name: column for name in values if (column := self._column(name))}
        with_members = {column.model for column in found.values() if column.member is not None}
        table: Table = {}
        for name, column in found.items():
            unit = units.get(name) if isinstance(units, dict) else None
            if unit != "mm":
                raise Refused("sources.openmeteo-unit", file=self.file, column=name, unit=str(unit)[:20])
            if column.member is None and column.model in with_members:
                column = Column(column.model, 0)  # the control run beside its members
            table[column] = self._values(f"{block.name}.{name}", values[name], len(labels))
        return table

    def _values(self, where: str, column: object, count: int) -> list[float]:
        if not isinstance(column, list) or len(column) != count:
            self.bad(where, len(column) if isinstance(column, list) else type(column).__name__)
        for index, value in enumerate(column):
            if value is not None and (not _is_number(value) or value < 0):
                self.bad(f"{where}[{index}]", value)
        return [nan if value is None else float(value) for value in column]

    def grid(self, spacing: float) -> tuple[Grid, list[int]]:
        """The grid of all cells and, row by row from the south, which location fills which cell.

        The coordinates in a response are those of the model's cell, so two places asked for may come back as one:
        then the first stands for both.
        """
        points = [self._point(place, index) for index, place in enumerate(self.places)]
        index_of: dict[tuple[float, float], int] = {}
        for index, point in enumerate(points):
            first = index_of.setdefault(point, index)
            if first != index and not self._alike(first, index):
                raise Refused("openmeteo.cell-twice", file=self.file, one=first, two=index)
        lats, lons = (sorted({point[axis] for point in points}) for axis in (0, 1))
        if len(index_of) != len(lats) * len(lons):
            raise Refused("sources.openmeteo-grid", file=self.file, count=len(index_of))
        dlat, dlon = self._step(lats, len(points)), self._step(lons, len(points))
        dlat, dlon = dlat or dlon or spacing, dlon or dlat or spacing
        order = [index_of[lat, lon] for lat in lats for lon in lons]
        return Grid(lons[0], lats[0], dlon, dlat, len(lons), len(lats)), order

    def _alike(self, one: int, two: int) -> bool:
        return all(self.places[one].get(block.name) == self.places[two].get(block.name) for block in (HOURLY, QUARTERS))

    def _point(self, place: Place, index: int) -> tuple[float, float]:
        lat, lon = place.get("latitude"), place.get("longitude")
        for name, value, most in (("latitude", lat, 90), ("longitude", lon, 180)):
            if not _is_number(value) or not isfinite(value or 0) or abs(value or 0) > most:
                self.bad(f"[{index}].{name}", value)
        return round(float(lat or 0), 5), round(float(lon or 0), 5)

    def _step(self, sides: Sequence[float], count: int) -> float:
        if len(sides) == 1:
            return 0.0
        step = (sides[-1] - sides[0]) / (len(sides) - 1)
        for index, side in enumerate(sides):
            if abs(sides[0] + index * step - side) > 0.02 * step:
                raise Refused("sources.openmeteo-grid", file=self.file, count=count)
        return step
