"""A real version and an exercise that meet: the later one sees the other, and they never wait in a ring."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as StillWaiting
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest
from tests.conftest import NOON, FakeClock
from tests.contract import store_rows as rows

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import ExerciseStatus, Scenario
from geowarn.domain.level import Level
from geowarn.domain.people import Role, User
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.actor import Actor, Machine
from geowarn.pipeline.course_held import current_course
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.exercise import start
from geowarn.pipeline.exercise_end import finish
from geowarn.pipeline.exercise_guard import guard_series, hold_exercises
from geowarn.pipeline.one_transaction import OneTransaction
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import issue_unsigned
from geowarn.policy_file import load_policy
from geowarn.ports import UnitOfWork
from geowarn.resources import config_dir
from geowarn.security import FileVault
from geowarn.settings import load_settings
from geowarn.store.unit_of_work import SqlStore

DUTY = Actor(User("duty", "duty", "duty", frozenset({Role.DUTY_OFFICER})), "console", "test")
PLAYED = Scenario("test", "测试", "a test", {"370687": Level.YELLOW})
A_MOMENT = 0.3  # seconds in which whoever need not wait is done
PATIENCE = 30.0


@dataclass
class Meeting:
    """A desk, and a second officer who acts at the same time."""

    desk: Desk
    pool: ThreadPoolExecutor

    def part_of(self, work: UnitOfWork) -> Desk:
        return replace(self.desk, store=OneTransaction(work))

    def meanwhile(self, act: Callable[[Desk], object]) -> Future[object]:
        """The act of the other officer, done by now unless it has to wait."""
        begun = self.pool.submit(act, self.desk)
        try:
            begun.exception(A_MOMENT)
        except StillWaiting:
            return begun
        return begun


def real(desk: Desk) -> object:
    return propose_by_hand(desk, {"370687": Level.RED}, 24, "裂缝", "来电", DUTY)


def exercise(desk: Desk) -> object:
    return start(desk, PLAYED, "演练", 60, DUTY)


@pytest.fixture
def meeting(shared_store: SqlStore, vault: FileVault) -> Iterator[Meeting]:
    rows.kept(shared_store, lambda work: work.areas.save_all([rows.area()]))
    policy = load_policy(config_dir() / "policy.toml", Level.YELLOW)
    facts, slots = {**load_settings(None).sections(), "channels": {}}, MappingProxyType[str, str]({})
    with ThreadPoolExecutor(1) as pool:
        yield Meeting(Desk(shared_store, FakeClock(), {}, policy, facts, slots, vault), pool)


def test_an_exercise_waits_for_a_real_version_that_is_being_stored(meeting: Meeting) -> None:
    with meeting.desk.store.begin() as work:
        real(meeting.part_of(work))
        begun = meeting.meanwhile(exercise)
        work.commit()
    with pytest.raises(Refused) as refused:
        begun.result(PATIENCE)
    assert refused.value.key == "exercise.against-real-under-review"


def test_a_real_version_stops_an_exercise_that_is_just_beginning(meeting: Meeting) -> None:
    with meeting.desk.store.begin() as work:
        exercise(meeting.part_of(work))
        begun = meeting.meanwhile(real)
        work.commit()
    begun.result(PATIENCE)
    with meeting.desk.store.read() as work:
        assert [held.status for held in work.exercises.all()] == [ExerciseStatus.STOPPED]
        assert [found.content.series for found in work.proposals.open()] == [Series.REAL]


def test_a_real_course_waits_for_an_exercise_before_its_first_entry(meeting: Meeting) -> None:
    with meeting.desk.store.begin() as work:
        hold_exercises(work)
        begun = meeting.meanwhile(real)
        work.ledger.append(NOON, "test", "tried", "s", {})
        work.commit()
    begun.result(PATIENCE)


def test_a_real_release_and_the_notice_of_an_end_do_not_wait_for_each_other(meeting: Meeting) -> None:
    exercise(meeting.desk)
    with meeting.desk.store.begin() as work:
        (proposal,) = work.proposals.open()
        issue_unsigned(meeting.desk, work, find_warning(work, proposal.warning_id), proposal, Machine())
        work.commit()
    with meeting.desk.store.begin() as work:
        work.bulletins.hold_order()  # a release has its number and not yet its entry
        begun = meeting.meanwhile(lambda desk: finish(desk, DUTY))
        work.ledger.append(NOON, "test", "tried", "s", {})
        work.commit()
    begun.result(PATIENCE)
    with meeting.desk.store.read() as work:
        assert [bulletin.act for bulletin in work.bulletins.of_warning(proposal.warning_id)] == [Act.ISSUE, Act.CANCEL]


def test_a_new_run_and_the_end_of_an_exercise_do_not_wait_for_each_other(meeting: Meeting) -> None:
    exercise(meeting.desk)
    with meeting.desk.store.begin() as work:
        current_course(work, meeting.desk.policy.course, NOON)
        begun = meeting.meanwhile(lambda desk: finish(desk, DUTY))
        guard_series(work, Series.REAL, NOON, "test")
        work.commit()
    fault = begun.exception(PATIENCE)
    assert fault is None or (isinstance(fault, Refused) and fault.key == "exercise.not-running")
    with meeting.desk.store.read() as work:
        assert work.exercises.running() is None
