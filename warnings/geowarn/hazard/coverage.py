"""Which cells of a regular grid polygons touch, and the share of each inside them, for many polygons at once.

Surfaces follow from the borders alone, as in font rasterisers: every piece of border within a cell adds the surface
to its right in this cell and its height to all cells further right in the row; exact but for rounding.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from geowarn.domain.rain import Grid
from geowarn.hazard.shapes import Shapes
from geowarn.hazard.zones import Cells, Numbers

_MOST = 1 << 21  # cells of tables made at once; polygons beyond are halved, down to a single one
_ROUNDING = 1e-11  # of a cell: what adding up heights may leave over


class Covered(NamedTuple):
    """Cells by polygon: the polygon's position, the cell, the share of it inside, the whole cell in square degrees."""

    which: Cells
    cells: Cells
    shares: Numbers
    surfaces: Numbers


def joined(parts: Sequence[Covered]) -> Covered:
    """One after the other."""
    return Covered(
        np.concatenate([part.which for part in parts]),
        np.concatenate([part.cells for part in parts]),
        np.concatenate([part.shares for part in parts]),
        np.concatenate([part.surfaces for part in parts]),
    )


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


def grid_coverage(grid: Grid, shapes: Shapes, turn: float) -> Covered:
    """What polygons moved `turn` degrees east cover of the cells that they touch."""
    tables = _Tables.around(grid, shapes, turn)
    if tables.size > _MOST and shapes.size > 1:
        half = shapes.size // 2
        one, other = grid_coverage(grid, shapes[:half], turn), grid_coverage(grid, shapes[half:], turn)
        return joined([one, other._replace(which=other.which + half)])
    x, y, owner, ends = _borders(shapes[tables.which])
    x, y = (
        (x - tables.left_edge) / grid.dlon - tables.left[owner],
        (y - tables.low_edge) / grid.dlat - tables.low[owner],
    )
    share = _shares(x, y, owner, ends, tables)
    at, column = np.nonzero(share)
    inside, table = share[at, column], tables.of_rows[at]
    row = at - tables.first[table] + tables.low[table]
    surfaces = np.full(at.size, abs(grid.dlon * grid.dlat))
    return Covered(tables.which[table], row * grid.nx + column + tables.left[table], inside, surfaces)


def shares_inside(geometry: BaseGeometry, boxes: NDArray[np.object_], surfaces: Numbers) -> Numbers:
    """The share of each box inside the geometry; only those across its border are cut."""
    shapely.prepare(geometry)
    share = shapely.contains_properly(geometry, boxes).astype(np.float64)
    edge = (share == 0) & shapely.intersects(geometry, boxes)
    share[edge] = shapely.area(shapely.intersection(boxes[edge], geometry)) / surfaces[edge]
    return np.minimum(share, 1.0)


@dataclass(frozen=True, slots=True)
class _Tables:
    """A table of cells around each polygon that meets the grid, one below the other; (left, low) is its corner."""

    left_edge: float
    low_edge: float
    which: Cells  # position of the polygon
    left: Cells
    low: Cells
    columns: Cells
    rows: Cells

    @classmethod
    def around(cls, grid: Grid, shapes: Shapes, turn: float) -> _Tables:
        """The tables of these polygons, moved `turn` degrees east."""
        west, south, east, north = shapely.bounds(shapes).reshape(-1, 4).T
        left_edge, low_edge = grid.lon0 - grid.dlon / 2 - turn, grid.lat0 - grid.dlat / 2
        columns = min(grid.nx, round(360.0 / grid.dlon)) if grid.nx * grid.dlon > 360.0 + 1e-6 else grid.nx
        left, right = _range((west - left_edge) / grid.dlon, (east - left_edge) / grid.dlon, columns)
        ends = np.sort([(south - low_edge) / grid.dlat, (north - low_edge) / grid.dlat], axis=0)
        low, high = _range(ends[0], ends[1], grid.ny)
        which = np.flatnonzero((left <= right) & (low <= high)).astype(np.int64)
        sizes = ((right - left + 1)[which], (high - low + 1)[which])
        return cls(left_edge, low_edge, which, left[which], low[which], *sizes)

    @property
    def size(self) -> int:
        """Cells of all tables side by side."""
        return int(self.rows.sum()) * (int(self.columns.max(initial=0)) + 1)

    @property
    def first(self) -> Cells:
        """The first row of each table."""
        return np.cumsum(self.rows) - self.rows

    @property
    def of_rows(self) -> Cells:
        """The table of each row."""
        return np.repeat(np.arange(self.which.size), self.rows)


