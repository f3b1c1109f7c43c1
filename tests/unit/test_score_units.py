"""The unit of count: which run decides, where an event belongs, and that nothing is counted twice."""

from __future__ import annotations

from collections import Counter
from datetime import time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score_season import AREAS, T0, at, bulletin, event, run

from geowarn.domain.area import ancestors
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score import Outcome, at_least
from geowarn.domain.score_issued import Issued, spans_of
from geowarn.domain.score_units import Event, area_days, area_windows, days_between, with_events

ZONE = ZoneInfo("Asia/Shanghai")
DAYS = days_between(Period(at(0), at(72)), ZONE, time(20))
YELLOW, RED, NONE = Level.YELLOW, Level.RED, Level.NONE


def test_days_begin_at_20_local_time() -> None:
    assert tuple(Period(at(24 * day), at(24 * day + 24)) for day in range(3)) == DAYS
    assert days_between(Period(at(0), at(11)), ZONE, time(20)) == ()


def test_the_newest_run_made_before_the_day_decides() -> None:
    runs = [run("old", -9, -1, {"a": RED}), run("new", -2, -1, {"a": YELLOW}), run("after", 3, 3, {"a": NONE})]
    (unit,) = area_days(runs, ["a"], DAYS[:1])
    assert (unit.run, unit.level, unit.late, unit.hindcast) == ("new", YELLOW, False, False)
    assert unit.period == DAYS[0]


def test_without_one_the_first_run_made_inside_decides_from_then_on() -> None:
    (unit,) = area_days([run("x", 3, 2, {"a": YELLOW}), run("y", 5, 4, {"a": RED})], ["a"], DAYS[:1])
    assert (unit.run, unit.late, unit.period) == ("x", True, Period(at(3), at(24)))
    counted, outside = with_events([unit], [event("a", 2), event("a", 4)], AREAS)
    assert [one.start for one in counted[0].events] == [at(4)]
    assert [one.start for one in outside] == [at(2)]


def test_a_run_made_afterwards_is_marked_as_hindcast() -> None:
    (unit,) = area_windows([run("x", 900, 0, {"a": YELLOW})], ["a"])
    assert (unit.hindcast, unit.late, unit.period) == (True, False, Period(at(0), at(24)))


def test_a_run_that_covers_less_than_half_of_a_day_does_not_decide_it() -> None:
    assert area_days([run("x", -2, 0, {"a": RED}, hours=6)], ["a"], DAYS[:1]) == ()


def test_windows_that_overlap_one_already_taken_are_passed_over() -> None:
    runs = [run(str(start), start - 1, start, {"a": YELLOW}) for start in (0, 6, 12, 24, 30, 47, 48)]
    assert [one.run for one in area_windows(runs, ["a"])] == ["0", "24", "48"]


def test_what_cannot_be_classified_is_never_none() -> None:
    (unit,) = area_windows([run("x", -1, 0, {"a": None})], ["a"])
    counted, _ = with_events([unit], [event("a", 3)], AREAS)
    assert at_least([counted[0].assessed], YELLOW).total == 0


def test_a_childs_event_counts_once_for_every_area_that_holds_it() -> None:
    units = area_days([run("x", -1, 0, {code: YELLOW for code in AREAS})], list(AREAS), DAYS[:1])
    counted, outside = with_events(units, [event("a1", 3), event("a1", 3.5, source="camera")], AREAS)
    assert {one.area: len(one.events) for one in counted} == {"city": 2, "a": 2, "a1": 2, "b": 0}
    assert not outside


def test_an_uncertain_event_lies_where_the_middle_of_its_interval_lies() -> None:
    units = area_days([run("x", -1, 0, {"a": YELLOW}), run("y", 23, 24, {"a": RED})], ["a"], DAYS[:2])
    counted, _ = with_events(units, [event("a", 20, 27), event("a", 24), event("a", 20, 29)], AREAS)
    assert [len(one.events) for one in counted] == [2, 1]  # middles 23.5 h, 24 h and 24.5 h: windows are (start, end]


