"""Which cells of a grid make up an area, and how much of each: built once per grid and areas, then read from a file."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import shapely
from rich.console import Console
from rich.progress import track

from geowarn.domain.area import Area
from geowarn.domain.canonical import canonical_json
from geowarn.domain.outline import Outline, folded
from geowarn.domain.rain import CurvedGrid, Grid
from geowarn.hazard.coverage import Covered, grid_cell_of, grid_centres, grid_coverage, joined
from geowarn.hazard.curved import Patch, box_around, curved_centres
from geowarn.hazard.shapes import Shapes, batches, shapes_of
from geowarn.hazard.zones import Cells, Footprint, Numbers, Rows, Zones, load, save

__all__ = ["Cells", "Footprint", "Mesh", "Numbers", "Zones", "cell_of", "centres", "footprints"]

Mesh = Grid | CurvedGrid
Coverage = Callable[[Shapes, float], Covered]
_FORM = 4  # of the kept file; another number makes every file be built again
_MANY = 5  # groups of polygons from which on a person at a terminal sees how far it is
_TOGETHER = 1 << 15  # positions in a group; with all that follows from them a few megabytes
_NOTHING = (np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0), np.empty(0))
_WORLD = (-180.0, -90.0, 180.0, 90.0)


def footprints(grid: Mesh, areas: Sequence[Area], min_coverage: float, cache: Path | None) -> Zones:
    """Footprints by code; an area without a place or wholly off the grid has none.

    A cell counts from `min_coverage` of its surface on, but every area has at least one. A point has the cell it
    lies in. Kept below `cache` under the digest of grid, places and coverage.
    """
    path = cache / f"zonal-{_key(grid, areas, min_coverage)}.npz" if cache else None
    kept = load(path, areas) if path else None
    if kept is not None:
        return kept
    built = _build(grid, areas, min_coverage)
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
            outline = folded(area.geometry)
            if isinstance(outline, Outline):
                digest.update(canonical_json([outline.kind, outline.rings]).encode())
                digest.update(outline.numbers)
            else:
                digest.update(canonical_json(dict(outline)).encode())
    return digest.hexdigest()[:40]


def _build(grid: Mesh, areas: Sequence[Area], min_coverage: float) -> Zones:
    polygons = {at: folded(area.geometry) for at, area in enumerate(areas) if area.geometry is not None}
    groups = list(batches(list(polygons.values()), _TOGETHER if isinstance(grid, Grid) else _TOGETHER // 16))
    coverage = _coverage(grid, polygons.values())
    each = [_group(coverage, shapes_of(group), min_coverage) for group in _shown(groups)]
    counts, cells, weights, outside = (np.concatenate(parts) for parts in zip(_NOTHING, *each, strict=True))
    met = counts > 0
    points, of_points = _points(grid, areas)
    return Zones(
        areas,
        np.concatenate([np.array(list(polygons), dtype=np.int32)[met], points]),
        np.cumsum(counts[met]),
        np.concatenate([cells, of_points]),
        weights,
        outside[met],
    )


def _shown(groups: Sequence[Any]) -> Iterable[Any]:
    console = Console(stderr=True)
    hidden = len(groups) < _MANY or not console.is_terminal
    return track(groups, "网格权重 grid weights", console=console, disable=hidden, transient=True)


def _coverage(grid: Mesh, polygons: Iterable[Mapping[str, Any]]) -> Coverage:
    if isinstance(grid, Grid):
        return lambda shapes, turn: grid_coverage(grid, shapes, turn)
    bounds = shapely.total_bounds(shapes_of(polygons))
    west, south, east, north = _WORLD if np.isnan(bounds).any() else bounds.tolist()
    return Patch(grid, (west, south, east, north)).coverage


def _points(grid: Mesh, areas: Sequence[Area]) -> tuple[Rows, Cells]:
    """Areas that are points on the grid, and the cell of each, in the order of the cells."""
    places = [(at, a.lon, a.lat) for at, a in enumerate(areas) if a.geometry is None and None not in (a.lon, a.lat)]
    at, lon, lat = np.array(places, dtype=np.float64).reshape(-1, 3).T
    found = cell_of(grid, lon, lat)
    order = np.argsort(found, kind="stable")
    order = order[found[order] >= 0]
    return at[order].astype(np.int32), found[order]


def _group(coverage: Coverage, shapes: Shapes, min_coverage: float) -> tuple[Cells, Cells, Numbers, Numbers]:
    """Of each polygon how many cells count; these and their weights, polygon by polygon; each one's share off the grid.

    Polygons are also tried one turn east and west, for grids from 0 to 360.
    """
    parts = [coverage(shapes, turn) for turn in (-360.0, 0.0, 360.0)]
    which, cells, shares, surfaces = joined(parts)
    covered = np.bincount(which, weights=shares * surfaces, minlength=shapes.size)
    outside = np.clip(1.0 - covered / shapely.area(shapes), 0.0, 1.0)
    if sum(part.which.size > 0 for part in parts) > 1:
        which, cells, shares = _merged(which, cells, shares)
    keep = shares >= min_coverage
    for slim in np.setdiff1d(which, which[keep]).tolist():
        of_it = np.flatnonzero(which == slim)
        keep[of_it[shares[of_it].argmax()]] = True
    counts = np.bincount(which[keep], minlength=shapes.size)
    return counts, cells[keep], shares[keep], np.where(outside > 1e-6, outside, 0.0)


def _merged(which: Cells, cells: Cells, shares: Numbers) -> tuple[Cells, Cells, Numbers]:
    """By polygon and cell, the shares of one cell added up."""
    order = np.lexsort((cells, which))
    which, cells = which[order], cells[order]
    first = np.flatnonzero(np.append(True, (np.diff(which) != 0) | (np.diff(cells) != 0)))
    return which[first], cells[first], np.add.reduceat(shares[order], first)
