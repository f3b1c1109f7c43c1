"""Coverage of areas by cells, against areas computed on paper."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.rain import Grid
from geowarn.hazard.zonal import cell_of, footprints
from geowarn.hazard.zones import ByCode


def square(west: float, south: float, east: float, north: float) -> Area:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return Area("a", AreaKind.COUNTY, "甲", "A", geometry={"type": "Polygon", "coordinates": [ring]})


def point(lon: float, lat: float) -> Area:
    return Area("a", AreaKind.POINT, "甲", "A", lon=lon, lat=lat)


GRID = Grid(lon0=0.5, lat0=0.5, dlon=1, dlat=1, nx=10, ny=10)  # cells from 0 to 10 degrees


def test_the_share_of_each_cell_is_its_surface_inside() -> None:
    found = footprints(GRID, [square(2, 3, 3.5, 4.25)], 0.1, None)["a"]
    assert found.cells.tolist() == [32, 33, 42, 43]
    assert found.weights == pytest.approx([1, 0.5, 0.25, 0.125])
    assert found.outside == 0


def test_bug_14_slivers_do_not_count_but_one_cell_always_does() -> None:
    assert footprints(GRID, [square(2, 3, 3.05, 4)], 0.1, None)["a"].cells.tolist() == [32]
    tiny = footprints(GRID, [square(2.4, 3.4, 2.41, 3.41)], 0.1, None)["a"]
    assert tiny.cells.tolist() == [32]


def test_rows_may_run_south() -> None:
    south = Grid(lon0=0.5, lat0=9.5, dlon=1, dlat=-1, nx=10, ny=10)
    assert footprints(south, [square(2, 3, 3, 4)], 0.1, None)["a"].cells.tolist() == [62]


def test_a_grid_from_0_to_360_finds_the_west() -> None:
    world = Grid(lon0=0, lat0=90, dlon=2.5, dlat=-2.5, nx=144, ny=73)
    found = footprints(world, [square(-70, 0, -69, 1)], 0.1, None)["a"]
    assert {int(cell) % 144 for cell in found.cells} == {116}  # centre 290 = -70
    seam = footprints(world, [square(-2, 10, 2, 11)], 0.0, None)["a"]
    assert seam.weights.sum() * 2.5 * 2.5 == pytest.approx(4)
    assert footprints(world, [point(-70, 0)], 0.1, None)["a"].cells.tolist() == [36 * 144 + 116]


def test_outside_is_said_and_wholly_outside_is_absent() -> None:
    assert footprints(GRID, [square(9, 5, 11, 6)], 0.1, None)["a"].outside == pytest.approx(0.5)
    assert footprints(GRID, [square(20, 5, 21, 6)], 0.1, None) == {}
    assert footprints(GRID, [point(10.2, 5)], 0.1, None) == {}


def test_a_damaged_cache_is_built_again(tmp_path: Path) -> None:
    areas = [square(2, 3, 3.5, 4.25)]
    first = footprints(GRID, areas, 0.1, tmp_path)["a"]
    (file,) = tmp_path.glob("*.npz")
    whole = file.read_bytes()
    for damage in (b"", whole[: len(whole) // 2], b"x" * 40, whole[:60] + b"\0\0\0\0" + whole[64:]):
        file.write_bytes(damage)
        again = footprints(GRID, areas, 0.1, tmp_path)["a"]
        assert again.cells.tolist() == first.cells.tolist()
        assert again.weights.tolist() == first.weights.tolist()
    assert [path.name for path in tmp_path.iterdir()] == [file.name]
    kept = footprints(GRID, areas, 0.1, tmp_path)["a"]
    assert kept.weights.tolist() == first.weights.tolist()


def test_other_places_have_other_files_and_the_same_ones_have_one(tmp_path: Path) -> None:
    here, there = square(2, 3, 3.5, 4.25), square(2, 3, 3.5, 4.26)
    rings = [there.geometry["coordinates"]] if there.geometry else []
    many = Area("a", AreaKind.COUNTY, "甲", "A", geometry={"type": "MultiPolygon", "coordinates": rings})
    for areas in ([here], [there], [many], [here, there], [point(1, 1)], [point(1, 2)], [here]):
        footprints(GRID, areas, 0.1, tmp_path)
    assert len(list(tmp_path.iterdir())) == 6
    footprints(GRID, [here], 0.2, tmp_path)
    assert len(list(tmp_path.iterdir())) == 7


@given(st.lists(st.text(min_size=1, max_size=3), min_size=1, max_size=30, unique=True), st.text(max_size=3))
def test_areas_are_found_by_code_in_whatever_order_they_stand(codes: list[str], other: str) -> None:
    areas = [replace(point(0.5 + at % 12, 0.5), code=code) for at, code in enumerate(codes)]
    by_code, zones = ByCode(areas), footprints(GRID, areas, 0.1, None)
    assert [by_code.position(code) for code in codes] == list(range(len(codes)))
    assert (other in by_code) == (other in codes)
    for at, code in enumerate(codes):
        assert zones.get(code) is None if at % 12 >= 10 else zones[code].cells.tolist() == [at % 12]
    assert sorted(zones) == sorted(code for at, code in enumerate(codes) if at % 12 < 10)


@settings(max_examples=40, deadline=None)
@given(st.floats(0, 9), st.floats(0, 9), st.floats(0.01, 5), st.floats(0.01, 5))
def test_coverage_adds_up_to_the_surface(west: float, south: float, wide: float, high: float) -> None:
    east, north = min(west + wide, 10), min(south + high, 10)
    found = footprints(GRID, [square(west, south, east, north)], 0.0, None)["a"]
    assert found.weights.sum() == pytest.approx((east - west) * (north - south), rel=1e-6)


@given(st.floats(-179, 179), st.floats(-89, 89))
def test_a_position_is_nearest_to_the_centre_of_its_cell(lon: float, lat: float) -> None:
    world = Grid(lon0=-180, lat0=-90, dlon=2.5, dlat=2.5, nx=144, ny=73)
    cell = int(cell_of(world, np.array([lon]), np.array([lat]))[0])
    column, row = cell % 144, cell // 144
    assert abs((-180 + 2.5 * column - lon + 180) % 360 - 180) <= 1.25 + 1e-9
    assert abs(-90 + 2.5 * row - lat) <= 1.25 + 1e-9
