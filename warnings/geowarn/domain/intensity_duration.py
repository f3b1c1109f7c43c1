"""Intensity-duration curves I = c + alpha D^-beta: mean intensity in mm/h over D hours (pure formulas).

Exceeded where the mean intensity over any window of a length in the curve's range reaches it. The published curves
differ by a factor of eight, so a curve ranks days; levels follow from the ratio of observed to curve intensity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.parameters import AreaRules, StepRules, area_rules, is_number, number, rising, step_rules, wrong


@dataclass(frozen=True, slots=True)
class Curve:
    """One published curve; `from_hours` and `to_hours` bound the durations it was made for."""

    id: str
    c: float
    alpha: float
    beta: float
    from_hours: float
    to_hours: float
    region: str

    def intensity(self, hours: float) -> float:
        """Threshold intensity in mm/h for a duration in hours."""
        return float(self.c + self.alpha * hours**-self.beta)

    def depth(self, hours: float) -> float:
        """Threshold depth in mm for a duration in hours."""
        return self.intensity(hours) * hours


@dataclass(frozen=True, slots=True)
class IdRules:
    """The curves in use and the breaks of the ratio q = observed / threshold intensity."""

    areas: AreaRules
    steps: StepRules
    curves: tuple[Curve, ...]
    ratios: tuple[float, ...]
    longest_hours: float

    def lines(self) -> tuple[tuple[Curve, int], ...]:
        """Every curve with every window, in steps, that lies in its range, shorter first."""
        found = [
            (curve, count)
            for curve in self.curves
            for count in range(1, round(self.longest_hours / self.steps.hours) + 1)
            if curve.from_hours <= count * self.steps.hours <= curve.to_hours
        ]
        return tuple(sorted(found, key=lambda line: line[1]))

    def breaks(self, curve: Curve, count: int) -> tuple[float, ...]:
        """The depths in mm over `count` steps at which the ratio reaches each break."""
        depth = curve.depth(count * self.steps.hours)
        return tuple(ratio * depth for ratio in self.ratios)


def read_parameters(parameters: Mapping[str, Any]) -> IdRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    steps = step_rules(parameters)
    rules = IdRules(
        areas=area_rules(parameters),
        steps=steps,
        curves=_chosen(parameters),
        ratios=rising(parameters, "ratio_breaks", 0.0, 100.0, fewest=Level.RED),
        longest_hours=number(parameters, "longest_hours", steps.hours, 240.0),
    )
    if not rules.lines():
        raise wrong("longest_hours", rules.longest_hours, f">= {min(one.from_hours for one in rules.curves):g}")
    return rules


def _chosen(parameters: Mapping[str, Any]) -> tuple[Curve, ...]:
    rows = parameters.get("curves")
    if not isinstance(rows, list) or not rows:
        raise wrong("curves", rows, "[[parameters.curves]]")
    curves = {curve.id: curve for curve in map(_curve, rows)}
    wanted = parameters.get("use")
    if not isinstance(wanted, list) or not wanted or any(one not in curves for one in wanted):
        raise wrong("use", wanted, '["id", …]: ' + ", ".join(curves))
    return tuple(curves[one] for one in dict.fromkeys(wanted))


def _curve(row: Any) -> Curve:
    name = row.get("id") if isinstance(row, Mapping) else None
    if not isinstance(name, str) or not name:
        raise wrong("curves", row, 'id = "…"')
    values = _values(row, name, ("c", "alpha", "beta", "from_hours", "to_hours"))
    if values[0] < 0 or values[1] < 0 or values[0] + values[1] == 0:
        raise wrong(f"curves.{name}.alpha", values[1], "c >= 0, alpha >= 0, c + alpha > 0")
    if not 0 <= values[2] <= 1:  # above 1 a longer window would need less rain in all
        raise wrong(f"curves.{name}.beta", values[2], "0 .. 1")
    if not 0 < values[3] < values[4]:
        raise wrong(f"curves.{name}.from_hours", values[3], "0 < from_hours < to_hours")
    return Curve(name, *values, str(row.get("region", "")))


def _values(row: Mapping[str, Any], name: str, keys: Sequence[str]) -> tuple[float, float, float, float, float]:
    for key in keys:
        if not is_number(row.get(key)):
            raise wrong(f"curves.{name}.{key}", row.get(key), "0 .. 1000")
    c, alpha, beta, start, end = (float(row[key]) for key in keys)
    return c, alpha, beta, start, end
