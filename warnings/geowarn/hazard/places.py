"""A set of areas made ready once: by code, their cells on a grid, and which hazard points lie in them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from shapely.geometry import shape

from geowarn.domain.area import Area, AreaKind, Susceptibility, ancestors, by_code
from geowarn.domain.rain import Grid
from geowarn.hazard.stations import lattice_around
from geowarn.hazard.zonal import Cells, Mesh, Numbers, Zones, footprints


@dataclass(frozen=True, slots=True)
class Index:
    """The zones of one grid in the order numpy is quickest with: polygons in segments, points by their cell.

    `areas` and `points` are positions in the sequence of areas, `rows` those of the polygons in the zones.
    """

    areas: Cells
    rows: Cells
    cells: Cells
    weights: Numbers
    starts: Cells
    owner: NDArray[np.int32]  # which polygon each cell belongs to
    total: Numbers  # summed weights of each polygon
    points: Cells
    point_cells: Cells
    every_cell: Cells  # `cells`, then `point_cells`

    def at_cells(self, grid: Numbers) -> Numbers:
        """The values of a grid at every cell."""
        return grid.take(self.every_cell, mode="clip")  # all are inside; "raise" would take a copy to be sure

    def of_areas(self, values: Numbers) -> Numbers:
        """One value for each area, repeated for each of its cells."""
        return np.concatenate([values[self.areas][self.owner], values[self.points]])


@dataclass(frozen=True, slots=True)
class Raised:
    """Pairs (hazard point, area around it) as positions in the sequence of areas, by area, then by point."""

    points: Cells
    around: Cells

    def inside(self, area: int) -> Cells:
        """The points in one area."""
        first, last = np.searchsorted(self.around, [area, area + 1])
        return self.points[first:last]


class Places:
    """The areas of an assessment; the same tuple of areas is made ready once.

    `terrain` holds the susceptibility class of each area as its position in `Susceptibility`.
    """

    def __init__(self, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> None:
        self.areas = tuple(areas)
        self.by_code = by_code(self.areas)
        self._positions = {code: at for at, code in enumerate(self.by_code)}
        self._min_coverage, self._cache = min_coverage, cache
        self._zones: dict[Mesh, Zones] = {}
        self._index: dict[Mesh, Index] = {}
        self._lattice: Grid | None = None
        classes = {one: number for number, one in enumerate(Susceptibility)}
        self.terrain = np.array([classes[area.susceptibility] for area in self.by_code.values()], dtype=np.int8)

    def fits(self, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> bool:
        """Whether these are the areas made ready here; only a tuple can be trusted not to have changed."""
        return areas is self.areas and (min_coverage, cache) == (self._min_coverage, self._cache)

    def position(self, code: str) -> int:
        """Where an area stands in the sequence."""
        return self._positions[code]

    def zones(self, grid: Mesh) -> Zones:
        """The areas' cells on a grid."""
        if grid not in self._zones:
            self._zones[grid] = footprints(grid, self.areas, self._min_coverage, self._cache)
        return self._zones[grid]

    def index(self, grid: Mesh) -> Index:
        """The same, laid out for all areas at once."""
        if grid not in self._index:
            self._index[grid] = _index(self._positions, self.zones(grid))
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
        pairs: list[tuple[int, int]] = []
        for at, area in enumerate(self.by_code.values()):
            if area.kind is AreaKind.POINT:
                if area.parent not in around:
                    around[area.parent] = [self._positions[code] for code in self._around(area)]
                pairs += [(at, one) for one in around[area.parent] if one != at]
        table = np.array(pairs, dtype=np.int64).reshape(-1, 2)
        table = table[np.argsort(table[:, 1], kind="stable")]
        return Raised(table[:, 0].copy(), table[:, 1].copy())

    def _around(self, point: Area) -> list[str]:
        """The areas around a point up to its county: one slope never raises the whole city and what hangs on it."""
        return [c for c in ancestors(point.code, self.by_code)[1:] if self.by_code[c].kind is not AreaKind.CITY]


def statistics(index: Index, values: Numbers) -> tuple[Numbers, Numbers]:
    """The greatest and the weighted mean value of each polygon; `values` hold one number for each of `index.cells`."""
    if not index.starts.size:
        return np.empty(0), np.empty(0)
    mean = np.add.reduceat(values * index.weights, index.starts) / index.total
    return np.maximum.reduceat(values, index.starts), mean


def placed(area: Area) -> bool:
    """Whether the area has a polygon or a point of its own."""
    return area.geometry is not None or (area.lon is not None and area.lat is not None)


def _corners(area: Area) -> list[tuple[float, float]]:
    if area.geometry is not None:
        west, south, east, north = shape(dict(area.geometry)).bounds
        return [(west, south), (east, north)]
    return [(area.lon, area.lat)] if area.lon is not None and area.lat is not None else []


def _index(positions: Mapping[str, int], zones: Zones) -> Index:
    area = np.array([positions[code] for code in zones.codes], dtype=np.int64)
    rows = np.flatnonzero(~zones.nearest)
    of_points = np.flatnonzero(zones.nearest)
    point_cells = zones.cells[zones.starts[of_points]]
    by_cell = np.argsort(point_cells, kind="stable")
    counts, pairs = zones.sizes[rows], np.repeat(~zones.nearest, zones.sizes)
    every_cell = np.concatenate([zones.cells[pairs], point_cells[by_cell]])
    starts, weights = np.cumsum(counts) - counts, zones.weights[pairs]
    return Index(
        areas=area[rows],
        rows=rows,
        cells=every_cell[: weights.size],
        weights=weights,
        starts=starts,
        owner=np.repeat(np.arange(rows.size, dtype=np.int32), counts),
        total=np.add.reduceat(weights, starts) if starts.size else np.empty(0),
        points=area[of_points][by_cell],
        point_cells=every_cell[weights.size :],
        every_cell=every_cell,
    )
