"""The evidence of `effrain-matrix`, plain JSON with the same keys for every area (null where unknown).

model, rules, rules_version, rules_digest, calibrated,
k, n, breaks_mm, share                                        the rule set (SHA-256 of its file; the area share)
window {from, to}, source, run_time                           what was assessed (ISO 8601, UTC)
re_mm = r0_mm + antecedent_mm, at the cell that decides        effective rainfall
window_mm, before_window_mm                                   the two parts of r0_mm
antecedent [{day, mm, factor, missing_hours}]                 R1 … Rn
digits                                                        decimals with which the printed sum closes on paper
rain_class, class_from_mm, class_to_mm                        rain class and its bounds, null where open
susceptibility, surveyed, shift, own_level                    terrain class and what follows from both
next_level, to_next_mm, previous_level, over_own_mm           mm missing to the next level, mm over its own line
way "cells" | "nearest-cell" | "unit"                         where the rain was taken
cells, cells_missing, missing_share                           cells of the area; share without a value or off the grid
max_mm, mean_mm, window_max_mm, window_mean_mm                area statistics: effective rainfall, rain of the window
series [{from, to, mm, kind}]                                 rain at the deciding cell over the rolling 24 h, in order
                                                              of time; mm null where missing; kind "forecast",
                                                              "observed" or "missing"
ensemble {members, share, member, levels, re_p10_mm, re_p90_mm}   null for a single run; the member that decides, how
                                                              many members give each level, their 10 and 90 %
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

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.domain.area import Area
from geowarn.domain.effrain import EffrainRules, class_bounds, level_for, margins, rain_class
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainField
from geowarn.domain.rules import RuleSet
from geowarn.hazard.effrain_facts import Part, amounts, area_statistics, observed, reasons, series
from geowarn.hazard.filling import Fill, Ground
from geowarn.hazard.finding import Finding, gap_fact, unsplit_facts
from geowarn.hazard.zonal import Numbers

_KEYS = (
    "re_mm",
    "r0_mm",
    "window_mm",
    "before_window_mm",
    "antecedent_mm",
    "antecedent",
    "digits",
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
    "cells",
    "cells_missing",
    "missing_share",
    "max_mm",
    "mean_mm",
    "window_max_mm",
    "window_mean_mm",
    "observed_sources",
    "observed_unit",
    "lower_bound_reasons",
    "missing_observed",
    "unsplit",
    "series",
    "ensemble",
    "raised_by",
    "from_parent",
    "cannot_classify",
)


class Later(Mapping[str, Any]):
    """Evidence that is made when it is first looked into: for most hazard points nobody ever does."""

    __slots__ = ("_made", "_make")

    def __init__(self, make: Callable[[], Mapping[str, Any]]) -> None:
        self._make = make
        self._made: Mapping[str, Any] | None = None

    def _all(self) -> Mapping[str, Any]:
        if self._made is None:
            self._made = self._make()
        return self._made

    def __getitem__(self, key: str) -> Any:
        return self._all()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._all())

    def __len__(self) -> int:
        return len(self._all())


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for every area of one assessment."""

    forecast: Forecast
    window: Period
    rules: RuleSet
    limits: EffrainRules
    areas: Mapping[str, Area]


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
    hours = sum(gap["hours"] for gap in missing)
    why = {"reason": reason, "hours": hours, "missing": missing, "share": share}
    facts = {
        "cannot_classify": why,
        "unsplit": unsplit_facts(unsplit),
        "lower_bound_reasons": [],
        "missing_observed": [],
    }
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
    missing: float,
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
    facts |= amounts(limits.k, at, re_mm, float(r0[at]), inside, before)
    facts |= area_statistics(ground, re, inside, missing) | observed(area, context.areas, before)
    facts |= {"series": series(at, inside, before), "lower_bound_reasons": reasons(ground, inside, before)}
    return Finding(area, level, _document(context, area) | facts)


def _document(context: Context, area: Area) -> dict[str, Any]:
    rules, limits, forecast = context.rules, context.limits, context.forecast
    return dict.fromkeys(_KEYS) | {
        "model": rules.model,
        "rules": rules.name,
        "rules_version": rules.version,
        "rules_digest": rules.digest,
        "calibrated": rules.calibrated,
        "k": limits.k,
        "n": limits.days,
        "breaks_mm": list(limits.breaks),
        "share": limits.area_share,
        "window": {"from": context.window.start.isoformat(), "to": context.window.end.isoformat()},
        "source": forecast.source,
        "run_time": forecast.run_time.isoformat(),
        "susceptibility": area.susceptibility.value,
        "surveyed": area.surveyed,
    }
