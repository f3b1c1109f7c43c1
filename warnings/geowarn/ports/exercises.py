"""What the store keeps of exercises and of what permits them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol

from geowarn.domain.exercise import Exercise, Permit


class Exercises(Protocol):
    """Exercises of the store; at most one is running."""

    def add(self, exercise: Exercise) -> None:
        """Begin one; raises Refused while another is running."""
        ...

    def save(self, exercise: Exercise) -> None:
        """Store status, end and reason; nothing else of an exercise ever changes."""
        ...

    def get(self, exercise_id: str) -> Exercise | None: ...

    def running(self) -> Exercise | None: ...

    def all(self) -> tuple[Exercise, ...]:
        """Newest first."""
        ...

    def permit(self, permit: Permit) -> None:
        """Keep a leader's permit."""
        ...

    def permits(self, since: datetime) -> tuple[Permit, ...]:
        """Those granted since then, newest first."""
        ...

    def use_permit(self, permit_id: str, exercise_id: str, at: datetime) -> bool:
        """Use a permit up; only one caller ever gets True."""
        ...
