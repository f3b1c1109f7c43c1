"""Cells of grids that are not regular in longitude and latitude: projected, rotated, thinned.

A cell's corners lie midway between the four centres around them; at the edge the spacing goes on as it was. Where
there is only one row (thinned grids) or the corners cross, each cell is what lies nearest to its centre (Voronoi).
Surfaces are in square degrees, as on regular grids; a cell with a pole inside is not meant.
"""

from __future__ import annotations

import numpy as np
import shapely
from shapely.affinity import translate
from shapely.geometry.base import BaseGeometry

from geowarn.domain.rain import CurvedGrid
from geowarn.hazard.coverage import Covered, shares_inside
from geowarn.hazard.shapes import Shapes
from geowarn.hazard.zones import Cells, Numbers

Box = tuple[float, float, float, float]  # west, south, east, north in degrees


class Patch:
    """The cells of a curved grid near a box, as polygons; what has no place is left out."""

    def __init__(self, grid: CurvedGrid, box: Box) -> None:
        west, south, east, north = box
        lon, lat = np.asarray(grid.lon, dtype=np.float64), np.asarray(grid.lat, dtype=np.float64)
        lon = lon + 360.0 * np.round(((west + east) / 2 - lon) / 360.0)
        reach = 2 * max(_spacing(lon, grid), _spacing(lat, grid))
        near = (lon >= west - reach) & (lon <= east + reach) & (lat >= south - reach) & (lat <= north + reach)
        cells = np.flatnonzero(near).astype(np.int64)
        self.cells, self.shapes = _shapes(grid, lon, lat, cells)
        self.surfaces: Numbers = np.asarray(shapely.area(self.shapes), dtype=np.float64)
        self.tree = shapely.STRtree(self.shapes)

    def coverage(self, shapes: Shapes, turn: float) -> Covered:
        """What polygons moved `turn` degrees east cover of the cells that they touch."""
        found = [self._covered(translate(one, xoff=turn) if turn else one) for one in shapes]
        which = np.repeat(np.arange(len(found)), [met.size for met, _ in found])
        met = np.concatenate([np.empty(0, np.int64), *(met for met, _ in found)])
        shares = np.concatenate([np.empty(0), *(share for _, share in found)])
        return Covered(which, self.cells[met], shares, self.surfaces[met])

    def _covered(self, shape: BaseGeometry) -> tuple[Cells, Numbers]:
        met = np.sort(self.tree.query(shape, predicate="intersects"))
        share = shares_inside(shape, self.shapes[met], self.surfaces[met])
        return met[share > 0], share[share > 0]

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


def _turned(degrees: Numbers) -> Numbers:
    """Differences of longitude between -180 and 180."""
    return np.asarray(np.mod(degrees + 180.0, 360.0) - 180.0, dtype=np.float64)


def _spacing(values: Numbers, grid: CurvedGrid) -> float:
    """The widest step between neighbours, in degrees; the jump of a whole turn is none."""
    table = values.reshape(grid.ny, grid.nx)
    steps = [np.abs(np.diff(table, axis=axis)) for axis in (0, 1)]
    return max(float(step[step < 180.0].max(initial=0.0)) for step in steps)


def _shapes(grid: CurvedGrid, lon: Numbers, lat: Numbers, cells: Cells) -> tuple[Cells, Shapes]:
    """The cells that have a shape, and their shapes."""
    if not cells.size:
        return cells, np.empty(0, dtype=np.object_)
    if min(grid.nx, grid.ny) > 1:
        rings = _rings(grid, lon, lat, cells)
        known = np.isfinite(rings).all(axis=(1, 2))
        quads = np.asarray(shapely.polygons(rings[known]), dtype=np.object_)
        if np.all(shapely.is_valid(quads)):
            return cells[known], quads
    return cells, _nearest(lon[cells], lat[cells])


def _rings(grid: CurvedGrid, lon: Numbers, lat: Numbers, cells: Cells) -> Numbers:
    """Corners of cells, shape (cells, 5, 2): each the mean of the four centres around it."""
    row, column = cells // grid.nx + 1, cells % grid.nx + 1
    east, north = _framed(lon.reshape(grid.ny, grid.nx)), _framed(lat.reshape(grid.ny, grid.nx))
    corners = []
    for j, i in ((-1, -1), (-1, 1), (1, 1), (1, -1), (-1, -1)):
        around = [(row + j, column), (row, column + i), (row + j, column + i)]
        x = sum(_turned(east[one] - lon[cells]) for one in around) / 4
        y = sum(north[one] - lat[cells] for one in around) / 4
        corners.append(np.stack([lon[cells] + x, lat[cells] + y], axis=-1))
    return np.stack(corners, axis=1)


def _framed(table: Numbers) -> Numbers:
    """With one more centre on every side, the spacing going on as it was."""
    table = np.vstack(
        [table[:1] + _turned(table[:1] - table[1:2]), table, table[-1:] + _turned(table[-1:] - table[-2:-1])]
    )
    left, right = _turned(table[:, :1] - table[:, 1:2]), _turned(table[:, -1:] - table[:, -2:-1])
    return np.hstack([table[:, :1] + left, table, table[:, -1:] + right])


def _nearest(lon: Numbers, lat: Numbers) -> Shapes:
    """What lies nearest to each centre, no further out than the widest gap between neighbours."""
    points = np.asarray(shapely.points(lon, lat), dtype=np.object_)
    if points.size == 1:
        return np.asarray(shapely.buffer(points, 1e-6), dtype=np.object_)
    _, apart = shapely.STRtree(points).query_nearest(points, exclusive=True, return_distance=True)
    frame = shapely.buffer(shapely.union_all(points), float(np.max(apart)))
    cells = shapely.voronoi_polygons(shapely.MultiPoint(np.column_stack([lon, lat])), extend_to=frame, ordered=True)
    return np.asarray(shapely.intersection(shapely.get_parts(cells), frame), dtype=np.object_)
