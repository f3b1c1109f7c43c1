"""Fills a piece of time with rain, cell by cell: whole intervals only, never split, never shifted."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import RainField
from geowarn.hazard.sampling import FootprintsOf, Ground, Layer, Sampler
from geowarn.hazard.zonal import Numbers
from geowarn.hazard.zones import Marks

__all__ = [
    "ExactSum",
    "Fill",
    "FootprintsOf",
    "Ground",
    "Layer",
    "Sampler",
    "Tiling",
    "exact_sum",
    "fill",
    "quantile_cell",
    "tile",
]
_BLOCK = 16384  # numbers; three buffers and three arrays of it fit the second cache level


@dataclass(frozen=True, slots=True)
class Fill:
    """What is known of a piece: mm by cell, 0 where `holes` marks it missing; gaps; fields left out unsplit.

    `amounts` gives the mm of every used layer at one cell, for fills whose layers are not held by area.
    """

    mm: Numbers
    holes: Marks
    used: tuple[Layer, ...]
    gaps: tuple[Period, ...]
    unsplit: tuple[RainField, ...]
    amounts: Callable[[int], Sequence[float]] | None = None

    def amounts_at(self, at: int) -> Sequence[float]:
        """The mm of every used layer at one cell, NaN where missing."""
        return [float(layer.mm[at]) for layer in self.used] if self.amounts is None else self.amounts(at)


class Tiling(NamedTuple):
    """Which layers fill a piece, in order of time, what they leave open, and the fields that cross its ends there."""

    used: tuple[Layer, ...]
    gaps: tuple[Period, ...]
    unsplit: tuple[RainField, ...]


def tile(piece: Period, tiers: Sequence[Sequence[Layer]]) -> Tiling:
    """Tile `piece` with whole layers: a later tier only where the earlier ones leave room."""
    used: list[Layer] = []
    for tier in tiers:
        inside = [layer for layer in tier if piece.contains(layer.field.period)]
        longest = sorted(inside, key=lambda layer: -layer.field.period.hours)
        alike = all(one is other for one, other in zip(inside, longest, strict=True))
        used = max((_tile(used, order) for order in ([inside] if alike else [inside, longest])), key=_hours)
    used.sort(key=lambda layer: layer.field.period)
    gaps = uncovered(piece, [layer.field.period for layer in used])
    crossing = [layer.field for tier in tiers for layer in tier if not piece.contains(layer.field.period)]
    unsplit = tuple(field for field in crossing if any(field.period.overlaps(gap) for gap in gaps))
    return Tiling(tuple(used), gaps, unsplit)


def fill(piece: Period, tiers: Sequence[Sequence[Layer]], size: int) -> Fill:
    """What the tiling of `piece` knows in `size` cells."""
    found = tile(piece, tiers)
    holes = np.zeros(size, dtype=np.bool_)
    for layer in found.used:
        holes |= np.isnan(layer.mm)
    mm = exact_sum([np.nan_to_num(layer.mm, nan=0.0) for layer in found.used], size)
    return Fill(mm, holes, found.used, found.gaps, found.unsplit)


class ExactSum:
    """A running sum that loses nothing it can keep (Neumaier 1974): 500 times 0.1 mm reaches the 50 mm line."""

    def __init__(self, size: int) -> None:
        self._total, self._lost = np.zeros(size), np.zeros(size)
        self._buffers = np.empty((3, min(size, _BLOCK)))

    def add(self, part: Numbers) -> None:
        """Add one part, block by block so that everything stays near the processor."""
        for at in range(0, part.size, _BLOCK):
            self._add(part[at : at + _BLOCK], self._total[at : at + _BLOCK], self._lost[at : at + _BLOCK])

    def _add(self, part: Numbers, total: Numbers, lost: Numbers) -> None:
        # What rounding cut off the new total is found exactly, whichever of the two is greater (Knuth, TAOCP 2, 4.2.2).
        grown, taken, rest = self._buffers[:, : part.size]
        np.add(total, part, out=grown)
        np.subtract(grown, total, out=taken)
        np.subtract(grown, taken, out=rest)
        np.subtract(total, rest, out=rest)
        np.subtract(part, taken, out=taken)
        np.add(rest, taken, out=rest)
        np.add(lost, rest, out=lost)
        total[...] = grown

    @property
    def value(self) -> Numbers:
        """The sum so far."""
        return self._total + self._lost


def exact_sum(parts: Sequence[Numbers], size: int) -> Numbers:
    """The compensated sum of these, in the order given."""
    total = ExactSum(size)
    for part in parts:
        total.add(part)
    return total.value


def quantile_cell(mm: Numbers, weights: Numbers, share: float) -> int:
    """Index of the cell with the highest value that `share` of the weight reaches; ties go to the lower index."""
    order = np.argsort(-mm, kind="stable")
    reached = np.cumsum(weights[order])
    return int(order[min(int(np.searchsorted(reached, share * reached[-1] * (1 - 1e-12))), mm.size - 1)])


def _tile(start: Sequence[Layer], order: Sequence[Layer]) -> list[Layer]:
    used = list(start)
    for layer in order:
        if not any(layer.field.period.overlaps(other.field.period) for other in used):
            used.append(layer)
    return used


def _hours(layers: Sequence[Layer]) -> float:
    return sum(layer.field.period.hours for layer in layers)
