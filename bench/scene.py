"""The scene of the benchmark: a grid, 3,000 irregular polygons that share their borders, 280,000 points, moving storms.

Everything follows from the seed, so two machines measure the same work.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.outline import Outline
from geowarn.domain.rain import Grid

SEED = 20260723
GRID = Grid(lon0=73.0, lat0=54.0, dlon=0.05, dlat=-0.05, nx=1241, ny=841)
STEPS = 72
COLUMNS, ROWS = 60, 50  # 3,000 polygons
SEGMENTS = 96  # of one border between two polygons: 384 vertices a polygon
POINTS = 280_000
EXTENT = (76.0, 14.0, 131.5, 52.0)  # of the polygons, three quarters of the grid

Position = tuple[float, float]
Line = np.ndarray[Any, np.dtype[np.float64]]  # shape (positions, 2)


def areas() -> tuple[Area, ...]:
    """Counties with their hazard points; neighbours share their borders."""
    terrain = list(Susceptibility)
    counties = [
        Area(f"c{at:04d}", AreaKind.COUNTY, "县", "county", susceptibility=terrain[at % 4],
             geometry=Outline("Polygon", ((len(ring),),), ring.ravel().tolist()))
        for at, ring in enumerate(_rings())
    ]  # fmt: skip
    generator = np.random.default_rng(SEED + 1)
    west, south, east, north = EXTENT
    lon, lat = generator.uniform(west, east, POINTS), generator.uniform(south, north, POINTS)
    column = np.clip((lon - west) / (east - west) * COLUMNS, 0, COLUMNS - 1).astype(int)
    row = np.clip((lat - south) / (north - south) * ROWS, 0, ROWS - 1).astype(int)
    owner = (row * COLUMNS + column).tolist()
    points = [
        Area(f"p{at:06d}", AreaKind.POINT, "点", "point", parent=counties[own].code, lon=x, lat=y,
             susceptibility=terrain[at % 4])
        for at, (x, y, own) in enumerate(zip(lon.tolist(), lat.tolist(), owner, strict=True))
    ]  # fmt: skip
    return (*counties, *points)


def _rings() -> Iterator[Line]:
    generator = np.random.default_rng(SEED)
    corners = _corners(generator)
    across = [[_border(generator, corners[j][i], corners[j][i + 1]) for i in range(COLUMNS)] for j in range(ROWS + 1)]
    along = [[_border(generator, corners[j][i], corners[j + 1][i]) for i in range(COLUMNS + 1)] for j in range(ROWS)]
    for j in range(ROWS):
        for i in range(COLUMNS):
            south, east, north, west = across[j][i], along[j][i + 1], across[j + 1][i], along[j][i]
            yield np.concatenate([south, east[1:], north[-2::-1], west[-2::-1]])


def _corners(generator: np.random.Generator) -> list[list[Position]]:
    west, south, east, north = EXTENT
    wide, high = (east - west) / COLUMNS, (north - south) / ROWS
    shift = generator.uniform(-0.18, 0.18, (ROWS + 1, COLUMNS + 1, 2))
    return [
        [(west + (i + shift[j, i, 0]) * wide, south + (j + shift[j, i, 1]) * high) for i in range(COLUMNS + 1)]
        for j in range(ROWS + 1)
    ]


def _border(generator: np.random.Generator, start: Position, end: Position) -> Line:
    """A line that swings around the straight one at many scales and ends where that ends."""
    t = np.linspace(0.0, 1.0, SEGMENTS + 1)
    waves = np.arange(1, 33)
    swing = (generator.normal(0, 1, 32) / waves**1.1) @ np.sin(np.pi * waves[:, None] * t[None, :])
    swing *= 0.09 * t * (1 - t) / max(0.25 * float(np.abs(swing).max()), 1e-9)
    dx, dy = end[0] - start[0], end[1] - start[1]
    x, y = start[0] + t * dx - swing * dy, start[1] + t * dy + swing * dx
    return np.vstack([start, np.stack([x, y], axis=1)[1:-1], end])


def rain(steps: int) -> Iterator[np.ndarray[Any, np.dtype[np.float64]]]:
    """Hourly mm, row-major: some storms on their way, dry between them, and showers of a cell each."""
    generator = np.random.default_rng(SEED + 2)
    storms = generator.uniform([78, 16, -0.25, -0.15, 0.6, 2], [129, 50, 0.35, 0.2, 2.6, 22], (40, 6))
    lon = GRID.lon0 + np.arange(GRID.nx) * GRID.dlon
    lat = GRID.lat0 + np.arange(GRID.ny) * GRID.dlat
    for step in range(steps):
        field = np.zeros((GRID.ny, GRID.nx))
        for x, y, east, north, wide, most in storms.tolist():
            strength = most * max(0.0, float(np.sin(np.pi * (step + 6 * wide) / 48)))
            side = np.exp(-0.5 * ((lon - x - east * step) / wide) ** 2)
            field += strength * np.exp(-0.5 * ((lat - y - north * step) / wide) ** 2)[:, None] * side[None, :]
        field *= generator.uniform(0.6, 1.4, field.shape)
        yield np.where(field < 0.15, 0.0, np.minimum(field, 120.0)).ravel()
