"""`id-threshold`: mean intensity over windows of every length against intensity-duration curves.

Every window length in a curve's range of validity, up to the rule set's longest, that ends inside the assessed window.
Common evidence: `geowarn.hazard.hourly_evidence`; its own figures:

curve, c, alpha, beta                        the curve that decides, I = c + alpha D^-beta
duration_hours, mm, intensity, window_from, window_to     the window that decides: mm in D hours, mm/h
threshold_intensity, ratio                   I(D) in mm/h, and q = intensity / I(D)
ratio_breaks                                 the q at which each class begins
to_next_mm, to_next_hours, over_own_mm       mm missing to the next level and in which window; mm over the own line
step_minutes
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.intensity_duration import IdRules, read_parameters
from geowarn.domain.period import Period
from geowarn.domain.rolling import highest_sum, standing
from geowarn.domain.rules import RuleSet
from geowarn.hazard.hourly import window_sums
from geowarn.hazard.hourly_areas import Needs, Place, assess_areas
from geowarn.hazard.hourly_evidence import Verdict, neighbours
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

FIGURES = (
    "curve",
    "c",
    "alpha",
    "beta",
    "duration_hours",
    "mm",
    "intensity",
    "window_from",
    "window_to",
    "threshold_intensity",
    "ratio",
    "ratio_breaks",
    "to_next_mm",
    "to_next_hours",
    "over_own_mm",
    "step_minutes",
)


class IdThreshold:
    """`geowarn.ports.HazardModel` over published curves (Caine 1980 and later)."""

    name = "id-threshold"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """The longest duration before the first hour of the longest window."""
        return 24 + int(-(-read_parameters(rules.parameters).longest_hours // 1))

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window that is no number of steps."""
        return assess_areas(_Method(read_parameters(rules.parameters)), areas, rain, window, rules, cache)


class _Method:
    """`hourly_areas.Method`."""

    figures: Sequence[str] = FIGURES

    def __init__(self, rules: IdRules) -> None:
        self.rules, self.areas, self.lines = rules, rules.areas, rules.lines()
        self.breaks = [rules.breaks(curve, count) for curve, count in self.lines]
        longest = max(count for _, count in self.lines) * rules.steps.hours
        self.needs = Needs(rules.steps, longest - rules.steps.hours)

    def lack(self, codes: Sequence[str]) -> None:
        """Every area can be classified."""

    def told_by(self, codes: Sequence[str]) -> None:
        """Rain and terrain say everything."""

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """The greatest ratio over all windows and curves."""
        found = np.zeros(series.shape[1])
        for curve, count in self.lines:
            depth = curve.depth(count * self.rules.steps.hours)
            found = np.maximum(found, window_sums(series, count, first_inside) / depth)
        return found

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        rules, shift = self.rules, self.areas.shifts[area.susceptibility]
        found = [highest_sum(place.series, count, place.first_inside) for _, count in self.lines]
        stands = standing([one.mm for one in found], self.breaks, shift)
        depths = [curve.depth(count * rules.steps.hours) for curve, count in self.lines]
        at = max(range(len(found)), key=lambda one: (found[one].mm / depths[one], -one))
        (curve, count), highest = self.lines[at], found[at]
        hours, period = count * rules.steps.hours, place.period(highest.end, count)
        ahead = None if stands.next_window is None else self.lines[stands.next_window][1] * rules.steps.hours
        facts = {
            "shift": shift,
            "own_level": stands.level.code,
            **neighbours(stands.level, stands.to_next_mm, stands.over_own_mm),
            "curve": curve.id,
            "c": curve.c,
            "alpha": curve.alpha,
            "beta": curve.beta,
            "duration_hours": hours,
            "mm": highest.mm,
            "intensity": highest.mm / hours,
            "window_from": period["from"],
            "window_to": period["to"],
            "threshold_intensity": curve.intensity(hours),
            "ratio": highest.mm / depths[at],
            "ratio_breaks": list(rules.ratios),
            "to_next_mm": stands.to_next_mm,
            "to_next_hours": ahead,
            "over_own_mm": stands.over_own_mm,
            "step_minutes": rules.steps.minutes,
        }
        return Verdict(stands.level, facts)
