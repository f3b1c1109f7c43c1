"""Holds exercises in a demo installation, as its people would."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta

from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch
from geowarn.domain.exercise import Exercise, Scenario
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.exercise import permit, start
from geowarn.pipeline.exercise_guard import Confirmation
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign

HAIYANG, LAIYANG = "370687", "370682"
WORD = "演练"


@dataclass
class ExerciseDesk:
    """One installation with its people; `codes` are the exercises' own, by id."""

    system: System
    officer: Callable[[str], Actor]
    clock: SettableClock
    codes: dict[str, str] = field(default_factory=dict)

    def scenario(self, level: Level = Level.YELLOW, synthetic: bool = True) -> Scenario:
        return Scenario("test", "测试脚本", "a test scenario", {HAIYANG: level}, 24, synthetic)

    def begin(self, by: str = "duty", level: Level = Level.YELLOW, minutes: int = 60) -> Exercise:
        exercise, code = start(self.system.desk, self.scenario(level), WORD, minutes, self.officer(by))
        self.codes[exercise.id] = code
        return exercise

    def confirmed(self, exercise: Exercise) -> Confirmation:
        return Confirmation(WORD, self.codes[exercise.id])

    def signed(self, exercise: Exercise) -> None:
        with self.system.store.read() as work:
            content = work.proposals.of_warning(exercise.warning_id)[0].content
        for role in self.system.policy.required(content):
            name = {"duty-officer": "duty"}.get(role.value, role.value)
            sign(self.system.desk, exercise.warning_id, self.officer(name), confirmation=self.confirmed(exercise))

    def released(self, exercise: Exercise) -> Bulletin:
        self.signed(exercise)
        return release(
            self.system.desk, exercise.warning_id, self.officer("duty"), confirmation=self.confirmed(exercise)
        )

    def dispatches(self, bulletin: Bulletin) -> tuple[Dispatch, ...]:
        with self.system.store.read() as work:
            return work.dispatches.of_bulletin(bulletin.id)

    def bulletins(self, exercise: Exercise) -> tuple[Bulletin, ...]:
        with self.system.store.read() as work:
            return work.bulletins.of_warning(exercise.warning_id)

    def now_held(self, exercise: Exercise) -> Exercise:
        with self.system.store.read() as work:
            found = work.exercises.get(exercise.id)
        assert found is not None
        return found

    def allowed(self, by: str = "chief") -> None:
        permit(self.system.desk, "年度演练计划", self.officer(by))

    def kinds(self, subject: str) -> list[str]:
        with self.system.store.read() as work:
            return [entry.kind for entry in work.ledger.entries(subject=subject)]

    def task_kinds(self) -> set[str]:
        with self.system.store.read() as work:
            return {task.kind for task in work.tasks.pending()}

    def until_middle_of_shift(self) -> None:
        """The demo's shift began within the hour and lasts long."""
        self.clock.moment += timedelta(hours=2)
