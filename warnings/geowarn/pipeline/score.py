"""A season scored: stored runs and issued bulletins against the landslides that were reported."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from geowarn.domain.area import Area, ancestors, by_code
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score import Outcome, Table, at_least, exactly
from geowarn.domain.score_edumap import Criteria, Matrix, duration_matrix
from geowarn.domain.score_issued import Issued, hours_by_level, spans_of
from geowarn.domain.score_times import Lead, lead_of
from geowarn.domain.score_units import Event, Unit, area_days, area_windows, days_between, with_events
from geowarn.domain.warning import Series, WarningStatus
from geowarn.pipeline.area_choice import select_areas
from geowarn.pipeline.score_rules import ScoreRules
from geowarn.pipeline.season import levels_only, runs_between
from geowarn.ports import Clock, Store, UnitOfWork

UNITS = ("area-day", "area-window")
WARNED = tuple(level for level in Level if level > Level.NONE)
_BACK = timedelta(hours=48)  # a run that decides a unit may have been made this long before the season


class Counted(NamedTuple):
    """The tables of one series of levels, exactly and at least each level."""

    exact: Mapping[Level, Table]
    cumulative: Mapping[Level, Table]


@dataclass(frozen=True, slots=True)
class Report:
    """Everything a season report says; hours are area-hours."""

    unit: str
    period: Period
    zone: str
    made_at: datetime
    areas: tuple[Area, ...]
    runs: int
    rules: tuple[str, ...]
    synthetic: bool
    calibrated: bool
    units: tuple[Unit, ...]
    unfinished: int  # units not over yet, not counted
    events: tuple[Event, ...]
    beyond: int  # reports before or after the season
    outside: tuple[Event, ...]  # events that lie in no unit
    assessed: Counted
    issued: Counted
    issued_outcomes: tuple[Outcome, ...]  # one a unit
    crossed: Mapping[Level | None, Mapping[Level, int]]  # assessed level -> issued level -> units
    matrix: Matrix
    criteria: Criteria
    leads: tuple[Lead, ...]
    lead_from: Level
    hours: Mapping[Level, float]
    area_hours: float
    bulletins: int
    dismissed: int  # courses that people did not issue
    by_hand: int  # courses that people opened without a forecast


class _Stored(NamedTuple):
    runs: tuple[AssessmentRun, ...]
    chains: tuple[tuple[Bulletin, ...], ...]
    dismissed: int
    by_hand: int


def score(
    store: Store,
    clock: Clock,
    events: Sequence[Event],
    *,
    rules: ScoreRules,
    unit: str,
    zone: str,
    start: datetime | None = None,
    end: datetime | None = None,
    area_codes: Sequence[str] | None = None,
    synthetic_installation: bool = False,
) -> Report:
    """Score the season from `start` to `end`, else everything stored; raises Refused where there is nothing to score.

    Only drills are left out. `area_codes` are codes or kinds; None takes the kinds that the rules name.
    """
    now = clock.now()
    with store.read() as work:
        areas = work.areas.all()
        chosen = select_areas(areas, area_codes or [kind.value for kind in rules.areas])
        codes = [area.code for area in chosen]
        stored = _stored(work, now, start, end, frozenset(codes))
    known = by_code(areas)
    period = _season(stored.runs, start, end)
    runs = [run for run in stored.runs if run.window.overlaps(period)]
    units = _units(unit, runs, codes, period, zone, rules)
    over = [one for one in units if one.period.end <= now]
    mine = [event for event in events if period.start < event.middle <= period.end]
    counted, outside = with_events(over, mine, known)
    issued = Issued((span for chain in stored.chains for span in spans_of(chain)), known)
    past = Period(period.start, min(period.end, now)) if now > period.start else period
    used = {one.run for one in over}
    outcomes = tuple(one.issued(issued) for one in counted)
    return Report(
        unit=unit,
        period=past,
        zone=zone,
        made_at=now,
        areas=tuple(chosen),
        runs=len(used),
        rules=tuple(sorted({run.rules for run in runs if run.id in used})),
        synthetic=synthetic_installation or any(run.synthetic for run in runs),
        calibrated=all(run.calibrated for run in runs),
        units=counted,
        unfinished=len(units) - len(over),
        events=tuple(mine),
        beyond=len(events) - len(mine),
        outside=outside,
        assessed=_counted([one.assessed for one in counted]),
        issued=_counted(outcomes),
        issued_outcomes=outcomes,
        crossed=_crossed(counted, issued),
        matrix=duration_matrix(codes, past, issued, _inside(mine, known), rules.criteria),
        criteria=rules.criteria,
        leads=tuple(lead_of(event, issued, rules.lead_from) for event in mine),
        lead_from=rules.lead_from,
        hours=hours_by_level(issued, codes, past),
        area_hours=past.hours * len(codes),
        bulletins=sum(period.start < one.released_at <= period.end for chain in stored.chains for one in chain),
        dismissed=stored.dismissed,
        by_hand=stored.by_hand,
    )


def _stored(
    work: UnitOfWork, now: datetime, start: datetime | None, end: datetime | None, codes: frozenset[str]
) -> _Stored:
    real = [warning for warning in work.warnings.all() if warning.series is not Series.EXERCISE]
    opened = [w for w in real if (start is None or w.opened_at > start) and (end is None or w.opened_at <= end)]
    first = [one for w in opened for one in work.proposals.of_warning(w.id)[-1:]]
    return _Stored(
        runs=tuple(levels_only(run, codes) for run in runs_between(work, start and start - _BACK, now)),
        chains=tuple(work.bulletins.of_warning(warning.id) for warning in real),
        dismissed=sum(warning.status is WarningStatus.DISMISSED for warning in opened),
        by_hand=sum(one.content.assessment_id is None for one in first),
    )


def _season(runs: Sequence[AssessmentRun], start: datetime | None, end: datetime | None) -> Period:
    """The season asked for; where an edge is open, that of the first or last window."""
    if start is not None and end is not None and start >= end:
        raise Refused("score.season", start=start.isoformat(), end=end.isoformat())
    windows = [
        run.window
        for run in runs
        if (start is None or run.window.end > start) and (end is None or run.window.start < end)
    ]
    if not windows:
        raise Refused("score.nothing", start=_edge(start), end=_edge(end))
    return Period(start or min(one.start for one in windows), end or max(one.end for one in windows))


def _edge(moment: datetime | None) -> str:
    return "…" if moment is None else moment.isoformat(timespec="minutes")


def _inside(events: Sequence[Event], areas: Mapping[str, Area]) -> dict[str, list[Event]]:
    """The events of each area and of everything inside it."""
    found: dict[str, list[Event]] = defaultdict(list)
    for event in events:
        for code in ancestors(event.area, areas):
            found[code].append(event)
    return found


def _units(
    unit: str, runs: Sequence[AssessmentRun], codes: Sequence[str], period: Period, zone: str, rules: ScoreRules
) -> tuple[Unit, ...]:
    if unit == "area-window":
        return area_windows([run for run in runs if period.contains(run.window)], codes)
    if unit == "area-day":
        return area_days(runs, codes, days_between(period, ZoneInfo(zone), rules.day_begins))
    raise Refused("score.unit", value=unit, wanted=", ".join(UNITS))


def _counted(outcomes: Sequence[Outcome]) -> Counted:
    return Counted(
        {level: exactly(outcomes, level) for level in WARNED}, {level: at_least(outcomes, level) for level in WARNED}
    )


def _crossed(units: Sequence[Unit], issued: Issued) -> dict[Level | None, dict[Level, int]]:
    """What people issued for what the model said: units by assessed and highest issued level."""
    rows: list[Level | None] = [*Level, None]
    found = {row: dict.fromkeys(Level, 0) for row in rows}
    for one in units:
        found[one.level][issued.highest(one.area, one.period)] += 1
    return found
