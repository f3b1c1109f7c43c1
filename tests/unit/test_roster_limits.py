"""What a leader of one area may not do to the roster, silence after a shift has begun, rows that meet in one file."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.test_roster_desk import DAY, HOUR, Office, lines, office

from geowarn.domain.duty import Part, Swap, SwapState
from geowarn.domain.errors import NotEntitled, Refused
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.roster_asks import ask_people
from geowarn.pipeline.roster_import import import_roster
from geowarn.pipeline.roster_swaps import ask_swap, decide

__all__ = ["office"]


def of_one_county(office: Office, name: str) -> Actor:
    """A leader in one county only; the roster is the whole installation's."""
    actor = office.actor(name)
    user = replace(actor.user, areas={Role.LEADER: frozenset({"370687"})})
    with office.store.begin() as work:
        work.users.save(user)
        work.commit()
    return replace(actor, user=user)


def test_a_leader_of_one_county_overrides_nobody(office: Office) -> None:
    with pytest.raises(Refused, match="swap-others"):
        ask_swap(office.desk, of_one_county(office, "yi"), "s2", Part.OFFICER, "ji", "急病")
    found = office.shift("s2")
    assert found is not None
    assert found.officer == "geng"
    assert "swap.asked" not in office.kinds()


def test_a_leader_of_one_county_swaps_their_own_seat_as_anybody_does(office: Office) -> None:
    asked = ask_swap(office.desk, of_one_county(office, "yi"), "s3", Part.LEADER, "xin", "出差")
    assert asked.state is SwapState.ASKED, "the taker has not agreed"


@pytest.mark.parametrize("asked_by", ["yi", "geng"])
def test_a_leader_of_one_county_approves_no_swap(office: Office, asked_by: str) -> None:
    leader, now = of_one_county(office, "yi"), office.clock.now()
    times = (DAY + 12 * HOUR, DAY + 24 * HOUR)
    with office.store.begin() as work:
        work.roster.save_swap(
            Swap("sw", "s2", Part.OFFICER, "geng", "ji", *times, "x", asked_by, now, SwapState.AGREED, now)
        )
        work.commit()
    with pytest.raises(NotEntitled):
        decide(office.desk, "sw", leader, approve=True)
    if asked_by == "yi":
        assert decide(office.desk, "sw", leader, approve=False).state is SwapState.REFUSED
    else:
        with pytest.raises(NotEntitled):
            decide(office.desk, "sw", leader, approve=False)


def about(office: Office, shift_id: str) -> set[str]:
    return {subject for kind, subject, _ in office.tasks() if kind == "shift-silent" and subject.startswith(shift_id)}


def test_a_question_that_runs_out_as_the_shift_begins_is_a_task_until_its_end(office: Office) -> None:
    office.clock.advance(hours=7, minutes=50)
    ask_people(office.desk)  # twenty minutes to answer, ten minutes before the shift
    with office.store.read() as work:
        assert {ask.due_at for ask in work.roster.asks(["s2"])} == {DAY + 12 * HOUR}
    assert about(office, "s2 ") == set()
    office.clock.advance(minutes=10)
    ask_people(office.desk)
    everybody = {"s2 geng", "s2 wu", "s2 yi"}
    assert about(office, "s2 ") == everybody
    office.clock.advance(hours=11, minutes=59)
    ask_people(office.desk)
    assert about(office, "s2 ") == everybody
    office.clock.advance(minutes=1)
    ask_people(office.desk)
    assert about(office, "s2 ") == set()
    assert office.kinds().count("task.closed") == 3
    ask_people(office.desk)
    assert about(office, "s2 ") == set()


def test_the_task_about_a_shift_that_is_gone_is_closed(office: Office) -> None:
    ask_people(office.desk)
    office.clock.advance(hours=4, minutes=1)
    ask_people(office.desk)
    assert about(office, "s2 ")
    with office.store.begin() as work:
        work.shifts.remove("s2")
        work.commit()
    ask_people(office.desk)
    assert about(office, "s2 ") == set()


TIMES = "2026-07-25T08:00,2026-07-25T20:00"  # of s5
OTHER = "2026-08-10T08:00,2026-08-10T20:00"
NIGHT = "2026-07-25T20:00,2026-07-26T08:00"  # of s6


@pytest.mark.parametrize(
    "rows",
    [
        (f",{OTHER},jia,ji,yi", f",{OTHER},ji,jia,yi"),
        (f"s5,{OTHER},jia,ji,yi", f"s5@anywhere,{TIMES},ji,jia,yi"),
        (f"s5,{TIMES},jia,ji,yi", f",{TIMES},ji,jia,yi"),
        (f",{TIMES},ji,jia,yi", f"s5,{TIMES},jia,ji,yi"),
        (f"x1,{OTHER},jia,ji,yi", f"x2,{OTHER},ji,jia,yi"),
    ],
    ids=["same time", "one shift twice", "by id and time", "by time and id", "two new ones"],
)
def test_rows_that_would_overwrite_each_other_are_refused(office: Office, rows: tuple[str, str]) -> None:
    before = office.shift("s5")
    with pytest.raises(Refused, match="file-twice") as refused:
        import_roster(office.desk, office.actor("admin"), lines(*rows), "a.csv")
    assert (refused.value.facts["first"], refused.value.facts["line"]) == (2, 3)
    assert office.shift("s5") == before
    assert "roster.imported" not in office.kinds()


def test_two_shifts_of_one_file_may_change_places(office: Office) -> None:
    """Which shift a row is about is read before any of them is changed."""
    done = import_roster(
        office.desk, office.actor("admin"), lines(f"s5,{NIGHT},jia,ji,yi", f"s6,{TIMES},geng,wu,yi"), "a.csv"
    )
    assert (done.changed, done.added) == (2, 0)
    day, night = office.shift("s6"), office.shift("s5")
    assert day is not None
    assert night is not None
    assert (day.officer, day.end) == ("geng", night.start)


def test_a_row_without_id_never_overwrites_a_shift_that_was_moved_away(office: Office) -> None:
    boss = office.actor("admin")
    import_roster(office.desk, boss, lines(f",{OTHER},jia,ji,yi"), "a.csv")
    with office.store.read() as work:
        (first,) = work.shifts.between(DAY + 18 * 24 * HOUR, DAY + 19 * 24 * HOUR)
    office.change(first.id, start=first.start + 24 * HOUR, end=first.end + 24 * HOUR)
    assert import_roster(office.desk, boss, lines(f",{OTHER},ji,jia,yi"), "b.csv").added == 1
    moved = office.shift(first.id)
    assert moved is not None
    assert (moved.officer, moved.start) == ("jia", first.start + 24 * HOUR)
