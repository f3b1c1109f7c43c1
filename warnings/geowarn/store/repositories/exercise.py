"""Exercises and the permits that leaders gave for them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select, update

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import Exercise, ExerciseStatus, Permit
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import exercise, exercise_permit
from geowarn.store.tables.exercise import RUNNING

_CHANGING = ("status", "ended_at", "ended_by", "reason")


def _exercise(row: AnyRow) -> Exercise:
    return Exercise(**row._asdict() | {"status": ExerciseStatus(row.status)})


class SqlExercises(Repository):
    """`ports.Exercises`."""

    def add(self, given: Exercise) -> None:
        """Begin one; raises Refused while another is running."""
        begun = self._insert(exercise).values(values_of(given) | {"status": given.status.value})
        alone = begun.on_conflict_do_nothing(index_elements=["status"], index_where=RUNNING)
        if not self._rows(alone.returning(exercise.c.id)):
            running = self.running()
            raise Refused("exercise.already-running", number=running.number if running else given.number)

    def save(self, given: Exercise) -> None:
        """Store status, end and reason; nothing else of an exercise ever changes."""
        values = {name: value for name, value in values_of(given).items() if name in _CHANGING}
        values["status"] = given.status.value
        self._run(update(exercise).where(exercise.c.id == given.id).values(**values))

    def get(self, exercise_id: str) -> Exercise | None:
        """One exercise, or None."""
        row = self._row(select(exercise).where(exercise.c.id == exercise_id))
        return _exercise(row) if row else None

    def running(self) -> Exercise | None:
        """The one that is running, or None."""
        row = self._row(select(exercise).where(exercise.c.status == ExerciseStatus.RUNNING.value))
        return _exercise(row) if row else None

    def all(self) -> tuple[Exercise, ...]:
        """Newest first."""
        order = (exercise.c.year.desc(), exercise.c.serial.desc())
        return tuple(_exercise(row) for row in self._rows(select(exercise).order_by(*order)))

    def permit(self, permit: Permit) -> None:
        """Keep a leader's permit."""
        self._add(exercise_permit, [values_of(permit)])

    def permits(self, since: datetime) -> tuple[Permit, ...]:
        """Those granted since then, newest first."""
        found = select(exercise_permit).where(exercise_permit.c.granted_at >= since)
        order = (exercise_permit.c.granted_at.desc(), exercise_permit.c.id)
        return tuple(Permit(**row._asdict()) for row in self._rows(found.order_by(*order)))

    def use_permit(self, permit_id: str, exercise_id: str, at: datetime) -> bool:
        """Use a permit up; only one caller ever gets True."""
        unused = (exercise_permit.c.id == permit_id) & exercise_permit.c.used_at.is_(None)
        taken = update(exercise_permit).where(unused).values(used_at=at, exercise_id=exercise_id)
        return bool(self._rows(taken.returning(exercise_permit.c.id)))
