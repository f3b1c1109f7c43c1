"""What the store keeps of chains that ring and of releases that were reviewed afterwards."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from geowarn.domain.escalation import Answer, Pass
from geowarn.domain.people import Role


@dataclass(frozen=True, slots=True)
class Rung:
    """One person rung once; `told`: whether a message went into the outbox, else the console alone rings."""

    number: int
    person: str
    due: datetime
    at: datetime
    told: bool


class Escalations(Protocol):
    """Escalations of the store."""

    def start(self, one: Pass) -> bool:
        """Add unless a pass of this task and step is open; returns whether it was added."""
        ...

    def end(self, pass_id: str, at: datetime, outcome: str) -> bool:
        """End an open pass; returns whether it was open."""
        ...

    def open(self) -> tuple[Pass, ...]:
        """Open passes of all tasks, earliest first."""
        ...

    def of_task(self, task_id: str) -> tuple[Pass, ...]:
        """Every pass of a task, earliest first."""
        ...

    def of_subject(self, subject: str) -> tuple[Pass, ...]:
        """Every pass about one thing, such as a warning, earliest first."""
        ...

    def ring(self, pass_id: str, rung: Rung) -> bool:
        """Note a ring; exactly one caller ever gets True."""
        ...

    def rung(self, pass_id: str) -> tuple[Rung, ...]:
        """In the order of the chain."""
        ...

    def answer(self, pass_id: str, answer: Answer) -> bool:
        """Note an answer; False when it was noted before."""
        ...

    def answers(self, pass_id: str) -> tuple[Answer, ...]:
        """In order of time."""
        ...


@dataclass(frozen=True, slots=True)
class Emergency:
    """A bulletin released before its review, with the signatures it lacks (先发布后补签)."""

    bulletin_id: str
    warning_id: str
    proposal_id: str
    package_sha256: str
    missing: tuple[Role, ...]
    released_at: datetime
    due_at: datetime
    settled_at: datetime | None = None
    settled_by: str = ""  # "signed" or "retracted"


class Emergencies(Protocol):
    """Emergency releases of the store."""

    def add(self, emergency: Emergency) -> None: ...

    def of_warning(self, warning_id: str) -> tuple[Emergency, ...]:
        """In order of release."""
        ...

    def unsettled(self) -> tuple[Emergency, ...]:
        """Those whose review is still owed, oldest first."""
        ...

    def settle(self, bulletin_id: str, at: datetime, how: str) -> bool:
        """Note that the review was made up for; returns whether it was still owed."""
        ...
