"""What a task waits for now, and the passes brought into line with it after every act and at every tick."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.clock import AFTER_REVIEW, EDIT, OTHER_SIGNER, RELEASE, SECRECY, TASK, TURNS
from geowarn.domain.escalation import Answer, Pass
from geowarn.domain.level import Level
from geowarn.domain.people import Role, Shift
from geowarn.domain.policy import lacks, weight
from geowarn.domain.task import Task
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk, newest
from geowarn.pipeline.escalation import REVIEW, begin, end, open_passes, open_task, ring_due, tend
from geowarn.pipeline.escalation_chain import current_shift, role_of
from geowarn.pipeline.fitness import consulted, unchecked
from geowarn.pipeline.owed import still_missing
from geowarn.ports import UnitOfWork

_FOR_THE_OFFICE = frozenset({Role.LEADER, Role.CHIEF})  # who sign only after the secrecy check


def missing_of(desk: Desk, work: UnitOfWork, proposal: Proposal) -> tuple[Role | None, ...]:
    """The roles whose signature a version lacks, None for a second person beside its editor."""
    signed = work.signoffs.of_proposal(proposal.id)
    talked = consulted(work, proposal)
    found = lacks(desk.policy, proposal.content, signed, proposal.package_sha256, proposal.edited_by, talked)
    return tuple(lack.role for lack in found)


def steps_of(desk: Desk, work: UnitOfWork, proposal: Proposal) -> tuple[str, ...]:
    """What the review waits for: an edit, the signatures whose turn it is, or the release."""
    if proposal.status is ProposalStatus.RETURNED:
        return (EDIT,)
    missing = missing_of(desk, work, proposal)
    roles = {role for role in missing if role is not None}
    if not missing:
        return (RELEASE,)
    if not roles:
        return (OTHER_SIGNER,)
    turn = next((found for turn in TURNS if (found := roles.intersection(turn))), roles)
    if turn & _FOR_THE_OFFICE and unchecked(desk, work, proposal):
        return (*sorted(role.value for role in turn - _FOR_THE_OFFICE), SECRECY)
    return tuple(sorted(role.value for role in turn))


def follow(desk: Desk, work: UnitOfWork, warning_id: str, acted: str = SYSTEM) -> None:
    """Let the clock of a warning's review follow what was just done, inside the same transaction.

    `acted` has changed the version: whoever works on it has taken it in hand.
    """
    task = open_task(work, REVIEW, warning_id)
    proposal = newest(work, warning_id)
    if task is None or proposal is None:
        close_passes(desk, work, REVIEW, warning_id)
        return
    level = weight(proposal.content)
    keep_in_line(desk, work, task, steps_of(desk, work, proposal), level)
    if acted != SYSTEM:
        for one in open_passes(work, task.id):
            if acted in one.people():
                work.escalations.answer(one.id, Answer(acted, desk.clock.now()))
    tend(work, task, desk.clock.now())


def waited_for(desk: Desk, work: UnitOfWork, task: Task) -> tuple[str, ...]:
    """The steps that an open task waits for now; none for one without a clock."""
    if task.kind == REVIEW:
        proposal = newest(work, task.subject)
        return steps_of(desk, work, proposal) if proposal else ()
    if task.kind == AFTER_REVIEW:
        return _owed(work, task)
    return (TASK,) if desk.policy.clock.rings(task.kind) else ()


def follow_task(desk: Desk, work: UnitOfWork, task: Task) -> None:
    """Let the clock of any task follow what it waits for."""
    if task.kind == REVIEW:
        follow(desk, work, task.subject)
        return
    level = Level.parse(str(task.facts["level"])) if task.kind == AFTER_REVIEW else Level.NONE
    keep_in_line(desk, work, task, waited_for(desk, work, task), level)
    tend(work, task, desk.clock.now())


def close_passes(desk: Desk, work: UnitOfWork, kind: str, subject: str) -> None:
    """End what rings for a task that is over."""
    for one in work.escalations.open():
        if (one.kind, one.subject) == (kind, subject):
            end(work, one, desk.clock.now(), "closed")


def keep_in_line(desk: Desk, work: UnitOfWork, task: Task, steps: tuple[str, ...], level: Level) -> None:
    """End the passes of steps that are done, overtaken or handed over, and begin those that are now waited for."""
    now, shift = desk.clock.now(), current_shift(work, desk.clock.now())
    kept: set[str] = set()
    carried: dict[str, datetime] = {}
    for one in open_passes(work, task.id):
        why = _over(one, steps, level, shift)
        if why:
            end(work, one, now, why)
        else:
            kept.add(one.step)
            ring_due(desk, work, one)
        if why == "handed-over":
            carried[one.step] = one.decide_by
    for step in steps:
        if step not in kept:
            begin(desk, work, task, step, level, carried.get(step))


def _over(one: Pass, steps: tuple[str, ...], level: Level, shift: Shift | None) -> str:
    """Why a pass no longer fits; empty where it does. A level that falls leaves the stricter clock running."""
    if one.step not in steps:
        return "done"
    if level > one.level:
        return "raised"
    return "handed-over" if handed_over(one, shift) else ""


def handed_over(one: Pass, shift: Shift | None) -> bool:
    """Whether the officers that the chain begins with have gone home meanwhile."""
    on_shift = role_of(one.step) in (None, Role.DUTY_OFFICER)
    return on_shift and shift is not None and shift.id != one.shift


def _owed(work: UnitOfWork, task: Task) -> tuple[str, ...]:
    """The signatures that an emergency release still lacks."""
    found = next((e for e in work.emergencies.unsettled() if e.bulletin_id == task.facts["bulletin"]), None)
    return tuple(f"{AFTER_REVIEW}:{role.value}" for role in still_missing(work, found)) if found else ()
