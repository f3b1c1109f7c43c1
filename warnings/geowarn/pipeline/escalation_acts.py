"""A person says "I have it": the ringing stops, the deadline of the decision stands."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.escalation import Answer, Pass
from geowarn.domain.people import Role, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.escalation import (
    REVIEW,
    begin_again,
    keep_off,
    open_passes,
    open_task,
    standing_of,
    tend,
    warning_of,
)
from geowarn.pipeline.escalation_chain import role_of
from geowarn.ports import UnitOfWork

SIGNERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)


def need_signer(desk: Desk, actor: Actor) -> None:
    """Raise NotEntitled for who neither holds a role that signs nor stands in for one by the written rule."""
    if not any(actor.user.name in accounts for accounts in desk.policy.clock.stand_in.values()):
        actor.need_somewhere(*SIGNERS)


def acknowledge(desk: Desk, warning_id: str, actor: Actor) -> Task:
    """Take the review of a warning in hand; raises Refused for somebody it does not ask.

    Doing it twice changes nothing.
    """
    need_signer(desk, actor)
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        task = open_task(work, REVIEW, warning.id)
        if task is None:
            raise NotFound("review.nothing-open", warning=warning.id)
        taken = take(desk, work, task, actor)
        work.commit()
    return taken


def acknowledge_task(desk: Desk, task_id: str, actor: Actor) -> Task:
    """Take any task that rings in hand; raises NotFound for one that is not open."""
    need_signer(desk, actor)
    with desk.store.begin() as work:
        taken = take(desk, work, _held(work, task_id), actor)
        work.commit()
    return taken


def _held(work: UnitOfWork, task_id: str) -> Task:
    """An open task, as it stands once other writers of its warning are kept off; raises NotFound where it is over."""
    task = _pending(work, task_id)
    if task is not None:
        keep_off(work, task)
        task = _pending(work, task_id)
    if task is None:
        raise NotFound("clock.no-task", task=task_id)
    return task


def _pending(work: UnitOfWork, task_id: str) -> Task | None:
    return next((task for task in work.tasks.pending() if task.id == task_id), None)


def take(desk: Desk, work: UnitOfWork, task: Task, actor: Actor) -> Task:
    """Note the answer on what rings for this person, else on what they may answer, inside the caller's transaction.

    The caller keeps other writers of a review's warning off.
    """
    now, user = desk.clock.now(), actor.user
    passes = [one for one in open_passes(work, task.id) if may_answer(work, one, user, now)]
    if not passes:
        actor.need_somewhere(*SIGNERS)
        raise Refused("clock.not-asked", user=user.name, task=task.subject)
    passes = [_present(desk, work, task, one, now) for one in passes]
    rung = [one for one in passes if _rung(work, one, user)]
    _answer(work, task, rung or passes, user, actor.label, now)
    return tend(work, task, now)


def _answer(work: UnitOfWork, task: Task, passes: Iterable[Pass], user: User, label: str, now: datetime) -> None:
    """Note that somebody has these passes in hand, where they had not before."""
    for one in passes:
        if standing_of(work, one, now).holder == user.name:
            continue
        if work.escalations.answer(one.id, Answer(user.name, now)):
            facts = {"task": one.kind, "step": one.step, "pass": one.number, "decide_by": one.decide_by.isoformat()}
            work.ledger.append(now, label, "escalation.answered", task.subject, facts)


def _rung(work: UnitOfWork, one: Pass, user: User) -> bool:
    return any(ring.person == user.name for ring in work.escalations.rung(one.id))


def _present(desk: Desk, work: UnitOfWork, task: Task, one: Pass, now: datetime) -> Pass:
    """The pass itself, or where its time is over the next one: an answer counts, however late, before anything else.

    The next one begins at `now`, the moment of the answer, which would not be heard in it a moment earlier.
    """
    return begin_again(desk, work, task, one, now) if standing_of(work, one, now).over else one


def may_answer(work: UnitOfWork, one: Pass, user: User, now: datetime) -> bool:
    """Whether a pass asks this person: in its chain, left out of it for want of a number, or on shift now."""
    left_out = {skipped.person for skipped in one.skipped}
    on_shift = any(user.name in (shift.officer, shift.deputy) for shift in work.shifts.at(now))
    return user.active and (user.name in one.people() or user.name in left_out or on_shift)


def stands_in(desk: Desk, work: UnitOfWork, task: Task | None, user: User) -> frozenset[Role]:
    """The roles that the written rule and the silence of their holders have put into this person's hands.

    `task`: the review that is open, or the one owed after a release; None: nothing rings.
    """
    named = {role for role, accounts in desk.policy.clock.stand_in.items() if user.name in accounts}
    if task is None or not named:
        return frozenset()
    begun = [one for one in work.escalations.of_task(task.id) if role_of(one.step) in named]
    return frozenset(role for one in begun if _rung(work, one, user) and (role := role_of(one.step)) is not None)


def handed_on(desk: Desk, work: UnitOfWork, warning_id: str, users: Mapping[str, User]) -> dict[str, frozenset[Role]]:
    """By account, the roles that have come into somebody's hands by the written rule while a warning is reviewed."""
    named = {name for accounts in desk.policy.clock.stand_in.values() for name in accounts}
    task = open_task(work, REVIEW, warning_id)
    return {name: stands_in(desk, work, task, user) for name, user in users.items() if name in named}


def answered_by_text(desk: Desk, work: UnitOfWork, user: User, text: str, now: datetime) -> str | None:
    """Take "1" or "收到" from somebody who is being rung as their answer; listens to what people on duty write.

    However late: a chain that has been gone through is followed by the next one, which the answer then stops.
    """
    if text.strip() not in ("1", "收到"):
        return None
    rung = {one.task_id for one in work.escalations.open() if _rung(work, one, user)}
    found = [task for task in work.tasks.pending() if task.id in rung]
    for task in sorted(found, key=lambda task: warning_of(task) or ""):  # everybody in this order, before any writing
        keep_off(work, task)
    taken = None
    for task in (now_open for task in found if (now_open := _pending(work, task.id))):
        passes = [one for one in open_passes(work, task.id) if _rung(work, one, user)]
        if passes:
            present = [_present(desk, work, task, one, now) for one in passes]
            _answer(work, task, present, user, f"{user.name} (SMS)", now)
            tend(work, task, now)
            taken = "escalation"
    return taken
