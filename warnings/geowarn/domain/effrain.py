"""Effective rainfall against a table: one rain number, one terrain class, one lookup (pure formulas).

RE = R0 + k R1 + k^2 R2 + ... in mm; class = how many breaks RE has reached; level = class minus the shift of the
terrain class. Chen & Fang 2023 (k, n), Ji'an County (breaks 50 to 160 mm), GB/T 28592 (250 mm).
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from typing import Any

from geowarn.domain.area import Susceptibility
from geowarn.domain.level import Level
from geowarn.domain.parameters import flag, is_number, number, whole, wrong


@dataclass(frozen=True, slots=True)
class EffrainRules:
    """The parameters of one rule set; `breaks` in mm, `k` per day, shares between 0 and 1."""

    k: float
    days: int
    breaks: tuple[float, ...]
    shifts: Mapping[Susceptibility, int]
    area_share: float  # an area has the level that this share of its cells reaches
    min_coverage: float  # a cell counts when at least this share of it lies inside
    max_missing: float  # above this share of missing cells there is no level
    points_raise_area: bool
    station_km: float  # a gauge speaks for places within this distance
    member_share: float  # an ensemble has the level that this share of its members reaches


def factor(k: float, day: int) -> float:
    """k to the power of `day`, as close as a pencil gets it: 0.79 squared is 0.6241 and nothing else."""
    return float(Decimal(repr(k)) ** day)


def rain_class(re_mm: float, breaks: Sequence[float]) -> int:
    """How many breaks are reached; a break itself belongs to the higher class."""
    return bisect_right(breaks, re_mm)


def class_bounds(number: int, breaks: Sequence[float]) -> tuple[float | None, float | None]:
    """Lower and upper bound of a rain class in mm; None where it is open."""
    lower = breaks[number - 1] if number > 0 else None
    upper = breaks[number] if number < len(breaks) else None
    return lower, upper


def level_for(re_mm: float, shift: int, breaks: Sequence[float]) -> Level:
    """The level of an effective rainfall on terrain with this shift."""
    return Level(min(max(rain_class(re_mm, breaks) - shift, Level.NONE), Level.RED))


def threshold(level: Level, shift: int, breaks: Sequence[float]) -> float | None:
    """The smallest effective rainfall in mm that gives `level`; None where none does."""
    needed = level + shift
    return breaks[needed - 1] if 1 <= needed <= len(breaks) else None


def margins(re_mm: float, level: Level, shift: int, breaks: Sequence[float]) -> tuple[float | None, float | None]:
    """mm missing to the next level, and mm over the line of this one; None where there is no such line."""
    above = threshold(Level(level + 1), shift, breaks) if level < Level.RED else None
    own = threshold(level, shift, breaks) if level > Level.NONE else None
    return (None if above is None else above - re_mm), (None if own is None else re_mm - own)


def read_parameters(parameters: Mapping[str, Any]) -> EffrainRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    return EffrainRules(
        k=number(parameters, "k", 0.0, 1.0, open_below=True),
        days=whole(parameters, "antecedent_days", 0, 30),
        breaks=_breaks(parameters),
        shifts=_shifts(parameters),
        area_share=number(parameters, "area_share", 0.0, 1.0, open_below=True),
        min_coverage=number(parameters, "min_coverage", 0.0, 1.0),
        max_missing=number(parameters, "max_missing", 0.0, 1.0),
        points_raise_area=flag(parameters, "points_raise_area"),
        station_km=number({"station_km": 20.0, **parameters}, "station_km", 0.0, 500.0, open_below=True),
        member_share=number({"member_share": 0.5, **parameters}, "member_share", 0.0, 1.0, open_below=True),
    )


def _breaks(parameters: Mapping[str, Any]) -> tuple[float, ...]:
    value = parameters.get("breaks_mm")
    wanted = "0 < mm1 < mm2 < …, >= 4"
    if not isinstance(value, list) or len(value) < Level.RED:
        raise wrong("breaks_mm", value, wanted)
    if any(not is_number(one) or not 0 < one < 5000 for one in value):
        raise wrong("breaks_mm", value, wanted)
    if any(later <= earlier for earlier, later in pairwise(value)):
        raise wrong("breaks_mm", value, wanted)
    return tuple(float(one) for one in value)


def _shifts(parameters: Mapping[str, Any]) -> dict[Susceptibility, int]:
    """One whole number per terrain class, never falling from high to very low: that keeps the level monotone."""
    table = parameters.get("shifts")
    names = [one.value for one in Susceptibility]
    wanted = "0 <= " + " <= ".join(names)
    if not isinstance(table, Mapping) or sorted(table) != sorted(names):
        raise wrong("shifts", table, wanted)
    values = [table[name] for name in names]
    if any(isinstance(one, bool) or not isinstance(one, int) or one < 0 for one in values) or values != sorted(values):
        raise wrong("shifts", dict(table), wanted)
    return {one: table[one.value] for one in Susceptibility}
