"""Antecedent rainfall index of seven days, and the decision of LHASA 1.1 (pure formulas).

ARI = sum w_t R_t / sum w_t with w_t = (t+1)^-2, t = 0 (the newest day) … 6: normalised, so never above the wettest day.
wet = ARI above the local 95th percentile of ARI; moderate = wet and susceptibility > 2; high = moderate and
susceptibility > 4, on a scale of 1 to 5 (Kirschbaum & Stanley 2018, Earth's Future 6:505; nasa/LHASA v1.1).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import fsum
from typing import Any

from geowarn.domain.area import Susceptibility
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.parameters import AreaRules, area_rules, by_terrain, is_number, number, whole, wrong

MODERATE_ABOVE, HIGH_ABOVE = 2, 4


@dataclass(frozen=True, slots=True)
class AriRules:
    """`scale` turns our terrain classes into LHASA's 1 to 5; `normal_mm` holds the 95th percentile by area code."""

    areas: AreaRules
    days: int
    exponent: float
    scale: Mapping[Susceptibility, int]
    moderate: Level
    high: Level
    normal_mm: Mapping[str, float]
    normal_file: str  # CSV `area,mm`; empty: none
    normal_sha256: str


def weights(days: int, exponent: float) -> tuple[float, ...]:
    """The weight of today and of each day before."""
    return tuple(float((age + 1) ** -exponent) for age in range(days))


def ari(mm: Sequence[float], exponent: float) -> float:
    """The index in mm of daily totals, newest first."""
    shares = weights(len(mm), exponent)
    return fsum(share * one for share, one in zip(shares, mm, strict=True)) / fsum(shares)


def decide(index_mm: float, normal_mm: float, susceptibility: int) -> str:
    """`none`, `moderate` or `high`; exactly the normal value is not yet wet."""
    if not index_mm > normal_mm or susceptibility <= MODERATE_ABOVE:
        return "none"
    return "high" if susceptibility > HIGH_ABOVE else "moderate"


def read_parameters(parameters: Mapping[str, Any]) -> AriRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    moderate, high = _level(parameters, "moderate_level"), _level(parameters, "high_level")
    if high < moderate:
        raise wrong("high_level", high.code, f">= {moderate.code}")
    named, digest = _text(parameters, "normal_file"), _text(parameters, "normal_sha256")
    if named and len(digest) != 64:
        raise wrong("normal_sha256", digest, "SHA-256 (64 x 0-9 a-f)")
    return AriRules(
        areas=area_rules(parameters, shifted=False),
        days=whole(parameters, "days", 1, 31),
        exponent=number(parameters, "exponent", 0.0, 5.0),
        scale=by_terrain(parameters, "susceptibility", 1, 5, falling=True),
        moderate=moderate,
        high=high,
        normal_mm=_normals(parameters),
        normal_file=named,
        normal_sha256=digest,
    )


def _level(parameters: Mapping[str, Any], name: str) -> Level:
    value = parameters.get(name)
    try:
        return Level.parse(str(value))
    except Refused:
        raise wrong(name, value, ", ".join(level.code for level in Level)) from None


def _text(parameters: Mapping[str, Any], name: str) -> str:
    value = parameters.get(name)
    if not isinstance(value, str):
        raise wrong(name, value, '"…"')
    return value.strip()


def _normals(parameters: Mapping[str, Any]) -> dict[str, float]:
    table = parameters.get("normal_mm")
    if not isinstance(table, Mapping):
        raise wrong("normal_mm", table, "[parameters.normal_mm] code = mm")
    for code, mm in table.items():
        if not is_number(mm) or not 0 < mm <= 1500:
            raise wrong(f"normal_mm.{code}", mm, "> 0, <= 1500")
    return {code: float(mm) for code, mm in table.items()}
