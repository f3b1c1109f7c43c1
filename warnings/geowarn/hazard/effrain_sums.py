"""Effective rainfall on all cells that any area uses: quickly, and to the last bit where that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.area import ancestors
from geowarn.domain.effrain import EffrainRules, factor
from geowarn.hazard.filling import exact_sum, quantile_cell
from geowarn.hazard.pieces import GridPiece, QuickSum, Slot, UnitPiece
from geowarn.hazard.places import Index, Places
from geowarn.hazard.zonal import Cells, Mesh, Numbers
from geowarn.hazard.zones import Marks

_ROUNDING = 2.0**-24  # of a number, to single precision
_BLOCK = 1 << 14  # numbers


class Sums:
    """Effective rainfall on all cells that any area uses, polygons and points apart.

    The quick sums round a number n times to single precision, so they are right to `margin`, 2 n 2^-24, of themselves:
    of numbers that are never negative the error is at most n u / (1 - n u) with u = 2^-24 (Higham, Accuracy and
    Stability of Numerical Algorithms, 4.2), and twice n u leaves room for what the exact sums themselves round.
    """

    def __init__(self, places: Places, grid: Mesh, limits: EffrainRules, window: GridPiece, before: list[Slot]) -> None:
        self.places, self.grid, self.limits, self.window, self.before = places, grid, limits, window, before
        self.index: Index = places.index(grid)

    @property
    def margin(self) -> float:
        """How far a quick sum may be from the exact one, as a share of it."""
        parts = [self.window, *(piece for _, piece in self._grid_parts())]
        # A number is rounded once, then wherever its piece is added up, weighted (twice) and added to the others.
        return 2.0 * (1 + max(len(one.tiling.used) for one in parts) + 2 + len(parts)) * _ROUNDING

    def quick(self) -> Callable[[slice], NDArray[Any]]:
        """R0 + sum of k^i R_i in single precision at a part of `index.every_cell`; NaN where anything is missing."""
        reach = self.index.reach
        if self._has_units():
            values = self._effective(lambda piece: piece.quick(reach), self.index.at_cells, self.index.of_areas)
            return lambda span: values[span]
        total, parts = self.window.quick(reach), self._grid_parts()
        if parts:
            weighted = [(np.float32(weight), piece.quick(reach)) for weight, piece in parts]
            total = _with_weighted(total, weighted, reach)
        return lambda span: total.take(self.index.every_cell[span], mode="clip")

    def exact(self) -> Numbers:
        """By compensated addition: the very numbers of the evidence."""
        if self._has_units():
            return self._effective(_exact_with_holes, self.index.at_cells, self.index.of_areas)
        return self.index.at_cells(self._effective(_exact_with_holes, _unchanged, _unchanged))

    def exact_at(self, positions: Cells) -> Numbers:
        """The same at some positions of `index.every_cell`; each cell is asked for once."""
        cells, back = np.unique(self.index.every_cell[positions], return_inverse=True)
        return self._effective(
            lambda piece: piece.exact_at(cells),
            lambda values: values[back],
            lambda of_areas: self.index.of_areas(of_areas)[positions],
        )

    def _effective(
        self,
        of: Callable[[GridPiece], NDArray[Any]],
        here: Callable[[Numbers], Numbers],
        of_areas: Callable[[Numbers], Numbers],
    ) -> Numbers:
        """R0 first, then the days before it, as it is done for one area."""
        first, days = [here(of(self.window))], list[Numbers]()
        for slot in self.before:
            if isinstance(slot.whole, UnitPiece):
                part = of_areas(units_by_area(slot.whole, self.places)[0])
            elif slot.whole is not None and slot.whole.tiling.used:
                part = here(of(slot.whole))
            else:
                continue
            (first if slot.day == 0 else days).append(part if slot.day == 0 else self._factor(slot) * part)
        r0 = exact_sum(first, first[0].size)
        return exact_sum([r0, *days], r0.size)

    def _has_units(self) -> bool:
        return any(isinstance(slot.whole, UnitPiece) for slot in self.before)

    def _grid_parts(self) -> list[tuple[float, GridPiece]]:
        pieces = [(self._factor(slot), slot.whole) for slot in self.before]
        return [(weight, piece) for weight, piece in pieces if isinstance(piece, GridPiece) and piece.tiling.used]

    def _factor(self, slot: Slot) -> float:
        return factor(self.limits.k, slot.day) if slot.day else 1.0

    def deciding_cells(self) -> Cells:
        """The cells whose rain decides the area they lie in, each once."""
        re, index = self.exact(), self.index
        found = [
            _deciding(values, weights, cells, self.limits.area_share)
            for one in index.segments
            for values, weights, cells in zip(
                *(np.split(many, one.starts[1:]) for many in (re[one.span], one.weights, index.every_cell[one.span])),
                strict=True,
            )
        ]
        return np.unique(np.concatenate([np.array(found, dtype=np.int64), index.every_cell[index.split :]]))


def sums_of(places: Places, grid: Mesh | None, limits: EffrainRules, window: Slot, before: list[Slot]) -> Sums | None:
    """Sums for all areas; None where some piece has to be filled area by area."""
    if grid is None or not isinstance(window.whole, GridPiece) or any(slot.whole is None for slot in before):
        return None
    return Sums(places, grid, limits, window.whole, before)


def units_by_area(piece: UnitPiece, places: Places) -> tuple[Numbers, Marks]:
    """Rain of the unit that serves each area, and whether hours of it are missing."""
    known: dict[str | None, tuple[float, bool]] = {}
    mm, gaps = np.empty(len(places.areas)), np.empty(len(places.areas), np.bool_)
    for at, area in enumerate(places.areas):
        key = area.code if piece.names(area.code) else area.parent
        if key not in known:
            fill = piece.of(ancestors(area.code, places.by_code))
            known[key] = (float(fill.mm[0]), bool(fill.gaps))
        mm[at], gaps[at] = known[key]
    return mm, gaps


def _deciding(re: Numbers, weights: Numbers, cells: Cells, share: float) -> int:
    seen = np.flatnonzero(~np.isnan(re))
    return int(cells[seen[quantile_cell(re[seen], weights[seen], share)]]) if seen.size else int(cells[0])


def _unchanged(grid: Numbers) -> Numbers:
    return grid


def _exact_with_holes(piece: GridPiece) -> Numbers:
    mm, holes = piece.exact()
    return mm if holes is None else np.where(holes, np.nan, mm)


def _with_weighted(first: QuickSum, parts: Sequence[tuple[np.float32, QuickSum]], reach: slice) -> QuickSum:
    """`first` and each part times its weight, block by block so that what is added stays near the processor."""
    total = np.empty_like(first)
    total[: reach.start] = 0.0
    for at in range(reach.start, reach.stop, _BLOCK):
        block = slice(at, min(at + _BLOCK, reach.stop))
        added = first[block]
        for weight, part in parts:
            added = np.add(added, part[block] * weight, out=total[block])
    return total
