"""Polygons that hold water, and coordinates with the axes the right way round."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import quantiles
from typing import Any, Protocol

import shapely
from shapely.errors import ShapelyError
from shapely.geometry import shape

from geowarn.domain.area import Area
from geowarn.domain.errors import Refused

_POLYGONS = ("Polygon", "MultiPolygon")
_LEAST_MARGIN = 1.0  # degrees around the other areas that still count as near


class Placed(Protocol):
    """An area with the file and the place it was read at."""

    @property
    def area(self) -> Area: ...
    @property
    def file(self) -> str: ...
    @property
    def place(self) -> str: ...


def polygon(geometry: Any, file: str, place: str, code: str) -> dict[str, Any]:
    """A valid Polygon or MultiPolygon in two dimensions; raises Refused with shapely's reason."""
    facts = {"file": file, "place": place, "code": code}
    kind = geometry.get("type") if isinstance(geometry, dict) else None
    if kind not in _POLYGONS:
        raise Refused("areas.not-polygon", **facts, kind=str(kind)[:40])
    try:
        coordinates = _flat(geometry["coordinates"])
        positions = list(_positions(coordinates))
    except (KeyError, TypeError, ValueError, IndexError, RecursionError):
        raise Refused("areas.geometry", **facts, reason="coordinates") from None
    if not positions:
        raise Refused("areas.geometry", **facts, reason="empty")
    for lon, lat in positions:
        if not -90 <= lat <= 90:
            raise Refused("areas.swapped-axes", **facts, lon=lon, lat=lat)
        if not -180 <= lon <= 180:
            raise Refused("areas.geometry", **facts, reason=f"lon {lon:g}")
    found = {"type": kind, "coordinates": coordinates}
    try:
        made = shape(found)
    except (ShapelyError, ValueError, TypeError, IndexError) as error:
        raise Refused("areas.geometry", **facts, reason=str(error)[:120]) from None
    if not shapely.is_valid(made):
        raise Refused("areas.geometry", **facts, reason=shapely.is_valid_reason(made))
    if made.is_empty or not made.area > 0:
        raise Refused("areas.geometry", **facts, reason="empty")
    return found


def refuse_swapped_axes(found: Sequence[Placed], existing: Mapping[str, Area]) -> None:
    """Raise Refused for an area far from all the others that lies among them with its axes exchanged.

    The others are the installation's areas; at the first import those of the same files. Half of them may be wrong
    only when nothing is known yet: then only a latitude beyond 90 degrees gives it away.
    """
    old = [place for area in existing.values() if (place := _middle(area)) is not None]
    new = [place for one in found if (place := _middle(one.area)) is not None]
    others = old or new
    if len(others) < 2:
        return
    west, east = _spread([lon for lon, _ in others])
    south, north = _spread([lat for _, lat in others])
    for one in found:
        middle = _middle(one.area)
        if middle is None:
            continue
        lon, lat = middle
        near = west <= lon <= east and south <= lat <= north
        if not near and west <= lat <= east and south <= lon <= north:
            facts = {"file": one.file, "place": one.place, "code": one.area.code}
            raise Refused("areas.swapped-axes", **facts, lon=round(lon, 4), lat=round(lat, 4))


def _spread(values: Sequence[float]) -> tuple[float, float]:
    """Where the middle four fifths lie, with their own width added on both sides."""
    tenths = quantiles(values, n=10, method="inclusive")
    margin = max(_LEAST_MARGIN, tenths[-1] - tenths[0])
    return tenths[0] - margin, tenths[-1] + margin


def _middle(area: Area) -> tuple[float, float] | None:
    if area.geometry is not None:
        west, south, east, north = shape(dict(area.geometry)).bounds
        return (west + east) / 2, (south + north) / 2
    return None if area.lon is None or area.lat is None else (area.lon, area.lat)


def _flat(part: Any) -> list[Any]:
    """Nested coordinates without heights, every number finite."""
    if not isinstance(part, list):
        raise TypeError(type(part).__name__)
    if part and not isinstance(part[0], list):
        numbers = [_finite(value) for value in part[:2]]
        if len(numbers) < 2:
            raise ValueError("position")
        return numbers
    return [_flat(one) for one in part]


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(str(value))
    return float(value)


def _positions(part: Sequence[Any]) -> Iterator[tuple[float, float]]:
    if part and not isinstance(part[0], list):
        return iter([(part[0], part[1])])
    nested: Iterable[Iterator[tuple[float, float]]] = (_positions(one) for one in part)
    return chain.from_iterable(nested)
