"""Shares of cells, against shapely cutting every cell out; curved grids against the regular ones they are."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely.geometry import Polygon, mapping

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.rain import CurvedGrid, Grid, Stations, curved_grid
from geowarn.hazard.stations import LATTICE, lattice_around, nearest_stations, value_of_nearest
from geowarn.hazard.zonal import cell_of, centres, footprints

GRID = Grid(lon0=0.5, lat0=4.5, dlon=1, dlat=-1, nx=6, ny=5)


def area(geometry: Any) -> Area:
    return Area("a", AreaKind.COUNTY, "甲", "A", geometry=mapping(geometry))


def curved(grid: Grid, turn: float = 0.0) -> CurvedGrid:
    lon, lat = centres(grid, np.arange(grid.size))
    return curved_grid((lon + turn).tolist(), lat.tolist(), grid.nx, grid.ny)


def cut_out(geometry: Any) -> dict[int, float]:
    lon, lat = centres(GRID, np.arange(GRID.size))
    shares = shapely.area(shapely.intersection(shapely.box(lon - 0.5, lat - 0.5, lon + 0.5, lat + 0.5), geometry))
    return {cell: float(share) for cell, share in enumerate(shares) if share > 1e-9}


def shares(grid: Grid | CurvedGrid, geometry: Any) -> dict[int, float]:
    found = footprints(grid, [area(geometry)], 0.0, None).get("a")
    pairs = zip(found.cells.tolist(), found.weights.tolist(), strict=True) if found else ()
    return {cell: share for cell, share in pairs if share > 1e-9}


CORNERS = st.lists(st.tuples(st.floats(-1, 7), st.floats(-1, 6)), min_size=3, max_size=9, unique=True)
STEPS = st.integers(-2, 14).map(lambda half: half / 2)  # corners and edges on the very lines between cells
ON_LINES = st.lists(st.tuples(STEPS, STEPS), min_size=3, max_size=9, unique=True)


@settings(max_examples=200, deadline=None)
@given(st.one_of(CORNERS, ON_LINES), st.booleans())
def test_shares_are_those_of_shapely(corners: list[tuple[float, float]], holed: bool) -> None:
    shape = shapely.convex_hull(shapely.multipoints(corners)) if not holed else Polygon(corners).buffer(0)
    if holed and shape.area > 0:
        shape = shape.difference(shapely.box(2.2, 1.3, 3.7, 2.9))
    if shape.is_empty or shape.area < 1e-6 or shape.geom_type not in ("Polygon", "MultiPolygon"):
        return
    expected = cut_out(shape)
    assert shares(GRID, shape) == pytest.approx(expected, abs=1e-9)
    assert shares(curved(GRID), shape) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(CORNERS, ON_LINES), min_size=1, max_size=6), st.integers(1, 60))
def test_many_polygons_at_once_are_each_as_if_alone(many: list[list[tuple[float, float]]], most: int) -> None:
    shapes = [shapely.convex_hull(shapely.multipoints(corners)) for corners in many]
    shapes = [one for one in shapes if one.area > 0]
    areas = [
        Area(f"a{at}", AreaKind.COUNTY, "甲", "A", geometry=mapping(one))
        for at, one in enumerate(shapes)
        if one.area > 0
    ]
    world = Grid(lon0=0.5, lat0=4.5, dlon=1, dlat=-1, nx=360, ny=5)  # what lies west of 0 comes back in the east
    for grid in (GRID, world):
        with patch("geowarn.hazard.coverage._MOST", most), patch("geowarn.hazard.zonal._TOGETHER", 10 * most):
            together = footprints(grid, areas, 0.1, None)
        for one in areas:
            alone = footprints(grid, [one], 0.1, None)
            assert (one.code in together) == (one.code in alone)
            if one.code in alone:
                here, there = together[one.code], alone[one.code]
                assert here.cells.tolist() == there.cells.tolist()
                assert here.weights.tolist() == there.weights.tolist()
                assert here.outside == there.outside


def test_a_projected_grid_covers_what_its_cells_cover() -> None:
    i, j = np.meshgrid(np.arange(8.0), np.arange(7.0))
    lon, lat = 0.4 * i - 0.15 * j + 179.0, 0.1 * i + 0.4 * j + 30.0  # turned, and across the date line
    grid = curved_grid(((lon + 180) % 360 - 180).ravel().tolist(), lat.ravel().tolist(), 8, 7)
    place = Polygon([(179.9, 31.2), (180.9, 31.1), (180.6, 32.0)])
    found = footprints(grid, [area(place)], 0.0, None)["a"]
    assert found.outside == 0
    assert found.weights.sum() * (0.4 * 0.4 + 0.15 * 0.1) == pytest.approx(place.area)
    assert cell_of(grid, lon.ravel(), lat.ravel()).tolist() == list(range(56))
    assert cell_of(grid, np.array([0.0]), np.array([10.0])).tolist() == [-1]


def test_cells_without_a_place_are_left_out_and_the_seam_of_a_whole_turn_is_none() -> None:
    i, j = np.meshgrid(np.arange(36.0), np.arange(5.0))
    lon, lat = (10.0 * i + 175.0 + 180) % 360 - 180, 10.0 * j
    lat[0, :20] = lon[0, :20] = np.nan  # beyond the horizon
    grid = curved_grid(lon.ravel().tolist(), lat.ravel().tolist(), 36, 5)
    places = np.array([[-175.0, 20.0], [175.0, 31.0], [4.9, 40.1], [179.9, 20.0], [-175.0, 0.0]]).T
    assert cell_of(grid, *places).tolist() == [73, 108, 163, 72, -1]
    assert shares(grid, shapely.box(0, 20, 4, 24)) == pytest.approx({36 * 2 + 19: 0.16})


def test_a_thinned_grid_of_one_row_has_what_lies_nearest() -> None:
    grid = curved_grid([0.5, 1.5, 2.5, 1.0, 2.0], [0.5, 0.5, 0.5, 1.5, 1.5], 5, 1)
    assert cell_of(grid, np.array([0.6, 2.4, 1.9]), np.array([0.4, 0.6, 1.6])).tolist() == [0, 2, 4]
    found = footprints(grid, [area(shapely.box(0.9, 0.1, 1.6, 0.5))], 0.0, None)["a"]
    assert set(found.cells.tolist()) == {0, 1}
    assert found.outside == 0


def test_a_curved_grid_far_away_has_no_cell_here() -> None:
    assert footprints(curved(GRID, 100.0), [area(shapely.box(1, 1, 2, 2))], 0.1, None) == {}


def test_the_nearest_gauges_are_found_in_order_and_within_the_distance() -> None:
    stations = Stations(("a", "b", "c"), (120.0, 120.1, 121.0), (37.0, 37.0, 37.0))
    table = nearest_stations(stations, np.array([120.08, 125.0]), np.array([37.0, 37.0]), 20.0)
    assert table.tolist() == [[1, 0, -1], [-1, -1, -1]]
    assert np.isnan(value_of_nearest(np.array([1.0, np.nan, 3.0]), table)).tolist() == [False, True]
    assert value_of_nearest(np.array([1.0, 2.0, 3.0]), table)[0] == 2.0


@given(st.floats(-179, 179), st.floats(-85, 85), st.floats(0, 1), st.floats(0, 1))
def test_the_lattice_around_is_part_of_the_lattice(lon: float, lat: float, wide: float, high: float) -> None:
    lons, lats = np.array([lon, lon + wide]), np.array([lat, lat + high])
    grid = lattice_around(lons, lats)
    here, there = cell_of(grid, lons, lats), cell_of(LATTICE, lons, lats)
    assert (here >= 0).all()
    assert grid.nx < 30
    for own, own_there in zip(centres(grid, here), centres(LATTICE, there), strict=True):
        assert np.abs(own - own_there).max() <= 0.0500001
