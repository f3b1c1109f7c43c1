"""Draws areas and their levels as one SVG: colour, pattern, shape and character, so that no colour stands alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.level import Level
from geowarn.ports import Templates

WIDTH = 1000
_MARGIN = 40
_TOLERANCE = 1.2  # units of the picture, about a third of a pixel on a phone
_SMALL = 9000  # square units below which a name leaves the map on a phone
_ORDER = {AreaKind.CITY: 0, AreaKind.COUNTY: 1, AreaKind.ZONE: 2, AreaKind.TOWNSHIP: 3, AreaKind.POINT: 4}
# Where a name may stand round its point, best first.
_AROUND = ((0, 12), (0, -24), (0, 48), (52, 12), (-52, 12), (40, -24), (40, 48))
_DROPPED_ENDINGS = {
    "zh": ("市", "区", "县"),
    "en": (" District", " City", " County"),
}


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
    return Outline(area.code, area.name_zh, area.name_en, path, x, y, size < _SMALL, area.kind)


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


def short_name(name: str, language: str) -> str:
    """The name as a map carries it: without the word for its kind where more than that is left."""
    for ending in _DROPPED_ENDINGS[language]:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


def outline_ids(base: MapBase) -> dict[str, str]:
    """The id of each area's outline on a page, so that another picture there need not draw it again."""
    return {outline.code: f"m{number}" for number, outline in enumerate(base.outlines)}


def effective_levels(levels: Mapping[str, Level], parents: Mapping[str, str | None]) -> dict[str, Level]:
    """Every area's level: its own or that of any area that holds it, whichever is higher."""
    found: dict[str, Level] = {}
    for code in parents:
        best, current, seen = Level.NONE, code, set()
        while current is not None and current not in seen:
            seen.add(current)
            best = max(best, levels.get(current, Level.NONE))
            current = parents.get(current)  # type: ignore[assignment]
        found[code] = best
    return found


@dataclass(frozen=True, slots=True)
class Pin:
    """A place pointed out on the map of one area's page."""

    x: int
    y: int
    name: str


def draw_map(
    templates: Templates,
    base: MapBase,
    levels: Mapping[str, Level],
    language: str,
    title: str,
    *,
    standalone: bool = False,
    pin: Pin | None = None,
    opening: str = "",
) -> str:
    """The map as SVG text; inline it takes its colours from the page, standalone it carries them as attributes.

    `levels` hold public areas only; `opening` is the label a synthetic or exercise picture must bear.
    """
    effective = effective_levels(levels, base.parents)
    shown = sorted(base.outlines, key=lambda o: effective.get(o.code, Level.NONE))
    marks = [
        {"x": x, "y": y, "level": level.code}
        for code, level in sorted(levels.items(), key=lambda item: item[1])
        if level > Level.NONE and code in base.points
        for x, y in [base.points[code]]
    ]
    labels = _placed(shown, effective, language)
    ids = outline_ids(base)
    areas = [
        {
            "id": ids[o.code],
            "path": o.path,
            "level": effective.get(o.code, Level.NONE).code,
            "x": o.x,
            "y": o.y,
            "small": o.small,
            "label": labels.get(o.code, ("", 0, 0))[0],
            "label_x": labels.get(o.code, ("", o.x, o.y))[1],
            "label_y": labels.get(o.code, ("", o.x, o.y))[2],
        }
        for o in shown
    ]
    return templates.render(
        "website/map.svg.j2",
        width=WIDTH,
        height=base.height + (56 if opening and standalone else 0),
        box=_window(pin, base.height) if pin else (0, 0, WIDTH, base.height),
        areas=areas,
        land=base.land,
        marks=marks,
        pin=pin,
        title=title,
        language=language,
        standalone=standalone,
        opening=opening if standalone else "",
    )


def _window(pin: Pin, height: int) -> tuple[int, int, int, int]:
    """The part of the map round a place, inside the whole."""
    wide, high = min(480, WIDTH), min(430, height)
    return max(0, min(pin.x - wide // 2, WIDTH - wide)), max(0, min(pin.y - high // 2, height - high)), wide, high


def _placed(outlines: Iterable[Outline], levels: Mapping[str, Level], language: str) -> dict[str, tuple[str, int, int]]:
    """Name and base line for each area, levelled ones first; a name that would cover another one stays away."""
    taken: list[tuple[float, float, float, float]] = []
    found: dict[str, tuple[str, int, int]] = {}
    for o in sorted(outlines, key=lambda o: (-levels.get(o.code, Level.NONE), o.small)):
        level = levels.get(o.code, Level.NONE)
        name = _label(o, level, language)
        if level > Level.NONE:
            taken.append((o.x - 40, o.y - 64, o.x + 40, o.y + 14))
        for dx, dy in [(0, 50)] if level > Level.NONE else _AROUND:
            half = len(name) * (19 if language == "zh" else 10)
            box = (o.x + dx - half, o.y + dy - 34, o.x + dx + half, o.y + dy + 6)
            if name and (level > Level.NONE or not any(_overlap(box, other) for other in taken)):
                taken.append(box)
                found[o.code] = (name, o.x + dx, o.y + dy)
                break
    return found


def _overlap(a: tuple[float, float, float, float], b: tuple[float, float, float, float]) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _label(outline: Outline, level: Level, language: str) -> str:
    name = short_name(outline.name_zh if language == "zh" else outline.name_en, language)
    longest = 4 if language == "zh" else 12
    return name if level > Level.NONE or len(name) <= longest else ""
