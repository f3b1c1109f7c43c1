"""Open-Meteo responses (JSON) from a file: hourly `precipitation`, each value the sum of the hour before its label.

What the response does not say is decided here and noted in the fields' quality:
- One location becomes a grid of one cell round the returned point. The cell's size is not in the response; it is
  taken as 0.1 degree, about 11 km. Several locations must form a regular grid, otherwise they are refused.
- There is no run time. The start of the first hourly interval stands for it, the earliest moment the data claim.
- Labels are local by one fixed `utc_offset_seconds` for the whole response, or `unixtime`, which is UTC.
- `precipitation_memberNN` are members of an ensemble, plain `precipitation` beside them is member 0. Columns of
  several models are refused, because a window never mixes runs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from math import isfinite, nan
from typing import Any, NoReturn

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainField, RainKind, Reading
from geowarn.sources.gates import Values, check_range, only_file, read_text

SPACING = 0.1  # degrees, of a single point
_COLUMN = re.compile(r"precipitation(_member(\d{1,3}))?", re.ASCII)
_HOUR = timedelta(hours=1)
_MOST_HOURS = 24 * 400
_MOST_PLACES = 10_000

Table = dict[int | None, list[float]]


class OpenMeteoReader:
    """`geowarn.ports.Reader` for Open-Meteo JSON; `spacing` in degrees is taken for a single point."""

    name = "openmeteo"

    def __init__(self, *, spacing: float = SPACING, file_mebibytes: int = 64) -> None:
        self.spacing = spacing
        self.file_mebibytes = file_mebibytes

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Hourly fields; raises Refused naming place in the document, value and reason."""
        payload = only_file(files, self.name)
        file_name = payload.name
        document = _Document(file_name)
        places = document.places(read_text(payload.path, file_name, self.file_mebibytes))
        labels = document.labels(places[0])
        tables = [document.table(place, labels) for place in places]
        if any(set(table) != set(tables[0]) for table in tables):
            document.bad("hourly.precipitation", "members")
        grid, order = document.grid(places, self.spacing)
        quality = [note("sources.note-run-time-assumed", time=f"{labels[0].start:%Y-%m-%dT%H:%MZ}")]
        if len(places) == 1:
            quality.append(note("sources.note-spacing-assumed", degrees=f"{self.spacing:g}"))
        fields: list[RainField] = []
        for member in sorted(tables[0], key=lambda key: -1 if key is None else key):
            block = np.array([tables[index][member] for index in order], dtype=np.float64)
            series = [(period, block[:, hour]) for hour, period in enumerate(labels)]
            check_range(series, grid, file_name)
            fields += [_field(period, grid, values, member, labels[0].start, quality) for period, values in series]
        return (Reading(tuple(fields), "Open-Meteo", labels[0].start, notes=tuple(quality)),)


def _field(
    period: Period, grid: Grid, values: Values, member: int | None, run_time: datetime, quality: Sequence[str]
) -> RainField:
    mm = tuple(float(value) for value in values)
    return RainField(period, grid, mm, RainKind.FORECAST, "Open-Meteo", run_time, member, tuple(quality))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


