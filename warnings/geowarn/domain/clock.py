"""How long each step may take, who is rung in turn, and what happens where nobody answers: the rules as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from geowarn.domain.level import Level
from geowarn.domain.people import Role

DEPUTY = "deputy"  # who stands in for the officer on shift
STAND_IN = "stand-in"  # who stands in for a leader, a chief or the observatory by written rule
EVERYBODY = "everybody"
NOBODY = "nobody"

# Steps beside the signatures, which are called as their roles are.
EDIT, OTHER_SIGNER, RELEASE, TASK, AFTER_REVIEW = "edit", "other-signer", "release", "task", "after-review"
SECRECY = "secrecy"  # the check that leaders sign after

# Whose turn it is, one group after the other; within a group side by side.
TURNS: tuple[tuple[Role, ...], ...] = ((Role.DUTY_OFFICER,), (Role.LEADER, Role.OBSERVATORY), (Role.CHIEF,))

CHAIN = (Role.DUTY_OFFICER.value, DEPUTY, Role.LEADER.value, Role.CHIEF.value)


class EndOfChain(StrEnum):
    """How it rings on when the last of the chain has not answered either."""

    ROUND = "round"  # from the first again
    EVERYBODY = "everybody"  # all of the chain at once


class OnSilence(StrEnum):
    """What the silence of the whole chain leads to."""

    TASK = "task"  # it stays open and rings on
    RELEASE_FIRST = "release-first"  # 先发布后补签


@dataclass(frozen=True, slots=True)
class ClockRule:
    """The clock of one level, or of the other tasks.

    `acknowledge`: how long each person rung has to answer; `decide`: from the beginning of a step to its decision;
    `again`: between two rings once the chain has been gone through; `after_review`: from an emergency release to the
    signatures it lacks.
    """

    acknowledge: timedelta
    decide: Mapping[str, timedelta]
    again: timedelta
    chain: tuple[str, ...] = CHAIN
    end_of_chain: EndOfChain = EndOfChain.EVERYBODY
    on_silence: OnSilence = OnSilence.TASK
    after_review: timedelta = timedelta(hours=4)

    def time_for(self, step: str) -> timedelta:
        """From the beginning of a step to its decision; a step without a time of its own has the officer's."""
        if step.startswith(AFTER_REVIEW):
            return self.after_review
        return self.decide.get(step, self.decide[Role.DUTY_OFFICER.value])


def _minutes(acknowledge: int, again: int, officer: int, leader: int, chief: int, release: int) -> ClockRule:
    times = {"duty-officer": officer, "leader": leader, "observatory": leader, "chief": chief, RELEASE: release}
    decide = {step: timedelta(minutes=minutes) for step, minutes in times.items()}
    return ClockRule(timedelta(minutes=acknowledge), decide, timedelta(minutes=again))


# Choices of this project, as in the shipped config/policy.toml; an installation's own policy from before has them too.
DEFAULT_RULES: Mapping[Level, ClockRule] = {
    Level.BLUE: _minutes(20, 60, 120, 120, 120, 60),
    Level.YELLOW: _minutes(8, 15, 30, 20, 20, 10),
    Level.ORANGE: _minutes(5, 10, 20, 15, 15, 8),
    Level.RED: _minutes(3, 5, 15, 10, 10, 5),
}
DEFAULT_TASKS = ClockRule(
    timedelta(minutes=15), {Role.DUTY_OFFICER.value: timedelta(minutes=60)}, timedelta(minutes=60), CHAIN[:3]
)
DEFAULT_KINDS = frozenset(
    {
        "calls-unanswered",
        "extend-or-lift",
        "levels-moved",
        "incident-overdue",
        "no-forecast",
        "escalation-silent",
        "site-differs",
        "voice-danger",
    }
)

# A task that stands in for many of another kind.
_FOR_MANY = {"voice-dangers": "voice-danger"}


@dataclass(frozen=True, slots=True)
class ClockRules:
    """The clock of every level, of the other tasks, and who stands in for whom."""

    levels: Mapping[Level, ClockRule] = field(default_factory=lambda: DEFAULT_RULES)
    tasks: ClockRule = DEFAULT_TASKS
    kinds: frozenset[str] = DEFAULT_KINDS  # of the other tasks, those that ring
    stand_in: Mapping[Role, tuple[str, ...]] = field(default_factory=dict)  # accounts by role

    def rings(self, kind: str) -> bool:
        """Whether a task of this kind rings; what stands in for many rings wherever one of them does."""
        return _FOR_MANY.get(kind, kind) in self.kinds

    def of(self, level: Level) -> ClockRule:
        """The clock of a level; below blue there is none, so blue's."""
        return self.levels[max(level, Level.BLUE)]
