"""Outlines are the GeoJSON they were made of."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from shapely.geometry import shape

from geowarn.domain.outline import Outline, folded
from geowarn.hazard.shapes import shapes_of

POSITION = st.tuples(st.floats(-180, 180), st.floats(-90, 90)).map(list)
RING = st.lists(POSITION, min_size=3, max_size=6).map(lambda ring: [*ring, ring[0]])
POLYGON = st.lists(RING, min_size=1, max_size=3)
GEOMETRY = st.one_of(
    POLYGON.map(lambda rings: {"type": "Polygon", "coordinates": rings}),
    st.lists(POLYGON, min_size=1, max_size=3).map(lambda parts: {"type": "MultiPolygon", "coordinates": parts}),
)


@given(GEOMETRY)
def test_what_was_folded_unfolds_to_the_last_digit(geometry: dict[str, Any]) -> None:
    outline = folded(geometry)
    assert isinstance(outline, Outline)
    assert json.dumps(dict(outline)) == json.dumps(geometry)
    assert (outline == geometry, repr(outline), folded(outline) is outline) == (True, repr(geometry), True)


@given(st.lists(GEOMETRY, max_size=4))
def test_shapely_gets_the_same_polygons(geometries: list[dict[str, Any]]) -> None:
    for made, geometry in zip(shapes_of(geometries), geometries, strict=True):
        given = shape(geometry)
        assert (made.bounds, made.area) == (given.bounds, pytest.approx(given.area))
        assert made.equals_exact(shape({"type": "MultiPolygon", "coordinates": _parts(geometry)}), 0.0)


def _parts(geometry: dict[str, Any]) -> Any:
    return geometry["coordinates"] if geometry["type"] == "MultiPolygon" else [geometry["coordinates"]]


@pytest.mark.parametrize(
    "geometry",
    [
        {"type": "Point", "coordinates": [1.0, 2.0]},
        {"type": "Polygon", "coordinates": [[[0, 0], [1, 0], [1, 1], [0, 0]]]},  # whole numbers stay whole
        {"type": "Polygon", "coordinates": [[[0.0, 0.0, 5.0], [1.0, 0.0, 5.0], [1.0, 1.0, 5.0], [0.0, 0.0, 5.0]]]},
        {"type": "Polygon", "coordinates": [], "bbox": [0.0, 0.0, 1.0, 1.0]},
        {"type": "Polygon"},
    ],
)
def test_anything_else_stays_as_it_is(geometry: dict[str, Any]) -> None:
    assert folded(geometry) is geometry
    with pytest.raises(KeyError):
        Outline("Polygon", ((1,),), [0.0, 0.0])["bbox"]