def test_a_warning_issued_after_the_first_landslide_is_no_hit() -> None:
    units = area_days([run("x", -1, 0, {"a": RED})], ["a"], DAYS[:1])
    (early,), _ = with_events(units, [event("a", 3, 4), event("a", 9)], AREAS)
    (none,), _ = with_events(units, [], AREAS)
    issued = Issued(spans_of([bulletin(1, 3.5, 20, {"a": YELLOW})]), AREAS)
    assert early.issued(issued) == Outcome(NONE, 2)
    assert none.issued(issued) == Outcome(YELLOW, 0)


_levels = st.one_of(st.none(), st.sampled_from(list(Level)))
_runs = st.lists(
    st.tuples(st.integers(-30, 60), st.integers(-24, 48), st.dictionaries(st.sampled_from(["a", "a1", "b"]), _levels)),
    max_size=12,
).map(lambda found: [run(f"r{n}", made, start, levels) for n, (made, start, levels) in enumerate(found)])
_events = st.lists(
    st.tuples(st.sampled_from(["city", "a", "a1", "b"]), st.integers(-30, 90), st.integers(0, 30)), max_size=12
).map(lambda found: [event(area, start, start + long, str(n)) for n, (area, start, long) in enumerate(found)])


@given(_runs, _events, st.integers(0, 1000))
def test_the_order_of_runs_and_events_changes_nothing(
    runs: list[AssessmentRun], events: list[Event], seed: int
) -> None:
    other_runs, other_events = list(runs), list(events)
    Random(seed).shuffle(other_runs)
    Random(seed + 1).shuffle(other_events)
    codes = ["a", "a1", "b"]
    for units, others in (
        (area_windows(runs, codes), area_windows(other_runs, codes)),
        (area_days(runs, codes, DAYS), area_days(other_runs, codes, DAYS)),
    ):
        assert with_events(units, events, AREAS) == with_events(others, other_events, AREAS)


@given(_runs, _events)
def test_units_of_an_area_never_overlap_and_hold_each_event_at_most_once(
    runs: list[AssessmentRun], events: list[Event]
) -> None:
    for units in (area_windows(runs, ["a", "a1", "b"]), area_days(runs, ["a", "a1", "b"], DAYS)):
        counted, outside = with_events(units, events, AREAS)
        for one in counted:
            assert not any(one.area == b.area and one is not b and one.period.overlaps(b.period) for b in counted)
            assert all(one.area in ancestors(held.area, AREAS) for held in one.events)
            assert all(one.period.start < held.middle <= one.period.end for held in one.events)
        seen = Counter((one.area, held) for one in counted for held in one.events)
        assert set(seen.values()) <= {1}
        assert {held for _, held in seen} | set(outside) == set(events)
        assert not {held for _, held in seen} & set(outside)


@given(_runs, _events)
def test_scoring_two_stretches_is_scoring_the_whole(runs: list[AssessmentRun], events: list[Event]) -> None:
    whole = days_between(Period(at(0), at(72)), ZONE, time(20))
    first, second = (days_between(Period(at(a), at(b)), ZONE, time(20)) for a, b in ((0, 30), (30, 72)))
    assert first + second == whole
    found = {}
    for name, days in (("whole", whole), ("first", first), ("second", second)):
        counted, _ = with_events(area_days(runs, ["a", "b"], days), events, AREAS)
        found[name] = at_least([one.assessed for one in counted], YELLOW)
    assert found["whole"] == found["first"] + found["second"]


def test_summer_time_makes_a_day_of_23_hours() -> None:
    start = T0.replace(month=3, day=28)
    days = days_between(Period(start, start + timedelta(days=3)), ZoneInfo("Europe/Oslo"), time(0))
    assert sorted(day.hours for day in days) == [23, 24, 24]
