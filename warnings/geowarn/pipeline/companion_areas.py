"""Which of our areas an alert of the weather service covers: by code, by geometry, by name, in this order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from math import cos, radians

import shapely
from shapely.geometry import Point, Polygon, shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area, ancestors
from geowarn.domain.companion import AlertArea

_KM_PER_DEGREE = 111.19  # of latitude on a sphere of 6371 km
_DIVISION = re.compile(
    r"\d{6}(\d{3}){0,2}", re.ASCII
)  # GB/T 2260 county code, nine and twelve digits down to the village


def covered(blocks: Iterable[AlertArea], areas: Mapping[str, Area]) -> tuple[tuple[str, ...], bool]:
    """Codes of the areas covered, in order, and whether some block could not be placed at all.

    A block counts by its geocodes where one fits, else by its polygons and circles, else by its description where that
    is an area's name. Division codes that lie elsewhere place a block elsewhere; other schemes say nothing here.
    """
    codes: set[str] = set()
    drawn: list[AlertArea] = []
    unplaced = False
    for block in blocks:
        found = _by_code(block, areas)
        if not found and (block.polygons or block.circles):
            drawn.append(block)
            continue
        found = found or {code for code, area in areas.items() if block.description in (area.name_zh, area.name_en)}
        codes |= {code for code in areas if found.intersection(ancestors(code, areas))}
        elsewhere = any(_DIVISION.fullmatch(value) for _, value in block.geocodes)
        unplaced = unplaced or not (found or elsewhere)
    if drawn:
        codes |= _by_geometry(drawn, areas)
    return tuple(sorted(codes)), unplaced


def _by_code(block: AlertArea, areas: Mapping[str, Area]) -> set[str]:
    return {code for _, value in block.geocodes for code in areas if code == value or _same_division(value, code)}


def _same_division(value: str, code: str) -> bool:
    """Whether the alert's division holds ours (370000, 370687) or is a part of our county (370687001, 370687)."""
    if not _DIVISION.fullmatch(value) or not _DIVISION.fullmatch(code):
        return False
    ours = _significant(code)
    return code.startswith(_significant(value)) or (len(ours) >= 6 and value.startswith(ours))


def _significant(code: str) -> str:
    """The code without the zeros that mean "all of it": pairs up to the county, threes for township and village."""
    while len(code) > 6 and code.endswith("000"):
        code = code[:-3]
    while len(code) <= 6 and code.endswith("00"):
        code = code[:-2]
    return code


def _by_geometry(blocks: Sequence[AlertArea], areas: Mapping[str, Area]) -> set[str]:
    """The areas that any of these blocks covers: all of them at once, as there may be hundreds of either."""
    parts = [_valid(Polygon(ring)) for block in blocks for ring in block.polygons]
    parts += [_disc(*one) for block in blocks for one in block.circles]
    danger = shapely.union_all(parts)
    shapely.prepare(danger)
    placed = {code: place for code, area in areas.items() if (place := _place(area)) is not None}
    hit = {code for code, place in placed.items() if danger.intersects(place) and not danger.touches(place)}
    above = {code for code in areas if code not in placed and hit.intersection(ancestors(code, areas))}
    return hit | above


def _valid(ring: Polygon) -> BaseGeometry:
    """A ring that crosses itself is repaired: it may only raise attention, and dropping it would lower it."""
    return ring if ring.is_valid else shapely.make_valid(ring)


def _disc(lon: float, lat: float, radius: float) -> BaseGeometry:
    """A circle in km as an ellipse in degrees, at least the size of a point."""
    degrees = max(radius / _KM_PER_DEGREE, 1e-6)
    stretched = Point(0, 0).buffer(1.0, quad_segs=32)
    wide = degrees / max(cos(radians(lat)), 0.01)
    return shapely.transform(stretched, lambda unit: unit * (wide, degrees) + (lon, lat))


def _place(area: Area) -> BaseGeometry | None:
    if area.geometry is not None:
        return shape(dict(area.geometry))
    return Point(area.lon, area.lat) if area.lon is not None and area.lat is not None else None
