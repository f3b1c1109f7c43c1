"""Cells of grids that are not regular in longitude and latitude: projected, rotated, thinned.

A cell's corners lie midway between the four centres around them; at the edge the spacing goes on as it was. Where
there is only one row (thinned grids) or the corners cross, each cell is what lies nearest to its centre (Voronoi).
Surfaces are in square degrees, as on regular grids; a cell with a pole inside is not meant.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from geowarn.domain.rain import CurvedGrid
from geowarn.hazard.coverage import shares_inside
from geowarn.hazard.zones import Cells, Numbers

Shapes = NDArray[np.object_]
Box = tuple[float, float, float, float]  # west, south, east, north in degrees


class Patch:
    """The cells of a curved grid near a box, as polygons; longitudes run on without a jump from the first centre."""

    def __init__(self, grid: CurvedGrid, box: Box) -> None:
        lon, lat = _unwrapped(grid)
        reach = 2 * max(_spacing(lon, grid), _spacing(lat, grid))
        west, south, east, north = box
        middle = (west + east) / 2
        turned = lon + 360.0 * np.round((middle - lon) / 360.0)
        near = (turned >= west - reach) & (turned <= east + reach) & (lat >= south - reach) & (lat <= north + reach)
        self.cells: Cells = np.flatnonzero(near).astype(np.int64)
        self.shapes = self._shapes(grid, lon, lat, turned - lon)
        self.surfaces: Numbers = np.asarray(shapely.area(self.shapes), dtype=np.float64)
        self.tree = shapely.STRtree(self.shapes)

    def _shapes(self, grid: CurvedGrid, lon: Numbers, lat: Numbers, turn: Numbers) -> Shapes:
        if not self.cells.size:
            return np.empty(0, dtype=np.object_)
        if min(grid.nx, grid.ny) > 1:
            quads = _quads(grid, lon, lat, self.cells, turn[self.cells])
            if np.all(shapely.is_valid(quads)):
                return quads
        return _nearest(lon[self.cells] + turn[self.cells], lat[self.cells])

    def coverage(self, geometry: BaseGeometry, turn: float) -> tuple[Cells, Numbers, float]:
        """Cells touched by a polygon moved `turn` degrees east, each share inside, and the surface covered."""
        geometry = translate(geometry, xoff=turn) if turn else geometry
        met = np.sort(self.tree.query(geometry, predicate="intersects"))
        share = shares_inside(geometry, self.shapes[met], self.surfaces[met])
        touched = share > 0
        return self.cells[met][touched], share[touched], float((share * self.surfaces[met]).sum())

    def cell_of(self, lon: Numbers, lat: Numbers) -> Cells:
        """The cell each position lies in, -1 for none; on a border the lower one."""
        found = np.full(lon.size, np.iinfo(np.int64).max, dtype=np.int64)
        for turn in (0.0, -360.0, 360.0):
            which, cell = self.tree.query(shapely.points(lon + turn, lat), predicate="intersects")
            np.minimum.at(found, which, self.cells[cell])
        return np.where(found == np.iinfo(np.int64).max, np.int64(-1), found)


def box_around(lon: Numbers, lat: Numbers) -> Box:
    """The box of these positions."""
    return float(lon.min()), float(lat.min()), float(lon.max()), float(lat.max())


def curved_centres(grid: CurvedGrid, cells: Cells) -> tuple[Numbers, Numbers]:
    """Longitudes and latitudes of cell centres in degrees."""
    lon, lat = np.asarray(grid.lon, dtype=np.float64), np.asarray(grid.lat, dtype=np.float64)
    return lon[cells], lat[cells]


def _unwrapped(grid: CurvedGrid) -> tuple[Numbers, Numbers]:
    lon = np.asarray(grid.lon, dtype=np.float64)
    return lon[0] + np.mod(lon - lon[0] + 180.0, 360.0) - 180.0, np.asarray(grid.lat, dtype=np.float64)


def _spacing(values: Numbers, grid: CurvedGrid) -> float:
    table = values.reshape(grid.ny, grid.nx)
    steps = [np.abs(np.diff(table, axis=axis)) for axis in (0, 1)]
    return max((float(step[step < 180.0].max(initial=0.0)) for step in steps), default=0.0)


def _corners(values: Numbers, grid: CurvedGrid) -> Numbers:
    """Corner coordinates, shape (ny + 1, nx + 1)."""
    table = values.reshape(grid.ny, grid.nx)
    table = np.vstack([2 * table[:1] - table[1:2], table, 2 * table[-1:] - table[-2:-1]])
    table = np.hstack([2 * table[:, :1] - table[:, 1:2], table, 2 * table[:, -1:] - table[:, -2:-1]])
    return np.asarray((table[:-1, :-1] + table[:-1, 1:] + table[1:, :-1] + table[1:, 1:]) / 4, dtype=np.float64)


def _quads(grid: CurvedGrid, lon: Numbers, lat: Numbers, cells: Cells, turn: Numbers) -> Shapes:
    x, y = _corners(lon, grid), _corners(lat, grid)
    row, column = cells // grid.nx, cells % grid.nx
    ring = [(0, 0), (0, 1), (1, 1), (1, 0), (0, 0)]
    corners = [np.stack([x[row + j, column + i] + turn, y[row + j, column + i]], axis=-1) for j, i in ring]
    return np.asarray(shapely.polygons(np.stack(corners, axis=1)), dtype=np.object_)


def _nearest(lon: Numbers, lat: Numbers) -> Shapes:
    """What lies nearest to each centre, no further out than the widest gap between neighbours."""
    points = np.asarray(shapely.points(lon, lat), dtype=np.object_)
    if points.size == 1:
        return np.asarray(shapely.buffer(points, 1e-6), dtype=np.object_)
    _, apart = shapely.STRtree(points).query_nearest(points, exclusive=True, return_distance=True)
    frame = shapely.buffer(shapely.union_all(points), float(np.max(apart)))
    cells = shapely.voronoi_polygons(shapely.MultiPoint(np.column_stack([lon, lat])), extend_to=frame, ordered=True)
    return np.asarray(shapely.intersection(shapely.get_parts(cells), frame), dtype=np.object_)
