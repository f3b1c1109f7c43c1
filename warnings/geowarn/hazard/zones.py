"""The cells of many areas side by side, as they are used and as they are kept in a file."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from array import array
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.area import Area

Cells = NDArray[np.int64]
Rows = NDArray[np.int32]  # positions in a sequence of areas
Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]
_WHOLE = np.ones(1)
_ARRAYS = ("rows", "ends", "cells", "weights", "outside")


@dataclass(frozen=True, slots=True)
class Footprint:
    """The cells of one area (row-major), the share of each that lies inside, and the area's share off the grid."""

    cells: Cells
    weights: Numbers
    outside: float
    nearest: bool  # a point: the one cell it lies in


class ByCode(Mapping[str, Area]):
    """Areas by code without a dictionary, which would cost a large set more memory than its cells do."""

    def __init__(self, areas: Sequence[Area]) -> None:
        self._areas = areas

    def __getitem__(self, code: str) -> Area:
        return self._areas[self.position(code)]

    def __iter__(self) -> Iterator[str]:
        return (area.code for area in self._areas)

    def __len__(self) -> int:
        return len(self._areas)

    def position(self, code: str) -> int:
        """Where an area stands in the sequence; raises KeyError."""
        order = self._order
        at = bisect_left(order, code, key=lambda one: self._areas[one].code)
        if at == len(order) or self._areas[order[at]].code != code:
            raise KeyError(code)
        return int(order[at])

    @cached_property
    def _order(self) -> Sequence[int]:
        if all(one.code < other.code for one, other in pairwise(self._areas)):
            return range(len(self._areas))
        return array("i", sorted(range(len(self._areas)), key=lambda at: self._areas[at].code))


class Zones(Mapping[str, Footprint]):
    """Footprints by code in a few long arrays: polygons in their order first, then points in the order of their cells.

    `rows` says which area each row is; the cells of polygon i end before `ends[i]`, those of points follow, one each.
    Weights and shares off the grid are those of polygons.
    """

    def __init__(
        self, areas: Sequence[Area], rows: Rows, ends: Cells, cells: Cells, weights: Numbers, outside: Numbers
    ) -> None:
        self.areas, self.rows, self.ends, self.cells, self.weights, self.outside = (
            areas,
            rows,
            ends,
            cells,
            weights,
            outside,
        )

    def __getitem__(self, code: str) -> Footprint:
        row = int(self.row_of[self._by_code.position(code)])
        if row < 0:
            raise KeyError(code)
        if row >= self.ends.size:
            at = self.weights.size + row - self.ends.size
            return Footprint(self.cells[at : at + 1], _WHOLE, 0.0, True)
        span = slice(int(self.starts[row]), int(self.ends[row]))
        return Footprint(self.cells[span], self.weights[span], float(self.outside[row]), False)

    def __iter__(self) -> Iterator[str]:
        return (self.areas[row].code for row in self.rows.tolist())

    def __len__(self) -> int:
        return self.rows.size

    @cached_property
    def starts(self) -> Cells:
        """Where the cells of each polygon begin."""
        return np.concatenate([np.zeros(1, np.int64), self.ends])[: self.ends.size]

    @cached_property
    def _by_code(self) -> ByCode:
        return ByCode(self.areas)

    @cached_property
    def row_of(self) -> Rows:
        """The row of each area, -1 for none."""
        found = np.full(len(self.areas), -1, np.int32)
        found[self.rows] = np.arange(self.rows.size, dtype=np.int32)
        return found


def cells_of_all(footprints: Mapping[str, Footprint]) -> Cells:
    """The cells of every area, one after the other."""
    if isinstance(footprints, Zones):
        return footprints.cells
    return np.concatenate([np.empty(0, np.int64), *(one.cells for one in footprints.values())])


def save(path: Path, zones: Zones) -> None:
    """Write beside and rename, so that no reader ever sees half a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".zonal-")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez_compressed(file, **{name: getattr(zones, name) for name in _ARRAYS})
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path, areas: Sequence[Area]) -> Zones | None:
    """The kept zones; None where there are none or the file is damaged (it is then built again)."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            return _checked(Zones(areas, *(kept[name] for name in _ARRAYS)))
    except (OSError, ValueError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None


def _checked(zones: Zones) -> Zones:
    """Raise ValueError where the arrays do not belong together."""
    rows, polygons = zones.rows.size, zones.ends.size
    last = int(zones.ends[-1]) if polygons else 0
    if not polygons == zones.outside.size <= rows or (
        rows and not 0 <= zones.rows.min() <= zones.rows.max() < len(zones.areas)
    ):
        raise ValueError("rows do not fit")
    if zones.weights.size != last or zones.cells.size != last + rows - polygons:
        raise ValueError("cells do not fit")
    return zones
