"""The console's map: areas as SVG paths with fill, pattern, shape and name, drawn on the server."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.level import Level
from geowarn.domain.rain_chart import tone

WIDTH = 384
_MARGIN = 14
_TALLEST = 460
_INSIDE = (AreaKind.TOWNSHIP, AreaKind.POINT)
_BADGE = 48  # pixels that a badge with its name takes
_SPACE = 26  # pixels between two labels of areas without a level
_FIGURE = 30  # pixels that a figure takes
_GROUND = (AreaKind.COUNTY, AreaKind.ZONE)
_Pixels = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


@dataclass(frozen=True, slots=True)
class Shape:
    """One area as drawn."""

    path: str
    level: Level


@dataclass(frozen=True, slots=True)
class Label:
    """A name, with the level's badge above it where there is one."""

    x: int
    y: int
    name: str
    level: Level


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything the SVG template needs; sizes in pixels."""

    width: int
    height: int
    shapes: tuple[Shape, ...]
    labels: tuple[Label, ...]
    land: str = ""  # path of the ground beyond the areas; what is not land is sea
    others: str = ""  # path of what other issuers' warnings cover


@dataclass(frozen=True, slots=True)
class Tint:
    """One area in a tint of ink, 0 none to 5 darkest; `like` names an outline that the page already has."""

    path: str
    tone: int
    like: str = ""


@dataclass(frozen=True, slots=True)
class Spot:
    """A figure on the map."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class RainDrawing:
    """The map of rain; sizes in pixels."""

    width: int
    height: int
    shapes: tuple[Tint, ...]
    spots: tuple[Spot, ...]
    land: str
    land_like: str = ""


@dataclass(frozen=True, slots=True)
class _Frame:
    """Longitude and latitude to pixels: equirectangular, true to scale at the middle latitude."""

    west: float
    north: float
    scale: float
    squeeze: float
    height: int

    @classmethod
    def around(cls, geometries: Sequence[BaseGeometry]) -> _Frame:
        west, south, east, north = (float(v) for v in shapely.total_bounds(np.array(geometries)))
        squeeze = math.cos(math.radians((south + north) / 2))
        wide, high = max((east - west) * squeeze, 1e-6), max(north - south, 1e-6)
        scale = min((WIDTH - 2 * _MARGIN) / wide, (_TALLEST - 2 * _MARGIN) / high)
        left = west - ((WIDTH / scale) - wide) / 2 / squeeze
        return cls(left, north + _MARGIN / scale, scale, squeeze, round(high * scale + 2 * _MARGIN))

    def point(self, lon: float, lat: float) -> tuple[float, float]:
        return (lon - self.west) * self.squeeze * self.scale, (self.north - lat) * self.scale

    def clipped(self, geometry: BaseGeometry) -> BaseGeometry:
        """The part of a geometry that the picture shows, thinned to half a pixel."""
        east, south = self.west + WIDTH / self.squeeze / self.scale, self.north - self.height / self.scale
        return shapely.clip_by_rect(geometry, self.west, south, east, self.north).simplify(0.5 / self.scale)

    def path(self, geometry: BaseGeometry) -> str:
        rings = [ring for polygon in _polygons(geometry) for ring in (polygon.exterior, *polygon.interiors)]
        return "".join(self._ring(ring.coords) for ring in rings)

    def others(self, rings: Iterable[Sequence[Sequence[float]]]) -> str:
        """Outlines as they came, thinned to half a pixel, those beyond the picture left out.

        A path may cross itself: nothing of others is repaired while somebody waits for the page.
        """
        drawn = (self._pixels(ring) for ring in rings if len(ring) >= 4)
        return "".join(_path(points) for points in drawn if self._seen(points))

    def _pixels(self, ring: Sequence[Sequence[float]]) -> _Pixels:
        degrees = np.asarray(ring, dtype=float) - (self.west, self.north)
        points = np.round(degrees * (self.squeeze * self.scale, -self.scale) * 2) / 2
        thin: _Pixels = points[np.append(True, np.any(np.diff(points, axis=0) != 0, axis=1))]
        return thin

    def _seen(self, points: _Pixels) -> bool:
        return bool((points.max(axis=0) > 0).all() and (points.min(axis=0) < (WIDTH, self.height)).all())

    def _ring(self, coordinates: Iterable[tuple[float, ...]]) -> str:
        points = [self.point(c[0], c[1]) for c in coordinates][:-1]
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points) + "Z"


def _path(points: _Pixels) -> str:
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points.tolist()) + "Z"


def _polygons(geometry: BaseGeometry) -> list[Any]:
    parts = getattr(geometry, "geoms", [geometry])
    return [part for part in parts if part.geom_type == "Polygon" and not part.is_empty]


