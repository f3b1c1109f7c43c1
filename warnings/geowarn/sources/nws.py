"""Gridpoint forecasts of the US National Weather Service (GeoJSON of `api.weather.gov/gridpoints/…`) from a file.

`quantitativePrecipitation` holds mm over ISO 8601 intervals of one to six hours or more, mixed; each stays the total of
its own interval. `updateTime` is the run time. The cell is the polygon's bounding box, or a square of 2.5 km (the
grid of the National Digital Forecast Database) round a point.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any, NoReturn

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, Payload, RainField, RainKind, Reading
from geowarn.sources.gates import check_range, only_file, read_text

SPACING = 0.025  # degrees, about 2.5 km
_RAIN = "quantitativePrecipitation"
_UNITS = ("wmoUnit:mm", "unit:mm")
_DURATION = re.compile(r"P(?:(\d{1,2})D)?(?:T(?:(\d{1,3})H)?(?:(\d{1,4})M)?)?", re.ASCII)
_MOST_INTERVALS = 2000


class NwsReader:
    """`geowarn.ports.Reader` for NWS gridpoint JSON; `spacing` in degrees is taken for a point."""

    name = "nws"

    def __init__(self, *, spacing: float = SPACING, file_mebibytes: int = 16) -> None:
        self.spacing = spacing
        self.file_mebibytes = file_mebibytes

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """One field an interval; raises Refused naming place in the document, value and what to do."""
        payload = only_file(files, self.name)
        document = _Document(payload.name, read_text(payload.path, payload.name, self.file_mebibytes))
        run_time = document.moment("properties.updateTime", document.properties.get("updateTime"))
        grid, notes = document.grid(self.spacing)
        series = document.intervals()
        check_range([(period, np.array([mm])) for period, mm in series], grid, payload.name)
        source = f"NWS {document.office()}".strip()
        fields = tuple(
            RainField(period, grid, (mm,), RainKind.FORECAST, source, run_time, quality=notes) for period, mm in series
        )
        return (Reading(fields, source, run_time, notes=notes),)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(text)


class _Document:
    """Takes the parts of one gridpoint, refusing with their place."""

    def __init__(self, file_name: str, text: str) -> None:
        self.file = file_name
        self.whole = self._whole(text)
        properties = self.whole.get("properties")
        if not isinstance(properties, dict):
            self._refuse_problem()
            self.bad("properties", type(properties).__name__)
        self.properties: Mapping[str, Any] = properties

    def bad(self, place: str, value: object) -> NoReturn:
        """Refuse a value at a place of the document."""
        raise Refused("nws.value", file=self.file, place=place, value="null" if value is None else str(value)[:60])

    def _whole(self, text: str) -> Mapping[str, Any]:
        try:
            found = json.loads(text, parse_constant=_no_constant)
        except json.JSONDecodeError as error:
            raise Refused("nws.json", file=self.file, line=error.lineno, column=error.colno) from None
        except (ValueError, RecursionError):
            raise Refused("nws.json", file=self.file, line="?", column="?") from None
        if not isinstance(found, dict):
            self.bad("$", type(found).__name__)
        return found

    def _refuse_problem(self) -> None:
        """An answer of type application/problem+json (RFC 9457) instead of the forecast."""
        if "detail" in self.whole or "status" in self.whole:
            reason = " ".join(f"{self.whole.get('title', '')} {self.whole.get('detail', '')}".split())
            raise Refused("nws.problem", file=self.file, reason=reason[:200] or "?")

    def office(self) -> str:
        """Grid and cell as the service names them, or nothing."""
        parts = (self.properties.get(name) for name in ("gridId", "gridX", "gridY"))
        text = " ".join(str(part) for part in parts if isinstance(part, str | int))
        return text if text.isprintable() and len(text) <= 40 else ""

    def moment(self, place: str, text: object) -> datetime:
        """A time with offset, in UTC."""
        try:
            moment = datetime.fromisoformat(text if isinstance(text, str) and len(text) <= 40 else "")
            if moment.tzinfo is None:
                raise ValueError
            moment = moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.bad(place, text)
        if not 1900 <= moment.year <= 2200:
            self.bad(place, text)
        return moment

    def intervals(self) -> list[tuple[Period, float]]:
        """Total in mm of every interval in order of time, null NaN; intervals that share time are refused."""
        layer = self.properties.get(_RAIN)
        values = layer.get("values") if isinstance(layer, dict) else None
        if not isinstance(layer, dict) or not isinstance(values, list) or not 0 < len(values) <= _MOST_INTERVALS:
            raise Refused("nws.no-rain", file=self.file)
        if layer.get("uom") not in _UNITS:
            raise Refused("nws.unit", file=self.file, unit=str(layer.get("uom"))[:40])
        found = sorted((self._interval(one, index) for index, one in enumerate(values)), key=lambda one: one[0])
        for (before, _), (after, _) in pairwise(found):
            if before.overlaps(after):
                facts = {"one": f"{before.start:%Y-%m-%dT%H:%MZ}", "two": f"{after.start:%Y-%m-%dT%H:%MZ}"}
                raise Refused("nws.overlap", file=self.file, **facts)
        return found

    def _interval(self, one: object, index: int) -> tuple[Period, float]:
        place = f"properties.{_RAIN}.values[{index}]"
        if not isinstance(one, dict):
            self.bad(place, type(one).__name__)
        valid, value = one.get("validTime"), one.get("value")
        start, _, duration = valid.partition("/") if isinstance(valid, str) else ("", "", "")
        found = _DURATION.fullmatch(duration)
        days, hours, minutes = (int(part or 0) for part in found.groups()) if found else (0, 0, 0)
        length = timedelta(days=days, hours=hours, minutes=minutes)
        if not timedelta(0) < length <= timedelta(days=10):
            self.bad(f"{place}.validTime", valid)
        if value is not None and (not _is_number(value) or value < 0):
            self.bad(f"{place}.value", value)
        begin = self.moment(f"{place}.validTime", start)
        return Period(begin, begin + length), math.nan if value is None else float(value)

    def grid(self, spacing: float) -> tuple[Grid, tuple[str, ...]]:
        """The cell as a grid of one, and what was assumed for it."""
        geometry = self.whole.get("geometry")
        kind = geometry.get("type") if isinstance(geometry, dict) else None
        if not isinstance(geometry, dict) or kind not in ("Point", "Polygon"):
            self.bad("geometry.type", kind)
        if kind == "Point":
            lon, lat = self._position(geometry.get("coordinates"), "geometry.coordinates")
            return Grid(lon, lat, spacing, spacing, 1, 1), (note("nws.note-point", degrees=f"{spacing:g}"),)
        rings = geometry.get("coordinates")
        ring = rings[0] if isinstance(rings, list) and rings else None
        if not isinstance(ring, list) or not 4 <= len(ring) <= 1000:
            self.bad("geometry.coordinates", "ring")
        corners = [self._position(one, f"geometry.coordinates[0][{i}]") for i, one in enumerate(ring)]
        (west, east), (south, north) = ((min(side), max(side)) for side in zip(*corners, strict=True))
        if not (0 < east - west < 1 and 0 < north - south < 1):
            self.bad("geometry.coordinates", f"{east - west:g} x {north - south:g}")
        return Grid((west + east) / 2, (south + north) / 2, east - west, north - south, 1, 1), ()

    def _position(self, pair: object, place: str) -> tuple[float, float]:
        if not isinstance(pair, list) or len(pair) < 2 or not all(_is_number(side) for side in pair[:2]):
            self.bad(place, pair)
        lon, lat = float(pair[0]), float(pair[1])
        if not (-180 <= lon <= 180 and -90 <= lat <= 90):
            self.bad(place, pair)
        return lon, lat


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < 1e15
