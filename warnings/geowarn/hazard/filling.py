"""Fills a piece of time with rain, cell by cell: whole intervals only, never split, never shifted."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import AreaUnits, Grid, RainField
from geowarn.hazard.zonal import Footprint, Numbers, cell_of, centres

FootprintsOf = Callable[[Grid], Mapping[str, Footprint]]


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an area's rain is taken: cells of a grid, or (grid None) the area as one unit.

    `codes` are the area's own code and its ancestors', nearest first: observed rain may be given for any of them.
    """

    codes: tuple[str, ...]
    grid: Grid | None
    footprint: Footprint | None

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.footprint.cells.size if self.footprint is not None else 1

    @property
    def weights(self) -> Numbers:
        """The share of each cell inside the area."""
        return self.footprint.weights if self.footprint is not None else np.ones(1)

    @property
    def outside(self) -> float:
        """The share of the area that lies off the grid."""
        return self.footprint.outside if self.footprint is not None else 0.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One field as it falls on a ground; `distance` counts ancestors between the area and the unit reported."""

    field: RainField
    mm: Numbers
    distance: int


@dataclass(frozen=True, slots=True)
class Fill:
    """What is known of a piece: mm by cell, 0 where `holes` marks it missing; gaps; fields left out unsplit."""

    mm: Numbers
    holes: NDArray[np.bool_]
    used: tuple[Layer, ...]
    gaps: tuple[Period, ...]
    unsplit: tuple[RainField, ...]


class Sampler:
    """Brings fields onto grounds; another grid is read at the cell in which each cell centre lies."""

    def __init__(self, footprints_of: FootprintsOf) -> None:
        self._footprints_of = footprints_of
        self._arrays: dict[int, tuple[RainField, Numbers]] = {}
        self._rows: dict[int, tuple[AreaUnits, dict[str, int]]] = {}

    def layers(self, fields: Iterable[RainField], ground: Ground, *, own_only: bool = False) -> tuple[Layer, ...]:
        """The fields that know anything here, nearest unit first, otherwise in the order given."""
        found = [layer for field in fields if (layer := self._layer(field, ground, own_only)) is not None]
        return tuple(sorted(found, key=lambda layer: layer.distance))

    def _layer(self, field: RainField, ground: Ground, own_only: bool) -> Layer | None:
        if isinstance(field.support, AreaUnits):
            rows = self._rows_of(field.support)
            codes = ground.codes[:1] if own_only else ground.codes
            distance = next((at for at, code in enumerate(codes) if code in rows), None)
            if distance is None:
                return None
            mm = np.full(ground.size, self._array(field)[rows[codes[distance]]])
        elif not isinstance(field.support, Grid):
            return None
        else:
            distance = 0
            sampled = self._from_grid(field, field.support, ground)
            if sampled is None:
                return None
            mm = sampled
        return None if np.isnan(mm).all() else Layer(field, mm, distance)

    def _from_grid(self, field: RainField, grid: Grid, ground: Ground) -> Numbers | None:
        values = self._array(field)
        if ground.footprint is not None and ground.grid == grid:
            return values[ground.footprint.cells]
        if ground.footprint is not None and ground.grid is not None:
            cells = cell_of(grid, *centres(ground.grid, ground.footprint.cells))
            return np.where(cells >= 0, values[np.maximum(cells, 0)], np.nan)
        inside = self._footprints_of(grid).get(ground.codes[0])
        if inside is None:
            return None
        mean = np.dot(values[inside.cells], inside.weights) / inside.weights.sum()
        return np.array([mean])

    def _array(self, field: RainField) -> Numbers:
        if id(field) not in self._arrays:
            self._arrays[id(field)] = (field, np.asarray(field.values, dtype=np.float64))
        return self._arrays[id(field)][1]

    def _rows_of(self, units: AreaUnits) -> dict[str, int]:
        if id(units) not in self._rows:
            self._rows[id(units)] = (units, {code: at for at, code in enumerate(units.codes)})
        return self._rows[id(units)][1]


def fill(piece: Period, tiers: Sequence[Sequence[Layer]], size: int) -> Fill:
    """Tile `piece` with whole layers: a later tier only where the earlier ones leave room."""
    used: list[Layer] = []
    for tier in tiers:
        inside = [layer for layer in tier if piece.contains(layer.field.period)]
        longest = sorted(inside, key=lambda layer: -layer.field.period.hours)
        used = max((_tile(used, order) for order in (inside, longest)), key=_hours)
    used.sort(key=lambda layer: layer.field.period)
    gaps = uncovered(piece, [layer.field.period for layer in used])
    crossing = [layer.field for tier in tiers for layer in tier if not piece.contains(layer.field.period)]
    unsplit = tuple(field for field in crossing if any(field.period.overlaps(gap) for gap in gaps))
    holes = np.zeros(size, dtype=np.bool_)
    for layer in used:
        holes |= np.isnan(layer.mm)
    return Fill(
        exact_sum([np.nan_to_num(layer.mm, nan=0.0) for layer in used], size), holes, tuple(used), gaps, unsplit
    )


def exact_sum(parts: Sequence[Numbers], size: int) -> Numbers:
    """Sum in the order given with Neumaier's compensation: 500 times 0.1 mm reaches the 50 mm line."""
    total, lost = np.zeros(size), np.zeros(size)
    for part in parts:
        grown = total + part
        lost += np.where(np.abs(total) >= np.abs(part), (total - grown) + part, (part - grown) + total)
        total = grown
    return total + lost


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
