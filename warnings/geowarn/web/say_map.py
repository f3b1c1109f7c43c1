"""The map on which a place is marked without script: a press on the picture is its place, one more comes nearer."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from shapely.geometry import Point, shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, AreaKind
from geowarn.web.map_drawing import short_name

WIDTH = 288  # pixels on the page, whatever the screen: a browser tells where it was pressed in these
_TALLEST = 288
STEPS = (1, 5, 25)  # how much nearer each press comes; at the last one a pixel of a city is some 25 m
_BETWEEN = 30  # pixels between two names
_GROUND = (AreaKind.COUNTY, AreaKind.ZONE)


@dataclass(frozen=True, slots=True)
class Window:
    """What the picture shows: `step` of STEPS, the middle in degrees."""

    step: int = 0
    lon: float = 0.0
    lat: float = 0.0


@dataclass(frozen=True, slots=True)
class Name:
    """A name on the picture."""

    x: int
    y: int
    text: str


@dataclass(frozen=True, slots=True)
class Picture:
    """Everything that the template draws; sizes in pixels."""

    width: int
    height: int
    paths: tuple[str, ...]
    names: tuple[Name, ...]
    mark: tuple[int, int] | None


class SayMap:
    """One set of areas with their outlines, thinned once for each step."""

    def __init__(self, areas: Mapping[str, Area]) -> None:
        found = [a for a in areas.values() if a.geometry is not None and a.kind in _GROUND]
        found = found or [a for a in areas.values() if a.geometry is not None]
        self._areas = areas
        self._outlines: list[BaseGeometry] = [shape(dict(a.geometry or {})) for a in found]
        self._codes = [area.code for area in found]
        self.drawable = bool(found)
        if self.drawable:
            west, south, east, north = (float(v) for v in shapely.total_bounds(np.array(self._outlines)))
            self._middle = ((west + east) / 2, (south + north) / 2)
            self._squeeze = math.cos(math.radians(self._middle[1]))
            wide, high = max((east - west) * self._squeeze, 1e-6), max(north - south, 1e-6)
            self._scale = 0.94 * min(WIDTH / wide, _TALLEST / high)  # pixels to a degree of latitude
            self.height = min(_TALLEST, round(high * self._scale / 0.94) + 8)

    def place(self, window: Window, x: float, y: float) -> tuple[float, float]:
        """Longitude and latitude of a point of the picture, to five digits, which is a metre."""
        lon, lat = self._centre(window)
        scale = self._scale * STEPS[window.step]
        found = lon + (x - WIDTH / 2) / scale / self._squeeze, lat - (y - self.height / 2) / scale
        return round(found[0], 5), round(found[1], 5)

    def area_at(self, lon: float, lat: float) -> str:
        """The code of the county or zone that a place lies in; empty for none."""
        inside = (
            code for code, one in zip(self._codes, self._outlines, strict=True) if one.intersects(Point(lon, lat))
        )
        return next(inside, "")

    def picture(self, window: Window, mark: tuple[float, float] | None, language: str) -> Picture:
        """The picture of a window, with the place marked."""
        (west, north), (east, south) = self.place(window, 0, 0), self.place(window, WIDTH, self.height)
        half = 0.5 / (self._scale * STEPS[window.step])
        paths = []
        for outline in self._outlines:
            seen = shapely.clip_by_rect(outline, west, south, east, north).simplify(half)
            if path := self._path(seen, window):
                paths.append(path)
        point = self._pixel(window, *mark) if mark else None
        inside = point is not None and -1 < point[0] < WIDTH + 1 and -1 < point[1] < self.height + 1
        spot = (round(point[0]), round(point[1])) if point and inside else None
        return Picture(WIDTH, self.height, tuple(paths), self._names(window, language), spot)

    def _centre(self, window: Window) -> tuple[float, float]:
        return self._middle if window.step == 0 else (window.lon, window.lat)

    def _pixel(self, window: Window, lon: float, lat: float) -> tuple[float, float]:
        middle, scale = self._centre(window), self._scale * STEPS[window.step]
        return WIDTH / 2 + (lon - middle[0]) * self._squeeze * scale, self.height / 2 - (lat - middle[1]) * scale

    def _path(self, geometry: BaseGeometry, window: Window) -> str:
        polygons = [part for part in getattr(geometry, "geoms", [geometry]) if part.geom_type == "Polygon"]
        rings: list[Any] = [ring for one in polygons if not one.is_empty for ring in (one.exterior, *one.interiors)]
        drawn = ([self._pixel(window, c[0], c[1]) for c in ring.coords][:-1] for ring in rings)
        return "".join("M" + "L".join(f"{x:.0f} {y:.0f}" for x, y in points) + "Z" for points in drawn)

    def _names(self, window: Window, language: str) -> tuple[Name, ...]:
        """Names that find room, those of counties first; places inside them only once they are near."""
        kinds = _GROUND if window.step == 0 else (*_GROUND, AreaKind.TOWNSHIP)
        placed: list[Name] = []
        for area in sorted(self._areas.values(), key=lambda a: (kinds.index(a.kind) if a.kind in kinds else 9, a.code)):
            if area.kind not in kinds or area.lon is None or area.lat is None:
                continue
            x, y = self._pixel(window, area.lon, area.lat)
            text = short_name(area.name(language), language)
            near = any(abs(x - p.x) < _BETWEEN + 6 * len(text) and abs(y - p.y) < _BETWEEN / 2 for p in placed)
            if 4 <= x <= WIDTH - 4 and 10 <= y <= self.height - 4 and not near:
                placed.append(Name(round(x), round(y), text))
        return tuple(placed)
