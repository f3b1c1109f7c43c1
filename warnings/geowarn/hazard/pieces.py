"""Pieces of time filled for all areas at once, one field in memory at a time, where every area is filled alike.

A gridded piece is one sum over the whole grid, of which each area takes its cells; a piece reported by units is
one sum a unit. What is neither, and areas in which every cell misses something, is filled area by area
(`geowarn.hazard.filling`), with the same result.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, RainField
from geowarn.hazard.filling import ExactSum, Fill, Ground, Layer, Sampler, Tiling, fill, tile
from geowarn.hazard.zonal import Cells, Mesh, Numbers
from geowarn.hazard.zones import Marks

_NOWHERE = np.empty(0)
_KEPT_SUMS = 8  # of which one window and the days before it need a few
QuickSum = NDArray[np.float32]


class QuickSums:
    """The quick sums last made, for other windows that the same fields fill."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[object, ...], QuickSum] = OrderedDict()

    def of(self, key: tuple[object, ...], make: Callable[[], QuickSum]) -> QuickSum:
        """The sum of this key, made where it is not there; the one longest unused goes."""
        if key not in self._kept:
            self._kept[key] = make()
            if len(self._kept) > _KEPT_SUMS:
                self._kept.popitem(last=False)
        self._kept.move_to_end(key)
        return self._kept[key]


class Tier(NamedTuple):
    """Fields of one rank; `own_only`: never what is reported for an ancestor."""

    fields: tuple[RainField, ...]
    own_only: bool = False


@dataclass(frozen=True, slots=True)
class Slot:
    """A piece of time with what may fill it: day 0 completes the rolling 24 h, day i is R_i."""

    day: int
    piece: Period
    tiers: tuple[Tier, ...]
    whole: GridPiece | UnitPiece | None


class GridPiece:
    """A piece that the same fields fill all over one grid; `wanted` names the cells asked for one by one.

    `quick` keeps quick sums for other windows of the same fields, by the fields' ids.
    """

    def __init__(
        self, sampler: Sampler, grid: Mesh, tiling: Tiling, wanted: Callable[[int], Cells], quick: QuickSums
    ) -> None:
        self.tiling, self.grid, self._quick = tiling, grid, quick
        self._sampler, self._wanted = sampler, wanted
        self._exact: tuple[Numbers, Marks | None] | None = None
        self._gathered: tuple[Cells, Numbers] = (np.empty(0, np.int64), np.empty((0, 0)))

    def quick(self, reach: slice) -> QuickSum:
        """The sum in single precision at the grid's cells before `reach.stop`, 0 before `reach.start`.

        NaN where anything is missing; each field rounds it once.
        """
        key = (self.grid, reach.start, reach.stop, *(id(layer.field) for layer in self.tiling.used))
        return self._quick.of(key, lambda: self._add_up(reach))

    def _add_up(self, reach: slice) -> QuickSum:
        total = np.zeros(reach.stop, np.float32)
        part = total[reach]
        for layer in self.tiling.used:
            np.add(part, self._sampler.onto(layer.field, self.grid)[reach], out=part, casting="same_kind")
        return total

    def exact_at(self, cells: Cells) -> Numbers:
        """The compensated sum at these cells, NaN where anything is missing."""
        total = ExactSum(cells.size)
        for layer in self.tiling.used:
            total.add(self._sampler.at(layer.field, self.grid, cells))
        return total.value

    def exact(self) -> tuple[Numbers, Marks | None]:
        """The compensated sum over the grid and its holes, None where there are none."""
        if self._exact is None:
            total, holes = ExactSum(self.grid.size), None
            for layer in self.tiling.used:
                values = self._sampler.onto(layer.field, self.grid)
                missing = np.isnan(values)
                if missing.any():
                    holes = missing if holes is None else holes | missing
                    values = np.nan_to_num(values, nan=0.0)
                total.add(values)
            self._exact = (total.value, holes)
        return self._exact

    def on(self, ground: Ground) -> Fill | None:
        """The piece on one area's cells; None where each of them misses something and other rain may have to serve."""
        footprint, used = ground.footprint, self.tiling.used
        if footprint is None or ground.grid != self.grid:
            return None
        if not used:
            return Fill(np.zeros(ground.size), np.zeros(ground.size, np.bool_), (), *self.tiling[1:])
        mm, holes = self.exact()
        cells = footprint.cells
        missing = np.zeros(cells.size, np.bool_) if holes is None else holes[cells]
        if missing.all():
            return None
        return Fill(mm[cells], missing, used, *self.tiling[1:], amounts=lambda at: self._amounts(int(cells[at])))

    def _amounts(self, cell: int) -> Sequence[float]:
        """Each field's rain at one cell; the first question reads them all for every wanted cell."""
        cells, table = self._gathered
        at = int(np.searchsorted(cells, cell))
        if at >= cells.size or cells[at] != cell:
            cells = np.unique(np.append(self._wanted(cell), cell))
            table = np.array([self._sampler.at(layer.field, self.grid, cells) for layer in self.tiling.used])
            self._gathered, at = (cells, table), int(np.searchsorted(cells, cell))
        return [float(one) for one in table[:, at]]


