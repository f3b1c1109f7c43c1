"""`logistic`: a probability from the installation's own coefficients, levels by probability breaks.

Rolling sums and the soil water index are the highest in the window, effective rainfall is that of its end. Common
evidence: `geowarn.hazard.hourly_evidence`; its own figures:

covariates [{name, value, coefficient, term}], intercept, z      z = intercept + the sum of the terms
probability, probability_breaks                                  p = 1 / (1 + exp(-z)), and the breaks of the classes
to_next_p, over_own_p                                            probability to the next level, and over the own line
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import factor, level_for, margins
from geowarn.domain.logistic import ROLLING, LogisticRules, linear, probability, read_parameters
from geowarn.domain.period import Period
from geowarn.domain.rolling import highest_sum
from geowarn.domain.rules import RuleSet
from geowarn.domain.soil_water import index_of, storages
from geowarn.hazard.filling import exact_sum
from geowarn.hazard.hourly import window_sums
from geowarn.hazard.hourly_areas import Needs, Place, assess_areas
from geowarn.hazard.hourly_evidence import Verdict, neighbours
from geowarn.hazard.jma_swi import highest_index
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

FIGURES = ("covariates", "intercept", "z", "probability", "probability_breaks", "to_next_p", "over_own_p")


class Logistic:
    """`geowarn.ports.HazardModel` that refuses to work without the user's own coefficients."""

    name = "logistic"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """What the covariates named look back on."""
        read = read_parameters(rules.parameters)
        return 24 + max(round(_hours_before(read)), 24 * read.days)

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window that is no number of steps."""
        return assess_areas(_Method(read_parameters(rules.parameters)), areas, rain, window, rules, cache)


def _hours_before(rules: LogisticRules) -> float:
    """Hours of the series before the window."""
    longest = max((ROLLING[name] for name in rules.coefficients if name in ROLLING), default=0)
    return max(longest - rules.steps.hours if longest else 0.0, rules.spin_up_hours)


class _Method:
    """`hourly_areas.Method`."""

    figures: Sequence[str] = FIGURES

    def __init__(self, rules: LogisticRules) -> None:
        self.rules, self.areas = rules, rules.areas
        self.counts = {
            name: round(hours / rules.steps.hours) for name, hours in ROLLING.items() if name in rules.coefficients
        }
        wants_series = bool(self.counts) or rules.tanks is not None
        self.needs = Needs(
            rules.steps if wants_series else None,
            _hours_before(rules),
            rules.days if "re" in rules.coefficients else None,
        )

    def lack(self, codes: Sequence[str]) -> None:
        """Every area can be classified."""

    def told_by(self, codes: Sequence[str]) -> None:
        """Rain and terrain say everything."""

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """The rain's part of z; terrain adds the same to every cell of an area."""
        found = np.zeros(max(series.shape[1], days.shape[1]))
        for name, b in self.rules.coefficients.items():
            found = found + b * self._values(name, series, first_inside, days)
        return found

    def _values(self, name: str, series: Numbers, first_inside: int, days: Numbers) -> Numbers | float:
        if name in self.counts:
            return window_sums(series, self.counts[name], first_inside)
        if name == "re":
            return exact_sum([factor(self.rules.k, day) * mm for day, mm in enumerate(days)], days.shape[1])
        if name == "swi" and self.rules.tanks is not None:
            return highest_index(series, first_inside, self.rules.tanks, self._parts())
        return 0.0

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        rules, shift = self.rules, self.areas.shifts[area.susceptibility]
        values = {name: self._value(name, area, place) for name in rules.coefficients}
        z = linear(rules.intercept, rules.coefficients, values)
        p = probability(z)
        level = level_for(p, shift, rules.breaks)
        to_next, over = margins(p, level, shift, rules.breaks)
        facts = {
            "shift": shift,
            "own_level": level.code,
            **neighbours(level, to_next, over),
            "covariates": _terms(rules.coefficients, values),
            "intercept": rules.intercept,
            "z": z,
            "probability": p,
            "probability_breaks": list(rules.breaks),
            "to_next_p": to_next,
            "over_own_p": over,
        }
        return Verdict(level, facts)

    def _value(self, name: str, area: Area, place: Place) -> float:
        if name in self.counts:
            return highest_sum(place.series, self.counts[name], place.first_inside).mm
        if name == "re":
            decayed = [np.array([factor(self.rules.k, day) * mm]) for day, mm in enumerate(place.days)]
            return float(exact_sum(decayed, 1)[0])
        if name == "swi" and self.rules.tanks is not None:
            found = storages(place.series, self.rules.tanks, self._parts())
            return max(index_of(state) for state in found[place.first_inside :])
        return float(self.rules.terrain[area.susceptibility])

    def _parts(self) -> int:
        return round(self.rules.steps.hours / self.rules.tanks.dt) if self.rules.tanks else 1


def _terms(coefficients: Mapping[str, float], values: Mapping[str, float]) -> list[dict[str, float | str]]:
    return [
        {"name": name, "value": values[name], "coefficient": b, "term": b * values[name]}
        for name, b in coefficients.items()
    ]
