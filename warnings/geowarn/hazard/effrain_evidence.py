"""The evidence of `effrain-matrix`, plain JSON with the same keys for every area (null where unknown).

model, rules, rules_version, calibrated, k, n, breaks_mm      the rule set
window {from, to}, source, run_time                           what was assessed (ISO 8601, UTC)
re_mm = r0_mm + antecedent_mm, at the cell that decides        effective rainfall
window_mm, before_window_mm                                   the two parts of r0_mm
antecedent [{day, mm, factor, missing_hours}]                 R1 … Rn
rain_class, class_from_mm, class_to_mm                        rain class and its bounds, null where open
susceptibility, surveyed, shift, own_level                    terrain class and what follows from both
next_level, to_next_mm, previous_level, over_own_mm           mm missing to the next level, mm over its own line
way "cells" | "nearest-cell" | "unit"                         where the rain was taken
share, cells, cells_missing, max_mm, mean_mm                  area statistics of the effective rainfall
observed_sources, observed_unit {code, name_zh, name_en}      observations used; the ancestor they are given for
lower_bound_reasons                                           observed-missing, observed-cells-missing, cells-missing,
                                                              outside-grid, unclassified
missing_observed [{part, from, to, hours}]                    gaps before the window; part "r0", "r1", …
unsplit [{source, from, to}]                                  intervals left out because they cross a boundary
raised_by, from_parent {code, name_zh, name_en, …}            the hazard point or the parent the level comes from
cannot_classify {reason, hours, missing [{from, to, hours}], share}   reason missing-hours, missing-cells,
                                                              outside-grid or no-place
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import EffrainRules, class_bounds, factor, level_for, margins, rain_class
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainField
from geowarn.domain.rules import RuleSet
from geowarn.hazard.filling import Fill, Ground
from geowarn.hazard.zonal import Numbers

_NAMED = 10  # intervals left out that are named one by one
_KEYS = (
    "re_mm",
    "r0_mm",
    "window_mm",
    "before_window_mm",
    "antecedent_mm",
    "antecedent",
    "rain_class",
    "class_from_mm",
    "class_to_mm",
    "shift",
    "own_level",
    "next_level",
    "to_next_mm",
    "previous_level",
    "over_own_mm",
    "way",
    "share",
    "cells",
    "cells_missing",
    "max_mm",
    "mean_mm",
    "observed_sources",
    "observed_unit",
    "lower_bound_reasons",
    "missing_observed",
    "unsplit",
    "raised_by",
    "from_parent",
    "cannot_classify",
)


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for every area of one assessment."""

    forecast: Forecast
    window: Period
    rules: RuleSet
    limits: EffrainRules
    areas: Mapping[str, Area]


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of time before the window: day 0 completes the rolling 24 h, day i is R_i."""

    day: int
    fill: Fill


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one area."""

    area: Area
    level: Level | None
    evidence: Mapping[str, Any]

    @property
    def assessment(self) -> Assessment:
        """As the line keeps it."""
        lower = self.level is not None and bool(self.evidence["lower_bound_reasons"])
        return Assessment(self.area.code, self.level, lower, self.evidence)

    def raised_by(self, point: Finding) -> Finding:
        """Never below a hazard point inside; a point also answers where the area itself could not be classified."""
        if point.level is None or point.level <= (self.level or Level.NONE):
            return self
        reasons = set(self.evidence["lower_bound_reasons"]) | set(point.evidence["lower_bound_reasons"])
        reasons |= {"unclassified"} if self.level is None else set()
        by = _named(point.area) | {"level": point.level.code, "re_mm": point.evidence["re_mm"]}
        return replace(
            self, level=point.level, evidence={**self.evidence, "raised_by": by, "lower_bound_reasons": sorted(reasons)}
        )

    def handed_to(self, child: Area) -> Finding:
        """The same level for a unit that has no place of its own, saying whose it is."""
        return Finding(child, self.level, {**self.evidence, "from_parent": _named(self.area)})


def unknown(
    context: Context,
    area: Area,
    reason: str,
    gaps: Iterable[Period] = (),
    unsplit: Iterable[RainField] = (),
    share: float | None = None,
) -> Finding:
    """An area that cannot be classified, and why."""
    missing = [_gap(gap) for gap in gaps]
    hours = sum(gap["hours"] for gap in missing)
    why = {"reason": reason, "hours": hours, "missing": missing, "share": share}
    facts = {"cannot_classify": why, "unsplit": _unsplit(unsplit), "lower_bound_reasons": [], "missing_observed": []}
    return Finding(area, None, _document(context, area) | facts)


