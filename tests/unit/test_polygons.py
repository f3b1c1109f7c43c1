"""CAP polygons: whatever the geometry, what leaves is closed, on the grid and never crosses itself."""

from __future__ import annotations

import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import Polygon, mapping
from shapely.ops import unary_union

from geowarn_channels.polygons import cap_polygons, circle, polygon_faults

SIMPLIFY = st.sampled_from([0.0, 0.002, 0.05])


@st.composite
def stars(draw: st.DrawFn) -> Polygon:
    """A star-shaped outline, spiky at times, from a few metres to a degree wide."""
    lon, lat = draw(st.floats(-181, 181)), draw(st.floats(-80, 80))
    size = draw(st.sampled_from([1e-4, 0.01, 0.5]))
    radii = draw(st.lists(st.floats(0.05, 1), min_size=3, max_size=24))
    turns = [2 * math.pi * index / len(radii) for index in range(len(radii))]
    pairs = zip(radii, turns, strict=True)
    return Polygon([(lon + size * r * math.cos(a), lat + size * r * math.sin(a)) for r, a in pairs])


def ring_area(text: str) -> float:
    """Area in square degrees of one CAP polygon text."""
    return float(Polygon([tuple(map(float, reversed(pair.split(",")))) for pair in text.split(" ")]).area)


@given(st.lists(stars(), min_size=1, max_size=6), SIMPLIFY)
def test_islands_and_touching_parts_become_valid_polygons(parts: list[Polygon], simplify: float) -> None:
    whole = unary_union([part for part in parts if part.is_valid])
    for text in cap_polygons(dict(mapping(whole)), simplify):
        assert polygon_faults(text) == ""
        assert all(len(number.partition(".")[2]) <= 5 for pair in text.split(" ") for number in pair.split(","))


@given(st.lists(st.tuples(st.floats(119, 123), st.floats(36, 39)), min_size=3, max_size=12), SIMPLIFY)
def test_a_line_that_crosses_itself_is_repaired_before_it_leaves(
    ring: list[tuple[float, float]], simplify: float
) -> None:
    geometry = {"type": "Polygon", "coordinates": [[*ring, ring[0]]]}
    assert all(polygon_faults(text) == "" for text in cap_polygons(geometry, simplify))


@given(stars())
def test_simplifying_costs_little_of_the_area(star: Polygon) -> None:
    kept = sum(ring_area(text) for text in cap_polygons(dict(mapping(star)), 0.002))
    if star.is_valid and star.area > 0.01:
        assert kept >= 0.85 * star.area


def test_latitude_comes_first_and_the_ring_is_closed() -> None:
    square = {"type": "Polygon", "coordinates": [[[121, 36], [122, 36], [122, 37], [121, 37], [121, 36]]]}
    (text,) = cap_polygons(square, 0.002)
    pairs = text.split(" ")
    assert pairs[0] == pairs[-1]
    assert set(pairs) == {"36,121", "36,122", "37,122", "37,121"}


def test_a_hole_is_cut_open_and_stays_a_hole() -> None:
    outer = [[0, 0], [3, 0], [3, 3], [0, 3], [0, 0]]
    holes = [[[0.5, 0.5], [1, 0.5], [1, 1], [0.5, 0.5]], [[2, 2], [2.5, 2], [2.5, 2.5], [2, 2]]]
    found = cap_polygons({"type": "Polygon", "coordinates": [outer, *holes]}, 0.002)
    assert len(found) >= 2
    assert sum(map(ring_area, found)) == pytest.approx(9 - 0.25)


def test_an_islet_goes_but_the_largest_piece_always_stays() -> None:
    def box(lon: float, side: float) -> list[Any]:
        return [[[lon, 37], [lon + side, 37], [lon + side, 37 + side], [lon, 37 + side], [lon, 37]]]

    both = {"type": "MultiPolygon", "coordinates": [box(121, 0.1), box(122, 0.001)]}
    assert len(cap_polygons(both, 0.002)) == 1
    assert len(cap_polygons({"type": "MultiPolygon", "coordinates": [box(122, 0.001)]}, 0.002)) == 1


def test_what_lies_past_the_date_line_comes_back_on_the_other_side() -> None:
    across = {"type": "Polygon", "coordinates": [[[179, 0], [181, 0], [181, 1], [179, 1], [179, 0]]]}
    found = cap_polygons(across, 0.002)
    assert [polygon_faults(text) for text in found] == ["", ""]


def test_no_geometry_gives_no_polygon() -> None:
    assert cap_polygons(None, 0.002) == ()
    assert cap_polygons({"type": "Point", "coordinates": [121, 37]}, 0.002) == ()


@pytest.mark.parametrize(
    "text",
    ["", "1,2 3,4 5,6", "1,2 3,4 5,6 7,8", "0,0  0,1 1,1 0,0", "0,0 1,1 0,1 1,0 0,0", "121,37 122,37 122,38 121,37"],
)
def test_faults_are_named(text: str) -> None:
    assert polygon_faults(text)


def test_a_circle_of_nobody_is_refused() -> None:
    assert circle(37.123456, 121, 1.0) == "37.12346,121 1"
    with pytest.raises(ValueError, match="nobody"):
        circle(37, 121, 0)


def test_a_line_of_very_many_points_becomes_one_of_few_that_leaves_nobody_out() -> None:
    turns = [2 * math.pi * index / 3000 for index in range(3000)]
    reach = [0.3 * (0.93 if index % 2 else 1) for index in range(3000)]
    coast = Polygon([(121 + r * math.cos(a), 37 + r * math.sin(a)) for r, a in zip(reach, turns, strict=True)])
    (text,) = cap_polygons(dict(mapping(coast)), 0.002)
    pairs = text.split(" ")
    assert len(pairs) <= 1000
    assert polygon_faults(text) == ""
    drawn = Polygon([tuple(map(float, reversed(pair.split(",")))) for pair in pairs])
    assert drawn.buffer(1e-5).contains(coast)
    assert drawn.area < 1.2 * coast.area


def test_a_circle_past_180_degrees_is_brought_back() -> None:
    assert circle(-17, 180.2, 1) == "-17,-179.8 1"
