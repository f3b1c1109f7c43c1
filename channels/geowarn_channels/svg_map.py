"""Projects areas into picture units: outlines, points, the land around; all that levels do not change."""

from __future__ import annotations

import hashlib
import marshal
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, AreaKind

WIDTH = 1000
_MARGIN = 40
_TOLERANCE = 1.2  # units of the picture, about a third of a pixel on a phone
_SMALL = 9000  # square units below which a name leaves the map on a phone
_ORDER = {AreaKind.CITY: 0, AreaKind.COUNTY: 1, AreaKind.ZONE: 2, AreaKind.TOWNSHIP: 3, AreaKind.POINT: 4}


@dataclass(frozen=True, slots=True)
class Outline:
    """One area on the map: path data in picture units, and where its name stands."""

    code: str
    name_zh: str
    name_en: str
    path: str
    x: int
    y: int
    small: bool
    kind: AreaKind
    box: tuple[int, int, int, int]  # west, north, east, south


@dataclass(frozen=True, slots=True)
class MapBase:
    """Everything of a map that levels do not change."""

    height: int
    outlines: tuple[Outline, ...]
    points: Mapping[str, tuple[int, int]]  # areas without a shape of their own, by code
    parents: Mapping[str, str | None]
    land: str = ""  # path of the ground beyond the areas; what is not land is sea

    def at(self, code: str) -> tuple[int, int] | None:
        """Where an area lies in picture units, None when nothing is known."""
        if code in self.points:
            return self.points[code]
        return next(((o.x, o.y) for o in self.outlines if o.code == code), None)


@dataclass(frozen=True, slots=True)
class _Projection:
    """Equirectangular with the cosine of the middle latitude: true enough for a city."""

    west: float
    north: float
    scale_x: float
    scale_y: float

    def point(self, lon: float, lat: float) -> tuple[int, int]:
        return round(_MARGIN + (lon - self.west) * self.scale_x), round(_MARGIN + (self.north - lat) * self.scale_y)


def map_base(areas: Mapping[str, Area], land: Mapping[str, Any] | None = None) -> MapBase:
    """Project and simplify the shapes of all areas below the city; shared borders stay shared.

    `land` is the GeoJSON geometry of the country around, drawn below everything else.
    """
    shapes = {code: _valid(shape(dict(a.geometry))) for code, a in sorted(areas.items()) if _drawn(a) and a.geometry}
    shapes = {code: found for code, found in shapes.items() if not found.is_empty}
    if not shapes:
        return MapBase(600, (), {}, {code: a.parent for code, a in areas.items()})
    west, south, east, north = shapely.total_bounds(list(shapes.values()))
    cosine = max(math.cos(math.radians((south + north) / 2)), 0.05)
    scale = (WIDTH - 2 * _MARGIN) / max((east - west) * cosine, 1e-6)
    projection = _Projection(west, north, scale * cosine, scale)
    thin = _simplified(shapes, _TOLERANCE / scale)
    outlines = [_outline(areas[code], thin[code], shapes[code], projection) for code in shapes]
    outlines.sort(key=lambda o: (_ORDER[o.kind], o.code))
    points = {
        code: projection.point(a.lon, a.lat)
        for code, a in areas.items()
        if code not in shapes and a.lon is not None and a.lat is not None
    }
    height = round((north - south) * scale) + 2 * _MARGIN
    return MapBase(
        height,
        tuple(o for o in outlines if o.path),
        points,
        {c: a.parent for c, a in areas.items()},
        _land(land, projection, height, _TOLERANCE / scale) if land else "",
    )


def fingerprint(areas: Mapping[str, Area], land: Mapping[str, Any] | None = None) -> str:
    """SHA-256 of everything that a map or a page takes from the areas, and from the land around them."""
    found = hashlib.sha256(marshal.dumps(_plain(land), 2))
    for code, a in areas.items():
        plain = (code, a.kind.value, a.name_zh, a.name_en, a.parent, a.lon, a.lat, _plain(a.geometry))
        found.update(marshal.dumps(plain, 2))  # version 2: the same bytes for equal values
    return found.hexdigest()