def known(
    context: Context,
    area: Area,
    ground: Ground,
    at: int,
    re: Numbers,
    r0: Numbers,
    inside: Fill,
    before: Sequence[Part],
) -> Finding:
    """An area whose level follows from the effective rainfall `re` at the cell `at`."""
    limits, re_mm, shift = context.limits, float(re[at]), context.limits.shifts[area.susceptibility]
    level = level_for(re_mm, shift, limits.breaks)
    to_next, over_own = margins(re_mm, level, shift, limits.breaks)
    lower, upper = class_bounds(rain_class(re_mm, limits.breaks), limits.breaks)
    facts: dict[str, Any] = {
        "rain_class": rain_class(re_mm, limits.breaks),
        "class_from_mm": lower,
        "class_to_mm": upper,
        "shift": shift,
        "own_level": level.code,
        "next_level": None if to_next is None else Level(level + 1).code,
        "to_next_mm": to_next,
        "previous_level": None if over_own is None else Level(level - 1).code,
        "over_own_mm": over_own,
    }
    facts |= _amounts(context, at, re_mm, float(r0[at]), inside, before)
    facts |= _statistics(context, ground, re, inside) | _observed(context, area, before)
    facts["lower_bound_reasons"] = _reasons(ground, inside, before)
    return Finding(area, level, _document(context, area) | facts)


def _document(context: Context, area: Area) -> dict[str, Any]:
    rules, limits, forecast = context.rules, context.limits, context.forecast
    return dict.fromkeys(_KEYS) | {
        "model": rules.model,
        "rules": rules.name,
        "rules_version": rules.version,
        "calibrated": rules.calibrated,
        "k": limits.k,
        "n": limits.days,
        "breaks_mm": list(limits.breaks),
        "window": {"from": context.window.start.isoformat(), "to": context.window.end.isoformat()},
        "source": forecast.source,
        "run_time": forecast.run_time.isoformat(),
        "susceptibility": area.susceptibility.value,
        "surveyed": area.surveyed,
    }


def _amounts(
    context: Context, at: int, re_mm: float, r0_mm: float, inside: Fill, before: Sequence[Part]
) -> dict[str, Any]:
    days = [part for part in before if part.day > 0]
    terms = [
        {
            "day": part.day,
            "mm": float(part.fill.mm[at]),
            "factor": factor(context.limits.k, part.day),
            "missing_hours": sum(gap.hours for gap in part.fill.gaps),
        }
        for part in days
    ]
    return {
        "re_mm": re_mm,
        "r0_mm": r0_mm,
        "window_mm": float(inside.mm[at]),
        "before_window_mm": sum(float(part.fill.mm[at]) for part in before if part.day == 0),
        "antecedent_mm": sum(term["mm"] * term["factor"] for term in terms),
        "antecedent": terms,
    }


def _statistics(context: Context, ground: Ground, re: Numbers, inside: Fill) -> dict[str, Any]:
    seen = ~inside.holes
    way = "unit" if ground.footprint is None else "nearest-cell" if ground.footprint.nearest else "cells"
    return {
        "way": way,
        "share": context.limits.area_share,
        "cells": ground.size,
        "cells_missing": int(inside.holes.sum()),
        "max_mm": float(re[seen].max()),
        "mean_mm": float(np.dot(re[seen], ground.weights[seen]) / ground.weights[seen].sum()),
    }


def _observed(context: Context, area: Area, before: Sequence[Part]) -> dict[str, Any]:
    layers = [layer for part in before for layer in part.fill.used]
    farthest = max((layer.distance for layer in layers), default=0)
    unit = area
    for _ in range(farthest):
        unit = context.areas[unit.parent] if unit.parent else unit
    return {
        "observed_sources": sorted({layer.field.source for layer in layers}),
        "observed_unit": _named(unit) if farthest else None,
        "missing_observed": [{"part": f"r{part.day}"} | _gap(gap) for part in before for gap in part.fill.gaps],
        "unsplit": _unsplit(field for part in before for field in part.fill.unsplit),
    }


def _reasons(ground: Ground, inside: Fill, before: Sequence[Part]) -> list[str]:
    seen = ~inside.holes
    return [
        reason
        for reason, holds in (
            ("observed-missing", any(part.fill.gaps for part in before)),
            ("observed-cells-missing", any(bool(part.fill.holes[seen].any()) for part in before)),
            ("cells-missing", bool(inside.holes.any())),
            ("outside-grid", ground.outside > 0),
        )
        if holds
    ]


def _gap(gap: Period) -> dict[str, Any]:
    return {"from": gap.start.isoformat(), "to": gap.end.isoformat(), "hours": gap.hours}


def _unsplit(fields: Iterable[RainField]) -> list[dict[str, str]]:
    named = sorted({(field.source, field.period) for field in fields}, key=lambda one: (one[1], one[0]))
    return [
        {"source": source, "from": period.start.isoformat(), "to": period.end.isoformat()}
        for source, period in named[:_NAMED]
    ]


def _named(area: Area) -> dict[str, Any]:
    return {"code": area.code, "name_zh": area.name_zh, "name_en": area.name_en}
