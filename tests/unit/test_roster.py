"""What is wrong with a roster is found before the shift, what is right is not: also where the clocks change."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.duty import Band, Holiday, Part, RosterRules, seats
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.period import Period
from geowarn.domain.roster import (
    Fault,
    Finding,
    band_window,
    candidates,
    day_window,
    findings,
    gaps,
    taken_over,
    wall_moment,
    week_of,
)

BERLIN, YANTAI = ZoneInfo("Europe/Berlin"), ZoneInfo("Asia/Shanghai")
START = datetime(2026, 7, 20, 0, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
RULES = RosterRules()


def person(name: str, *roles: Role, phone: bool = True, active: bool = True) -> User:
    return User(name, name, name, frozenset(roles or {Role.DUTY_OFFICER}), "", active, b"x" if phone else None)


PEOPLE = {name: person(name) for name in "abcdef"}
PEOPLE["boss"] = person("boss", Role.LEADER)


def shift(number: int, start: datetime, hours: float = 12, officer: str = "a", deputy: str | None = "b") -> Shift:
    return Shift(f"sh-{number}", officer, deputy, start, start + hours * HOUR, "boss")


def faults(*shifts: Shift, days: int = 1, rules: RosterRules = RULES, zone: ZoneInfo = YANTAI) -> list[Finding]:
    return list(findings(shifts, PEOPLE, START, START + timedelta(days=days), rules, zone))


def whole(days: int) -> list[Shift]:
    pairs = itertools.cycle([("a", "b"), ("c", "d")])
    return [shift(n, START + n * 12 * HOUR, 12, *next(pairs)) for n in range(2 * days)]


def test_a_good_week_has_no_fault() -> None:
    assert faults(*whole(7), days=7) == []


def test_a_hole_is_found_with_its_time() -> None:
    held = whole(7)
    removed = held.pop(5)
    assert faults(*held, days=7) == [Finding(Fault.GAP, removed.start, removed.end)]


def test_a_person_without_a_number_role_or_account_is_found() -> None:
    people = PEOPLE | {"a": person("a", phone=False), "c": person("c", Role.AUDITOR), "d": person("d", active=False)}
    found = findings(whole(1), people, START, START + 24 * HOUR, RULES, YANTAI)
    named = [(one.fault, one.people, one.shifts) for one in found]
    assert named == [
        (Fault.NO_NUMBER, ("a",), ("sh-0",)),
        (Fault.INACTIVE, ("d",), ("sh-1",)),
        (Fault.NO_ROLE, ("c",), ("sh-1",)),
    ]


def test_overlap_double_duty_and_an_empty_seat_are_found() -> None:
    first, second = shift(0, START, 13), shift(1, START + 12 * HOUR, 12, "c", "a")
    found = faults(first, second)
    assert [one.fault for one in found] == [Fault.DOUBLE, Fault.OVERLAP]
    assert all((one.start, one.end) == (START + 12 * HOUR, START + 13 * HOUR) for one in found)
    assert [one.part for one in faults(shift(0, START, 24, "a", None))] == [Part.DEPUTY]
    assert [one.fault for one in faults(shift(0, START, 24, "a", "a"))] == [Fault.DOUBLE]


def test_a_holiday_needs_a_leader_on_call() -> None:
    day = Holiday(date(2026, 7, 21), date(2026, 7, 21), "节日", "Holiday")
    rules = RosterRules(needed=frozenset({Part.OFFICER}), holidays=(day,))
    before = Shift("s1", "a", None, START, START + 16 * HOUR)  # until midnight in Yantai, and not a moment later
    on = Shift("s2", "c", None, START + 16 * HOUR, START + 40 * HOUR)
    found = findings([before, on], PEOPLE, START, START + 40 * HOUR, rules, YANTAI)
    assert [(one.fault, one.part, one.shifts) for one in found] == [(Fault.VACANT, Part.LEADER, ("s2",))]


def test_shifts_of_twelve_hours_leave_a_hole_where_the_clocks_go_back() -> None:
    night = Band("夜班", "Night", time(20), time(8))
    start, end = band_window(date(2026, 10, 24), night, BERLIN)
    assert end - start == timedelta(hours=13)
    by_wall = Shift("night", "a", "b", start, end, "boss")
    by_hours = Shift("night", "a", "b", start, start + timedelta(hours=12), "boss")
    day = Shift("day", "c", "d", end, end + 12 * HOUR, "boss")
    window = (start, day.end, RULES, BERLIN)
    assert findings([by_wall, day], PEOPLE, *window) == ()
    assert findings([by_hours, day], PEOPLE, *window) == (Finding(Fault.GAP, start + 12 * HOUR, end),)


def test_and_an_overlap_where_they_go_forward() -> None:
    night = Band("夜班", "Night", time(20), time(8))
    start, end = band_window(date(2026, 3, 28), night, BERLIN)
    assert end - start == timedelta(hours=11)
    day = Shift("day", "c", "d", end, end + 12 * HOUR, "boss")
    late = Shift("night", "a", "b", start, start + timedelta(hours=12), "boss")
    found = findings([late, day], PEOPLE, start, day.end, RULES, BERLIN)
    assert [(one.fault, one.start, one.end) for one in found] == [(Fault.OVERLAP, end, end + HOUR)]


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_days_and_bands_follow_one_another_all_year(year: int) -> None:
    bands = (Band("白班", "Day", time(8), time(20)), Band("夜班", "Night", time(20), time(8)))
    days = [date(year, 1, 1) + timedelta(days=n) for n in range(365)]
    windows = [band_window(day, band, BERLIN) for day in days for band in bands]
    assert all(one[1] == other[0] for one, other in itertools.pairwise(windows))
    assert all(day_window(one, BERLIN)[1] == day_window(other, BERLIN)[0] for one, other in itertools.pairwise(days))


def test_a_wall_clock_that_happens_twice_or_never_is_refused() -> None:
    for text in ("2026-10-25T02:30", "2026-03-29T02:30", "tomorrow"):
        with pytest.raises(ValueError, match=r".+"):
            wall_moment(text, BERLIN)
    assert wall_moment("2026-10-25T02:30+01:00", BERLIN) == datetime(2026, 10, 25, 1, 30, tzinfo=UTC)
    assert wall_moment("2026-07-23 20:00", YANTAI) == datetime(2026, 7, 23, 12, 0, tzinfo=UTC)


def test_week_and_candidates() -> None:
    assert week_of(date(2026, 7, 23))[0] == date(2026, 7, 20)
    held = [*whole(1), shift(9, START + 30 * HOUR, 12, "e", "f")]
    free = candidates(PEOPLE.values(), held, START + 24 * HOUR, START + 30 * HOUR, Part.OFFICER, 12 * HOUR)
    assert free == ("a", "b")  # c and d have just been on, e and f are on next
    assert candidates(PEOPLE.values(), held, START + 48 * HOUR, START + 60 * HOUR, Part.LEADER, 6 * HOUR) == ("boss",)


# --- properties

SPANS = st.lists(st.tuples(st.integers(0, 7 * 24 * 4), st.integers(1, 100), st.sampled_from("abcdef")), max_size=30)


def quarter(n: int) -> datetime:
    return START + n * timedelta(minutes=15)


@given(SPANS)
def test_shifts_and_gaps_together_are_the_period(spans: list[tuple[int, int, str]]) -> None:
    made = [Shift(f"s{n}", who, None, quarter(at), quarter(at + size)) for n, (at, size, who) in enumerate(spans)]
    window = Period(START, START + timedelta(days=7))
    holes = gaps(made, window)
    for n in range(7 * 24 * 4):
        moment = quarter(n)
        covered = any(one.covers(moment) for one in made)
        assert covered != any(hole.start <= moment < hole.end for hole in holes)
    assert sum((hole.end - hole.start for hole in holes), timedelta()) <= timedelta(days=7)


@given(st.lists(st.integers(1, 60), min_size=1, max_size=20), st.sampled_from([BERLIN, YANTAI]))
def test_a_whole_roster_is_never_blamed(lengths: list[int], zone: ZoneInfo) -> None:
    """Whatever the lengths of the shifts, and wherever the clocks change."""
    start = datetime(2026, 10, 24, 3, 0, tzinfo=UTC)
    edges = [start]
    for length in lengths:
        edges.append(edges[-1] + length * timedelta(minutes=30))
    pairs = itertools.cycle([("a", "b"), ("c", "d")])
    made = [Shift(f"s{n}", *next(pairs), edges[n], edges[n + 1], "boss") for n in range(len(edges) - 1)]
    assert findings(made, PEOPLE, start, edges[-1], RULES, zone) == ()


@given(SPANS)
def test_every_finding_is_true(spans: list[tuple[int, int, str]]) -> None:
    made = [Shift(f"s{n}", who, None, quarter(at), quarter(at + size)) for n, (at, size, who) in enumerate(spans)]
    rules = RosterRules(needed=frozenset({Part.OFFICER}))
    end = START + timedelta(days=7)
    for one in findings(made, PEOPLE, START, end, rules, YANTAI):
        assert START <= one.start < one.end <= end
        on = [s for s in made if s.covers(one.start)]
        assert (not on) if one.fault is Fault.GAP else (one.fault is Fault.OVERLAP and len(on) > 1)


@given(
    st.integers(0, 47), st.integers(1, 48), st.sampled_from(["c", "b"]), st.sampled_from([Part.OFFICER, Part.DEPUTY])
)
def test_a_swap_leaves_no_hole_and_changes_nobody_else(first: int, length: int, taker: str, part: Part) -> None:
    held = Shift("sh", "a", "b", START, START + 24 * HOUR, "boss", "uid@else")
    start, end = START + first * HOUR / 2, min(START + (first + length) * HOUR / 2, held.end)
    if dict(seats(held))[part] == taker:
        return
    numbers = itertools.count()
    pieces = taken_over(held, part, taker, start, end, lambda: f"new-{next(numbers)}")
    assert pieces[0].start == held.start
    assert pieces[-1].end == held.end
    assert all(one.end == other.start for one, other in itertools.pairwise(pieces))
    assert pieces[0].id == "sh"
    assert len({piece.id for piece in pieces}) == len(pieces)
    assert [piece.uid for piece in pieces] == ["uid@else"] + [None] * (len(pieces) - 1)
    inside = next(piece for piece in pieces if piece.start == start)
    assert dict(seats(inside))[part] == taker
    assert inside.leader == "boss"
    assert len({name for _, name in seats(inside)}) == 3  # an exchange keeps both
    for piece in pieces:
        if piece is not inside:
            assert (piece.officer, piece.deputy, piece.leader) == ("a", "b", "boss")


def test_a_swap_never_empties_the_officers_seat() -> None:
    with pytest.raises(ValueError, match="exchange"):
        taken_over(Shift("s", "a", None, START, START + HOUR), Part.DEPUTY, "a", START, START + HOUR, str)
