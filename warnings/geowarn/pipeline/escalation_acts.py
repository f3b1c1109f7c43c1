"""A person says "I have it": the ringing stops, the deadline of the decision stands."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.escalation import Answer, Pass
from geowarn.domain.people import Role, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.escalation import REVIEW, begin_again, open_passes, open_task, standing_of, tend
from geowarn.pipeline.escalation_chain import role_of
from geowarn.ports import UnitOfWork

ASKED = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)


def acknowledge(desk: Desk, warning_id: str, actor: Actor) -> Task:
    """Take the review of a warning in hand; raises Refused for somebody it does not ask.

    Doing it twice changes nothing.
    """
    actor.need_somewhere(*ASKED)
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
    actor.need_somewhere(*ASKED)
    with desk.store.begin() as work:
        task = next((found for found in work.tasks.pending() if found.id == task_id), None)
        if task is None:
            raise NotFound("clock.no-task", task=task_id)
        taken = take(desk, work, task, actor)
        work.commit()
    return taken


def take(desk: Desk, work: UnitOfWork, task: Task, actor: Actor) -> Task:
    """Note the answer on what rings for this person, else on what they may answer, inside the caller's transaction."""
    now, user = desk.clock.now(), actor.user
    passes = [one for one in open_passes(work, task.id) if may_answer(work, one, user, now)]
    if not passes:
        raise Refused("clock.not-asked", user=user.name, task=task.subject)
    passes = [_present(desk, work, task, one) for one in passes]
    rung = [one for one in passes if any(r.person == user.name for r in work.escalations.rung(one.id))]
    for one in rung or passes:
        if standing_of(work, one, now).holder == user.name:
            continue
        if work.escalations.answer(one.id, Answer(user.name, now)):
            facts = {"task": one.kind, "step": one.step, "pass": one.number, "decide_by": one.decide_by.isoformat()}
            work.ledger.append(now, actor.label, "escalation.answered", task.subject, facts)
    return tend(work, task, now)


def _present(desk: Desk, work: UnitOfWork, task: Task, one: Pass) -> Pass:
    """The pass itself, or where its time is over the next one: an answer counts, however late, before anything else."""
    now = desk.clock.now()
    return begin_again(desk, work, task, one, now) if standing_of(work, one, now).over else one


def may_answer(work: UnitOfWork, one: Pass, user: User, now: datetime) -> bool:
    """Whether a pass asks this person: in its chain, left out of it for want of a number, or on shift now."""
    left_out = {skipped.person for skipped in one.skipped}
    on_shift = any(user.name in (shift.officer, shift.deputy) for shift in work.shifts.at(now))
    return user.active and (user.name in one.people() or user.name in left_out or on_shift)


def stands_in(desk: Desk, work: UnitOfWork, warning_id: str, user: User) -> frozenset[Role]:
    """The roles that the written rule and the silence of their holders have put into this person's hands."""
    task = open_task(work, REVIEW, warning_id)
    named = {role for role, accounts in desk.policy.clock.stand_in.items() if user.name in accounts}
    if task is None or not named:
        return frozenset()
    begun = [one for one in work.escalations.of_task(task.id) if role_of(one.step) in named]
    rung = [one for one in begun if any(ring.person == user.name for ring in work.escalations.rung(one.id))]
    return frozenset(role for one in rung if (role := role_of(one.step)) is not None)


def handed_on(desk: Desk, work: UnitOfWork, warning_id: str, users: Mapping[str, User]) -> dict[str, frozenset[Role]]:
    """By account, the roles that have come into somebody's hands by the written rule."""
    named = {name for accounts in desk.policy.clock.stand_in.values() for name in accounts}
    return {name: stands_in(desk, work, warning_id, user) for name, user in users.items() if name in named}


def answered_by_text(work: UnitOfWork, user: User, text: str, now: datetime) -> str | None:
    """Take "1" or "收到" from somebody who is being rung as their answer; listens to what people on duty write."""
    if text.strip() not in ("1", "收到"):
        return None
    taken = None
    tasks = {task.id: task for task in work.tasks.pending()}
    for one in work.escalations.open():
        rung = any(ring.person == user.name for ring in work.escalations.rung(one.id))
        if not rung or one.task_id not in tasks or standing_of(work, one, now).over:
            continue
        if work.escalations.answer(one.id, Answer(user.name, now)):
            facts = {"task": one.kind, "step": one.step, "pass": one.number, "decide_by": one.decide_by.isoformat()}
            work.ledger.append(now, f"{user.name} (SMS)", "escalation.answered", one.subject, facts)
        tend(work, tasks[one.task_id], now)
        taken = "escalation"
    return taken
