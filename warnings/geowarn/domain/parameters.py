"""Reads the parameters of a rule set, one by one, and refuses by name what does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from geowarn.domain.area import Susceptibility
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level


@dataclass(frozen=True, slots=True)
class AreaRules:
    """How cells make an area, and how terrain enters; the same for every model."""

    shifts: Mapping[Susceptibility, int]
    area_share: float  # an area has the level that this share of its cells reaches
    min_coverage: float  # a cell counts when at least this share of it lies inside
    max_missing: float  # above this share of missing cells there is no level
    points_raise_area: bool


@dataclass(frozen=True, slots=True)
class StepRules:
    """The equal steps a series is made of; longer intervals are parted evenly only where `split` says so."""

    minutes: int
    split: bool

    @property
    def hours(self) -> float:
        """Length of a step in hours."""
        return self.minutes / 60


def wrong(name: str, value: object, wanted: str) -> Refused:
    """The refusal of one parameter: what it is and what it must be."""
    if value is None:
        return Refused("rules.parameter-missing", file="", parameter=name, wanted=wanted)
    return Refused("rules.parameter", file="", parameter=name, value=repr(value), wanted=wanted)


def is_number(value: object) -> bool:
    """Whether it is a number and no true or false."""
    return isinstance(value, int | float) and not isinstance(value, bool)


def number(parameters: Mapping[str, Any], name: str, low: float, high: float, *, open_below: bool = False) -> float:
    """A number from `low` to `high`; `open_below`: greater than `low`."""
    value = parameters.get(name)
    wanted = f"{'>' if open_below else '>='} {low:g}, <= {high:g}"
    if not is_number(value) or value is None or not low <= value <= high or (open_below and value == low):
        raise wrong(name, value, wanted)
    return float(value)


def whole(parameters: Mapping[str, Any], name: str, low: int, high: int) -> int:
    """A whole number from `low` to `high`."""
    value = parameters.get(name)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise wrong(name, value, f"{low} .. {high}")
    return value


def flag(parameters: Mapping[str, Any], name: str) -> bool:
    """True or false."""
    value = parameters.get(name)
    if not isinstance(value, bool):
        raise wrong(name, value, "true / false")
    return value


def numbers(
    parameters: Mapping[str, Any], name: str, low: float, high: float, *, count: int | None = None
) -> tuple[float, ...]:
    """A list of numbers above `low` and up to `high`, exactly `count` of them where it is given."""
    value = parameters.get(name)
    wanted = f"[x, …], > {low:g}, <= {high:g}" + (f", {count} x" if count else "")
    if not isinstance(value, list) or not value or (count is not None and len(value) != count):
        raise wrong(name, value, wanted)
    if any(not is_number(one) or not low < one <= high for one in value):
        raise wrong(name, value, wanted)
    return tuple(float(one) for one in value)


def rising(
    parameters: Mapping[str, Any], name: str, low: float, high: float, *, fewest: int = Level.RED
) -> tuple[float, ...]:
    """A strictly rising list of at least `fewest` numbers: breaks, of which each belongs to the higher class."""
    value = parameters.get(name)
    wanted = f"{low:g} < x1 < x2 < … <= {high:g}, >= {int(fewest)} x"
    if not isinstance(value, list) or len(value) < fewest:
        raise wrong(name, value, wanted)
    if any(not is_number(one) or not low < one <= high for one in value):
        raise wrong(name, value, wanted)
    if any(later <= earlier for earlier, later in pairwise(value)):
        raise wrong(name, value, wanted)
    return tuple(float(one) for one in value)


def by_terrain(parameters: Mapping[str, Any], name: str, low: int, high: int, *, falling: bool) -> dict[Any, int]:
    """One whole number per terrain class that never rises (or never falls) from high to very low: that keeps levels
    monotone in susceptibility."""
    table = parameters.get(name)
    names = [one.value for one in Susceptibility]
    wanted = (" >= " if falling else " <= ").join(names) + f", {low} .. {high}"
    if not isinstance(table, Mapping) or sorted(table) != sorted(names):
        raise wrong(name, table, wanted)
    values = [table[terrain] for terrain in names]
    if any(isinstance(one, bool) or not isinstance(one, int) or not low <= one <= high for one in values):
        raise wrong(name, dict(table), wanted)
    if values != sorted(values, reverse=falling):
        raise wrong(name, dict(table), wanted)
    return {one: table[one.value] for one in Susceptibility}


def area_rules(parameters: Mapping[str, Any], *, shifted: bool = True) -> AreaRules:
    """`shifts` (where the method has no susceptibility of its own), `area_share`, `min_coverage`, `max_missing` and
    `points_raise_area`; raises Refused."""
    return AreaRules(
        shifts=by_terrain(parameters, "shifts", 0, 10, falling=False) if shifted else {},
        area_share=number(parameters, "area_share", 0.0, 1.0, open_below=True),
        min_coverage=number(parameters, "min_coverage", 0.0, 1.0),
        max_missing=number(parameters, "max_missing", 0.0, 1.0),
        points_raise_area=flag(parameters, "points_raise_area"),
    )


def step_rules(parameters: Mapping[str, Any]) -> StepRules:
    """`step_minutes` (10 to 360, into which a day parts evenly) and `split_intervals`; raises Refused."""
    minutes = whole(parameters, "step_minutes", 10, 360)
    if 1440 % minutes:
        raise wrong("step_minutes", minutes, "10 .. 360, 1440 / x = n")
    return StepRules(minutes, flag(parameters, "split_intervals"))
