"""EDuMaP: a matrix of time, warning level by landslide class (Calvello & Piciullo 2016, NHESS 16:103-122).

Time is cut into steps; in each step an area has the level in force at the step's start and the class of the
landslide event that the step belongs to. An event is a group of reports with no pause longer than `quiet_hours`
between them, its class the number of reports in it. A configured table calls each cell CP correct prediction,
FA false alert, MA missed alert or TN true negative, and grades it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor

from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score_issued import Issued, Span
from geowarn.domain.score_units import Event

KINDS = ("CP", "FA", "MA", "TN")
GRADES = ("green", "yellow", "red", "purple")  # right, slightly wrong, wrong, badly wrong
Matrix = tuple[tuple[float, ...], ...]  # hours; rows none to red, columns class 0 to k


@dataclass(frozen=True, slots=True)
class Criteria:
    """How time is counted and judged; `kinds` and `grades` have a row a level and a column a class, class 0 first."""

    classes: tuple[int, ...]  # the least number of reports of class 1 to k, rising
    quiet_hours: float
    step_hours: float
    lead_hours: float  # a warning counts from its release plus this
    kinds: tuple[tuple[str, ...], ...]
    grades: tuple[tuple[str, ...], ...]

    def class_of(self, reports: int) -> int:
        """The class of an event with this many reports."""
        return sum(reports >= least for least in self.classes)


def groups(events: Iterable[Event], quiet_hours: float) -> tuple[tuple[Event, ...], ...]:
    """The reports of one area as landslide events, in order of time."""
    found: list[list[Event]] = []
    reached = None
    for event in sorted(events, key=lambda one: (one.start, one.end)):
        if reached is None or event.start - reached > timedelta(hours=quiet_hours):
            found.append([])
        found[-1].append(event)
        reached = event.end if reached is None else max(reached, event.end)
    return tuple(tuple(group) for group in found)


def event_classes(events: Iterable[Event], period: Period, criteria: Criteria) -> dict[int, int]:
    """Step of `period` -> class, for the steps of one area that belong to a landslide event."""
    count = steps_in(period, criteria)
    found: dict[int, int] = {}
    for group in groups(events, criteria.quiet_hours):
        kind = criteria.class_of(len(group))
        first = max(0, floor(_steps(group[0].start - period.start, criteria)))
        last = ceil(_steps(max(event.end for event in group) - period.start, criteria))
        for step in range(first, min(max(last, first + 1), count)):
            found[step] = max(kind, found.get(step, 0))
    return found


def warned_steps(spans: Iterable[Span], period: Period, criteria: Criteria) -> dict[int, Level]:
    """Step of `period` -> level in force at the step's start, for the steps of one area that were warned."""
    count = steps_in(period, criteria)
    found: dict[int, Level] = {}
    for span in spans:
        start = span.start + timedelta(hours=criteria.lead_hours)
        first = max(0, ceil(_steps(start - period.start, criteria)))
        for step in range(first, min(max(0, ceil(_steps(span.end - period.start, criteria))), count)):
            found[step] = max(span.level, found.get(step, Level.NONE))
    return found


def duration_matrix(
    codes: Iterable[str], period: Period, issued: Issued, events: Mapping[str, Sequence[Event]], criteria: Criteria
) -> Matrix:
    """Hours by level and class over all areas; `events` by area hold those of everything inside it."""
    steps = [[0] * (len(criteria.classes) + 1) for _ in Level]
    for code in codes:
        warned = warned_steps(issued.of(code), period, criteria)
        classes = event_classes(events.get(code, ()), period, criteria)
        busy = warned.keys() | classes.keys()
        for step in busy:
            steps[warned.get(step, Level.NONE)][classes.get(step, 0)] += 1
        steps[Level.NONE][0] += steps_in(period, criteria) - len(busy)
    return tuple(tuple(count * criteria.step_hours for count in row) for row in steps)


def steps_in(period: Period, criteria: Criteria) -> int:
    """How many steps begin inside the period."""
    return ceil(_steps(period.end - period.start, criteria))


def _steps(span: timedelta, criteria: Criteria) -> float:
    return span / timedelta(hours=criteria.step_hours)


def hours_of(matrix: Matrix, names: Sequence[Sequence[str]]) -> dict[str, float]:
    """Hours by the name that a table of the same shape gives each cell."""
    found: dict[str, float] = {}
    for hours, row in zip(matrix, names, strict=True):
        for value, name in zip(hours, row, strict=True):
            found[name] = found.get(name, 0.0) + value
    return found


def indicators(matrix: Matrix, criteria: Criteria) -> dict[str, float | None]:
    """The paper's indicators from hours; `efficiency_active` leaves out the time with neither warning nor event."""
    hours = {kind: 0.0 for kind in KINDS} | hours_of(matrix, criteria.kinds)
    cp, fa, ma, tn = (hours[kind] for kind in KINDS)
    quiet = matrix[0][0]
    return {
        "efficiency": _ratio(cp + tn, cp + fa + ma + tn),
        "efficiency_active": _ratio(cp + tn - quiet, cp + fa + ma + tn - quiet),
        "hit_rate": _ratio(cp, cp + ma),
        "predictive_power": _ratio(cp, cp + fa),
        "threat_score": _ratio(cp, cp + ma + fa),
        "odds_ratio": _ratio(cp + tn, ma + fa),
        "missed_false_balance": _ratio(ma, ma + fa),
    }


def _ratio(above: float, below: float) -> float | None:
    return above / below if below > 0 else None
