"""What the head of every page of the console says of now: reviews that wait, and the shift its reader is on."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geowarn.pipeline.escalation import REVIEW
from geowarn.ports import UnitOfWork

SEATS = ("officer", "deputy", "leader")


def head_values(work: UnitOfWork, name: str, now: datetime) -> dict[str, Any]:
    """`reviews` that are open, and `on_shift`: (seat, end) of the shift the person is on, None off shift."""
    reviews = sum(task.kind == REVIEW for task in work.tasks.pending())
    seats = [(seat, shift.end) for shift in work.shifts.at(now) for seat in SEATS if getattr(shift, seat) == name]
    return {"reviews": reviews, "on_shift": seats[0] if seats else None}
