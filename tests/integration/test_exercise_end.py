"""The end of an exercise: nobody is asked to review its notice, and a notice that cannot be made keeps none running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.exercise_desk import LAIYANG, ExerciseDesk

from geowarn.bootstrap import System
from geowarn.domain.exercise import Exercise, ExerciseStatus
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.exercise_end import finish, keep_exercise
from geowarn.pipeline.propose import propose_by_hand
from geowarn.ports import BulletinDraft, Channel, Delivery, Limits, Message, Receipt, Target


@dataclass
class Faulty:
    """A channel that finds fault with every message."""

    name: str
    limits: Limits

    def prepare(self, draft: BulletinDraft) -> Message:
        return Message(self.name, (), problems=(("cap.no-key", {}),))

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        raise AssertionError("nobody asks for this here")


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ExerciseDesk:
    made = ExerciseDesk(demo_system, officer, settable_clock)
    made.until_middle_of_shift()
    return made


def without_notice(desk: ExerciseDesk) -> Desk:
    """The same desk, at which nothing can be rendered."""
    channels = desk.system.desk.channels
    faulty: Channel = Faulty("website", channels["website"].limits)
    return replace(desk.system.desk, channels={**channels, "website": faulty})


def acts(desk: ExerciseDesk, exercise: Exercise) -> list[Act]:
    return [bulletin.act for bulletin in desk.bulletins(exercise)]


def test_nobody_is_asked_or_rung_for_the_notice_of_an_end(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    desk.released(exercise)
    before = desk.kinds(exercise.warning_id)
    finish(desk.system.desk, desk.officer("duty"))
    after = desk.kinds(exercise.warning_id)[len(before) :]
    assert after == ["proposal.version", "bulletin.released"]
    assert "review" not in desk.task_kinds()


def test_a_notice_that_cannot_be_made_keeps_no_exercise_running(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    desk.released(exercise)
    finish(without_notice(desk), desk.officer("duty"))
    assert desk.now_held(exercise).status is ExerciseStatus.ENDED
    assert acts(desk, exercise) == [Act.ISSUE]
    assert "exercise-untold" in desk.task_kinds()
    assert not keep_exercise(without_notice(desk))  # still not, and it is asked for once
    assert desk.kinds(exercise.warning_id).count("task.opened") == 1

    assert keep_exercise(desk.system.desk)
    assert acts(desk, exercise) == [Act.ISSUE, Act.CANCEL]
    assert "exercise-untold" not in desk.task_kinds()


def test_at_its_time_and_for_a_real_proposal_it_ends_without_its_notice_too(desk: ExerciseDesk) -> None:
    first = desk.begin(minutes=5)
    desk.released(first)
    desk.clock.advance(minutes=5)
    assert keep_exercise(without_notice(desk))
    assert desk.now_held(first).status is ExerciseStatus.ENDED
    assert keep_exercise(desk.system.desk)

    second = desk.begin()
    desk.released(second)
    propose_by_hand(desk.system.desk, {LAIYANG: Level.RED}, 24, "裂缝", "村干部来电", desk.officer("duty"))
    assert not keep_exercise(without_notice(desk))
    assert desk.now_held(second).status is ExerciseStatus.STOPPED
    assert keep_exercise(desk.system.desk)
    with desk.system.store.read() as work:
        assert not work.warnings.standing(WarningStatus.IN_FORCE)
