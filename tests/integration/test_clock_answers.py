"""An answer counts however late it comes, and one task that fails keeps no other from being rung."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from tests.integration.clock_desk import CHAIN, ClockDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.task import Task
from geowarn.pipeline import escalation_advance
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_acts import acknowledge, answered_by_text
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.escalation_audit import TICK
from geowarn.pipeline.escalation_follow import follow_task
from geowarn.ports import UnitOfWork
from geowarn.scheduler import Scheduler

MINUTE = timedelta(minutes=1)


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def released(desk: ClockDesk, warning_id: str) -> int:
    with desk.system.store.read() as work:
        return len(work.bulletins.of_warning(warning_id))


def test_a_text_in_the_time_that_is_given_after_an_outage_keeps_it_from_being_released(desk: ClockDesk) -> None:
    """Everybody has just been rung at once; the chain is past its end by the clock."""
    desk.release_first_at(Level.RED)
    proposal = desk.proposed(Level.RED)
    desk.tick(hours=2)
    assert [name for name, _ in desk.rung(proposal.warning_id)] == CHAIN
    desk.clock.advance(minutes=1)
    assert desk.texts("chief", "1") == "escalation"
    assert desk.must_task(proposal.warning_id).acknowledged_by == "chief"
    desk.run(every=MINUTE, minutes=5)
    assert released(desk, proposal.warning_id) == 0
    assert desk.must_task(proposal.warning_id).acknowledged_by == "chief", "it holds until the decision is due"


@dataclass
class Running:
    """A clock that does not stand still between two looks at it."""

    clock: SettableClock

    def now(self) -> datetime:
        self.clock.advance(microseconds=1)
        return self.clock.now()


@pytest.mark.parametrize("by_text", [True, False])
def test_a_late_answer_is_heard_while_the_clock_goes_on(desk: ClockDesk, by_text: bool) -> None:
    proposal = desk.proposed(Level.RED)
    desk.run(every=MINUTE, minutes=11)
    desk.clock.advance(minutes=1, seconds=10)  # over, and no tick yet
    running: Desk = replace(desk.desk, clock=Running(desk.clock))
    if by_text:
        with running.store.begin() as work:
            answered_by_text(running, work, desk.officer("duty").user, "收到", running.clock.now())
            work.commit()
    else:
        acknowledge(running, proposal.warning_id, desk.officer("duty"))
    assert desk.must_task(proposal.warning_id).acknowledged_by == "duty"


def test_a_text_answers_everything_that_rings_for_them(desk: ClockDesk) -> None:
    red, yellow = desk.proposed(Level.RED), desk.proposed(Level.YELLOW)
    assert desk.texts("duty", "1") == "escalation"
    assert {desk.must_task(one.warning_id).acknowledged_by for one in (red, yellow)} == {"duty"}
    assert desk.texts("duty", "1") == "escalation"
    assert len(desk.ledger(red.warning_id, "escalation.answered")) == 1


@pytest.fixture(params=[RuntimeError("broken"), Refused("review.nothing-open", warning="w")], ids=["fault", "refusal"])
def failing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """One task that cannot be followed, whatever the reason."""

    def fail_at(subject: str) -> None:
        def follow_others(desk: Desk, work: UnitOfWork, task: Task) -> None:
            if task.subject == subject:
                raise request.param
            follow_task(desk, work, task)

        monkeypatch.setattr(escalation_advance, "follow_task", follow_others)

    return fail_at


def test_a_task_that_fails_keeps_no_other_waiting(desk: ClockDesk, failing: Callable[[str], None]) -> None:
    desk.release_first_at(Level.RED)
    before, broken, after = (desk.proposed(Level.RED) for _ in range(3))
    failing(broken.warning_id)
    desk.clock.advance(minutes=3, seconds=1)
    with pytest.raises(ExceptionGroup) as fault:
        advance(desk.desk)
    (only,) = fault.value.exceptions
    assert only.__notes__ == [f"at the turn of task {desk.must_task(broken.warning_id).id}"]
    for one, rung in ((before, 2), (broken, 1), (after, 2)):
        assert len(desk.rung(one.warning_id)) == rung
        assert desk.ledger(one.warning_id, "escalation.not-released") == [], "nothing was to be released"


@pytest.mark.parametrize("failing", [RuntimeError("broken")], indirect=True)
def test_the_clock_does_not_say_that_it_ticks_while_a_task_fails(
    desk: ClockDesk, failing: Callable[[str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduler = Scheduler(desk.system)
    proposal = desk.proposed(Level.RED)
    failing(proposal.warning_id)
    desk.clock.advance(minutes=3, seconds=1)

    def beats() -> int:
        with desk.system.store.read() as work:
            return len(work.ticks.alive(TICK, desk.clock.now() - MINUTE))

    scheduler.escalate()
    assert beats() == 0
    monkeypatch.undo()
    scheduler.escalate()
    assert beats() == 1
    assert len(desk.rung(proposal.warning_id)) == 2
