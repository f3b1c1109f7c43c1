"""A review that is owed after an emergency release: paid by its signatures or by the retraction, by nothing else."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.clock import AFTER_REVIEW
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.ports import Emergency, UnitOfWork

SIGNED, RETRACTED = "signed", "retracted"


def still_missing(work: UnitOfWork, owed: Emergency) -> tuple[Role, ...]:
    """The roles whose signature a released bulletin still lacks."""
    signed = {s.role for s in work.signoffs.of_proposal(owed.proposal_id) if s.voided_at is None}
    return tuple(role for role in owed.missing if role not in signed)


def settle(work: UnitOfWork, warning_id: str, now: datetime, how: str, label: str, only: str | None = None) -> None:
    """Note that the reviews owed for a warning, or for the bulletin `only`, are made up for, and close their tasks."""
    for owed in work.emergencies.of_warning(warning_id):
        if only not in (None, owed.bulletin_id) or not work.emergencies.settle(owed.bulletin_id, now, how):
            continue
        bulletin = work.bulletins.get(owed.bulletin_id)
        work.tasks.close(AFTER_REVIEW, bulletin.slug if bulletin else owed.bulletin_id, now)
        facts = {"bulletin": owed.bulletin_id, "how": how, "package_sha256": owed.package_sha256}
        work.ledger.append(now, label, "bulletin.after-reviewed", warning_id, facts)


def owe(work: UnitOfWork, owed: Emergency, task_id: str, slug: str, level: str) -> Task:
    """Open the task of a review that is owed, unless it is open."""
    facts = {
        "bulletin": owed.bulletin_id,
        "warning": owed.warning_id,
        "level": level,
        "missing": [role.value for role in owed.missing],
        "package_sha256": owed.package_sha256,
    }
    task = Task(task_id, AFTER_REVIEW, slug, owed.released_at, owed.due_at, facts=facts)
    work.tasks.open(task)
    return next(t for t in work.tasks.pending() if (t.kind, t.subject) == (AFTER_REVIEW, slug))
