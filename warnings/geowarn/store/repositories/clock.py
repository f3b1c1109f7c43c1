"""Passes of escalation, their rings and answers, and releases reviewed afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select, update

from geowarn.domain.clock import OnSilence
from geowarn.domain.escalation import Answer, Pass, Post, Skipped
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.ports import Emergency, Rung
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import emergency_release, escalation, escalation_answer, escalation_step


def _row(one: Pass) -> dict[str, Any]:
    values = renamed(values_of(one), window="window_seconds")
    return values | {
        "level": one.level.code,
        "posts": [{"name": post.name, "people": list(post.people)} for post in one.posts],
        "skipped": [values_of(skipped) for skipped in one.skipped],
        "window_seconds": one.window.total_seconds(),
        "on_silence": one.on_silence.value,
    }


def _pass(row: AnyRow) -> Pass:
    values = renamed(row._asdict(), window_seconds="window")
    return Pass(
        **{
            **values,
            "level": Level.parse(row.level),
            "posts": tuple(Post(post["name"], tuple(post["people"])) for post in row.posts),
            "skipped": tuple(Skipped(**skipped) for skipped in row.skipped),
            "window": timedelta(seconds=row.window_seconds),
            "on_silence": OnSilence(row.on_silence),
        }
    )


class SqlEscalations(Repository):
    """`ports.Escalations`; every write comes after the ledger's lock, see `base`."""

    def start(self, one: Pass) -> bool:
        """Add unless a pass of this task and step is open; returns whether it was added."""
        self._hold_ledger()
        added = self._insert(escalation).values(_row(one)).on_conflict_do_nothing().returning(escalation.c.id)
        return bool(self._rows(added))

    def end(self, pass_id: str, at: datetime, outcome: str) -> bool:
        """End an open pass; returns whether it was open."""
        self._hold_ledger()
        standing = (escalation.c.id == pass_id) & escalation.c.ended_at.is_(None)
        ended = update(escalation).where(standing).values(ended_at=at, outcome=outcome).returning(escalation.c.id)
        return bool(self._rows(ended))

    def open(self) -> tuple[Pass, ...]:
        """Open passes of all tasks, earliest first."""
        found = select(escalation).where(escalation.c.ended_at.is_(None))
        return tuple(_pass(row) for row in self._rows(found.order_by(escalation.c.started_at, escalation.c.id)))

    def of_task(self, task_id: str) -> tuple[Pass, ...]:
        """Every pass of a task, earliest first."""
        found = select(escalation).where(escalation.c.task_id == task_id)
        return tuple(_pass(row) for row in self._rows(found.order_by(escalation.c.started_at, escalation.c.id)))

    def of_subject(self, subject: str) -> tuple[Pass, ...]:
        """Every pass about one thing, earliest first."""
        found = select(escalation).where(escalation.c.subject == subject)
        return tuple(_pass(row) for row in self._rows(found.order_by(escalation.c.started_at, escalation.c.id)))

    def ring(self, pass_id: str, rung: Rung) -> bool:
        """Note a ring; the row that is there already wins."""
        self._hold_ledger()
        row = renamed(values_of(rung), due="due_at", at="rung_at") | {"escalation_id": pass_id}
        added = self._insert(escalation_step).values(row).on_conflict_do_nothing()
        return bool(self._rows(added.returning(escalation_step.c.person)))

    def rung(self, pass_id: str) -> tuple[Rung, ...]:
        """In the order of the chain."""
        found = select(escalation_step).where(escalation_step.c.escalation_id == pass_id)
        ordered = found.order_by(escalation_step.c.number, escalation_step.c.person)
        return tuple(Rung(row.number, row.person, row.due_at, row.rung_at, row.told) for row in self._rows(ordered))

    def answer(self, pass_id: str, answer: Answer) -> bool:
        """Note an answer; False when it was noted before."""
        self._hold_ledger()
        row = values_of(answer) | {"escalation_id": pass_id}
        added = self._insert(escalation_answer).values(row).on_conflict_do_nothing()
        return bool(self._rows(added.returning(escalation_answer.c.person)))

    def answers(self, pass_id: str) -> tuple[Answer, ...]:
        """In order of time."""
        found = select(escalation_answer).where(escalation_answer.c.escalation_id == pass_id)
        ordered = found.order_by(escalation_answer.c.at, escalation_answer.c.person)
        return tuple(Answer(row.person, row.at) for row in self._rows(ordered))


def _emergency(row: AnyRow) -> Emergency:
    return Emergency(**{**row._mapping, "missing": tuple(Role(role) for role in row.missing)})


class SqlEmergencies(Repository):
    """`ports.Emergencies`."""

    def add(self, emergency: Emergency) -> None:
        """Add one; a bulletin is released once."""
        self._add(emergency_release, [values_of(emergency) | {"missing": [role.value for role in emergency.missing]}])

    def of_warning(self, warning_id: str) -> tuple[Emergency, ...]:
        """In order of release."""
        found = select(emergency_release).where(emergency_release.c.warning_id == warning_id)
        return tuple(_emergency(row) for row in self._rows(found.order_by(emergency_release.c.released_at)))

    def unsettled(self) -> tuple[Emergency, ...]:
        """Those whose review is still owed, oldest first."""
        found = select(emergency_release).where(emergency_release.c.settled_at.is_(None))
        return tuple(_emergency(row) for row in self._rows(found.order_by(emergency_release.c.released_at)))

    def settle(self, bulletin_id: str, at: datetime, how: str) -> bool:
        """Note that the review was made up for; returns whether it was still owed."""
        owed = (emergency_release.c.bulletin_id == bulletin_id) & emergency_release.c.settled_at.is_(None)
        settled = update(emergency_release).where(owed).values(settled_at=at, settled_by=how)
        return bool(self._rows(settled.returning(emergency_release.c.bulletin_id)))