def _range(first: Numbers, last: Numbers, size: int) -> tuple[Cells, Cells]:
    low, high = np.floor(first), np.floor(last)
    # Empty polygons have no bounds; they meet no grid.
    low, high = np.where(np.isnan(low), size, low), np.where(np.isnan(high), -1, high)
    return np.clip(low, 0, size).astype(np.int64), np.clip(high, -1, size - 1).astype(np.int64)


def _borders(shapes: Shapes) -> tuple[Numbers, Numbers, Cells, Cells]:
    """Coordinates of all rings, outer ones to the left, holes to the right; whose they are; where no edge leads on."""
    parts, whole = shapely.get_parts(shapely.orient_polygons(shapes), return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    position, ring = shapely.get_coordinates(rings, return_index=True)
    return position[:, 0], position[:, 1], whole[part[ring]], np.flatnonzero(np.diff(ring))


def _shares(x: Numbers, y: Numbers, owner: Cells, ends: Cells, tables: _Tables) -> Numbers:
    """Shares of the cells of all tables; borders may run outside of their own."""
    which, ax, ay, bx, by = _pieces(x, y, ends)
    table = owner[which]
    row, column = np.floor((ay + by) / 2).astype(np.int64), np.floor((ax + bx) / 2).astype(np.int64)
    height = by - ay
    counted = (row >= 0) & (row < tables.rows[table]) & (column < tables.columns[table]) & (height != 0)
    row, column, height, table = row[counted], column[counted], height[counted], table[counted]
    beside = np.where(column < 0, 1.0, 1.0 - ((ax + bx)[counted] / 2 - column))
    rows, width = int(tables.rows.sum()), int(tables.columns.max(initial=0)) + 1
    at = (tables.first[table] + row) * width + np.maximum(column, 0)
    # Within the cell the surface beside the piece, to the right of it the whole height.
    steps = np.bincount(at, weights=height * beside, minlength=rows * width + 1)
    steps += np.bincount(at + 1, weights=height * (1.0 - beside), minlength=rows * width + 1)
    share = np.abs(np.cumsum(steps[:-1].reshape(rows, width), axis=1))
    share[(share < _ROUNDING) | (np.arange(width) >= tables.columns[tables.of_rows][:, None])] = 0.0
    share[share > 1.0 - _ROUNDING] = 1.0
    return np.asarray(share, dtype=np.float64)


def _pieces(x: Numbers, y: Numbers, ends: Cells) -> tuple[Cells, Numbers, Numbers, Numbers, Numbers]:
    """Edges cut wherever they cross from one cell to another: where each began, starts and ends of the pieces."""
    edge = np.delete(np.arange(max(x.size - 1, 0)), ends)
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
    return edge[which], ax, ay, x0[which] + until * dx[which], y0[which] + until * dy[which]


def _crossings(start: Numbers, length: Numbers) -> tuple[Cells, Numbers]:
    """Which edges cross whole numbers, and how far along, between 0 and 1."""
    first = np.floor(np.minimum(start, start + length)) + 1
    count = np.maximum(np.ceil(np.maximum(start, start + length)) - first, 0).astype(np.int64)
    which = np.repeat(np.arange(start.size), count)
    number = np.arange(which.size) - np.repeat(np.cumsum(count) - count, count)
    return which, (first[which] + number - start[which]) / length[which]
