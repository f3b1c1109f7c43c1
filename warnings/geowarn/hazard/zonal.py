"""Which cells of a grid make up an area, and how much of each: built once per grid and areas, then read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from shapely.geometry import shape
from shapely.geometry.base import BaseGeometry

from geowarn.domain.area import Area
from geowarn.domain.canonical import canonical_json
from geowarn.domain.rain import CurvedGrid, Grid
from geowarn.hazard.coverage import grid_cell_of, grid_centres, grid_coverage
from geowarn.hazard.curved import Patch, box_around, curved_centres
from geowarn.hazard.zones import Cells, Footprint, Numbers, Zones, load, save, zones_of

__all__ = ["Cells", "Footprint", "Mesh", "Numbers", "Zones", "cell_of", "centres", "footprints"]

Mesh = Grid | CurvedGrid
Coverage = Callable[[BaseGeometry, float], tuple[Cells, Numbers, float]]
_FORM = 2  # of the kept file; another number makes every file be built again
_MANY = 200  # polygons from which on a person at a terminal sees how far it is
_WORLD = (-180.0, -90.0, 180.0, 90.0)


def footprints(grid: Mesh, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> Zones:
    """Footprints by code; an area without a place or wholly off the grid has none.

    A cell counts from `min_coverage` of its surface on, but every area has at least one. A point has the cell it
    lies in. Kept below `cache` under the digest of grid, places and coverage.
    """
    path = cache / f"zonal-{_key(grid, areas, min_coverage)}.npz" if cache else None
    kept = load(path) if path else None
    if kept is not None:
        return kept
    built = zones_of(_build(grid, areas, min_coverage))
    if path:
        save(path, built)
    return built


def cell_of(grid: Mesh, lon: Numbers, lat: Numbers) -> Cells:
    """The cell each position lies in; -1 off the grid. Longitudes may differ by whole turns."""
    if isinstance(grid, Grid):
        return grid_cell_of(grid, lon, lat)
    return Patch(grid, box_around(lon, lat)).cell_of(lon, lat) if lon.size else np.empty(0, np.int64)


def centres(grid: Mesh, cells: Cells) -> tuple[Numbers, Numbers]:
    """Longitudes and latitudes of cell centres in degrees."""
    return grid_centres(grid, cells) if isinstance(grid, Grid) else curved_centres(grid, cells)


def _key(grid: Mesh, areas: Sequence[Area], min_coverage: float) -> str:
    """Digest of everything the weights follow from, one area at a time: places may be many megabytes."""
    digest = hashlib.sha256(canonical_json([_FORM, type(grid).__name__, grid.digest, repr(min_coverage)]).encode())
    for area in areas:
        digest.update(f"{area.code!r},{area.lon!r},{area.lat!r};".encode())
        if area.geometry is not None:
            digest.update(canonical_json(dict(area.geometry)).encode())
    return digest.hexdigest()[:40]


def _build(grid: Mesh, areas: Sequence[Area], min_coverage: float) -> dict[str, Footprint]:
    polygons = [area for area in areas if area.geometry is not None]
    points = [area for area in areas if area.geometry is None and area.lon is not None and area.lat is not None]
    coverage = _coverage(grid, polygons)
    found = {area.code: _polygon(coverage, _geometry(area), min_coverage) for area in _shown(polygons)}
    found |= _points(grid, points)
    return {area.code: one for area in areas if (one := found.get(area.code)) is not None}


def _shown(polygons: Sequence[Area]) -> Iterable[Area]:
    console = Console(stderr=True)
    hidden = len(polygons) < _MANY or not console.is_terminal
    return track(polygons, "网格权重 grid weights", console=console, disable=hidden, transient=True)


def _geometry(area: Area) -> BaseGeometry:
    return shape(dict(area.geometry or {}))


def _coverage(grid: Mesh, polygons: Sequence[Area]) -> Coverage:
    if isinstance(grid, Grid):
        return lambda geometry, turn: grid_coverage(grid, geometry, turn)
    bounds = np.array([_geometry(area).bounds for area in polygons]).reshape(-1, 4)
    box = (bounds[:, 0].min(), bounds[:, 1].min(), bounds[:, 2].max(), bounds[:, 3].max()) if len(bounds) else _WORLD
    return Patch(grid, box).coverage


def _points(grid: Mesh, points: Sequence[Area]) -> dict[str, Footprint | None]:
    if not points:
        return {}
    lon = np.array([area.lon for area in points], dtype=np.float64)
    lat = np.array([area.lat for area in points], dtype=np.float64)
    cells, whole = cell_of(grid, lon, lat), np.ones(1)
    return {
        area.code: Footprint(cells[at : at + 1], whole, 0.0, True) if cells[at] >= 0 else None
        for at, area in enumerate(points)
    }


def _polygon(coverage: Coverage, geometry: BaseGeometry, min_coverage: float) -> Footprint | None:
    """Coverage by cell; the polygon is also tried one turn east and west, for grids from 0 to 360."""
    parts = [coverage(geometry, turn) for turn in (-360.0, 0.0, 360.0)]
    cells = np.concatenate([part[0] for part in parts])
    shares = np.concatenate([part[1] for part in parts])
    if not cells.size or not shares.max() > 0:
        return None
    cells, where = np.unique(cells, return_inverse=True)
    shares = np.bincount(where, weights=shares).astype(np.float64)
    outside = min(max(1.0 - sum(part[2] for part in parts) / geometry.area, 0.0), 1.0)
    keep = shares >= min_coverage
    if not keep.any():
        keep = np.arange(shares.size) == shares.argmax()
    return Footprint(cells[keep], shares[keep], outside if outside > 1e-6 else 0.0, False)
