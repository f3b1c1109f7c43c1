"""Passes, rings, answers and owed reviews on every kind of database."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.contract import store_rows as rows

from geowarn.domain.clock import OnSilence
from geowarn.domain.escalation import Answer, Pass, Post, Skipped
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.ports import Emergency, Rung
from geowarn.store.unit_of_work import SqlStore

AT = datetime(2026, 7, 23, 4, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
ONE = Pass(
    "t1.1", "t1", "review", "w1", "duty-officer", 1, Level.RED,
    (Post("duty-officer", ("a",)), Post("leader", ("b", "c"))), (Skipped("deputy", "", "empty"),), "sh1",
    AT, timedelta(seconds=90.5), AT + 15 * MINUTE, OnSilence.RELEASE_FIRST,
)  # fmt: skip


@pytest.fixture
def store(any_store: SqlStore) -> SqlStore:
    with any_store.begin() as work:
        work.tasks.open(Task("t1", "review", "w1", AT))
        work.tasks.open(Task("t2", "no-forecast", "gfs", AT))
        work.commit()
    return any_store


def test_a_pass_comes_back_as_it_was(store: SqlStore) -> None:
    with store.begin() as work:
        assert work.escalations.start(ONE)
        work.commit()
    with store.read() as work:
        assert work.escalations.open() == (ONE,)
        assert work.escalations.of_task("t1") == (ONE,)
        assert work.escalations.of_task("t2") == ()
        assert work.escalations.of_subject(ONE.subject) == (ONE,)
        assert work.escalations.of_subject("t1") == ()


def test_a_step_of_a_task_has_one_open_pass(store: SqlStore) -> None:
    with store.begin() as work:
        assert work.escalations.start(ONE)
        assert not work.escalations.start(replace(ONE, id="t1.2"))
        assert work.escalations.start(replace(ONE, id="t1.3", step="leader"))
        assert work.escalations.start(replace(ONE, id="t2.1", task_id="t2"))
        assert work.escalations.end("t1.1", AT + MINUTE, "done")
        assert not work.escalations.end("t1.1", AT + 2 * MINUTE, "again")
        assert work.escalations.start(replace(ONE, id="t1.2", number=2, started_at=AT + MINUTE))
        work.commit()
    with store.read() as work:
        assert {one.id for one in work.escalations.open()} == {"t1.2", "t1.3", "t2.1"}
        first = next(one for one in work.escalations.of_task("t1") if one.id == "t1.1")
    assert (first.ended_at, first.outcome) == (AT + MINUTE, "done")


def test_a_ring_and_an_answer_count_once(store: SqlStore) -> None:
    rung = Rung(1, "b", AT + MINUTE, AT + 2 * MINUTE, True)
    with store.begin() as work:
        work.escalations.start(ONE)
        assert work.escalations.ring("t1.1", rung)
        assert not work.escalations.ring("t1.1", replace(rung, at=AT + 3 * MINUTE, told=False))
        assert work.escalations.ring("t1.1", Rung(0, "a", AT, AT, False))
        assert work.escalations.answer("t1.1", Answer("b", AT + 3 * MINUTE))
        assert not work.escalations.answer("t1.1", Answer("b", AT + 3 * MINUTE))
        assert work.escalations.answer("t1.1", Answer("a", AT + 2 * MINUTE))
        work.commit()
    with store.read() as work:
        assert work.escalations.rung("t1.1") == (Rung(0, "a", AT, AT, False), rung)
        assert [answer.person for answer in work.escalations.answers("t1.1")] == ["a", "b"]


def test_a_task_keeps_for_whom_it_waits_while_it_is_open(store: SqlStore) -> None:
    with store.begin() as work:
        task = next(task for task in work.tasks.pending() if task.id == "t1")
        tended = replace(task, owner="b", due_at=AT + MINUTE, acknowledged_at=AT, acknowledged_by="b")
        work.tasks.save(replace(tended, subject="another", kind="other"))
        assert tended in work.tasks.pending()
        work.tasks.close("review", "w1", AT)
        work.tasks.save(replace(tended, owner="c"))
        work.commit()
    with store.read() as work:
        assert [task.id for task in work.tasks.pending()] == ["t2"]


def test_an_owed_review_is_settled_once(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        rows.with_versions(work, 1)
        made = rows.bulletin()
        work.bulletins.add(made, rows.frozen(1))
        missing, due = (Role.LEADER, Role.CHIEF), AT + 240 * MINUTE
        owed = Emergency(made.id, made.warning_id, made.proposal_id, made.package_sha256, missing, AT, due)
        work.emergencies.add(owed)
        work.commit()
    with any_store.begin() as work:
        assert work.emergencies.of_warning(owed.warning_id) == work.emergencies.unsettled() == (owed,)
        assert work.emergencies.settle(owed.bulletin_id, AT + MINUTE, "signed")
        assert not work.emergencies.settle(owed.bulletin_id, AT + 2 * MINUTE, "retracted")
        work.commit()
    with any_store.read() as work:
        assert work.emergencies.unsettled() == ()
        (settled,) = work.emergencies.of_warning(owed.warning_id)
    assert (settled.settled_at, settled.settled_by) == (AT + MINUTE, "signed")
