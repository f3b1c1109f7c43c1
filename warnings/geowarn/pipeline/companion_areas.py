"""Which of our areas an alert of the weather service covers: by code, by geometry, by name, in this order.

Rings of others are looked at as they are: repairing one whose lines cross takes longer than anybody may wait.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from math import cos, radians

import numpy as np
import shapely
from shapely.geometry import LineString, Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, ancestors
from geowarn.domain.companion import AlertArea

_KM_PER_DEGREE = 111.19  # of latitude on a sphere of 6371 km
_DIVISION = re.compile(
    r"\d{6}(\d{3}){0,2}", re.ASCII
)  # GB/T 2260 county code, nine and twelve digits down to the village
_DETAILED = 200  # points of a ring that is kept as it is for drawing
_GRID = 3  # decimals of a degree (about 100 m) that the points of a longer one are rounded to
_MOST_DRAWN = 1000  # points of an outline; one that has more even so is drawn as its hull


def covered(blocks: Iterable[AlertArea], areas: Mapping[str, Area]) -> tuple[tuple[str, ...], bool]:
    """Codes of the areas covered, in order, and whether some block could not be placed at all.

    A block counts by its geocodes where one fits, else by its polygons and circles, else by its description where that
    is an area's name. Division codes that lie elsewhere place a block elsewhere; other schemes say nothing here.
    """
    of_code, of_name = _Codes(areas), _names(areas)
    codes: set[str] = set()
    drawn: list[AlertArea] = []
    unplaced = False
    for block in blocks:
        found = {code for _, value in block.geocodes for code in of_code[value]}
        if not found and (block.polygons or block.circles):
            drawn.append(block)
            continue
        found = found or of_name.get(block.description, set())
        codes |= found
        unplaced = unplaced or not (found or any(_DIVISION.fullmatch(value) for _, value in block.geocodes))
    codes = {code for code in areas if codes.intersection(ancestors(code, areas))} if codes else codes
    if drawn:
        codes |= _by_geometry(drawn, areas)
    return tuple(sorted(codes)), unplaced


def _names(areas: Mapping[str, Area]) -> dict[str, set[str]]:
    found: dict[str, set[str]] = defaultdict(set)
    for code, area in areas.items():
        found[area.name_zh].add(code)
        found[area.name_en].add(code)
    return dict(found)


class _Codes(dict[str, frozenset[str]]):
    """Our areas by the geocode of an alert, each value looked up once."""

    def __init__(self, areas: Mapping[str, Area]) -> None:
        super().__init__()
        self._areas = areas
        self._within: dict[str, set[str]] = defaultdict(set)  # by every beginning of a code
        self._ours: dict[str, set[str]] = defaultdict(set)  # by the significant part of a county's code or a longer one
        for code in filter(_DIVISION.fullmatch, areas):
            for length in range(len(code) + 1):
                self._within[code[:length]].add(code)
            if len(_significant(code)) >= 6:
                self._ours[_significant(code)].add(code)

    def __missing__(self, value: str) -> frozenset[str]:
        found = {value}.intersection(self._areas)
        if _DIVISION.fullmatch(value):
            # The alert's division holds ours (370000, 370687) or is a part of our county (370687001, 370687).
            found |= self._within.get(_significant(value), set())
            for length in range(6, len(value) + 1):
                found |= self._ours.get(value[:length], set())
        self[value] = frozenset(found)
        return self[value]


def _significant(code: str) -> str:
    """The code without the zeros that mean "all of it": pairs up to the county, threes for township and village."""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while len(code) <= 6 and code.endswith("00"):
        code = code[:-2]
    return code


def _by_geometry(blocks: Sequence[AlertArea], areas: Mapping[str, Area]) -> set[str]:
    """The areas that any of these blocks covers; one that was found is not looked at again."""
    placed = {code: place for code, area in areas.items() if (place := _place(area)) is not None}
    codes, places = list(placed), list(placed.values())
    tree, hit = shapely.STRtree(places), np.zeros(len(places), dtype=bool)
    for ring in _danger(blocks):
        near = tree.query(ring)
        near = near[~hit[near]]
        if near.size:
            reaches = _reach(ring)
            hit[[at for at in near if reaches(places[at])]] = True
    found = {code for code, was in zip(codes, hit, strict=True) if was}
    above = {code for code in areas if code not in placed and found.intersection(ancestors(code, areas))}
    return found | above


def _danger(blocks: Sequence[AlertArea]) -> Iterator[Polygon]:
    for block in blocks:
        yield from (Polygon(ring) for ring in block.polygons)
        yield from (_disc(*one) for one in block.circles)


def _reach(ring: Polygon) -> Callable[[BaseGeometry], bool]:
    """Whether it covers a place. One that crosses itself covers what its line meets or winds an odd number of times
    around: it may only raise attention, and dropping it would lower it."""
    if ring.is_valid:
        shapely.prepare(ring)
        return lambda place: bool(ring.intersects(place) and not ring.touches(place))
    line = LineString(ring.exterior.coords)
    shapely.prepare([line, ring])
    return lambda place: bool(line.intersects(place) or np.any(shapely.contains_xy(ring, *_inner(place).T)))


def _inner(place: BaseGeometry) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """A point of each part of a place."""
    return shapely.get_coordinates(shapely.point_on_surface(shapely.get_parts(place)))


def outline(ring: Sequence[tuple[float, float]]) -> list[list[float]]:
    """A ring for drawing, longitude first, of a thousand points at most: thinned to 100 m, else as its hull."""
    if len(ring) <= _DETAILED:
        return [[round(lon, 4), round(lat, 4)] for lon, lat in ring]
    points = np.round(np.asarray(ring), _GRID)
    thin = points[np.append(True, np.any(np.diff(points, axis=0) != 0, axis=1))]
    if len(thin) > _MOST_DRAWN:
        thin = np.round(shapely.get_coordinates(shapely.convex_hull(shapely.MultiPoint(thin))), _GRID)
    return [[float(lon), float(lat)] for lon, lat in thin]


def _disc(lon: float, lat: float, radius: float) -> Polygon:
    """A circle in km as an ellipse in degrees, at least the size of a point."""
    degrees = max(radius / _KM_PER_DEGREE, 1e-6)
    stretched = Point(0, 0).buffer(1.0, quad_segs=32)
    wide = degrees / max(cos(radians(lat)), 0.01)
    return shapely.transform(stretched, lambda unit: unit * (wide, degrees) + (lon, lat))


def _place(area: Area) -> BaseGeometry | None:
    if area.geometry is not None:
        return shape(dict(area.geometry))
    return Point(area.lon, area.lat) if area.lon is not None and area.lat is not None else None
