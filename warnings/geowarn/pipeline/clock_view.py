"""What the clock looks like from outside: for the console, the command line and machines."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geowarn.domain.escalation import Answer, Pass, Standing, walk
from geowarn.domain.people import User
from geowarn.domain.task import Task
from geowarn.pipeline.escalation import REVIEW, open_passes, open_task
from geowarn.pipeline.escalation_acts import may_answer
from geowarn.ports import Rung, UnitOfWork


@dataclass(frozen=True, slots=True)
class StepView:
    """One step that is waited for: where its chain stands."""

    one: Pass
    standing: Standing
    rung: tuple[Rung, ...]
    answers: tuple[Answer, ...]

    @property
    def waiting(self) -> tuple[str, ...]:
        """For whom it waits: who has it in hand, else who is being rung."""
        return (self.standing.holder,) if self.standing.holder else self.standing.ringing.people

    @property
    def following(self) -> tuple[str, ...]:
        """Who is rung next; nobody in particular at the end of the chain."""
        return self.standing.following.people if self.standing.following else ()

    @property
    def answered_at(self) -> datetime | None:
        """Since when it is in somebody's hands."""
        held = [answer.at for answer in self.answers if answer.person == self.standing.holder]
        return held[-1] if held else None


@dataclass(frozen=True, slots=True)
class TaskClock:
    """A task that rings, with its steps, the most urgent first."""

    task: Task
    steps: tuple[StepView, ...]
    asks: frozenset[str]  # accounts that may take it in hand

    @property
    def until(self) -> datetime:
        """When it goes on if nothing happens."""
        return min(step.standing.until for step in self.steps)

    @property
    def in_hand(self) -> bool:
        """Whether nothing of it rings now."""
        return all(step.standing.holder for step in self.steps)

    def asks_now(self, name: str) -> bool:
        """Whether a press of this person's would stop some ringing."""
        return name in self.asks and any(step.standing.holder != name for step in self.steps)

    def rings_for(self, name: str) -> bool:
        """Whether it rings for this person and nobody has answered."""
        return any(step.standing.holder is None and name in step.standing.ringing.people for step in self.steps)


def clock_of(work: UnitOfWork, task: Task, users: Iterable[User], now: datetime) -> TaskClock | None:
    """The clock of an open task; None for one that does not ring."""
    passes = open_passes(work, task.id)
    if not passes:
        return None
    steps = []
    for one in passes:
        answers = work.escalations.answers(one.id)
        steps.append(StepView(one, walk(one, answers, now), work.escalations.rung(one.id), answers))
    asks = frozenset(u.name for u in users if any(may_answer(work, one, u, now) for one in passes))
    return TaskClock(task, tuple(sorted(steps, key=lambda step: step.standing.until)), asks)


def clocks(work: UnitOfWork, now: datetime) -> tuple[TaskClock, ...]:
    """Every task that rings, the most urgent first."""
    users = work.users.all()
    found = (clock_of(work, task, users, now) for task in work.tasks.pending())
    return tuple(sorted((clock for clock in found if clock is not None), key=lambda clock: clock.until))


def clock_of_review(work: UnitOfWork, warning_id: str, now: datetime) -> TaskClock | None:
    """The clock of a warning's review."""
    task = open_task(work, REVIEW, warning_id)
    return clock_of(work, task, work.users.all(), now) if task else None


def clock_json(clock: TaskClock | None) -> dict[str, Any] | None:
    """As the JSON of `warnings show` and `tasks list` has it."""
    if clock is None:
        return None
    return {
        "task": clock.task.id,
        "owner": clock.task.owner,
        "due_at": clock.task.due_at.isoformat() if clock.task.due_at else None,
        "acknowledged_by": clock.task.acknowledged_by,
        "steps": [_step_json(step) for step in clock.steps],
    }


def _step_json(step: StepView) -> dict[str, Any]:
    return {
        "step": step.one.step,
        "pass": step.one.number,
        "waits_for": list(step.waiting),
        "in_hand": step.standing.holder is not None,
        "until": step.standing.until.isoformat(),
        "next": list(step.following),
        "decide_by": step.one.decide_by.isoformat(),
        "chain": [{"post": post.name, "people": list(post.people)} for post in step.one.posts],
        "skipped": [{"post": s.post, "person": s.person, "why": s.why} for s in step.one.skipped],
    }
