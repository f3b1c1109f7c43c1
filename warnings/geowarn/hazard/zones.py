"""The cells of many areas side by side, as they are used and as they are kept in a file."""

from __future__ import annotations

import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

Cells = NDArray[np.int64]
Numbers = NDArray[np.float64]
Marks = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Footprint:
    """The cells of one area (row-major), the share of each that lies inside, and the area's share off the grid."""

    cells: Cells
    weights: Numbers
    outside: float
    nearest: bool  # a point: the one cell it lies in


class Zones(Mapping[str, Footprint]):
    """Footprints by code in four long arrays; the cells of row i end before `ends[i]`."""

    def __init__(
        self, codes: Sequence[str], ends: Cells, cells: Cells, weights: Numbers, outside: Numbers, nearest: Marks
    ) -> None:
        self.codes = tuple(codes)
        self.ends, self.cells, self.weights, self.outside, self.nearest = ends, cells, weights, outside, nearest

    def __getitem__(self, code: str) -> Footprint:
        row = self.rows[code]
        span = slice(int(self.ends[row - 1]) if row else 0, int(self.ends[row]))
        return Footprint(self.cells[span], self.weights[span], float(self.outside[row]), bool(self.nearest[row]))

    def __iter__(self) -> Iterator[str]:
        return iter(self.codes)

    def __len__(self) -> int:
        return len(self.codes)

    @cached_property
    def rows(self) -> dict[str, int]:
        """Row by code, made when the first footprint is asked for by code."""
        return {code: row for row, code in enumerate(self.codes)}

    @property
    def starts(self) -> Cells:
        """Where the cells of each row begin."""
        return np.concatenate([np.zeros(1, np.int64), self.ends[:-1]])

    @property
    def sizes(self) -> Cells:
        """How many cells each row has."""
        return np.diff(self.ends, prepend=np.int64(0))


def zones_of(built: Mapping[str, Footprint]) -> Zones:
    """Single footprints laid side by side."""
    each = list(built.values())
    return Zones(
        list(built),
        np.cumsum([one.cells.size for one in each], dtype=np.int64),
        np.concatenate([np.empty(0, np.int64), *(one.cells for one in each)]),
        np.concatenate([np.empty(0), *(one.weights for one in each)]),
        np.array([one.outside for one in each], dtype=np.float64),
        np.array([one.nearest for one in each], dtype=np.bool_),
    )


def cells_of_all(footprints: Mapping[str, Footprint]) -> Cells:
    """The cells of every area, one after the other."""
    if isinstance(footprints, Zones):
        return footprints.cells
    return np.concatenate([np.empty(0, np.int64), *(one.cells for one in footprints.values())])


def save(path: Path, zones: Zones) -> None:
    """Write beside and rename, so that no reader ever sees half a file."""
    buffer = BytesIO()
    np.savez_compressed(
        buffer,
        codes=np.array(zones.codes, dtype=np.str_),
        ends=zones.ends,
        cells=zones.cells,
        weights=zones.weights,
        outside=zones.outside,
        nearest=zones.nearest,
    )
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".zonal-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(buffer.getbuffer())
        os.replace(name, path)
    except OSError:
        Path(name).unlink(missing_ok=True)
        raise


def load(path: Path) -> Zones | None:
    """The kept zones; None where there are none or the file is damaged (it is then built again)."""
    try:
        with np.load(BytesIO(path.read_bytes()), allow_pickle=False) as kept:
            names = ("ends", "cells", "weights", "outside", "nearest")
            return _checked(Zones(kept["codes"].tolist(), *(kept[name] for name in names)))
    except (OSError, ValueError, KeyError, IndexError, EOFError, TypeError, zipfile.BadZipFile, zlib.error):
        return None


def _checked(zones: Zones) -> Zones:
    """Raise ValueError where the arrays do not belong together."""
    rows = len(zones.codes)
    last = int(zones.ends[-1]) if rows else 0
    if not zones.ends.size == zones.outside.size == zones.nearest.size == rows:
        raise ValueError("rows do not fit")
    if not zones.cells.size == zones.weights.size == last:
        raise ValueError("cells do not fit")
    return zones
