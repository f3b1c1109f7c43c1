"""GeoJSON geometry → CAP polygons: latitude first, closed, no holes, never self-intersecting, at most 5 decimals.

No polygon has more than 1,000 points: receivers on a phone test a position against every one of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import shapely
from shapely.affinity import translate
from shapely.geometry import Polygon, box, shape
from shapely.geometry.base import BaseGeometry

GRID = 1e-5  # degrees: about one metre, the five decimals that receivers accept
MOST_POINTS = 1000  # of one polygon
_WORLD = box(-180, -90, 180, 90)
SHRINK = 0.1  # simplification may not take more than this part of a piece


def cap_polygons(geometry: Mapping[str, Any] | None, simplify: float) -> tuple[str, ...]:
    """One CAP polygon text a piece, largest first; `simplify` in degrees; empty without an area.

    Islands smaller than a square of side `simplify` are left out, except where nothing else would remain. A hole is
    cut open, because CAP knows none. What lies past 180 degrees is brought back to the other side.
    """
    if geometry is None:
        return ()
    whole = list(_parts(_wrapped(shapely.make_valid(shape(dict(geometry))))))
    pieces = [
        few
        for part in _worthwhile(whole, simplify)
        for piece in _pieces(part, simplify)
        for few in _few(piece, simplify)
    ]
    return tuple(_text(piece) for piece in sorted(pieces, key=lambda piece: -piece.area))


def circle(lat: float, lon: float, kilometres: float) -> str:
    """A CAP circle; the radius is in kilometres and must be above zero. A longitude past 180 is brought back."""
    if kilometres <= 0:
        raise ValueError("a circle of radius 0 warns nobody")
    lon = lon if abs(lon) <= 180 else (lon + 180) % 360 - 180
    return f"{_number(lat)},{_number(lon)} {kilometres:g}"


def middle(geometry: Mapping[str, Any] | None) -> tuple[float, float] | None:
    """Latitude and longitude of a point of the geometry; None without one."""
    point = shape(dict(geometry)).representative_point() if geometry is not None else None
    return (float(point.y), float(point.x)) if point is not None and not point.is_empty else None


def polygon_faults(text: str) -> str:
    """Why a CAP polygon text is wrong (CAP 1.2 section 3.2.4 and what receivers refuse); empty when it is right."""
    try:
        pairs = [tuple(map(float, pair.split(","))) for pair in text.split(" ")]
    except ValueError:
        return "not pairs of latitude,longitude with one blank between"
    if any(len(pair) != 2 for pair in pairs) or len(pairs) < 4:
        return "fewer than four pairs of latitude,longitude"
    if pairs[0] != pairs[-1]:
        return "the last pair is not the first"
    if any(abs(lat) > 90 or abs(lon) > 180 for lat, lon in pairs):
        return "latitude beyond 90 or longitude beyond 180 degrees"
    ring = Polygon([(lon, lat) for lat, lon in pairs])
    return "" if ring.is_valid and ring.area > 0 else "the line crosses itself or encloses nothing"


def _parts(geometry: BaseGeometry) -> Iterator[Polygon]:
    if isinstance(geometry, Polygon):
        if not geometry.is_empty:
            yield geometry
    else:
        for part in getattr(geometry, "geoms", ()):
            yield from _parts(part)


def _wrapped(geometry: BaseGeometry) -> BaseGeometry:
    west, _, east, _ = geometry.bounds if not geometry.is_empty else (0.0, 0.0, 0.0, 0.0)
    if west >= -180 and east <= 180:
        return geometry
    return shapely.union_all([translate(geometry, turn).intersection(_WORLD) for turn in (-360, 0, 360)])


def _worthwhile(parts: list[Polygon], simplify: float) -> Iterable[Polygon]:
    largest = max((part.area for part in parts), default=0.0)
    return [part for part in parts if part.area >= min(simplify * simplify, largest)]


def _pieces(part: Polygon, simplify: float) -> list[Polygon]:
    """The part simplified and put on the grid; as it was where that costs too much of it."""
    thinner = part.simplify(simplify, preserve_topology=True)
    for candidate in (thinner, part):
        found = [whole for piece in _on_grid(candidate) for whole in _without_holes(piece)]
        if sum(piece.area for piece in found) >= part.area * (1 - SHRINK):
            return found
    return found


def _few(piece: Polygon, simplify: float) -> Iterator[Polygon]:
    """The piece with no more points than there may be; what that changes lies outside, so that nobody is left out."""
    tolerance = max(simplify, GRID)
    while shapely.get_num_coordinates(piece) > MOST_POINTS:
        tolerance *= 2
        wider = piece.buffer(tolerance, quad_segs=2).simplify(tolerance, preserve_topology=True)
        outlines = [Polygon(part.exterior).intersection(_WORLD) for part in _parts(wider)]
        piece = max((part for outline in outlines for part in _on_grid(outline)), key=lambda part: part.area)
    yield piece


def _on_grid(geometry: BaseGeometry) -> Iterator[Polygon]:
    return _parts(shapely.set_precision(geometry, GRID))


def _without_holes(piece: Polygon) -> Iterator[Polygon]:
    if not piece.interiors:
        yield piece
        return
    west, south, east, north = piece.bounds
    cut = round(piece.interiors[0].centroid.x / GRID) * GRID
    for side in (box(west, south, cut, north), box(cut, south, east, north)):
        for half in _parts(shapely.intersection(piece, side, grid_size=GRID)):
            yield from _without_holes(half)


def _text(piece: Polygon) -> str:
    return " ".join(f"{_number(lat)},{_number(lon)}" for lon, lat in piece.exterior.coords)


def _number(value: float) -> str:
    text = f"{value:.5f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
