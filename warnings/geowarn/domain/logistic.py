"""A logistic model with the user's own coefficients: p = 1 / (1 + exp(-z)), z = intercept + sum b_i x_i.

No published coefficients can be used as they are, so none are shipped. Covariates: `r1h`, `r3h`, `r6h`, `r24h` (highest
rolling sums in mm), `re` (effective rainfall in mm), `swi` (soil water index in mm), `class` (a number per terrain).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp, fsum
from typing import Any

from geowarn.domain.area import Susceptibility
from geowarn.domain.level import Level
from geowarn.domain.parameters import (
    AreaRules,
    StepRules,
    area_rules,
    by_terrain,
    is_number,
    number,
    rising,
    step_rules,
    whole,
    wrong,
)
from geowarn.domain.soil_water import Tanks, read_tanks

ROLLING = {"r1h": 1, "r3h": 3, "r6h": 6, "r24h": 24}  # hours
COVARIATES = (*ROLLING, "re", "swi", "class")


@dataclass(frozen=True, slots=True)
class LogisticRules:
    """Coefficients by covariate; `k` and `days` only where `re` is used, tanks only where `swi` is."""

    areas: AreaRules
    steps: StepRules
    intercept: float
    coefficients: Mapping[str, float]
    breaks: tuple[float, ...]  # probabilities
    terrain: Mapping[Susceptibility, int]
    k: float
    days: int
    tanks: Tanks | None
    spin_up_hours: int


def linear(intercept: float, coefficients: Mapping[str, float], values: Mapping[str, float]) -> float:
    """z of one place."""
    return fsum((intercept, *(factor * values[name] for name, factor in coefficients.items())))


def probability(z: float) -> float:
    """p of z, without overflow at either end."""
    return 1 / (1 + exp(-z)) if z >= 0 else exp(z) / (1 + exp(z))


def read_parameters(parameters: Mapping[str, Any]) -> LogisticRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    coefficients = _coefficients(parameters)
    breaks = rising(parameters, "probability_breaks", 0.0, 1.0, fewest=Level.RED)
    if breaks[-1] == 1.0:
        raise wrong("probability_breaks", list(breaks), "< 1")
    steps = step_rules(parameters)
    if set(ROLLING) & set(coefficients) and 60 % steps.minutes:
        raise wrong("step_minutes", steps.minutes, "60 / x = n")
    wets, soaks = "re" in coefficients, "swi" in coefficients
    terrain = by_terrain(parameters, "class_values", 0, 100, falling=True) if "class" in coefficients else {}
    return LogisticRules(
        areas=area_rules(parameters),
        steps=steps,
        intercept=number(parameters, "intercept", -1000.0, 1000.0),
        coefficients=coefficients,
        breaks=breaks,
        terrain=terrain,
        k=number(parameters, "k", 0.0, 1.0, open_below=True) if wets else 0.0,
        days=whole(parameters, "antecedent_days", 0, 30) if wets else 0,
        tanks=read_tanks(parameters, steps) if soaks else None,
        spin_up_hours=whole(parameters, "spin_up_hours", 24, 24 * 120) if soaks else 0,
    )


def _coefficients(parameters: Mapping[str, Any]) -> dict[str, float]:
    """None is negative: a level must never fall when rain or susceptibility rises."""
    table = parameters.get("coefficients")
    wanted = "[parameters.coefficients] " + ", ".join(COVARIATES) + " >= 0"
    if not isinstance(table, Mapping) or not table:
        raise wrong("coefficients", table, wanted)
    for name, value in table.items():
        if name not in COVARIATES or not is_number(value) or not 0 <= value <= 1000:
            raise wrong(f"coefficients.{name}", value, wanted)
    if not set(table) - {"class"}:
        raise wrong("coefficients", dict(table), wanted)
    return {name: float(table[name]) for name in COVARIATES if name in table}
