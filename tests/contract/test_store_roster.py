"""Shifts and what happens around them, on every kind of database."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_rows import HOUR, NOON

from geowarn.domain.duty import Ask, Handover, Part, Swap, SwapState
from geowarn.domain.people import Shift
from geowarn.domain.task import Task
from geowarn.store.unit_of_work import SqlStore

SHIFT = Shift("sh-1", "wang", "li", NOON, NOON + 12 * HOUR, "sun", "uid@else")


def ask(number: int = 1, **other: object) -> Ask:
    made = Ask(f"q-{number}", "sh-1", "wang", 24, NOON, NOON + 4 * HOUR, "d" * 64)
    return replace(made, **other)  # type: ignore[arg-type]


def test_a_shift_is_changed_and_taken_out(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.shifts.add(SHIFT)
        assert work.shifts.get("sh-1") == SHIFT
        changed = replace(SHIFT, deputy=None, leader=None, uid=None)
        work.shifts.save(changed)
        assert work.shifts.at(NOON) == (changed,)
        work.shifts.remove("sh-1")
        assert work.shifts.get("sh-1") is None
        work.shifts.save(SHIFT)
        work.commit()
    with any_store.read() as work:
        assert work.shifts.between(NOON, NOON + HOUR) == (SHIFT,)


def test_a_question_exists_once_a_shift_person_and_hour(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        assert work.roster.add_ask(ask())
        assert not work.roster.add_ask(ask(2))
        assert work.roster.add_ask(ask(3, hours=1, asked_at=NOON + HOUR))
        assert work.roster.add_ask(ask(4, person="li"))
        answered = ask(answered_at=NOON + HOUR, answer="yes", via="SMS", recorded_by="wang (SMS)", tries=2)
        work.roster.save_ask(answered)
        work.commit()
    with any_store.read() as work:
        assert [one.id for one in work.roster.asks(["sh-1"])] == ["q-1", "q-4", "q-3"]
        assert work.roster.asks([]) == ()
        assert [one.id for one in work.roster.asked("wang")] == ["q-3", "q-1"]
        assert work.roster.asked("wang")[1] == answered


def test_swaps_and_hand_overs_read_back_as_written(any_store: SqlStore) -> None:
    swap = Swap("sw-1", "sh-1", Part.DEPUTY, "li", "sun", NOON, NOON + HOUR, "ill", "li", NOON)
    done = replace(swap, state=SwapState.DONE, agreed_at=NOON, decided_by="boss", decided_at=NOON + HOUR)
    facts = {"tasks": [{"kind": "review", "subject": "w-1"}], "in_force": [], "review": []}
    given = Handover("h-1", "sh-1", "wang", "sh-2", "li", NOON, "note", facts)
    with any_store.begin() as work:
        work.roster.save_swap(swap)
        work.roster.save_swap(done)
        work.roster.save_handover(given)
        work.roster.save_handover(replace(given, id="h-2", shift="sh-2", given_at=NOON + HOUR, next_shift=None))
        taken = replace(given, taken_by="li", taken_at=NOON + HOUR)
        work.roster.save_handover(taken)
        work.commit()
    with any_store.read() as work:
        assert work.roster.swap("sw-1") == done
        assert work.roster.swap("sw-2") is None
        assert work.roster.swaps(NOON) == (done,)
        assert work.roster.swaps(NOON + HOUR) == ()
        assert work.roster.handover("h-1") == taken
        assert work.roster.handover("h-3") is None
        assert [one.id for one in work.roster.handovers(9)] == ["h-2", "h-1"]
        assert [one.id for one in work.roster.handovers(1)] == ["h-2"]


def test_an_open_task_changes_hands_and_a_closed_one_does_not(any_store: SqlStore) -> None:
    task = Task("t-1", "review", "w-1", NOON, owner="wang")
    with any_store.begin() as work:
        work.tasks.open(task)
        work.tasks.save(replace(task, owner="li"))
        assert [one.owner for one in work.tasks.pending()] == ["li"]
        work.tasks.close("review", "w-1", NOON)
        work.tasks.save(replace(task, owner="sun"))
        assert work.tasks.pending() == ()