class MapDrawer:
    """Draws maps of one set of areas; the outlines are simplified once and kept."""

    def __init__(self, land: Mapping[str, Any] | None = None) -> None:
        self._ground_around = shape(dict(land)) if land else None
        self._land = ""
        self._known: dict[str, BaseGeometry] = {}
        self._key: tuple[tuple[str, int], ...] = ()
        self._frame: _Frame | None = None

    def draw(
        self,
        areas: Mapping[str, Area],
        levels: Mapping[str, Level],
        language: str,
        others: Iterable[Sequence[Sequence[float]]] = (),
    ) -> Drawing | None:
        """The map with these levels, or None where no area has a polygon; a child shows its parent's level.

        `others` are rings in degrees, longitude first: what other issuers' warnings cover.
        """
        ground = self._ground(areas)
        if not ground:
            return None
        assert self._frame is not None  # noqa: S101 - _ground made it
        drawn = [(area, _level(area.code, areas, levels)) for area in ground]
        points = [(a, levels[a.code]) for a in areas.values() if a.geometry is None and levels.get(a.code)]
        shapes = sorted(
            (Shape(self._frame.path(self._known[area.code]), level) for area, level in drawn), key=lambda s: s.level
        )
        labels, beside = self._labels([*drawn, *points], language), self._frame.others(others)
        return Drawing(WIDTH, self._frame.height, tuple(shapes), labels, self._land, beside)

    def rain(self, areas: Mapping[str, Area], mm: Mapping[str, float], breaks: Sequence[float]) -> RainDrawing | None:
        """The map of rain by area, darker where more falls, each with its figure; None where nothing can be drawn."""
        ground = [area for area in self._ground(areas) if area.code in mm]
        if not ground:
            return None
        assert self._frame is not None  # noqa: S101 - _ground made it
        shapes = [
            Tint(self._frame.path(self._known[a.code]), tone(mm[a.code], breaks) if a.code in mm else 0)
            for a in self._ground(areas)
        ]
        return RainDrawing(WIDTH, self._frame.height, tuple(shapes), self._spots(ground, mm), self._land)

    def _spots(self, ground: Sequence[Area], mm: Mapping[str, float]) -> tuple[Spot, ...]:
        placed: list[Spot] = []
        for area in sorted(ground, key=lambda found: -mm[found.code]):
            at = self._spot(area)
            if at and not any(abs(at[0] - p.x) < _FIGURE and abs(at[1] - p.y) < _FIGURE / 2 for p in placed):
                placed.append(Spot(round(at[0]), round(at[1]) + 5, f"{mm[area.code]:.0f}"))
        return tuple(placed)

    def _ground(self, areas: Mapping[str, Area]) -> list[Area]:
        """The areas that are drawn, their outlines made."""
        ground = [a for a in areas.values() if a.geometry is not None and a.kind in _GROUND]
        ground = ground or [a for a in areas.values() if a.geometry is not None]
        if ground:
            self._outline(ground)
        return ground

    def _outline(self, ground: Sequence[Area]) -> None:
        key = tuple((area.code, hash(str(area.geometry)[:4000])) for area in ground)
        if key == self._key:
            return
        geometries = [shape(dict(area.geometry or {})) for area in ground]
        self._frame = _Frame.around(geometries)
        # Half a pixel; neighbours keep their common border.
        simple = shapely.coverage_simplify(np.array(geometries), 0.5 / self._frame.scale)
        self._known = {area.code: geometry for area, geometry in zip(ground, simple, strict=True)}
        self._key = key
        self._land = self._frame.path(self._frame.clipped(self._ground_around)) if self._ground_around else ""

    def _labels(self, drawn: Sequence[tuple[Area, Level]], language: str) -> tuple[Label, ...]:
        placed: list[Label] = []
        for area, level in sorted(drawn, key=lambda pair: -pair[1]):
            spot = self._spot(area)
            if spot is None:
                continue
            x, y = spot
            near = any(abs(x - p.x) < _SPACE and abs(y - p.y) < _SPACE * 0.7 for p in placed)
            if level is Level.NONE and near:
                continue
            # A badge over another hides both; the table names what lies inside a county with a badge of its own.
            if area.kind in _INSIDE and any(abs(x - p.x) < _BADGE and abs(y - p.y) < _BADGE for p in placed if p.level):
                continue
            placed.append(Label(round(x), round(y), short_name(area.name(language), language), level))
        return tuple(reversed(placed))

    def _spot(self, area: Area) -> tuple[float, float] | None:
        assert self._frame is not None  # noqa: S101 - draw() made it
        if area.lon is not None and area.lat is not None:
            return self._frame.point(area.lon, area.lat)
        outline = self._known.get(area.code)
        if outline is None or outline.is_empty:
            return None
        middle = outline.representative_point()
        return self._frame.point(middle.x, middle.y)


def _level(code: str, areas: Mapping[str, Area], levels: Mapping[str, Level]) -> Level:
    return max((levels.get(held, Level.NONE) for held in ancestors(code, areas)), default=Level.NONE)


def short_name(name: str, language: str) -> str:
    """A map's name: 海阳 for 海阳市, Haiyang for "Haiyang City"."""
    if language == "zh":
        return name[:-1] if len(name) > 2 and name[-1] in "市区县" else name
    words = name.split()
    return " ".join(words[:-1]) if len(words) > 1 and words[-1] in ("City", "District", "County") else name
