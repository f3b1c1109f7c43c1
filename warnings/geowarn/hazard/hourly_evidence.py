"""The evidence that the models beside the default have in common, plain JSON (null where unknown).

model, rules, rules_version, calibrated                        the rule set
window {from, to}, source, run_time                           what was assessed (ISO 8601, UTC)
members, control_only                                         ensemble members of the run; only the control is used
susceptibility, surveyed, shift, own_level                    terrain class and what follows from both
next_level, previous_level                                    the neighbours; each model gives the margins to them
way "cells" | "nearest-cell" | "unit"                         where the rain was taken
share, cells, cells_missing                                   the share of cells that reaches the level; their number
observed_sources, observed_unit {code, name_zh, name_en}      observations used; the ancestor they are given for
lower_bound_reasons                                           observed-missing, observed-cells-missing, cells-missing,
                                                              outside-grid, unclassified
missing_observed [{from, to, hours}]                          gaps before the window
unsplit [{source, from, to}]                                  intervals left out because they cross a boundary
split {count, hours [...]}                                    intervals parted evenly into steps, and their lengths
raised_by {code, name_zh, name_en, level}, from_parent        the hazard point or the parent the level comes from
cannot_classify {reason, hours, missing [{from, to, hours}], share}   reason missing-hours, missing-cells, outside-grid,
                                                              no-place or one of the model's own
Each model adds its figures; its module documents them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainField
from geowarn.domain.rules import RuleSet
from geowarn.hazard.filling import Fill, Ground, Layer
from geowarn.hazard.finding import Finding, gap_fact, observed_facts, unsplit_facts
from geowarn.hazard.hourly import Steps, Truths
from geowarn.hazard.hourly_days import Days

_KEYS = (
    "shift",
    "own_level",
    "next_level",
    "previous_level",
    "way",
    "share",
    "cells",
    "cells_missing",
    "observed_sources",
    "observed_unit",
    "missing_observed",
    "unsplit",
    "split",
    "raised_by",
    "from_parent",
    "cannot_classify",
)


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for every area of one assessment; `figures` are the names of the model's own figures."""

    forecast: Forecast
    window: Period
    rules: RuleSet
    areas: Mapping[str, Area]
    members: int
    share: float
    figures: Sequence[str]


@dataclass(frozen=True, slots=True)
class Verdict:
    """A level with the figures it follows from."""

    level: Level
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class GroundRain:
    """What is known of the rain of one ground."""

    ground: Ground
    steps: Steps | None
    days: Days | None

    def gaps_inside(self) -> tuple[Period, ...]:
        """Unfilled time of the window."""
        found = [*self.days.inside.gaps] if self.days else []
        found += self.steps.gaps(self.steps.first_inside, len(self.steps.known)) if self.steps else []
        return tuple(sorted(set(found)))

    def holes(self) -> Truths:
        """Cells with a missing value inside the window."""
        parts = [self.steps.holes[self.steps.first_inside :].any(axis=0)] if self.steps else []
        parts += [self.days.inside.holes] if self.days else []
        return np.asarray(np.logical_or.reduce(parts), dtype=np.bool_)

    def gaps_before(self) -> tuple[Period, ...]:
        """Unfilled time before the window."""
        found = list(self.steps.gaps(0, self.steps.first_inside)) if self.steps else []
        for day in self._days_before():
            found += [gap for gap in day.gaps if not any(one.contains(gap) for one in found)]
        return tuple(sorted(found))

    def holes_before(self, seen: Truths) -> bool:
        """Whether a cell that is seen in the window has a missing value before it."""
        series = self.steps.holes[: self.steps.first_inside, seen].any() if self.steps else False
        return bool(series) or any(bool(day.holes[seen].any()) for day in self._days_before())

    def used_before(self) -> list[Layer]:
        """The layers that fill the time before the window."""
        return [*(self.steps.used if self.steps else ()), *(one for day in self._days_before() for one in day.used)]

    def unsplit(self) -> list[RainField]:
        """Fields left out."""
        days = [self.days.inside, *self.days.before] if self.days else []
        return [*(self.steps.unsplit if self.steps else ()), *(one for day in days for one in day.unsplit)]

    def _days_before(self) -> tuple[Fill, ...]:
        return self.days.before if self.days else ()


def unknown(
    context: Context,
    area: Area,
    reason: str,
    gaps: Iterable[Period] = (),
    unsplit: Iterable[RainField] = (),
    share: float | None = None,
) -> Finding:
    """An area that cannot be classified, and why."""
    missing = [gap_fact(gap) for gap in gaps]
    why = {"reason": reason, "hours": sum(gap["hours"] for gap in missing), "missing": missing, "share": share}
    facts = {
        "cannot_classify": why,
        "unsplit": unsplit_facts(unsplit),
        "lower_bound_reasons": [],
        "missing_observed": [],
    }
    return Finding(area, None, _document(context, area) | facts)


def known(context: Context, area: Area, rain: GroundRain, verdict: Verdict) -> Finding:
    """An area whose level the model found."""
    holes, gaps = rain.holes(), rain.gaps_before()
    ground, split = rain.ground, rain.steps.split if rain.steps else ()
    facts: dict[str, Any] = {
        "way": "unit" if ground.footprint is None else "nearest-cell" if ground.footprint.nearest else "cells",
        "share": context.share,
        "cells": ground.size,
        "cells_missing": int(holes.sum()),
        "missing_observed": [gap_fact(gap) for gap in gaps],
        "unsplit": unsplit_facts(rain.unsplit()),
        "split": {"count": len(split), "hours": sorted({one.period.hours for one in split})} if split else None,
        "lower_bound_reasons": [
            reason
            for reason, holds in (
                ("observed-missing", bool(gaps)),
                ("observed-cells-missing", rain.holes_before(~holes)),
                ("cells-missing", bool(holes.any())),
                ("outside-grid", ground.outside > 0),
            )
            if holds
        ],
    }
    facts |= observed_facts(area, context.areas, rain.used_before()) | dict(verdict.facts)
    return Finding(area, verdict.level, _document(context, area) | facts)


def neighbours(level: Level, ahead: float | None, over: float | None) -> dict[str, Any]:
    """The levels on both sides, where there is a line between."""
    return {
        "next_level": None if ahead is None else Level(level + 1).code,
        "previous_level": None if over is None else Level(level - 1).code,
    }


def _document(context: Context, area: Area) -> dict[str, Any]:
    rules, forecast = context.rules, context.forecast
    return dict.fromkeys((*_KEYS, *context.figures)) | {
        "model": rules.model,
        "rules": rules.name,
        "rules_version": rules.version,
        "calibrated": rules.calibrated,
        "window": {"from": context.window.start.isoformat(), "to": context.window.end.isoformat()},
        "source": forecast.source,
        "run_time": forecast.run_time.isoformat(),
        "members": context.members,
        "control_only": context.members > 1,
        "susceptibility": area.susceptibility.value,
        "surveyed": area.surveyed,
    }
