"""Which cells of a regular grid a polygon touches, and the share of each inside it.

Surfaces follow from the borders alone, as in font rasterisers: every piece of border within a cell adds the surface
to its right in this cell and its height to all cells further right in the row; exact but for rounding.
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geowarn.domain.rain import Grid
from geowarn.hazard.zones import Cells, Numbers

_ROUNDING = 1e-11  # of a cell: what adding up heights may leave over


def grid_cell_of(grid: Grid, lon: Numbers, lat: Numbers) -> Cells:
    """The cell each position lies in; -1 off the grid. Longitudes may differ by whole turns."""
    column = np.floor(np.mod(lon - (grid.lon0 - grid.dlon / 2), 360.0) / grid.dlon).astype(np.int64)
    row = np.floor((lat - (grid.lat0 - grid.dlat / 2)) / grid.dlat).astype(np.int64)
    inside = (column < grid.nx) & (row >= 0) & (row < grid.ny)
    return np.where(inside, row * grid.nx + column, np.int64(-1))


def grid_centres(grid: Grid, cells: Cells) -> tuple[Numbers, Numbers]:
    """Longitudes and latitudes of cell centres in degrees."""
    lon = grid.lon0 + (cells % grid.nx).astype(np.float64) * grid.dlon
    return lon, grid.lat0 + (cells // grid.nx).astype(np.float64) * grid.dlat


def grid_coverage(grid: Grid, geometry: BaseGeometry, turn: float) -> tuple[Cells, Numbers, float]:
    """Cells touched by a polygon moved `turn` degrees east, each share inside, and the surface in square degrees."""
    west, south, east, north = geometry.bounds
    left_edge, low_edge = grid.lon0 - grid.dlon / 2 - turn, grid.lat0 - grid.dlat / 2
    columns = min(grid.nx, round(360.0 / grid.dlon)) if grid.nx * grid.dlon > 360.0 + 1e-6 else grid.nx
    left, right = _range((west - left_edge) / grid.dlon, (east - left_edge) / grid.dlon, columns)
    first, last = sorted(((south - low_edge) / grid.dlat, (north - low_edge) / grid.dlat))
    low, high = _range(first, last, grid.ny)
    if left > right or low > high:
        return np.empty(0, np.int64), np.empty(0), 0.0
    x, y, ends = _borders(geometry)
    x, y = (x - left_edge) / grid.dlon, (y - low_edge) / grid.dlat
    share = _shares(x - left, y - low, ends, (high - low + 1, right - left + 1))
    row, column = np.nonzero(share)
    inside = share[row, column]
    return (row + low) * grid.nx + column + left, inside, float(inside.sum()) * grid.dlon * abs(grid.dlat)


def shares_inside(geometry: BaseGeometry, boxes: NDArray[np.object_], surfaces: Numbers) -> Numbers:
    """The share of each box inside the geometry; only those across its border are cut."""
    shapely.prepare(geometry)
    share = shapely.contains_properly(geometry, boxes).astype(np.float64)
    edge = (share == 0) & shapely.intersects(geometry, boxes)
    share[edge] = shapely.area(shapely.intersection(boxes[edge], geometry)) / surfaces[edge]
    return np.minimum(share, 1.0)


def _range(first: float, last: float, size: int) -> tuple[int, int]:
    return max(int(np.floor(first)), 0), min(int(np.floor(last)), size - 1)


def _borders(geometry: BaseGeometry) -> tuple[Numbers, Numbers, Cells]:
    """Coordinates of all rings, outer ones to the left and holes to the right, and where no edge leads on."""
    rings = shapely.get_rings(shapely.get_parts(shapely.orient_polygons(geometry)))
    position, ring = shapely.get_coordinates(rings, return_index=True)
    return position[:, 0], position[:, 1], np.flatnonzero(np.diff(ring))


def _shares(x: Numbers, y: Numbers, ends: Cells, shape: tuple[int, int]) -> Numbers:
    """Shares of the cells of a table, (0, 0) being its corner; borders may run outside."""
    rows, columns = shape
    ax, ay, bx, by = _pieces(x, y, ends)
    row, column = np.floor((ay + by) / 2).astype(np.int64), np.floor((ax + bx) / 2).astype(np.int64)
    height = by - ay
    counted = (row >= 0) & (row < rows) & (column < columns) & (height != 0)
    row, column, height = row[counted], column[counted], height[counted]
    beside = np.where(column < 0, 1.0, 1.0 - ((ax + bx)[counted] / 2 - column))
    at = row * (columns + 1) + np.maximum(column, 0)
    # Within the cell the surface beside the piece, to the right of it the whole height.
    steps = np.bincount(at, weights=height * beside, minlength=rows * (columns + 1) + 1)
    steps += np.bincount(at + 1, weights=height * (1.0 - beside), minlength=rows * (columns + 1) + 1)
    share = np.abs(np.cumsum(steps[:-1].reshape(rows, columns + 1), axis=1)[:, :columns])
    share[share < _ROUNDING] = 0.0
    share[share > 1.0 - _ROUNDING] = 1.0
    return np.asarray(share, dtype=np.float64)


def _pieces(x: Numbers, y: Numbers, ends: Cells) -> tuple[Numbers, Numbers, Numbers, Numbers]:
    """Edges cut wherever they cross from one cell to another: starts and ends of the pieces."""
    edge = np.delete(np.arange(x.size - 1), ends)
    x0, y0, dx, dy = x[edge], y[edge], x[edge + 1] - x[edge], y[edge + 1] - y[edge]
    which, t = np.arange(edge.size), np.zeros(edge.size)
    cuts = [_crossings(x0, dx), _crossings(y0, dy)]
    which = np.concatenate([which, *(cut[0] for cut in cuts)])
    t = np.concatenate([t, *(cut[1] for cut in cuts)])
    order = np.lexsort((t, which))
    which, t = which[order], t[order]
    until = np.append(t[1:], 1.0)
    until[np.append(np.diff(which) > 0, True)] = 1.0
    ax, ay = x0[which] + t * dx[which], y0[which] + t * dy[which]
    return ax, ay, x0[which] + until * dx[which], y0[which] + until * dy[which]


def _crossings(start: Numbers, length: Numbers) -> tuple[Cells, Numbers]:
    """Which edges cross whole numbers, and how far along, between 0 and 1."""
    first = np.floor(np.minimum(start, start + length)) + 1
    count = np.maximum(np.ceil(np.maximum(start, start + length)) - first, 0).astype(np.int64)
    which = np.repeat(np.arange(start.size), count)
    number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    return which, (first[which] + number - start[which]) / length[which]
