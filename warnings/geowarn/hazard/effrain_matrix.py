"""The default model `effrain-matrix`: effective rainfall x susceptibility, one lookup per cell, then the area.

R0 is the rain of the rolling 24 h that end with the window: inside the window the assessed forecast, before it the
observations, and between the run and the window's start the forecast where nothing was observed. R1 … Rn are the
24 h before, each decayed by k a day. A gap inside the window forbids a level; a gap before it makes the level a
lower bound. `geowarn.hazard.effrain_evidence` documents the evidence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area, AreaKind, ancestors, by_code
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import factor, read_parameters
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Grid, RainField, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.hazard.effrain_evidence import Context, Finding, Part, known, unknown
from geowarn.hazard.filling import Fill, Ground, Sampler, exact_sum, fill, quantile_cell
from geowarn.hazard.zonal import Footprint, footprints
from geowarn.ports import Rain

_DAY = timedelta(hours=24)


class EffrainMatrix:
    """`geowarn.ports.HazardModel` of the default method (Chen & Fang 2023; East China Geology 2021)."""

    name = "effrain-matrix"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """The rolling day and the days before it."""
        return 24 * (1 + read_parameters(rules.parameters).days)

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window over 24 h or an ensemble."""
        if window.hours > 24:
            raise Refused("assess.window", hours=f"{window.hours:g}")
        members = {field.member for field in rain.fields}
        if len(members) > 1:
            raise Refused("assess.members", source=rain.forecast.source, count=len(members))
        context = Context(rain.forecast, window, rules, read_parameters(rules.parameters), by_code(areas))
        work = _Work(context, rain, cache)
        return tuple(work.settle(area).assessment for area in areas)


class _Work:
    """One assessment under way: each area is worked out once, then raised by its points or taken from its parent."""

    def __init__(self, context: Context, rain: Rain, cache: Path | None) -> None:
        self.context, self.cache = context, cache
        self.areas, self.window, self.limits = context.areas, context.window, context.limits
        self.forecast = tuple(field for field in rain.fields if field.kind is RainKind.FORECAST)
        self.own_observed = tuple(field for field in rain.fields if field.kind is RainKind.OBSERVED)
        self.observed = rain.observed
        self.inside = _near(rain.fields, self.window)
        in_time = sorted(self.inside, key=lambda field: field.period)
        self.grid = next((field.support for field in in_time if isinstance(field.support, Grid)), None)
        self.units = {code for f in self.inside if isinstance(f.support, AreaUnits) for code in f.support.codes}
        self._kept: dict[Grid, Mapping[str, Footprint]] = {}
        self.sampler = Sampler(self._footprints)
        self._own: dict[str, Finding | None] = {}
        self._settled: dict[str, Finding] = {}
        self._points = self._points_by_area() if self.limits.points_raise_area else {}

    def settle(self, area: Area) -> Finding:
        """The area's own finding or its parent's, never below a hazard point inside it."""
        if area.code not in self._settled:
            found = self._own_finding(area) or self._from_parent(area)
            for point in self._points.get(area.code, ()):
                found = found.raised_by(point)
            self._settled[area.code] = found
        return self._settled[area.code]

    def _from_parent(self, area: Area) -> Finding:
        parent = self.areas.get(area.parent) if area.parent else None
        return self.settle(parent).handed_to(area) if parent else unknown(self.context, area, "no-place")

    def _points_by_area(self) -> dict[str, list[Finding]]:
        inside: dict[str, list[Finding]] = {}
        for point in self.areas.values():
            found = self._own_finding(point) if point.kind is AreaKind.POINT else None
            if found is not None and found.level is not None:
                for code in self._raised_areas(point):
                    inside.setdefault(code, []).append(found)
        return inside

    def _raised_areas(self, point: Area) -> list[str]:
        """The areas around a point up to its county: one slope never raises the whole city and what hangs on it."""
        return [c for c in ancestors(point.code, self.areas)[1:] if self.areas[c].kind is not AreaKind.CITY]

    def _own_finding(self, area: Area) -> Finding | None:
        if area.code not in self._own:
            self._own[area.code] = self._work_out(area)
        return self._own[area.code]

    def _work_out(self, area: Area) -> Finding | None:
        """None: this input says nothing about the area itself."""
        codes = ancestors(area.code, self.areas)
        if self.grid is not None and (place := self._footprints(self.grid).get(area.code)) is not None:
            return self._classify(area, Ground(codes, self.grid, place))
        if area.code in self.units or not self.inside:
            return self._classify(area, Ground(codes, None, None))
        if self.grid is not None and (area.geometry is not None or area.lon is not None):
            return unknown(self.context, area, "outside-grid")
        return None

    def _classify(self, area: Area, ground: Ground) -> Finding:
        inside = self._fill_window(ground)
        if inside.gaps:
            return unknown(self.context, area, "missing-hours", inside.gaps, inside.unsplit)
        missing = _missing_share(ground, inside)
        if missing > self.limits.max_missing + 1e-12:
            return unknown(self.context, area, "missing-cells", share=missing)
        before = self._fill_before(ground)
        r0 = exact_sum([inside.mm, *(part.fill.mm for part in before if part.day == 0)], ground.size)
        decayed = [factor(self.limits.k, part.day) * part.fill.mm for part in before if part.day > 0]
        re = exact_sum([r0, *decayed], ground.size)
        seen = np.flatnonzero(~inside.holes)
        at = int(seen[quantile_cell(re[seen], ground.weights[seen], self.limits.area_share)])
        return known(self.context, area, ground, at, re, r0, inside, before)

    def _fill_window(self, ground: Ground) -> Fill:
        """The assessed id fills the window; other observations only fill what lies before its run."""
        run_time = self.context.forecast.run_time
        earlier = [field for field in self.observed if self.forecast and field.period.end <= run_time]
        tiers = (
            self.sampler.layers(_near(self.forecast, self.window), ground, own_only=True),
            self.sampler.layers(_near(self.own_observed, self.window), ground, own_only=True),
            self.sampler.layers(_near(earlier, self.window), ground),
        )
        return fill(self.window, tiers, ground.size)

    def _fill_before(self, ground: Ground) -> list[Part]:
        """The rest of the rolling 24 h, then the days before: observed first, the forecast where nothing was."""
        end = self.window.end
        pieces = [(day, Period(end - (day + 1) * _DAY, end - day * _DAY)) for day in range(1, self.limits.days + 1)]
        if end - _DAY < self.window.start:
            pieces.insert(0, (0, Period(end - _DAY, self.window.start)))
        observed = (*self.own_observed, *self.observed)
        parts = []
        for day, piece in pieces:
            tiers = [self.sampler.layers(_near(fields, piece), ground) for fields in (observed, self.forecast)]
            parts.append(Part(day, fill(piece, tiers, ground.size)))
        return parts

    def _footprints(self, grid: Grid) -> Mapping[str, Footprint]:
        if grid not in self._kept:
            areas = tuple(self.areas.values())
            self._kept[grid] = footprints(grid, areas, self.limits.min_coverage, self.cache)
        return self._kept[grid]


def _near(fields: Sequence[RainField], piece: Period) -> tuple[RainField, ...]:
    return tuple(field for field in fields if field.period.overlaps(piece))


def _missing_share(ground: Ground, inside: Fill) -> float:
    """The share of the area without a value: cells missing in the window, and what lies off the grid."""
    whole = float(ground.weights.sum()) / (1.0 - ground.outside)
    return 1.0 - float(ground.weights[~inside.holes].sum()) / whole
