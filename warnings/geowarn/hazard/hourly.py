"""The rain of a ground as a series of equal steps: forecast inside the window, observed before it; gaps are never zero.

A step is filled with whole intervals only. An interval longer than a step, up to 6 h, is parted evenly into steps only
where the rule file says `split_intervals = true`, only onto steps that nothing else fills, and is then named.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.errors import Refused
from geowarn.domain.parameters import StepRules
from geowarn.domain.period import Period
from geowarn.domain.rain import RainField, RainKind
from geowarn.hazard.filling import Ground, Layer, Sampler, fill
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

_LONGEST_SPLIT = timedelta(hours=6)
Truths = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tier:
    """Fields of one standing; `own_only`: given for the area itself or on a grid, not for a unit around it."""

    fields: tuple[RainField, ...]
    own_only: bool = False


@dataclass(frozen=True, slots=True)
class Supply:
    """What may fill the window, and what may fill the time before it, each in the order in which it counts.

    Inside: the assessed run; its own observations; other observations up to the run. Before: observations; then the
    forecast where nothing was observed.
    """

    inside: tuple[Tier, ...]
    before: tuple[Tier, ...]

    @classmethod
    def of(cls, rain: Rain) -> Supply:
        """The supply that this rain is."""
        forecast = tuple(one for one in rain.fields if one.kind is RainKind.FORECAST)
        own = tuple(one for one in rain.fields if one.kind is RainKind.OBSERVED)
        run_time = rain.forecast.run_time
        earlier = tuple(one for one in rain.observed if forecast and one.period.end <= run_time)
        return cls(
            (Tier(forecast, own_only=True), Tier(own, own_only=True), Tier(earlier)),
            (Tier((*own, *rain.observed)), Tier(forecast)),
        )


def control_only(rain: Rain) -> tuple[Rain, int]:
    """The control member (none, or 0) of an ensemble, and how many members there are; raises Refused without one."""
    members = {one.member for one in rain.fields if one.kind is RainKind.FORECAST}
    if len(members) <= 1:
        return rain, len(members)
    chosen = None if None in members else 0
    if chosen not in members:
        raise Refused("models.no-control", source=rain.forecast.source, count=len(members))
    kept = tuple(one for one in rain.fields if one.kind is RainKind.OBSERVED or one.member == chosen)
    return Rain(rain.forecast, kept, rain.observed), len(members)


@dataclass(frozen=True, slots=True)
class Steps:
    """Rain by step and cell in mm, 0 where unknown; `holes` marks missing values, `known` the steps that were filled.

    `first_inside` is the first step of the window. `used` are the layers of the time before it.
    """

    period: Period
    step: timedelta
    mm: Numbers
    holes: Truths
    known: Truths
    first_inside: int
    used: tuple[Layer, ...]
    unsplit: tuple[RainField, ...]
    split: tuple[RainField, ...]

    def gaps(self, first: int, last: int) -> tuple[Period, ...]:
        """The unfilled time from step `first` up to `last`, neighbours joined."""
        found: list[Period] = []
        for at in range(first, last):
            if self.known[at]:
                continue
            period = self.at(at)
            if found and found[-1].end == period.start:
                period = Period(found.pop().start, period.end)
            found.append(period)
        return tuple(found)

    def at(self, number: int) -> Period:
        """The period of one step."""
        start = self.period.start + number * self.step
        return Period(start, start + self.step)


@dataclass(frozen=True, slots=True)
class _Slots:
    """The fields of one tier near a stretch of time, and the step that each of the short ones lies in."""

    tier: Tier
    near: tuple[RainField, ...]
    steps: Mapping[int, int]  # id of a field -> its step


class StepFiller:
    """Fills series for one window; which field belongs to which step is worked out once for all grounds.

    Raises Refused for a window that is no whole number of steps.
    """

    def __init__(self, supply: Supply, sampler: Sampler, window: Period, rules: StepRules, hours_before: float) -> None:
        self.sampler, self.rules, self.step = sampler, rules, timedelta(minutes=rules.minutes)
        if (window.end - window.start) % self.step:
            raise Refused("models.window-steps", hours=f"{window.hours:g}", minutes=rules.minutes)
        self.first = -(-timedelta(hours=hours_before) // self.step)
        self.count = self.first + (window.end - window.start) // self.step
        self.period = Period(window.start - self.first * self.step, window.end)
        early = Period(self.period.start, window.start) if self.first else None
        self._inside = [self._slots(tier, window) for tier in supply.inside]
        self._before = [self._slots(tier, early) for tier in supply.before] if early else []

    def _slots(self, tier: Tier, stretch: Period) -> _Slots:
        near = tuple(one for one in tier.fields if one.period.overlaps(stretch))
        steps = {}
        for one in near:
            first = (one.period.start - self.period.start) // self.step
            if one.period.end <= self.period.start + (first + 1) * self.step and stretch.contains(one.period):
                steps[id(one)] = first
        return _Slots(tier, near, steps)

    def fill(self, ground: Ground) -> Steps:
        """The series of one ground."""
        draft = _Draft(self, ground)
        draft.take(self._before, range(self.first))
        draft.take(self._inside, range(self.first, self.count))
        return draft.steps()


class _Draft:
    """One series under way."""

    def __init__(self, filler: StepFiller, ground: Ground) -> None:
        shape = filler.count, ground.size
        self.filler, self.ground = filler, ground
        self.mm, self.holes = np.zeros(shape), np.zeros(shape, dtype=np.bool_)
        self.known, self.touched = np.zeros(filler.count, dtype=np.bool_), np.zeros(filler.count, dtype=np.bool_)
        self.used: list[Layer] = []
        self.left: list[RainField] = []
        self.split: list[RainField] = []

    def take(self, slots: Sequence[_Slots], where: range) -> None:
        """Fill the steps `where` from these tiers."""
        short: dict[int, list[list[Layer]]] = {}
        longer: list[Layer] = []
        for rank, one in enumerate(slots):
            for layer in self.filler.sampler.layers(one.near, self.ground, own_only=one.tier.own_only):
                at = one.steps.get(id(layer.field))
                if at is None:
                    longer.append(layer)
                else:
                    short.setdefault(at, [[] for _ in slots])[rank].append(layer)
        for at, tiers in short.items():
            self._fill(at, tiers)
        for layer in longer:
            if not (self.filler.rules.split and self._part(layer, where)):
                self.left.append(layer.field)

    def _fill(self, at: int, tiers: Sequence[Sequence[Layer]]) -> None:
        period = Period(self._start(at), self._start(at + 1))
        whole = next((one for tier in tiers for one in tier if one.field.period == period), None)
        self.touched[at] = True
        if whole is not None:
            self._keep(at, whole.mm, whole)
            return
        found = fill(period, tiers, self.ground.size)
        self.mm[at], self.holes[at], self.known[at] = found.mm, found.holes, not found.gaps
        self.used.extend(found.used)

    def _part(self, layer: Layer, where: range) -> bool:
        """Spread an interval that begins and ends with steps evenly, unless something else fills any of them."""
        period, step = layer.field.period, self.filler.step
        first, odd = divmod(period.start - self.filler.period.start, step)
        count, rest = divmod(period.end - period.start, step)
        steps = [at for at in range(first, first + count) if at in where]
        if odd or rest or period.end - period.start > _LONGEST_SPLIT or not steps or self.touched[steps].any():
            return False
        for at in steps:
            self.touched[at] = True
            self._keep(at, layer.mm / count, layer)
        self.split.append(layer.field)
        return True

    def _keep(self, at: int, mm: Numbers, layer: Layer) -> None:
        self.holes[at] = np.isnan(mm)
        self.mm[at] = np.nan_to_num(mm, nan=0.0)
        self.known[at] = True
        self.used.append(layer)

    def _start(self, at: int) -> datetime:
        return self.filler.period.start + at * self.filler.step

    def steps(self) -> Steps:
        """What came of it."""
        filler = self.filler
        early = tuple(layer for layer in self.used if layer.field.period.start < self._start(filler.first))
        made = Steps(
            filler.period, filler.step, self.mm, self.holes, self.known, filler.first, early, (), tuple(self.split)
        )
        gaps = made.gaps(0, filler.count)
        unsplit = tuple(one for one in self.left if any(one.period.overlaps(gap) for gap in gaps))
        return replace(made, unsplit=unsplit)


def window_sums(mm: Numbers, count: int, first_end: int) -> Numbers:
    """Highest sum by cell over `count` steps that ends with step `first_end` or later, as exact as one rounding.

    `mm` is (steps, cells). Differences of compensated running sums: 500 times 0.1 mm reaches the 50 mm line.
    """
    total, lost = _running(mm)
    ends = np.arange(first_end, mm.shape[0]) + 1
    starts = np.maximum(ends - count, 0)
    later, earlier = total[ends], -total[starts]
    found = later + earlier
    back = found - later
    error = (later - (found - back)) + (earlier - back)
    sums = found + (error + (lost[ends] - lost[starts]))
    return np.asarray(sums.max(axis=0), dtype=np.float64)


def _running(mm: Numbers) -> tuple[Numbers, Numbers]:
    """Running sums from 0 on, and what their rounding lost."""
    total, lost = np.zeros((mm.shape[0] + 1, mm.shape[1])), np.zeros((mm.shape[0] + 1, mm.shape[1]))
    for at, part in enumerate(mm):
        grown = total[at] + part
        big = np.abs(total[at]) >= np.abs(part)
        lost[at + 1] = lost[at] + np.where(big, (total[at] - grown) + part, (part - grown) + total[at])
        total[at + 1] = grown
    return total, lost