class UnitPiece:
    """A piece that only reporting units fill: areas that take it from the same unit are filled alike."""

    def __init__(self, sampler: Sampler, piece: Period, tiers: Sequence[Tier]) -> None:
        self._sampler, self._piece, self._tiers = sampler, piece, tiers
        self._asked = {
            (id(field.support), tier.own_only): (field.support, tier.own_only)
            for tier in tiers
            for field in tier.fields
            if isinstance(field.support, AreaUnits)
        }
        self._kept: dict[tuple[object, ...], Fill] = {}

    def names(self, code: str) -> bool:
        """Whether rain is reported for this very code."""
        return any(self._sampler.unit_of(units, (code,)) is not None for units, _ in self._asked.values())

    def of(self, codes: tuple[str, ...]) -> Fill:
        """The piece as one number; units reported alike are summed once."""
        asked = self._asked.values()
        key = tuple(self._sampler.unit_of(units, codes[:1] if own_only else codes) for units, own_only in asked)
        if key not in self._kept:
            ground = Ground(codes, None, None)
            self._kept[key] = fill(self._piece, layers_of(self._sampler, self._tiers, ground), 1)
        return self._kept[key]

    def on(self, ground: Ground) -> Fill:
        """The piece on one area's cells, all alike."""
        one = self.of(ground.codes)
        if ground.size == 1:
            return one
        used = tuple(Layer(layer.field, np.full(ground.size, layer.mm[0]), layer.distance) for layer in one.used)
        mm, holes = np.full(ground.size, one.mm[0]), np.full(ground.size, one.holes[0])
        return Fill(mm, holes, used, one.gaps, one.unsplit)


def layers_of(sampler: Sampler, tiers: Sequence[Tier], ground: Ground) -> list[tuple[Layer, ...]]:
    """The layers of every tier on one area."""
    return [sampler.layers(tier.fields, ground, own_only=tier.own_only) for tier in tiers]


def piece_for_all(
    sampler: Sampler,
    grid: Mesh | None,
    piece: Period,
    tiers: Sequence[Tier],
    wanted: Callable[[int], Cells],
    quick: QuickSums,
) -> GridPiece | UnitPiece | None:
    """The piece for all areas at once; None where units and grids meet in it."""
    units = {isinstance(field.support, AreaUnits) for tier in tiers for field in tier.fields}
    if units == {True}:
        return UnitPiece(sampler, piece, tiers)
    if grid is None or True in units:
        return None
    tiling = tile(piece, [[Layer(field, _NOWHERE, 0) for field in tier.fields] for tier in tiers])
    # A field left out is named only where it knows anything, which differs between areas if it has gaps.
    if any(bool(np.isnan(sampler.onto(field, grid)).any()) for field in tiling.unsplit):
        return None
    return GridPiece(sampler, grid, tiling, wanted, quick)
