"""Outlines of areas as shapely works on them, many at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry import shape

from geowarn.domain.outline import Outline, folded

Shapes = NDArray[np.object_]


def shapes_of(geometries: Iterable[Mapping[str, Any]]) -> Shapes:
    """GeoJSON polygons as shapely's, outlines straight from their numbers."""
    each = [folded(one) for one in geometries]
    outlines = [one for one in each if isinstance(one, Outline)]
    made = np.empty(len(each), dtype=np.object_)
    made[[isinstance(one, Outline) for one in each]] = _of_outlines(outlines)
    for at, one in enumerate(each):
        if not isinstance(one, Outline):
            made[at] = shape(dict(one))
    return made


def batches(geometries: Sequence[Mapping[str, Any]], most: int) -> Iterator[Sequence[Mapping[str, Any]]]:
    """Geometries in groups of at most so many positions, or a single one."""
    first, size = 0, 0
    for at, geometry in enumerate(geometries):
        positions = len(geometry.numbers) // 2 if isinstance(geometry, Outline) else 0
        if size + positions > most and at > first:
            yield geometries[first:at]
            first, size = at, 0
        size += positions
    if first < len(geometries):
        yield geometries[first:]


def _of_outlines(outlines: Sequence[Outline]) -> Shapes:
    if not outlines:
        return np.empty(0, dtype=np.object_)
    numbers = np.concatenate([np.frombuffer(one.numbers, dtype=np.float64) for one in outlines])
    sizes = (
        [size for one in outlines for part in one.rings for size in part],
        [len(part) for one in outlines for part in one.rings],
        [len(one.rings) for one in outlines],
    )
    offsets = tuple(np.concatenate([[0], np.cumsum(one)]).astype(np.int64) for one in sizes)
    return shapely.from_ragged_array(shapely.GeometryType.MULTIPOLYGON, numbers.reshape(-1, 2), offsets)
