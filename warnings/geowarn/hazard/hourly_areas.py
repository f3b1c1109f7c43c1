"""From the rain of grounds to areas: which cell speaks, hazard points, parents; one way for every model here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from geowarn.domain.area import Area, AreaKind, ancestors, by_code
from geowarn.domain.assessment import Assessment
from geowarn.domain.errors import Refused
from geowarn.domain.parameters import AreaRules, StepRules
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, CurvedGrid, Grid, Stations
from geowarn.domain.rules import RuleSet
from geowarn.hazard.filling import Ground, Sampler, quantile_cell
from geowarn.hazard.finding import Finding
from geowarn.hazard.hourly import StepFiller, Steps, Supply, control_only
from geowarn.hazard.hourly_days import DayFiller, Days
from geowarn.hazard.hourly_evidence import Context, GroundRain, Verdict, known, unknown
from geowarn.hazard.places import Places, placed
from geowarn.hazard.zonal import Mesh, Numbers
from geowarn.ports import Rain

_COLUMNS = 20_000  # cells whose series are held at once


@dataclass(frozen=True, slots=True)
class Needs:
    """The rain a model works on: equal steps from `hours_before` the window on, whole days before it, or both."""

    steps: StepRules | None = None
    hours_before: float = 0.0
    days: int | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """The rain at one cell in mm, 0 where unknown: `series` by step, `days` newest first."""

    series: Sequence[float]
    days: Sequence[float]
    first_inside: int
    start: datetime
    step: timedelta

    def period(self, last: int, count: int) -> dict[str, str]:
        """The time of `count` steps that end with step `last`, as evidence says it."""
        end = self.start + (last + 1) * self.step
        return {"from": (end - count * self.step).isoformat(), "to": end.isoformat()}


class Method(Protocol):
    """What one model adds to the common way from rain to areas."""

    needs: Needs
    areas: AreaRules
    figures: Sequence[str]

    def lack(self, codes: Sequence[str]) -> str | None:
        """Why an area (its own code and its ancestors') can have no level from this rule set, or None."""
        ...

    def told_by(self, codes: Sequence[str]) -> str | None:
        """What of these codes a verdict depends on, besides rain and terrain; None: nothing."""
        ...

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """A number per cell that rises with the level: it decides which cell speaks for an area.

        `series` is (steps, cells), `days` (days, cells), newest first; each is empty where the model does not need it.
        """
        ...

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        ...


def assess_areas(
    method: Method, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
) -> tuple[Assessment, ...]:
    """One assessment per area in the order given; raises Refused for a window over 24 h."""
    if window.hours > 24:
        raise Refused("assess.window", hours=f"{window.hours:g}")
    rain, members = control_only(rain)
    share = method.areas.area_share
    context = Context(rain.forecast, window, rules, by_code(areas), members, share, method.figures)
    work = _Work(method, context, rain, cache)
    return tuple(work.settle(area).assessment for area in areas)


class _Work:
    """One assessment under way: every area's own finding first, then its points and its parent."""

    def __init__(self, method: Method, context: Context, rain: Rain, cache: Path | None) -> None:
        self.method, self.context, self.areas = method, context, context.areas
        window = context.window
        inside = [field for field in rain.fields if field.period.overlaps(window)]
        in_time = sorted(inside, key=lambda field: field.period)
        meshes = (field.support for field in in_time if isinstance(field.support, Grid | CurvedGrid))
        gauges = any(isinstance(one.support, Stations) for one in inside)
        self._places = Places(tuple(self.areas.values()), method.areas.min_coverage, cache)
        self.grid: Mesh | None = next(meshes, None) or (self._places.lattice() if gauges else None)
        self.units = {code for one in inside if isinstance(one.support, AreaUnits) for code in one.support.codes}
        self.empty = not inside
        every = (*rain.fields, *rain.observed)
        self.reported = {code for one in every if isinstance(one.support, AreaUnits) for code in one.support.codes}
        self._points_rain: dict[Any, tuple[Steps | None, Days | None]] = {}
        self._verdicts: dict[Any, Verdict] = {}
        sampler, supply, needs = Sampler(self._places.zones), Supply.of(rain), method.needs
        self._steps = StepFiller(supply, sampler, window, needs.steps, needs.hours_before) if needs.steps else None
        self._days = None if needs.days is None else DayFiller(supply, sampler, window, needs.days)
        self._own = self._work_out()
        self._settled: dict[str, Finding] = {}
        self._points = self._points_by_area() if method.areas.points_raise_area else {}

    def settle(self, area: Area) -> Finding:
        """The area's own finding or its parent's, never below a hazard point inside it."""
        if area.code not in self._settled:
            found = self._own.get(area.code) or self._from_parent(area)
            for point in self._points.get(area.code, ()):
                found = found.raised_by(point)
            self._settled[area.code] = found
        return self._settled[area.code]

    def _from_parent(self, area: Area) -> Finding:
        parent = self.areas.get(area.parent) if area.parent else None
        return self.settle(parent).handed_to(area) if parent else unknown(self.context, area, "no-place")

    def _points_by_area(self) -> dict[str, list[Finding]]:
        """Points by the areas around them up to the county: one slope never raises the whole city."""
        inside: dict[str, list[Finding]] = {}
        for point in self.areas.values():
            found = self._own.get(point.code) if point.kind is AreaKind.POINT else None
            for code in ancestors(point.code, self.areas)[1:] if found is not None and found.level is not None else ():
                if found is not None and self.areas[code].kind is not AreaKind.CITY:
                    inside.setdefault(code, []).append(found)
        return inside

    def _work_out(self) -> dict[str, Finding]:
        """The own finding of every area that this input says anything about."""
        own: dict[str, Finding] = {}
        waiting: list[tuple[Area, GroundRain]] = []
        for area in self.areas.values():
            found = self._rain_of(area)
            if isinstance(found, GroundRain):
                waiting.append((area, found))
            elif found is not None:
                own[area.code] = found
            if sum(rain.ground.size for _, rain in waiting) > _COLUMNS:
                own |= self._judged(waiting)
                waiting = []
        return own | self._judged(waiting)

    def _rain_of(self, area: Area) -> GroundRain | Finding | None:
        ground = self._ground(area)
        if ground is None:
            off_grid = self.grid is not None and placed(area)
            return unknown(self.context, area, "outside-grid") if off_grid else None
        rain = self._filled(ground)
        if gaps := rain.gaps_inside():
            return unknown(self.context, area, "missing-hours", gaps, rain.unsplit())
        missing = _missing_share(ground, rain)
        if missing > self.method.areas.max_missing + 1e-12:
            return unknown(self.context, area, "missing-cells", share=missing)
        lack = self.method.lack(ground.codes)
        return unknown(self.context, area, lack) if lack else rain

    def _filled(self, ground: Ground) -> GroundRain:
        """The rain of a ground; hazard points in one cell, for which the same units report, have the same."""
        if ground.footprint is None or not ground.footprint.nearest:
            return GroundRain(ground, *self._fill(ground))
        units = tuple((at, code) for at, code in enumerate(ground.codes) if code in self.reported)
        key = int(ground.footprint.cells[0]), units
        if key not in self._points_rain:
            self._points_rain[key] = self._fill(ground)
        return GroundRain(ground, *self._points_rain[key])

    def _fill(self, ground: Ground) -> tuple[Steps | None, Days | None]:
        return (
            self._steps.fill(ground) if self._steps else None,
            self._days.fill(ground) if self._days else None,
        )

    def _ground(self, area: Area) -> Ground | None:
        codes = ancestors(area.code, self.areas)
        if self.grid is not None and (place := self._places.zones(self.grid).get(area.code)) is not None:
            return Ground(codes, self.grid, place, True)
        return Ground(codes, None, None, placed(area)) if area.code in self.units or self.empty else None

    def _judged(self, waiting: Sequence[tuple[Area, GroundRain]]) -> dict[str, Finding]:
        """Scores of all these grounds at once, then a verdict for the cell that speaks for each."""
        if not waiting:
            return {}
        first = self._steps.first if self._steps else 0
        series = _beside(rain.steps.mm for _, rain in waiting if rain.steps)
        days = _beside(rain.days.mm for _, rain in waiting if rain.days)
        scores = self.method.scores(series, first, days)
        ends = np.cumsum([rain.ground.size for _, rain in waiting])
        own = {}
        for (area, rain), part in zip(waiting, np.split(scores, ends[:-1]), strict=True):
            seen = np.flatnonzero(~rain.holes())
            at = int(seen[quantile_cell(part[seen], rain.ground.weights[seen], self.method.areas.area_share)])
            own[area.code] = known(self.context, area, rain, self._verdict(area, rain, at))
        return own

    def _verdict(self, area: Area, rain: GroundRain, at: int) -> Verdict:
        """Points that share their rain and their terrain share the verdict."""
        codes = rain.ground.codes
        key = id(rain.steps), id(rain.days), at, area.susceptibility, self.method.told_by(codes)
        shared = rain.ground.footprint is not None and rain.ground.footprint.nearest
        if not shared:
            return self.method.judge(area, codes, self._place(rain, at))
        if key not in self._verdicts:  # the rain is held in `_points_rain`, so that no id comes twice
            self._verdicts[key] = self.method.judge(area, codes, self._place(rain, at))
        return self._verdicts[key]

    def _place(self, rain: GroundRain, at: int) -> Place:
        steps, days = rain.steps, rain.days
        return Place(
            series=steps.mm[:, at].tolist() if steps else [],
            days=days.mm[:, at].tolist() if days else [],
            first_inside=steps.first_inside if steps else 0,
            start=steps.period.start if steps else self.context.window.start,
            step=steps.step if steps else timedelta(hours=1),
        )


def _beside(parts: Iterable[Numbers]) -> Numbers:
    found = list(parts)
    return np.concatenate(found, axis=1) if found else np.empty((0, 0))


def _missing_share(ground: Ground, rain: GroundRain) -> float:
    """The share of the area without a value: cells missing in the window, and what lies off the grid."""
    whole = float(ground.weights.sum()) / (1.0 - ground.outside)
    return 1.0 - float(ground.weights[~rain.holes()].sum()) / whole