class _Document:
    """Takes the parts of one response, refusing with their place."""

    def __init__(self, file_name: str) -> None:
        self.file = file_name

    def bad(self, place: str, value: object) -> NoReturn:
        """Refuse a value at a place of the document."""
        raise Refused("sources.openmeteo-value", file=self.file, place=place, value=str(value)[:60])

    def places(self, text: str) -> list[Mapping[str, Any]]:
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
            if place.get("error"):
                reason = " ".join(str(place.get("reason", "?")).split())[:200]
                raise Refused("sources.openmeteo-error", file=self.file, reason=reason)
        if not 0 < len(places) <= _MOST_PLACES:
            self.bad("$", len(places))
        return places

    def labels(self, place: Mapping[str, Any]) -> list[Period]:
        """The hour before each label, in UTC; the labels must follow each other hour by hour."""
        hourly = place.get("hourly")
        labels = hourly.get("time") if isinstance(hourly, dict) else None
        if not isinstance(labels, list) or not labels:
            raise Refused("sources.openmeteo-no-hourly", file=self.file)
        if len(labels) > _MOST_HOURS:
            self.bad("hourly.time", len(labels))
        ends = [self._end(label, index, place) for index, label in enumerate(labels)]
        for index in range(1, len(ends)):
            if ends[index] - ends[index - 1] != _HOUR:
                self.bad(f"hourly.time[{index}]", labels[index])
        return [Period(end - _HOUR, end) for end in ends]

    def _end(self, label: object, index: int, place: Mapping[str, Any]) -> datetime:
        units = place.get("hourly_units")
        unix = isinstance(units, dict) and units.get("time") == "unixtime"
        offset = place.get("utc_offset_seconds")
        if not isinstance(offset, int) or isinstance(offset, bool) or abs(offset) > 18 * 3600:
            self.bad("utc_offset_seconds", offset)
        try:
            if unix and isinstance(label, int) and not isinstance(label, bool):
                end = datetime.fromtimestamp(label, UTC)
            else:
                local = datetime.fromisoformat(label if isinstance(label, str) and not unix else "")
                if local.tzinfo is not None:
                    raise ValueError
                end = (local - timedelta(seconds=offset)).replace(tzinfo=UTC)
        except (ValueError, OverflowError, OSError):
            self.bad(f"hourly.time[{index}]", label)
        if not 1900 <= end.year <= 2200:
            self.bad(f"hourly.time[{index}]", label)
        return end

    def table(self, place: Mapping[str, Any], labels: Sequence[Period]) -> Table:
        """Values by member in the order of `labels`; null is NaN."""
        if self.labels(place) != labels:
            self.bad("hourly.time", "locations differ")
        hourly, units = place["hourly"], place.get("hourly_units")
        found = {name: match for name in hourly if (match := _COLUMN.fullmatch(name))}
        models = [name for name in hourly if name.startswith("precipitation_") and "probab" not in name]
        if not found and models:
            raise Refused("sources.openmeteo-models", file=self.file, columns=", ".join(models)[:120])
        if not found:
            raise Refused("sources.openmeteo-no-hourly", file=self.file)
        table: Table = {}
        for name, match in found.items():
            unit = units.get(name) if isinstance(units, dict) else None
            if unit != "mm":
                raise Refused("sources.openmeteo-unit", file=self.file, column=name, unit=str(unit)[:20])
            member = int(match[2]) if match[2] else (0 if len(found) > 1 else None)
            table[member] = self._values(name, hourly[name], len(labels))
        return table

    def _values(self, name: str, column: object, count: int) -> list[float]:
        if not isinstance(column, list) or len(column) != count:
            self.bad(f"hourly.{name}", len(column) if isinstance(column, list) else type(column).__name__)
        for index, value in enumerate(column):
            if value is not None and (not _is_number(value) or value < 0):
                self.bad(f"hourly.{name}[{index}]", value)
        return [nan if value is None else float(value) for value in column]

    def grid(self, places: Sequence[Mapping[str, Any]], spacing: float) -> tuple[Grid, list[int]]:
        """The grid of all points and, row by row from the south, which location fills which cell."""
        points = [self._point(place, index) for index, place in enumerate(places)]
        lats, lons = (sorted({point[axis] for point in points}) for axis in (0, 1))
        if len(set(points)) != len(points) or len(points) != len(lats) * len(lons):
            raise Refused("sources.openmeteo-grid", file=self.file, count=len(points))
        dlat, dlon = self._step(lats, len(points)), self._step(lons, len(points))
        dlat, dlon = dlat or dlon or spacing, dlon or dlat or spacing
        index_of = {point: index for index, point in enumerate(points)}
        order = [index_of[lat, lon] for lat in lats for lon in lons]
        return Grid(lons[0], lats[0], dlon, dlat, len(lons), len(lats)), order

    def _point(self, place: Mapping[str, Any], index: int) -> tuple[float, float]:
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
