"""`rolling-multi`: the highest rolling sums of 1 to 24 h against a line per window and class.

Sums end inside the window and may begin before it, so that a forecast only continues what has been measured. Works for
24 h and for nowcast windows of a few hours alike. Common evidence: `geowarn.hazard.hourly_evidence`; its own figures:

windows [{hours, mm, from, to, breaks_mm}]     the highest sum of each rolling window and its class breaks
window_hours, window_mm, window_from, window_to, window_line_mm   the window that gives the level and its line
to_next_mm, to_next_hours, over_own_mm         mm missing to the next level and in which window; mm over the own line
step_minutes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import threshold
from geowarn.domain.period import Period
from geowarn.domain.rolling import RollingRules, highest_sum, read_parameters, standing
from geowarn.domain.rules import RuleSet
from geowarn.hazard.hourly import window_sums
from geowarn.hazard.hourly_areas import Needs, Place, assess_areas
from geowarn.hazard.hourly_evidence import Verdict, neighbours
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

FIGURES = (
    "windows",
    "window_hours",
    "window_mm",
    "window_from",
    "window_to",
    "window_line_mm",
    "to_next_mm",
    "to_next_hours",
    "over_own_mm",
    "step_minutes",
)


class RollingMulti:
    """`geowarn.ports.HazardModel` over rolling windows (Hong Kong's Landslip Warning; ENTLI thresholds)."""

    name = "rolling-multi"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """The longest rolling window before the first hour of the longest window."""
        return 24 + round(max(read_parameters(rules.parameters).hours))

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window that is no number of steps."""
        return assess_areas(_Method(read_parameters(rules.parameters)), areas, rain, window, rules, cache)


class _Method:
    """`hourly_areas.Method`."""

    figures: Sequence[str] = FIGURES

    def __init__(self, rules: RollingRules) -> None:
        self.rules, self.areas, self.counts = rules, rules.areas, rules.counts()
        self.needs = Needs(rules.steps, max(rules.hours) - rules.steps.hours)

    def lack(self, codes: Sequence[str]) -> None:
        """Every area can be classified."""

    def told_by(self, codes: Sequence[str]) -> None:
        """Rain and terrain say everything."""

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """The highest class of any window, and how far it is on the way to the next."""
        found = [
            class_progress(window_sums(series, count, first_inside), breaks)
            for count, breaks in zip(self.counts, self.rules.lines, strict=True)
        ]
        return np.asarray(np.max(found, axis=0), dtype=np.float64)

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        rules, shift = self.rules, self.areas.shifts[area.susceptibility]
        found = [highest_sum(place.series, count, place.first_inside) for count in self.counts]
        stands = standing([one.mm for one in found], rules.lines, shift)
        at = stands.window
        windows = [
            {"hours": hours, "mm": one.mm, **place.period(one.end, one.count), "breaks_mm": list(breaks)}
            for hours, one, breaks in zip(rules.hours, found, rules.lines, strict=True)
        ]
        facts = {
            "shift": shift,
            "own_level": stands.level.code,
            **neighbours(stands.level, stands.to_next_mm, stands.over_own_mm),
            "windows": windows,
            "window_hours": windows[at]["hours"],
            "window_mm": windows[at]["mm"],
            "window_from": windows[at]["from"],
            "window_to": windows[at]["to"],
            "window_line_mm": threshold(stands.level, shift, rules.lines[at]) if stands.level else None,
            "to_next_mm": stands.to_next_mm,
            "to_next_hours": None if stands.next_window is None else rules.hours[stands.next_window],
            "over_own_mm": stands.over_own_mm,
            "step_minutes": rules.steps.minutes,
        }
        return Verdict(stands.level, facts)


def class_progress(mm: Numbers, breaks: Sequence[float]) -> Numbers:
    """How many breaks are reached, and the way already gone to the next one as a part of 1."""
    lines = np.array([0.0, *breaks, 2 * breaks[-1] + 1])
    reached = np.searchsorted(lines[1:-1], mm, side="right")
    way = (mm - lines[reached]) / (lines[reached + 1] - lines[reached])
    return np.asarray(reached + np.minimum(way, 1 - 1e-9), dtype=np.float64)
