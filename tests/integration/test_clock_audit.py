"""The second job: with the first one switched off, its silence is seen and told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.integration.clock_desk import ClockDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.escalation_audit import SILENT, SUBJECT, audit
from geowarn.pipeline.watch import ask_before_end
from geowarn.scheduler import Scheduler
from geowarn.worker import Worker


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def silent(desk: ClockDesk) -> Task | None:
    return desk.task(SUBJECT, SILENT)


def test_a_clock_that_does_not_tick_raises_the_alarm(desk: ClockDesk, caplog: pytest.LogCaptureFixture) -> None:
    """Only the worker runs; nobody advances the clock."""
    proposal = desk.proposed(Level.RED)
    worker = Worker(desk.system)
    worker._audit()
    assert silent(desk) is None, "nothing is due yet"
    desk.clock.advance(minutes=4, seconds=30)
    with caplog.at_level(logging.ERROR):
        worker._audit()
    task = silent(desk)
    assert task is not None
    assert f"not-rung review {proposal.warning_id} leader" in task.facts["faults"]
    assert "no-tick" in task.facts["faults"]
    assert "the clock of the duty room is silent" in caplog.text
    with desk.system.store.read() as work:
        told = [e for e in work.ledger.entries() if e.kind == "notice.queued" and "escalation-silent" in e.payload]
    assert len(told) == 1, "the officer on shift is told, once"
    worker._audit()
    with desk.system.store.read() as work:
        assert len([t for t in work.tasks.pending() if t.kind == SILENT]) == 1


def test_the_alarm_ends_when_the_clock_ticks_again(desk: ClockDesk) -> None:
    desk.proposed(Level.RED)
    desk.clock.advance(minutes=5)
    audit(desk.desk)
    assert silent(desk) is not None
    Scheduler(desk.system).escalate()
    audit(desk.desk)
    assert silent(desk) is None


def test_a_task_without_a_chain_is_seen(desk: ClockDesk) -> None:
    proposal = desk.proposed(Level.YELLOW)
    with desk.system.store.begin() as work:
        for one in work.escalations.open():
            work.escalations.end(one.id, desk.clock.now(), "lost")
        work.commit()
    desk.clock.advance(minutes=2)
    with desk.system.store.begin() as work:
        work.ticks.beat("s", "escalation", desk.clock.now())
        work.commit()
    assert audit(desk.desk) == (f"no-chain review {proposal.warning_id}",)
    Scheduler(desk.system).escalate()
    assert desk.loud(proposal.warning_id)


def test_an_owed_review_whose_task_was_closed_is_opened_again(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=10)
    with desk.system.store.begin() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
        work.tasks.close("after-review", bulletin.slug, desk.clock.now())
        work.commit()
    audit(desk.desk)
    desk.tick(seconds=5)
    assert desk.loud(bulletin.slug, "after-review")


def test_other_tasks_get_an_owner_and_go_up_a_chain_too(desk: ClockDesk) -> None:
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.run(minutes=10)
    desk.clock.advance(hours=22, minutes=30)
    with desk.system.store.read() as work:
        (shift,) = work.shifts.at(desk.clock.now())
    assert shift.officer == "duty"
    ask_before_end(desk.desk)
    desk.tick(seconds=5)
    task = desk.must_task(proposal.warning_id, "extend-or-lift")
    with desk.system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
    assert (task.owner, task.due_at) == ("duty", bulletin.content.expires), "it keeps the deadline of its own"
    desk.run(every=timedelta(minutes=1), minutes=16)
    assert desk.must_task(proposal.warning_id, "extend-or-lift").owner == "leader"
    with desk.system.store.begin() as work:
        work.tasks.close("extend-or-lift", proposal.warning_id, desk.clock.now())
        work.commit()
    desk.tick(seconds=5)
    assert desk.passes(proposal.warning_id, "extend-or-lift") == ()


def test_a_kind_the_policy_does_not_name_does_not_ring(desk: ClockDesk) -> None:
    desk.with_clock(replace(desk.policy.clock, kinds=frozenset()))
    with desk.system.store.begin() as work:
        work.tasks.open(Task("t-x", "no-forecast", "gfs", desk.clock.now()))
        work.commit()
    desk.tick(minutes=20)
    assert desk.passes("gfs", "no-forecast") == ()
    assert audit(desk.desk) == ()
