"""Shifts, questions before them, swaps and hand-over: in one transaction each, with its entry, and told in time."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from tests.conftest import FakeClock

from geowarn.domain.duty import MOST_TRIES, Part, RosterRules, SwapState
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.roster import assign, check, remove, watch_roster
from geowarn.pipeline.roster_asks import ask_people, confirm, hear
from geowarn.pipeline.roster_desk import RosterDesk
from geowarn.pipeline.roster_handover import hand_over, take_over
from geowarn.pipeline.roster_import import import_roster
from geowarn.pipeline.roster_report import entries_between, shift_report
from geowarn.pipeline.roster_swaps import agree, ask_swap, decide
from geowarn.pipeline.signoff import on_shift
from geowarn.store.unit_of_work import SqlStore

YANTAI, BERLIN = ZoneInfo("Asia/Shanghai"), ZoneInfo("Europe/Berlin")
HOUR = timedelta(hours=1)
DAY = datetime(2026, 7, 23, 0, 0, tzinfo=UTC)  # 08:00 in Yantai; the clock stands at 12:00
ROLES = {
    "jia": Role.DUTY_OFFICER, "ji": Role.DUTY_OFFICER, "geng": Role.DUTY_OFFICER, "wu": Role.DUTY_OFFICER,
    "yi": Role.LEADER, "xin": Role.LEADER, "admin": Role.ADMINISTRATOR, "audit": Role.AUDITOR,
}  # fmt: skip


class Office:
    """An in-memory store with people and, from yesterday 20:00 on, shifts of twelve hours for nine days."""

    def __init__(self, store: SqlStore, clock: FakeClock, zone: ZoneInfo = YANTAI) -> None:
        self.store, self.clock = store, clock
        self.desk = RosterDesk(store, clock, RosterRules(), zone)
        with store.begin() as work:
            for name, role in ROLES.items():
                work.users.save(User(name, name, name, frozenset({role}), phone_sealed=b"sealed", phone_masked="*"))
            work.commit()

    def fill(self, start: datetime = DAY - 12 * HOUR, count: int = 19) -> Office:
        pairs = itertools.cycle([("geng", "wu"), ("jia", "ji")])
        with self.store.begin() as work:
            for n in range(count):
                officer, deputy = next(pairs)
                work.shifts.add(
                    Shift(f"s{n}", officer, deputy, start + n * 12 * HOUR, start + (n + 1) * 12 * HOUR, "yi")
                )
            work.commit()
        return self

    def change(self, shift_id: str, **other: object) -> None:
        with self.store.begin() as work:
            held = work.shifts.get(shift_id)
            assert held is not None
            work.shifts.save(replace(held, **other))  # type: ignore[arg-type]
            work.commit()

    def actor(self, name: str, via: str = "console") -> Actor:
        with self.store.read() as work:
            user = work.users.get(name)
        assert user is not None
        return Actor(user, via, "127.0.0.1")

    def shift(self, shift_id: str) -> Shift | None:
        with self.store.read() as work:
            return work.shifts.get(shift_id)

    def tasks(self) -> set[tuple[str, str, str | None]]:
        with self.store.read() as work:
            return {(task.kind, task.subject, task.owner) for task in work.tasks.pending()}

    def kinds(self) -> list[str]:
        with self.store.read() as work:
            return [entry.kind for entry in work.ledger.entries()]

    def codes(self) -> dict[str, str]:
        """What each person was sent, newest question first."""
        with self.store.read() as work:
            newest = {name: asks[-1] for name in ROLES if (asks := work.roster.asked(name))}
            notices = {name: work.notices.of_subject(ask.id) for name, ask in newest.items()}
        return {name: str(told[0].facts["code"]) for name, told in notices.items() if told}


@pytest.fixture
def office(store: SqlStore, clock: FakeClock) -> Office:
    return Office(store, clock).fill()


# --- what is wrong is told days ahead


def test_a_whole_roster_raises_nothing(office: Office) -> None:
    assert watch_roster(office.desk) == ()
    assert office.tasks() == set()


def test_a_hole_is_a_task_before_the_shift_and_filling_it_closes_it(office: Office) -> None:
    hole = office.shift("s9")
    assert hole is not None
    remove(office.desk, office.actor("yi"), "s9")
    assert len(watch_roster(office.desk)) == 1
    assert watch_roster(office.desk) == ()
    (task,) = office.tasks()
    assert (task[0], task[2]) == ("roster-fault", "yi")
    office.clock.advance(hours=30)
    assert watch_roster(office.desk) == ()  # the same hole, later: no second task
    assert office.tasks() == {task}
    assign(office.desk, office.actor("yi"), "jia", "ji", "yi", hole.start, hole.end)
    watch_roster(office.desk)
    assert office.tasks() == set()


def test_a_person_without_a_number_is_a_task_seven_days_ahead(office: Office) -> None:
    office.change("s13", deputy="xin")  # six and a half days ahead, and without the role either
    with office.store.begin() as work:
        held = work.users.get("xin")
        assert held is not None
        work.users.save(replace(held, roles=frozenset({Role.DUTY_OFFICER}), phone_sealed=None))
        work.commit()
    assert watch_roster(office.desk) == ("no-number s13 xin deputy",)


def test_nothing_beyond_seven_days_is_told(office: Office) -> None:
    office.change("s16", deputy=None)
    assert watch_roster(office.desk) == ()
    office.clock.advance(hours=12)
    assert watch_roster(office.desk) == ("vacant s16 deputy",)


def test_where_the_clocks_change_the_hour_is_told_before_the_night(store: SqlStore, clock: FakeClock) -> None:
    clock.moment = datetime(2026, 10, 20, 6, 0, tzinfo=UTC)  # 08:00 in Berlin, five days before
    office = Office(store, clock, BERLIN)
    head = "id,start,end,officer,deputy,leader\n"
    rows = []
    for n, day in enumerate(range(20, 28)):
        first, second = (("jia", "ji"), ("geng", "wu"))
        end = "07:00" if day == 24 else "08:00"  # somebody counted twelve hours from 20:00 and forgot the extra one
        rows.append(f"d{n},2026-10-{day}T08:00,2026-10-{day}T20:00,{','.join(first)},yi")
        rows.append(f"n{n},2026-10-{day}T20:00,2026-10-{day + 1}T{end},{','.join(second)},yi")
    clock.advance(minutes=-1)
    done = import_roster(office.desk, office.actor("yi"), head + "\n".join(rows), "winter.csv")
    assert done.added == 16
    clock.advance(minutes=1)
    assert len(watch_roster(office.desk)) == 1
    with store.read() as work:
        (found,) = check(office.desk, work, clock.now())
    assert (found.fault.value, found.end - found.start) == ("gap", HOUR)
    assert found.start == datetime(2026, 10, 25, 6, 0, tzinfo=UTC)


# --- putting people on duty


def test_only_rulers_assign_and_only_what_fits(office: Office) -> None:
    later = DAY + 9 * 24 * HOUR
    with pytest.raises(Refused, match="role-missing"):
        assign(office.desk, office.actor("jia"), "jia", "ji", "yi", later, later + HOUR)
    boss = office.actor("yi")
    for people, key in (
        (("yi", "ji", "yi"), "no-role"),
        (("jia", "jia", "yi"), "roster.double"),
        (("jia", "nobody", "yi"), "unknown-user"),
    ):
        with pytest.raises(Refused, match=key):
            assign(office.desk, boss, *people, later, later + HOUR)
    with pytest.raises(Refused, match="past"):
        assign(office.desk, boss, "jia", "ji", "yi", DAY - 30 * HOUR, DAY - 20 * HOUR)
    with pytest.raises(Refused, match="taken"):
        assign(office.desk, boss, "jia", "ji", "yi", DAY + 13 * HOUR, DAY + 14 * HOUR)
    with pytest.raises(Refused, match="begun"):
        remove(office.desk, boss, "s1")
    made = assign(office.desk, boss, "jia", "ji", "yi", later, later + HOUR)
    assert office.shift(made.id) == made
    assert office.kinds()[-1] == "shift.assigned"


# --- questions before a shift


def test_each_person_is_asked_a_day_and_an_hour_before_once(office: Office) -> None:
    assert ask_people(office.desk) == 6  # s2 begins in 8 h and s3 in 20 h
    assert ask_people(office.desk) == 0
    office.clock.advance(hours=7)
    assert ask_people(office.desk) == 3  # s2 again, one hour before
    office.clock.advance(hours=1)
    assert ask_people(office.desk) == 3  # s4, a day before
    with office.store.read() as work:
        asks = work.roster.asks(["s2"])
    assert sorted((ask.person, ask.hours) for ask in asks) == sorted(
        (p, h) for p in ("geng", "wu", "yi") for h in (1, 24)
    )


def test_after_an_outage_only_the_last_question_is_asked(office: Office) -> None:
    office.clock.advance(hours=7, minutes=30)
    ask_people(office.desk)
    with office.store.read() as work:
        assert {ask.hours for ask in work.roster.asks(["s2"])} == {1}


def test_silence_is_a_task_for_the_leader_and_an_answer_ends_it(office: Office) -> None:
    ask_people(office.desk)
    office.clock.advance(hours=4, minutes=1)
    ask_people(office.desk)
    silent = {task for task in office.tasks() if task[1].startswith("s2 ")}
    assert silent == {
        ("shift-silent", "s2 geng", "yi"),
        ("shift-silent", "s2 wu", "yi"),
        ("shift-silent", "s2 yi", "xin"),
    }
    confirm(office.desk, "s2", office.actor("geng"), office.codes()["geng"])
    assert ("shift-silent", "s2 geng", "yi") not in office.tasks()
    confirm(office.desk, "s2", office.actor("yi"), "", "wu")  # telephoned, noted by the leader
    assert ("shift-silent", "s2 wu", "yi") not in office.tasks()
    with office.store.read() as work:
        assert {(a.person, a.via) for a in work.roster.asks(["s2"]) if a.answer} == {
            ("geng", "console"),
            ("wu", "telephone"),
        }


def test_a_code_is_needed_counted_and_kept_nowhere(office: Office) -> None:
    ask_people(office.desk)
    code = office.codes()["geng"]
    wrong = "000000" if code != "000000" else "111111"
    for left in range(MOST_TRIES - 1, -1, -1):
        with pytest.raises(Refused, match="wrong-code") as refused:
            confirm(office.desk, "s2", office.actor("geng"), wrong)
        assert refused.value.facts["left"] == left
    with pytest.raises(Refused, match="too-many-codes"):
        confirm(office.desk, "s2", office.actor("geng"), code)
    with office.store.read() as work:
        assert code not in " ".join(entry.payload for entry in work.ledger.entries())


def test_who_may_answer_and_when(office: Office) -> None:
    with pytest.raises(Refused, match="not-asked"):
        confirm(office.desk, "s2", office.actor("geng"), "1")
    ask_people(office.desk)
    with pytest.raises(Refused, match="role-missing"):
        confirm(office.desk, "s2", office.actor("audit"), "", "geng")
    with pytest.raises(Refused, match="not-in-shift"):
        confirm(office.desk, "s2", office.actor("jia"), "1")
    with pytest.raises(NotFound, match="unknown-shift"):
        confirm(office.desk, "sx", office.actor("jia"), "1")
    confirm(office.desk, "s2", office.actor("geng", "command line"), "")
    with pytest.raises(Refused, match="answered"):
        confirm(office.desk, "s2", office.actor("geng"), "1")
    office.clock.advance(hours=9)
    with pytest.raises(Refused, match="not-asked"):
        confirm(office.desk, "s2", office.actor("wu"), "1")  # it has begun


def heard(office: Office, name: str, text: str) -> str | None:
    with office.store.begin() as work:
        user = work.users.get(name)
        assert user is not None
        found = hear(work, user, text, office.clock.now())
        work.commit()
    return found


def test_a_text_confirms_or_says_no(office: Office) -> None:
    ask_people(office.desk)
    assert heard(office, "geng", " 1。") == "shift s2 yes"
    assert heard(office, "geng", "1") is None  # nothing else is open
    assert heard(office, "wu", "2") == "shift s2 no"
    assert ("shift-silent", "s2 wu", "yi") in office.tasks()
    assert heard(office, "wu", "1") == "shift s2 yes"  # thought better of it
    assert ("shift-silent", "s2 wu", "yi") not in office.tasks()
    assert heard(office, "jia", "what shift?") is None
    assert heard(office, "audit", "1") is None


# --- swaps


def test_a_swap_across_midnight_needs_both_and_a_leader(office: Office) -> None:
    start, end = DAY + 14 * HOUR, DAY + 18 * HOUR  # 22:00 to 02:00, in the night shift s2
    swap = ask_swap(office.desk, office.actor("geng"), "s2", Part.OFFICER, "ji", "看病", start, end)
    assert swap.state is SwapState.ASKED
    with pytest.raises(Refused, match="swap-unagreed"):
        decide(office.desk, swap.id, office.actor("yi"), approve=True)
    with pytest.raises(Refused, match="swap-not-yours"):
        agree(office.desk, swap.id, office.actor("geng"))
    agree(office.desk, swap.id, office.actor("ji"))
    with pytest.raises(Refused, match="role-missing"):
        decide(office.desk, swap.id, office.actor("geng"), approve=True)
    decide(office.desk, swap.id, office.actor("yi"), approve=True)
    with pytest.raises(Refused, match="swap-over"):
        decide(office.desk, swap.id, office.actor("yi"), approve=True)
    with office.store.read() as work:
        pieces = work.shifts.between(DAY + 12 * HOUR, DAY + 24 * HOUR)
    assert [(one.officer, one.start, one.end) for one in pieces] == [
        ("geng", DAY + 12 * HOUR, start), ("ji", start, end), ("geng", end, DAY + 24 * HOUR)
    ]  # fmt: skip
    assert pieces[0].id == "s2"
    assert watch_roster(office.desk) == ()
    assert office.kinds().count("swap.done") == 1


def test_a_swap_that_makes_a_fault_is_told_before_the_shift(office: Office) -> None:
    with office.store.begin() as work:
        held = work.users.get("xin")
        assert held is not None
        work.users.save(replace(held, roles=held.roles | {Role.DUTY_OFFICER}, phone_sealed=None))
        work.commit()
    start, end = DAY + 15 * HOUR, DAY + 17 * HOUR
    ask_swap(office.desk, office.actor("yi"), "s2", Part.OFFICER, "xin", "代", start, end)
    (subject,) = watch_roster(office.desk)
    assert subject.startswith("no-number ")


def test_a_leader_overrides_at_once_and_a_running_shift_changes_from_now(office: Office) -> None:
    done = ask_swap(office.desk, office.actor("admin"), "s1", Part.OFFICER, "geng", "急病")
    assert done.state is SwapState.DONE
    with office.store.read() as work:
        before, after = work.shifts.between(DAY, DAY + 12 * HOUR)
    assert (before.id, before.officer, before.end) == ("s1", "jia", office.clock.now())
    assert (after.officer, after.deputy) == ("geng", "ji")


def test_officer_and_deputy_exchange(office: Office) -> None:
    ask_swap(office.desk, office.actor("yi"), "s4", Part.OFFICER, "wu", "对调")
    found = office.shift("s4")
    assert found is not None
    assert (found.officer, found.deputy) == ("wu", "geng")


@pytest.mark.parametrize(
    ("who", "part", "taker", "reason", "key"),
    [
        ("audit", Part.OFFICER, "ji", "x", "role-missing"),
        ("jia", Part.OFFICER, "ji", "x", "swap-others"),
        ("geng", Part.OFFICER, "yi", "x", "no-role"),
        ("geng", Part.OFFICER, "ji", " ", "swap-reason"),
        ("geng", Part.OFFICER, "geng", "x", "swap-time"),
        ("geng", Part.LEADER, "ji", "x", "no-role"),
    ],
)
def test_a_swap_that_cannot_be_is_refused(
    office: Office, who: str, part: Part, taker: str, reason: str, key: str
) -> None:
    with pytest.raises(Refused, match=key):
        ask_swap(office.desk, office.actor(who), "s2", part, taker, reason)
    assert "swap.asked" not in office.kinds()


def test_a_swap_is_refused_when_busy_own_or_overtaken(office: Office) -> None:
    with pytest.raises(Refused, match="swap-time"):
        ask_swap(office.desk, office.actor("yi"), "s0", Part.OFFICER, "ji", "over already")
    first = ask_swap(office.desk, office.actor("yi"), "s3", Part.LEADER, "xin", "出差")
    assert first.state is SwapState.AGREED  # one of the two: another leader decides
    with pytest.raises(Refused, match="swap-own"):
        decide(office.desk, first.id, office.actor("xin"), approve=True)
    second = ask_swap(office.desk, office.actor("yi"), "s3", Part.LEADER, "xin", "出差")
    decide(office.desk, first.id, office.actor("admin"), approve=True)
    with pytest.raises(Refused, match="swap-changed"):
        decide(office.desk, second.id, office.actor("admin"), approve=True)
    refused = decide(office.desk, second.id, office.actor("yi"), approve=False)
    assert refused.state is SwapState.REFUSED
    with pytest.raises(NotFound, match="unknown-swap"):
        agree(office.desk, "sw-none", office.actor("ji"))


# --- hand-over and report


def test_both_sign_and_open_tasks_go_along(office: Office) -> None:
    with office.store.begin() as work:
        work.tasks.open(Task("t1", "review", "w-1", office.clock.now(), owner="jia"))
        work.tasks.open(Task("t2", "no-forecast", "gfs", office.clock.now(), owner="yi"))
        work.ledger.append(office.clock.now(), "x", "forecast.ingested", "f-1", {})
        work.commit()
    with pytest.raises(Refused, match="nothing-to-hand-over"):
        hand_over(office.desk, office.actor("jia"), "too early")
    office.clock.advance(hours=8, minutes=6)  # 20:06
    made = hand_over(office.desk, office.actor("jia"), "后半夜南部沿海雨强加大")
    assert (made.shift, made.next_shift, made.taker) == ("s1", "s2", "geng")
    assert [one["subject"] for one in made.facts["tasks"]] == ["w-1", "gfs"]
    with pytest.raises(Refused, match="not-next"):
        take_over(office.desk, made.id, office.actor("ji"))
    taken = take_over(office.desk, made.id, office.actor("geng"))
    assert (taken.taken_by, taken.taken_at) == ("geng", office.clock.now())
    with pytest.raises(Refused, match="handover-taken"):
        take_over(office.desk, made.id, office.actor("wu"))
    with pytest.raises(Refused, match="nothing-to-hand-over"):
        hand_over(office.desk, office.actor("jia"), "again")
    assert {("review", "w-1", "geng"), ("no-forecast", "gfs", "yi")} <= office.tasks()
    with office.store.read() as work:
        shift = work.shifts.get("s1")
        assert shift is not None
        report = shift_report(work, shift, office.clock.now())
    assert report.counts == {"forecast.ingested": 1}
    assert report.given == taken
    assert report.until == shift.end
    assert report.as_json()["handed_over"]["to"] == "geng"


def test_one_who_holds_two_shifts_does_not_sign_for_both_sides(office: Office) -> None:
    office.change("s2", officer="jia")
    office.clock.advance(hours=8)
    made = hand_over(office.desk, office.actor("jia"), "")
    with pytest.raises(Refused, match="own-handover"):
        take_over(office.desk, made.id, office.actor("jia"))
    assert take_over(office.desk, made.id, office.actor("wu")).taken_by == "wu"
    with pytest.raises(NotFound, match="unknown-handover"):
        take_over(office.desk, "h-none", office.actor("wu"))


@pytest.mark.parametrize("count", [0, 1, 2, 7, 40])
def test_entries_of_a_time_are_found_by_halving(store: SqlStore, count: int) -> None:
    with store.begin() as work:
        for n in range(count):
            work.ledger.append(DAY + n * HOUR, "x", "k", str(n), {})
        work.commit()
    with store.read() as work:
        for first, last in ((0, 3), (2, 5), (5, 5), (1, 60), (50, 60)):
            found = [int(e.subject) for e in entries_between(work, DAY + first * HOUR, DAY + last * HOUR)]
            assert found == [n for n in range(count) if first <= n < last]


# --- files


def lines(*rows: str) -> str:
    return "\n".join(("id,start,end,officer,deputy,leader", *rows))


def test_a_file_adds_changes_and_cancels_all_or_nothing(office: Office) -> None:
    boss = office.actor("admin")
    later = "2026-08-10T08:00,2026-08-10T20:00"
    new, changed = f"x1,{later},jia,ji,yi", "s5,2026-07-25T08:00,2026-07-25T20:00,ji,jia,yi"
    with pytest.raises(Refused, match="file-begun") as refused:
        import_roster(office.desk, boss, lines(new, changed, "s1,2026-07-23T08:00,2026-07-23T20:00,ji,,"), "a.csv")
    assert refused.value.facts["line"] == 4
    assert "roster.imported" not in office.kinds()
    assert (office.shift("s5") or Shift("", "", None, DAY, DAY)).officer == "jia"
    done = import_roster(office.desk, boss, lines(new, changed), "a.csv")
    assert (done.added, done.changed, done.same) == (1, 1, 0)
    again = import_roster(office.desk, boss, lines(new, changed), "a.csv")
    assert (again.added, again.changed, again.same) == (0, 0, 2)
    gone = (
        "BEGIN:VCALENDAR\nBEGIN:VEVENT\nUID:s5@anywhere\nSTATUS:CANCELLED\n"
        "DTSTART:20260725T000000Z\nDTEND:20260725T120000Z\nEND:VEVENT\nEND:VCALENDAR\n"
    )
    assert import_roster(office.desk, boss, gone, "b.ics").removed == 1
    assert office.shift("s5") is None
    with pytest.raises(Refused, match="file-unfit"):
        import_roster(office.desk, boss, lines("x2,2026-08-11T08:00,2026-08-11T20:00,yi,,"), "c.csv")
    with pytest.raises(Refused, match="role-missing"):
        import_roster(office.desk, office.actor("jia"), lines(new), "d.csv")


def test_who_may_sign_follows_the_swap(office: Office) -> None:
    """As duty officer only the person on the current shift, or its deputy, signs; the piece of the shift is named."""
    start, end = DAY + 14 * HOUR, DAY + 18 * HOUR
    ask_swap(office.desk, office.actor("yi"), "s2", Part.OFFICER, "ji", "看病", start, end)
    with office.store.read() as work:
        people = {name: work.users.get(name) for name in ("geng", "ji", "wu")}

        def may(name: str, moment: datetime) -> bool:
            user = people[name]
            assert user is not None
            return on_shift(work, user, moment)

        assert [may("geng", start - HOUR), may("geng", start), may("geng", end)] == [True, False, True]
        assert [may("ji", start - HOUR), may("ji", start), may("ji", end)] == [False, True, False]
        assert may("wu", start)  # the deputy stays
