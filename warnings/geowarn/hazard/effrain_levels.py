"""Levels of all areas of a gridded run in a few passes of numpy, the same that one area after another would get.

Quick sums decide wherever they can: they are right to n times 1.1e-16 of themselves (rain is never negative). If any
cell comes closer than that to a break, the compensated sums decide for all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.area import Area, Susceptibility, ancestors
from geowarn.domain.effrain import EffrainRules, factor
from geowarn.domain.level import Level
from geowarn.hazard.filling import exact_sum, quantile_cell
from geowarn.hazard.pieces import GridPiece, Slot, UnitPiece
from geowarn.hazard.places import Index, Places, statistics
from geowarn.hazard.zonal import Cells, Mesh, Numbers
from geowarn.hazard.zones import Marks

ASK = -2  # to be worked out by itself
UNKNOWN = -1
_CLOSE = 1e-12  # of a break: beyond the error of any sum of fewer than 9,000 terms
_TIE = 1e-13  # of an area's weight: adding up in another order may differ by less


@dataclass(frozen=True, slots=True)
class Levels:
    """One level for each area in the order given, UNKNOWN or ASK; whether it is a lower bound; statistics in mm.

    `max_mm` and `mean_mm` are those of the effective rainfall of the polygons at positions `polygons`.
    """

    level: NDArray[np.int8]
    lower: Marks
    polygons: Cells
    max_mm: Numbers
    mean_mm: Numbers


class Sums:
    """Effective rainfall on all cells that any area uses, polygons and points apart."""

    def __init__(self, places: Places, grid: Mesh, limits: EffrainRules, window: GridPiece, before: list[Slot]) -> None:
        self.places, self.grid, self.limits, self.window, self.before = places, grid, limits, window, before
        self.index: Index = places.index(grid)

    def quick(self) -> Numbers:
        """R0 + sum of k^i R_i by plain addition at `index.every_cell`; NaN where anything is missing."""
        if self._has_units():
            return self._effective(GridPiece.plain, self.index.at_cells)
        total, part = self.window.plain(), None
        for weight, piece in self._grid_parts():
            if part is None:
                total, part = total.copy(), np.empty_like(total)
            np.multiply(piece.plain(), weight, out=part)
            np.add(total, part, out=total)
        return self.index.at_cells(total)

    def exact(self) -> Numbers:
        """By compensated addition: the very numbers of the evidence."""
        if self._has_units():
            return self._effective(_exact_with_holes, self.index.at_cells)
        return self.index.at_cells(self._effective(_exact_with_holes, _unchanged))

    def _effective(self, of: Callable[[GridPiece], Numbers], here: Callable[[Numbers], Numbers]) -> Numbers:
        """R0 first, then the days before it, as it is done for one area."""
        first, days = [here(of(self.window))], list[Numbers]()
        for slot in self.before:
            if isinstance(slot.whole, UnitPiece):
                part = self.index.of_areas(units_by_area(slot.whole, self.places)[0])
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
        ends = [*index.starts[1:].tolist(), index.cells.size]
        found = [
            _deciding(re[a:b], index.weights[a:b], index.cells[a:b], self.limits.area_share)
            for a, b in zip(index.starts.tolist(), ends, strict=False)
        ]
        return np.unique(np.concatenate([np.array(found, dtype=np.int64), index.point_cells]))


def sums_of(places: Places, grid: Mesh | None, limits: EffrainRules, window: Slot, before: list[Slot]) -> Sums | None:
    """Sums for all areas; None where some piece has to be filled area by area."""
    if grid is None or not isinstance(window.whole, GridPiece) or any(slot.whole is None for slot in before):
        return None
    return Sums(places, grid, limits, window.whole, before)


def units_by_area(piece: UnitPiece, places: Places) -> tuple[Numbers, Marks]:
    """Rain of the unit that serves each area, and whether hours of it are missing."""
    known: dict[str | None, tuple[float, bool]] = {}
    mm, gaps = np.empty(len(places.by_code)), np.empty(len(places.by_code), np.bool_)
    for at, area in enumerate(places.by_code.values()):
        key = area.code if piece.names(area.code) else area.parent
        if key not in known:
            fill = piece.of(ancestors(area.code, places.by_code))
            known[key] = (float(fill.mm[0]), bool(fill.gaps))
        mm[at], gaps[at] = known[key]
    return mm, gaps


def levels_of(sums: Sums) -> Levels:
    """Levels of every area by itself."""
    index, count = sums.index, len(sums.places.by_code)
    level, lower = np.full(count, ASK, np.int8), np.zeros(count, np.bool_)
    if sums.window.tiling.gaps:
        level[index.areas] = level[index.points] = UNKNOWN
        return Levels(level, lower, index.areas, np.empty(0), np.empty(0))
    re = sums.quick()
    classes = _classes(re, sums.limits.breaks)
    if classes is None:
        re = sums.exact()
        classes = np.searchsorted(sums.limits.breaks, re, side="right").astype(np.int8)
    split = index.cells.size
    of_polygons = _reached(index, classes[:split], sums.limits)
    broken = np.isnan(re)
    if broken.any():
        of_polygons[np.unique(index.owner[broken[:split]])] = ASK
        classes[split:][broken[split:]] = ASK
    of_polygons[sums.places.zones(sums.grid).outside[index.rows] > 0] = ASK
    shifts = np.array([sums.limits.shifts[one] for one in Susceptibility], dtype=np.int8)[sums.places.terrain]
    for where, found in ((index.areas, of_polygons), (index.points, classes[split:])):
        level[where] = np.where(found == ASK, ASK, np.clip(found - shifts[where], Level.NONE, Level.RED))
    lower |= _lower(sums)
    return Levels(level, lower & (level >= 0), index.areas, *statistics(index, re[:split]))


def raise_by_points(found: Levels, places: Places, level_of_area: Callable[[Area], Level | None]) -> Levels:
    """No area below a hazard point inside it; where bounds differ or are not known yet, areas are left to be asked."""
    ask = found.level == ASK
    own = np.where(ask, np.int8(UNKNOWN), found.level)
    for at in np.unique(places.raised.points[ask[places.raised.points]]).tolist():
        level = level_of_area(places.areas[at])
        own[at] = UNKNOWN if level is None else level
    high = np.flatnonzero(own[places.raised.points] > Level.NONE)
    points, around = places.raised.points[high], places.raised.around[high]
    over = own[points] > own[around]
    points, around = points[over], around[over]
    raised = own.copy()
    np.maximum.at(raised, around, own[points])
    # Each raising point adds its reasons: only where all are alike is there nothing to look at.
    ask[around[(found.lower[points] != found.lower[around]) | (own[around] < 0) | (found.level[points] == ASK)]] = True
    return Levels(np.where(ask, np.int8(ASK), raised), found.lower, found.polygons, found.max_mm, found.mean_mm)


def _classes(re: Numbers, breaks: Sequence[float]) -> NDArray[np.int8] | None:
    """Rain classes of plain sums; None where one is too close to a break to tell."""
    classes = np.zeros(re.size, np.int8)
    wet = np.flatnonzero(re >= breaks[0] * (1 - _CLOSE))
    amounts = re[wet]
    surely, perhaps = np.zeros(wet.size, np.int8), np.zeros(wet.size, np.int8)
    for line in breaks:
        surely += amounts >= line * (1 + _CLOSE)
        perhaps += amounts >= line * (1 - _CLOSE)
    classes[wet] = surely
    return classes if np.array_equal(surely, perhaps) else None


def _reached(index: Index, classes: NDArray[np.int8], limits: EffrainRules) -> NDArray[np.int8]:
    """The class that the area share of each polygon's weight reaches, ASK where it hangs on the last digit."""
    count, width = index.total.size, len(limits.breaks) + 1
    wet = np.flatnonzero(classes > 0)
    slots = index.owner[wet] * width + classes[wet]
    weight = np.bincount(slots, weights=index.weights[wet], minlength=count * width).reshape(count, width)
    at_least = np.cumsum(weight[:, ::-1], axis=1)[:, ::-1][:, 1:]
    needed = limits.area_share * index.total * (1 - 1e-12)
    found = (at_least >= needed[:, None]).sum(axis=1).astype(np.int8)
    tie = (np.abs(at_least - needed[:, None]) <= _TIE * index.total[:, None]).any(axis=1)
    return np.where(tie, np.int8(ASK), found)


def _lower(sums: Sums) -> Marks:
    """Where hours before the window are missing."""
    lower = np.zeros(len(sums.places.by_code), np.bool_)
    for slot in sums.before:
        if isinstance(slot.whole, UnitPiece):
            lower |= units_by_area(slot.whole, sums.places)[1]
        elif slot.whole is not None and slot.whole.tiling.gaps:
            lower[:] = True
    return lower


def _deciding(re: Numbers, weights: Numbers, cells: Cells, share: float) -> int:
    seen = np.flatnonzero(~np.isnan(re))
    return int(cells[seen[quantile_cell(re[seen], weights[seen], share)]]) if seen.size else int(cells[0])


def _unchanged(grid: Numbers) -> Numbers:
    return grid


def _exact_with_holes(piece: GridPiece) -> Numbers:
    mm, holes = piece.exact()
    return mm if holes is None else np.where(holes, np.nan, mm)
