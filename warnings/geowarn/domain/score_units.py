"""The unit of count: one area and one window, or one area and one day; each event lies in one unit of an area at most.

Which run decides: the newest one made before the unit begins; where none was, the first one made inside it, and then
the unit begins when that run was made; where only later ones are, the newest, and the unit is marked as hindcast. An
event belongs where the middle of its interval of time lies.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from geowarn.domain.area import Area, ancestors
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score import Outcome
from geowarn.domain.score_issued import Issued


@dataclass(frozen=True, slots=True)
class Event:
    """One landslide as it was reported; it happened at some moment from `start` to `end`, both UTC."""

    area: str
    start: datetime
    end: datetime
    kind: str
    size: str
    source: str

    @property
    def middle(self) -> datetime:
        """The middle of the interval in which it happened."""
        return self.start + (self.end - self.start) / 2


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of count: the level that the deciding run gave the area, and the events inside, earliest first."""

    area: str
    period: Period
    run: str
    level: Level | None
    lower_bound: bool
    late: bool  # no run was there before the unit began
    hindcast: bool  # worked out when the unit was over: it tells of the thresholds, not of the service
    events: tuple[Event, ...] = ()
    evidence: Mapping[str, Any] = field(default_factory=dict)

    @property
    def assessed(self) -> Outcome:
        """How the model's level scores."""
        return Outcome(self.level, len(self.events))

    def issued(self, issued: Issued) -> Outcome:
        """How the level in force scores: at the first event's earliest moment; without one the highest of the unit."""
        if self.events:
            level = issued.at(self.area, min(event.start for event in self.events))
        else:
            level = issued.highest(self.area, self.period)
        return Outcome(level, len(self.events))


def area_windows(runs: Iterable[AssessmentRun], codes: Sequence[str]) -> tuple[Unit, ...]:
    """Windows that do not overlap, for each area from the earliest on: one begun inside one taken is passed over."""
    found: list[Unit] = []
    for mine in _by_area(runs, codes).values():
        by_window: dict[Period, list[_Said]] = defaultdict(list)
        for one in mine:
            by_window[one.run.window].append(one)
        reached: datetime | None = None
        for window in sorted(by_window):
            if reached is None or window.start >= reached:
                found.append(_decided(window, by_window[window]))
                reached = window.end
    return tuple(found)


def area_days(runs: Iterable[AssessmentRun], codes: Sequence[str], days: Sequence[Period]) -> tuple[Unit, ...]:
    """One unit per area and day; only runs whose window covers at least half of the day may decide it."""
    ordered = sorted(runs, key=lambda one: (one.created_at, one.id))
    wanted = dict.fromkeys(codes)
    said = {run.id: {one.area: _Said(run, one) for one in run.assessments if one.area in wanted} for run in ordered}
    found: list[Unit] = []
    for day in days:
        fitting = [said[run.id] for run in ordered if _half(run.window, day)]
        for code in wanted:
            mine = [areas[code] for areas in fitting if code in areas]
            found += [_decided(day, mine)] if mine else []
    return tuple(found)


def days_between(period: Period, zone: ZoneInfo, begins: time) -> tuple[Period, ...]:
    """The local days whose middle lies in `period`, each from `begins` o'clock to the next; 20:00 is Chinese practice.

    So two seasons that touch never count a day twice.
    """
    first: date = period.start.astimezone(zone).date() - timedelta(days=1)
    found: list[Period] = []
    while True:
        edges = [datetime.combine(first + timedelta(days=ahead), begins, zone) for ahead in (0, 1)]
        day = Period(*edges)
        if day.start >= period.end:
            return tuple(found)
        if period.start < day.start + (day.end - day.start) / 2 <= period.end:
            found.append(day)
        first += timedelta(days=1)


def with_events(
    units: Sequence[Unit], events: Iterable[Event], areas: Mapping[str, Area]
) -> tuple[tuple[Unit, ...], tuple[Event, ...]]:
    """The units with their events, and the events that lie in no unit; a child's event counts once for each holder."""
    by_area: dict[str, list[int]] = defaultdict(list)
    for index, unit in enumerate(units):
        by_area[unit.area].append(index)
    ends = {}
    for code, indices in by_area.items():
        indices.sort(key=lambda index: units[index].period)
        ends[code] = [units[index].period.end for index in indices]
    inside: dict[int, list[Event]] = defaultdict(list)
    outside = []
    for event in sorted(events, key=_order):
        held = False
        for code in ancestors(event.area, areas):
            place = bisect_left(ends.get(code, []), event.middle)
            if code in by_area and place < len(by_area[code]):
                index = by_area[code][place]
                if units[index].period.start < event.middle:
                    inside[index].append(event)
                    held = True
        outside += [] if held else [event]
    found = tuple(replace(unit, events=tuple(inside.get(index, ()))) for index, unit in enumerate(units))
    return found, tuple(outside)


def _order(event: Event) -> tuple[datetime, datetime, str, str, str, str]:
    return event.start, event.end, event.area, event.kind, event.size, event.source


class _Said(NamedTuple):
    """What one run says of one area."""

    run: AssessmentRun
    found: Assessment


def _by_area(runs: Iterable[AssessmentRun], codes: Sequence[str]) -> dict[str, list[_Said]]:
    said: dict[str, list[_Said]] = {code: [] for code in codes}
    for run in sorted(runs, key=lambda one: (one.created_at, one.id)):
        for one in run.assessments:
            if one.area in said:
                said[one.area].append(_Said(run, one))
    return {code: mine for code, mine in said.items() if mine}


def _half(window: Period, day: Period) -> bool:
    shared = min(window.end, day.end) - max(window.start, day.start)
    return shared >= (day.end - day.start) / 2


def _decided(period: Period, said: Sequence[_Said]) -> Unit:
    """The unit as its deciding run gives it; `said` is oldest first and not empty."""
    before = [one for one in said if one.run.created_at <= period.start]
    inside = [one for one in said if period.start < one.run.created_at < period.end]
    late = not before and bool(inside)
    run, found = before[-1] if before else inside[0] if inside else said[-1]
    counted = Period(run.created_at, period.end) if late else period
    hindcast = not (before or inside)
    return Unit(found.area, counted, run.id, found.level, found.lower_bound, late, hindcast, evidence=found.evidence)
