"""A set of areas made ready once: by code, their cells on a grid, and which hazard points lie in them."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.area import Area, AreaKind, Susceptibility, ancestors
from geowarn.domain.rain import Grid
from geowarn.hazard.shapes import shapes_of
from geowarn.hazard.stations import lattice_around
from geowarn.hazard.zonal import Cells, Mesh, Numbers, Zones, footprints
from geowarn.hazard.zones import ByCode, Rows

_AT_ONCE = 1 << 15  # cells: what is worked out for them stays near the processor


@dataclass(frozen=True, slots=True)
class Segment:
    """Polygons that are worked on at once, and their cells as part of `Index.every_cell`."""

    polygons: slice
    span: slice
    weights: Numbers
    starts: Cells  # of each polygon, within the span
    sizes: Cells  # how many cells each polygon has
    total: Numbers  # summed weights of each polygon


@dataclass(frozen=True, slots=True)
class Index:
    """The zones of one grid laid out for all areas at once: polygons in segments, points by their cell.

    `areas` and `points` are positions in the sequence of areas. Nothing here is a copy of what the zones hold.
    """

    areas: Rows
    points: Rows
    every_cell: Cells  # of polygons, then of points
    segments: Sequence[Segment]
    spans: Sequence[slice]  # of points, as parts of `every_cell`
    reach: slice  # of the grid: from the first cell that any area has to the last

    def at_cells(self, grid: Numbers) -> Numbers:
        """The values of a grid at every cell."""
        return grid.take(self.every_cell, mode="clip")  # all are inside; "raise" would take a copy to be sure

    def of_areas(self, values: Numbers) -> Numbers:
        """One value for each area, repeated for each of its cells."""
        return np.concatenate([values[self.areas][self.owner], values[self.points]])

    @property
    def split(self) -> int:
        """How many cells of polygons there are."""
        return self.every_cell.size - self.points.size

    @property
    def owner(self) -> Rows:
        """Which polygon each cell belongs to."""
        owners = [np.repeat(np.arange(one.polygons.start, one.polygons.stop), one.sizes) for one in self.segments]
        return np.concatenate([np.empty(0, np.int32), *owners]).astype(np.int32)


@dataclass(frozen=True, slots=True)
class Raised:
    """Pairs (hazard point, area around it) as positions in the sequence of areas, by area, then by point.

    `areas` are those that have any; the pairs of each begin at `starts`.
    """

    points: Rows
    around: Rows
    areas: Rows
    starts: Cells

    def inside(self, area: int) -> Rows:
        """The points in one area."""
        first, last = np.searchsorted(self.around, [area, area + 1])
        return self.points[first:last]


class Places:
    """The areas of an assessment; the same tuple of areas is made ready once.

    `terrain` holds the susceptibility class of each area as its position in `Susceptibility`.
    """

    def __init__(self, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> None:
        self.areas = tuple(areas)
        self.by_code = ByCode(self.areas)
        self._min_coverage, self._cache = min_coverage, cache
        self._zones: dict[Mesh, Zones] = {}
        self._index: dict[Mesh, Index] = {}
        self._lattice: Grid | None = None
        classes = {one: number for number, one in enumerate(Susceptibility)}
        self.terrain = np.fromiter((classes[area.susceptibility] for area in self.areas), np.int8, len(self.areas))

    def fits(self, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> bool:
        """Whether these are the areas made ready here; only a tuple can be trusted not to have changed."""
        return areas is self.areas and (min_coverage, cache) == (self._min_coverage, self._cache)

    def position(self, code: str) -> int:
        """Where an area stands in the sequence."""
        return self.by_code.position(code)

    def zones(self, grid: Mesh) -> Zones:
        """The areas' cells on a grid."""
        if grid not in self._zones:
            self._zones[grid] = footprints(grid, self.areas, self._min_coverage, self._cache)
        return self._zones[grid]

    def index(self, grid: Mesh) -> Index:
        """The same, laid out for all areas at once."""
        if grid not in self._index:
            self._index[grid] = _index(self.zones(grid))
        return self._index[grid]

    def lattice(self) -> Grid | None:
        """The grid on which the areas ask their nearest stations; None where no area has a place."""
        if self._lattice is None:
            corners = [corner for area in self.areas for corner in _corners(area)]
            if not corners:
                return None
            lon, lat = np.array(corners, dtype=np.float64).T
            self._lattice = lattice_around(lon, lat)
        return self._lattice

    @cached_property
    def raised(self) -> Raised:
        """Which hazard points lie in which areas."""
        around: dict[str | None, list[int]] = {}
        points, areas = array("i"), array("i")
        for at, area in enumerate(self.areas):
            if area.kind is AreaKind.POINT:
                if area.parent not in around:
                    around[area.parent] = [self.position(code) for code in self._around(area)]
                others = [one for one in around[area.parent] if one != at]
                points.extend([at] * len(others))
                areas.extend(others)
        by_area = np.array(areas, dtype=np.int32)
        order = np.argsort(by_area, kind="stable")
        each, starts = np.unique(by_area[order], return_index=True)
        return Raised(np.array(points, dtype=np.int32)[order], by_area[order], each, starts.astype(np.int64))

    def _around(self, point: Area) -> list[str]:
        """The areas around a point up to its county: one slope never raises the whole city and what hangs on it."""
        return [c for c in ancestors(point.code, self.by_code)[1:] if self.by_code[c].kind is not AreaKind.CITY]


def statistics(segment: Segment, values: NDArray[Any]) -> tuple[NDArray[Any], Numbers]:
    """The greatest and the weighted mean value of each polygon; `values` hold one number for each cell."""
    mean = np.add.reduceat(values * segment.weights, segment.starts) / segment.total
    return np.maximum.reduceat(values, segment.starts), mean


def placed(area: Area) -> bool:
    """Whether the area has a polygon or a point of its own."""
    return area.geometry is not None or (area.lon is not None and area.lat is not None)


def _corners(area: Area) -> list[tuple[float, float]]:
    if area.geometry is not None:
        west, south, east, north = shapes_of([area.geometry])[0].bounds
        return [(west, south), (east, north)]
    return [(area.lon, area.lat)] if area.lon is not None and area.lat is not None else []


def _index(zones: Zones) -> Index:
    polygons, pairs, every = zones.ends.size, zones.weights.size, zones.cells.size
    segments, first = list[Segment](), 0
    while first < polygons:
        start = int(zones.starts[first])
        last = max(int(np.searchsorted(zones.ends, start + _AT_ONCE, side="right")), first + 1)
        span = slice(start, int(zones.ends[last - 1]))
        weights, starts = zones.weights[span], zones.starts[first:last] - start
        sizes, total = zones.ends[first:last] - zones.starts[first:last], np.add.reduceat(weights, starts)
        segments.append(Segment(slice(first, last), span, weights, starts, sizes, total))
        first = last
    spans = [slice(at, min(at + _AT_ONCE, every)) for at in range(pairs, every, _AT_ONCE)]
    reach = slice(int(zones.cells.min()), int(zones.cells.max()) + 1) if every else slice(0, 0)
    return Index(zones.rows[:polygons], zones.rows[polygons:], zones.cells, segments, spans, reach)
