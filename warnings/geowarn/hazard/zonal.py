"""Which cells of a grid make up an area, and how much of each: built once per grid and areas, then read from a file."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.affinity import translate
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.rain import Grid

Cells = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Footprint:
    """The cells of one area (row-major), the share of each that lies inside, and the area's share off the grid."""

    cells: Cells
    weights: Numbers
    outside: float
    nearest: bool  # a point: the one cell it lies in


def footprints(grid: Grid, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> dict[str, Footprint]:
    """Footprints by code; an area without a place or wholly off the grid has none.

    A cell counts from `min_coverage` of its surface on, but every area has at least one.
    """
    path = cache / f"zonal-{_key(grid, areas, min_coverage)}.npz" if cache else None
    kept = _load(path) if path else None
    if kept is not None:
        return kept
    built = {area.code: found for area in areas if (found := _footprint(grid, area, min_coverage)) is not None}
    if path:
        _save(path, built)
    return built


def cell_of(grid: Grid, lon: Numbers, lat: Numbers) -> Cells:
    """The cell each position lies in; -1 off the grid. Longitudes may differ by whole turns."""
    column = np.floor(np.mod(lon - (grid.lon0 - grid.dlon / 2), 360.0) / grid.dlon).astype(np.int64)
    row = np.floor((lat - (grid.lat0 - grid.dlat / 2)) / grid.dlat).astype(np.int64)
    inside = (column < grid.nx) & (row >= 0) & (row < grid.ny)
    return np.where(inside, row * grid.nx + column, np.int64(-1))


def centres(grid: Grid, cells: Cells) -> tuple[Numbers, Numbers]:
    """Longitudes and latitudes of cell centres in degrees."""
    lon = grid.lon0 + (cells % grid.nx).astype(np.float64) * grid.dlon
    return lon, grid.lat0 + (cells // grid.nx).astype(np.float64) * grid.dlat


def _key(grid: Grid, areas: Sequence[Area], min_coverage: float) -> str:
    places = [[area.code, area.lon, area.lat, area.geometry] for area in areas]
    return sha256_hex(canonical_json([1, grid.digest, repr(min_coverage), places]))[:40]


def _footprint(grid: Grid, area: Area, min_coverage: float) -> Footprint | None:
    if area.geometry is not None:
        return _polygon(grid, shape(dict(area.geometry)), min_coverage)
    if area.lon is None or area.lat is None:
        return None
    cells = cell_of(grid, np.array([area.lon]), np.array([area.lat]))
    return Footprint(cells, np.ones(1), 0.0, True) if cells[0] >= 0 else None


def _polygon(grid: Grid, geometry: BaseGeometry, min_coverage: float) -> Footprint | None:
    """Coverage by cell; the polygon is also tried one turn east and west, for grids from 0 to 360."""
    parts = [_coverage(grid, translate(geometry, xoff=turn)) for turn in (-360.0, 0.0, 360.0)]
    cells = np.concatenate([part[0] for part in parts])
    shares = np.concatenate([part[1] for part in parts])
    if not cells.size or not shares.max() > 0:
        return None
    cells, where = np.unique(cells, return_inverse=True)
    shares = np.bincount(where, weights=shares).astype(np.float64)
    covered = float(shares.sum()) * grid.dlon * abs(grid.dlat)
    outside = min(max(1.0 - covered / geometry.area, 0.0), 1.0)
    keep = shares >= min_coverage
    if not keep.any():
        keep = np.arange(shares.size) == shares.argmax()
    return Footprint(cells[keep], shares[keep], outside if outside > 1e-6 else 0.0, False)


def _coverage(grid: Grid, geometry: BaseGeometry) -> tuple[Cells, Numbers]:
    """Cells that a polygon touches and the share of each inside it."""
    west, south, east, north = geometry.bounds
    columns = min(grid.nx, round(360.0 / grid.dlon)) if grid.nx * grid.dlon > 360.0 + 1e-6 else grid.nx
    left, top = grid.lon0 - grid.dlon / 2, grid.lat0 - grid.dlat / 2
    first, last = sorted(((south - top) / grid.dlat, (north - top) / grid.dlat))
    row = _range(first, last, grid.ny)
    column = _range((west - left) / grid.dlon, (east - left) / grid.dlon, columns)
    if not row.size or not column.size:
        return np.empty(0, np.int64), np.empty(0)
    cells = (row[:, None] * grid.nx + column[None, :]).ravel()
    lon, lat = centres(grid, cells)
    half_x, half_y = grid.dlon / 2, abs(grid.dlat) / 2
    boxes = shapely.box(lon - half_x, lat - half_y, lon + half_x, lat + half_y)
    shapely.prepare(geometry)
    share = shapely.contains_properly(geometry, boxes).astype(np.float64)
    edge = (share == 0) & shapely.intersects(geometry, boxes)
    share[edge] = shapely.area(shapely.intersection(boxes[edge], geometry)) / (grid.dlon * abs(grid.dlat))
    touched = share > 0
    return cells[touched], np.minimum(share[touched], 1.0)


def _range(first: float, last: float, size: int) -> Cells:
    return np.arange(max(int(np.floor(first)), 0), min(int(np.floor(last)), size - 1) + 1, dtype=np.int64)


def _save(path: Path, built: dict[str, Footprint]) -> None:
    """Write beside and rename, so that no reader ever sees half a file."""
    codes = list(built)
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        codes=np.array(codes, dtype=np.str_),
        ends=np.cumsum([built[code].cells.size for code in codes], dtype=np.int64),
        cells=np.concatenate([np.empty(0, np.int64), *(built[code].cells for code in codes)]),
        weights=np.concatenate([np.empty(0), *(built[code].weights for code in codes)]),
        outside=np.array([built[code].outside for code in codes], dtype=np.float64),
        nearest=np.array([built[code].nearest for code in codes], dtype=np.bool_),
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".zonal-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getvalue())
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def _load(path: Path) -> dict[str, Footprint] | None:
    """The kept footprints; None where there are none or the file is damaged (it is then built again)."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            ends = kept["ends"]
            starts = np.concatenate([np.zeros(1, np.int64), ends[:-1]])
            cells, weights, outside, nearest = kept["cells"], kept["weights"], kept["outside"], kept["nearest"]
            return {
                str(code): Footprint(
                    cells[starts[at] : ends[at]], weights[starts[at] : ends[at]], float(outside[at]), bool(nearest[at])
                )
                for at, code in enumerate(kept["codes"])
            }
    except (OSError, ValueError, KeyError, IndexError, EOFError, zipfile.BadZipFile, zlib.error):
        return None