def _plain(geometry: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if geometry is None else dict(geometry)


class MapBases:
    """Keeps the newest base: areas change a few times a year, the tree is written every minute."""

    def __init__(self) -> None:
        self._kept: tuple[str, MapBase] | None = None

    def of(self, areas: Mapping[str, Area], land: Mapping[str, Any] | None, mark: str) -> MapBase:
        """The base of these areas; `mark` is their fingerprint."""
        kept = self._kept
        if kept is None or kept[0] != mark:  # two threads may draw different areas at once: each returns its own
            kept = self._kept = (mark, map_base(areas, land))
        return kept[1]


def _land(land: Mapping[str, Any], projection: _Projection, height: int, tolerance: float) -> str:
    """The part of the land that the picture shows, as path data."""
    west, north = projection.west - _MARGIN / projection.scale_x, projection.north + _MARGIN / projection.scale_y
    east, south = west + WIDTH / projection.scale_x, north - height / projection.scale_y
    seen = shapely.clip_by_rect(_valid(shape(dict(land))), west, south, east, north).simplify(tolerance)
    return "".join(_ring(ring, projection) for ring in _rings(seen))


def _drawn(area: Area) -> bool:
    return area.kind is not AreaKind.CITY and area.geometry is not None


def _valid(geometry: BaseGeometry) -> BaseGeometry:
    return geometry if geometry.is_valid else shapely.make_valid(geometry)


def _simplified(shapes: Mapping[str, BaseGeometry], tolerance: float) -> dict[str, BaseGeometry]:
    found = {code: geometry.simplify(tolerance) for code, geometry in shapes.items()}
    return {code: thin if not thin.is_empty else shapes[code] for code, thin in found.items()}


def _outline(area: Area, thin: BaseGeometry, whole: BaseGeometry, projection: _Projection) -> Outline:
    lon, lat = (area.lon, area.lat) if area.lon is not None and area.lat is not None else _label_point(whole)
    x, y = projection.point(lon, lat)
    size = whole.area * projection.scale_x * projection.scale_y
    path = "".join(_ring(ring, projection) for ring in _rings(thin))
    west, south, east, north = whole.bounds
    box = (*projection.point(west, north), *projection.point(east, south))
    return Outline(area.code, area.name_zh, area.name_en, path, x, y, size < _SMALL, area.kind, box)


def _label_point(geometry: BaseGeometry) -> tuple[float, float]:
    point = geometry.representative_point()
    return point.x, point.y


def _rings(geometry: BaseGeometry) -> Iterable[Sequence[tuple[float, float]]]:
    for part in getattr(geometry, "geoms", [geometry]):
        if part.geom_type == "Polygon":
            yield list(part.exterior.coords)
            for hole in part.interiors:
                yield list(hole.coords)
        elif hasattr(part, "geoms"):
            yield from _rings(part)


def _ring(ring: Sequence[tuple[float, float]], projection: _Projection) -> str:
    points = [projection.point(lon, lat) for lon, lat, *_ in ring]
    steps = [(b[0] - a[0], b[1] - a[1]) for a, b in pairwise(points[:-1]) if b != a]
    if len(steps) < 2:
        return ""
    body = "".join(
        f"{'' if dx < 0 or not n else ' '}{dx}{'' if dy < 0 else ' '}{dy}" for n, (dx, dy) in enumerate(steps)
    )
    return f"M{points[0][0]} {points[0][1]}l{body}z"


def outline_ids(base: MapBase) -> dict[str, str]:
    """The id of each area's outline on a page, so that another picture there need not draw it again."""
    return {outline.code: f"m{number}" for number, outline in enumerate(base.outlines)}
