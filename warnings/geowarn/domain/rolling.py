"""Highest sums of rain over rolling windows against a line per window and class (pure formulas).

The variable of Hong Kong's Landslip Warning: rain of the past hours, which a forecast only continues. Natural-terrain
initiation there: 75, 90, 100, 120, 150, 180, 200 mm in 1, 2, 4, 6, 8, 12, 24 h (ENTLI, 19,763 landslides).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import fsum
from typing import Any

from geowarn.domain.effrain import level_for, margins
from geowarn.domain.level import Level
from geowarn.domain.parameters import AreaRules, StepRules, area_rules, is_number, step_rules, wrong

_LONGEST = 72.0  # h


@dataclass(frozen=True, slots=True)
class RollingRules:
    """`lines[w]` are the rising class breaks in mm of the window of `hours[w]` hours."""

    areas: AreaRules
    steps: StepRules
    hours: tuple[float, ...]
    lines: tuple[tuple[float, ...], ...]

    def counts(self) -> tuple[int, ...]:
        """Steps of each window."""
        return tuple(round(hours / self.steps.hours) for hours in self.hours)


@dataclass(frozen=True, slots=True)
class Highest:
    """The highest sum of one window; it ends with step `end` (counted from 0) and begins `count - 1` steps before."""

    mm: float
    end: int
    count: int


def highest_sum(mm: Sequence[float], count: int, first_end: int) -> Highest:
    """The highest sum of `count` steps that ends with step `first_end` or later; the earliest of equals.

    A window that reaches back beyond the first step has the steps there are: the known part counts.
    """
    ends = range(first_end, len(mm))
    sums = [fsum(mm[max(end + 1 - count, 0) : end + 1]) for end in ends]
    best = max(range(len(sums)), key=lambda at: (sums[at], -at))
    return Highest(sums[best], ends[best], count)


@dataclass(frozen=True, slots=True)
class Standing:
    """A level from several windows: which one gives it, and the mm to the next level and over its own line."""

    level: Level
    window: int
    to_next_mm: float | None
    next_window: int | None
    over_own_mm: float | None


def standing(sums: Sequence[float], lines: Sequence[Sequence[float]], shift: int) -> Standing:
    """The highest level that any window gives; ties go to the window farthest over its line, then to the shorter."""
    levels = [level_for(mm, shift, breaks) for mm, breaks in zip(sums, lines, strict=True)]
    level = max(levels)
    found = [margins(mm, level, shift, breaks) for mm, breaks in zip(sums, lines, strict=True)]
    ahead = [(to_next, at) for at, (to_next, _) in enumerate(found) if to_next is not None]
    over = [(own / lines[at][0], -at) for at, (_, own) in enumerate(found) if own is not None and levels[at] == level]
    nearest = min(ahead, default=None)
    window = -max(over)[1] if over else (nearest[1] if nearest else 0)
    return Standing(
        level,
        window,
        nearest[0] if nearest else None,
        nearest[1] if nearest else None,
        found[window][1] if over else None,
    )


def read_parameters(parameters: Mapping[str, Any]) -> RollingRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    steps = step_rules(parameters)
    hours = _hours(parameters, steps)
    return RollingRules(area_rules(parameters), steps, hours, _lines(parameters, hours))


def _hours(parameters: Mapping[str, Any], steps: StepRules) -> tuple[float, ...]:
    value = parameters.get("windows_hours")
    wanted = f"0 < h1 < h2 < … <= {_LONGEST:g}, n x {steps.minutes} min"
    if not isinstance(value, list) or not value or any(not is_number(one) or not 0 < one <= _LONGEST for one in value):
        raise wrong("windows_hours", value, wanted)
    if any(later <= earlier for earlier, later in pairwise(value)) or any(one * 60 % steps.minutes for one in value):
        raise wrong("windows_hours", value, wanted)
    return tuple(float(one) for one in value)


def _lines(parameters: Mapping[str, Any], hours: Sequence[float]) -> tuple[tuple[float, ...], ...]:
    """`classes_mm`: rows from the lowest class up, one number a window; turned into breaks by window."""
    rows = parameters.get("classes_mm")
    wanted = f">= {int(Level.RED)} rows x {len(hours)} mm, each row above the one before"
    if not isinstance(rows, list) or len(rows) < Level.RED:
        raise wrong("classes_mm", rows, wanted)
    for row in rows:
        if not isinstance(row, list) or len(row) != len(hours) or any(not is_number(mm) or mm <= 0 for mm in row):
            raise wrong("classes_mm", row, wanted)
    columns = tuple(tuple(float(row[at]) for row in rows) for at in range(len(hours)))
    if any(later <= earlier for column in columns for earlier, later in pairwise(column)):
        raise wrong("classes_mm", rows, wanted)
    return columns
