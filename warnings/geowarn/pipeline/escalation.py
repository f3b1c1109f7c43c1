"""The passes of a task: begun, rung, ended and followed by the next, each with its entry in the ledger.

Everything here happens inside the caller's transaction and is worked out from what the tables hold, so that doing it
twice, late or after a crash leaves what doing it once in time leaves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.clock import AFTER_REVIEW, SECRECY, TASK, ClockRule
from geowarn.domain.escalation import Pass, Standing, next_begin, walk
from geowarn.domain.level import Level
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM, codes_of
from geowarn.pipeline.desk import Desk, newest
from geowarn.pipeline.escalation_chain import Chain, chain_again, chain_of, with_checkers
from geowarn.pipeline.ringing import tell_rung
from geowarn.ports import Rung, UnitOfWork

REVIEW = "review"


def rule_of(desk: Desk, kind: str, level: Level) -> ClockRule:
    """The clock that a task goes by now; a pass under way keeps the numbers it began with."""
    rules = desk.policy.clock
    return rules.of(level) if kind in (REVIEW, AFTER_REVIEW) else rules.tasks


def _rule_for(desk: Desk, task: Task, level: Level, step: str) -> ClockRule:
    """The same for one step: the secrecy check also rings those who may do it, after the desk."""
    rule = rule_of(desk, task.kind, level)
    return replace(rule, chain=with_checkers(rule.chain, desk.policy.review.secrecy_check)) if step == SECRECY else rule


def open_task(work: UnitOfWork, kind: str, subject: str) -> Task | None:
    """The open task of this kind about this subject."""
    return next((task for task in work.tasks.pending() if (task.kind, task.subject) == (kind, subject)), None)


def warning_of(task: Task) -> str | None:
    """The warning that a task is about; None for one about something else."""
    if task.kind == AFTER_REVIEW:
        return str(task.facts["warning"])
    return task.subject if task.kind == REVIEW else None


def keep_off(work: UnitOfWork, task: Task) -> None:
    """Let other writers of a task's warning wait until the end, on PostgreSQL too; before anything else is locked."""
    warning = warning_of(task)
    if warning is not None:
        work.warnings.get(warning)


def areas_of(work: UnitOfWork, task: Task) -> tuple[str, ...]:
    """The areas that a task is about; none for one about the whole installation."""
    if task.kind == AFTER_REVIEW:
        bulletin = work.bulletins.get(str(task.facts["bulletin"]))
        return codes_of(bulletin.content) if bulletin else ()
    proposal = newest(work, task.subject)
    return codes_of(proposal.content) if proposal else ()


def open_passes(work: UnitOfWork, task_id: str) -> tuple[Pass, ...]:
    """What rings for a task now, one pass for each step that is waited for."""
    return tuple(one for one in work.escalations.open() if one.task_id == task_id)


def standing_of(work: UnitOfWork, one: Pass, now: datetime) -> Standing:
    """Where a pass stands."""
    return walk(one, work.escalations.answers(one.id), now)


def begin(
    desk: Desk,
    work: UnitOfWork,
    task: Task,
    step: str,
    level: Level,
    decide_by: datetime | None = None,
) -> Pass:
    """Begin a step: its chain is drawn up and frozen, and the first of it is rung.

    `decide_by` is given where a step goes on with somebody else and keeps its deadline.
    """
    now, rule = desk.clock.now(), _rule_for(desk, task, level, step)
    chain = chain_of(work, desk.policy.clock, rule, step, now, areas_of(work, task))
    deadline = decide_by or _own_deadline(task, step, now) or now + rule.time_for(step)
    return _start(desk, work, task, step, level, chain, 1, now, rule.acknowledge, deadline)


def _own_deadline(task: Task, step: str, now: datetime) -> datetime | None:
    """The time that a task came with, such as the end of a validity, while it is still to come."""
    return task.due_at if step == TASK and task.due_at is not None and task.due_at > now else None


def begin_again(desk: Desk, work: UnitOfWork, task: Task, one: Pass, at: datetime | None = None) -> Pass:
    """Follow a pass that is over by the next one, drawn up anew from the people on duty now.

    It begins when the last one was over, or `at`; what nobody rang because nothing ran is not made up for.
    """
    now, rule = desk.clock.now(), _rule_for(desk, task, one.level, one.step)
    chain = chain_again(work, desk.policy.clock, rule, one.step, now, areas_of(work, task))
    missed, began = next_begin(at or standing_of(work, one, now).until, len(chain.posts) * rule.again, now)
    end(work, one, now, "unanswered")
    deadline = _own_deadline(task, one.step, now) or began + rule.time_for(one.step)
    number = one.number + 1 + missed
    return _start(desk, work, task, one.step, one.level, chain, number, began, rule.again, deadline)


def _start(
    desk: Desk,
    work: UnitOfWork,
    task: Task,
    step: str,
    level: Level,
    chain: Chain,
    number: int,
    began: datetime,
    window: timedelta,
    decide_by: datetime,
) -> Pass:
    one = Pass(
        id=f"{task.id}.{len(work.escalations.of_task(task.id)) + 1}",
        task_id=task.id,
        kind=task.kind,
        subject=task.subject,
        step=step,
        number=number,
        level=level,
        posts=chain.posts,
        skipped=chain.skipped,
        shift=chain.shift,
        started_at=began,
        window=window,
        decide_by=decide_by,
        on_silence=rule_of(desk, task.kind, level).on_silence,
    )
    if work.escalations.start(one):
        facts = {
            "task": task.kind,
            "step": step,
            "number": number,
            "level": level.code,
            "chain": [{"post": post.name, "people": list(post.people)} for post in one.posts],
            "skipped": [{"post": left.post, "person": left.person, "why": left.why} for left in one.skipped],
            "started_at": began.isoformat(),
            "seconds_each": window.total_seconds(),
            "decide_by": decide_by.isoformat(),
        }
        work.ledger.append(desk.clock.now(), SYSTEM, "escalation.started", task.subject, facts)
        ring_due(desk, work, one)
    return one


def ring_due(desk: Desk, work: UnitOfWork, one: Pass) -> int:
    """Ring whoever is due and was not rung yet; returns how many."""
    now, count = desk.clock.now(), 0
    standing = standing_of(work, one, now)
    known = {(rung.number, rung.person) for rung in work.escalations.rung(one.id)}
    users = {user.name: user for user in work.users.all()}
    for ring in standing.rings:
        for person in ring.post.people or ("",):
            if (ring.number, person) in known:
                continue
            user = users.get(person)
            told = user is not None and user.phone_sealed is not None
            if work.escalations.ring(one.id, Rung(ring.number, person, ring.due, now, told)):
                facts = {"task": one.kind, "step": one.step, "pass": one.number, "post": ring.post.name}
                facts |= {"person": person, "due": ring.due.isoformat(), "told": told}
                work.ledger.append(now, SYSTEM, "escalation.rung", one.subject, facts)
                count += 1
                if user is not None and told:
                    tell_rung(desk, work, user, one, ring, standing)
    return count


def end(work: UnitOfWork, one: Pass, now: datetime, outcome: str) -> None:
    """End a pass with what came of it."""
    if work.escalations.end(one.id, now, outcome):
        facts = {"task": one.kind, "step": one.step, "pass": one.number, "outcome": outcome}
        work.ledger.append(now, SYSTEM, "escalation.ended", one.subject, facts)


def tend(work: UnitOfWork, task: Task, now: datetime) -> Task:
    """Let the task say for whom it waits, until when, and who has taken it in hand."""
    passes = sorted(open_passes(work, task.id), key=lambda one: (one.decide_by, one.id))
    if not passes:
        return task
    found = [(one, standing_of(work, one, now)) for one in passes]
    held = all(standing.holder for _, standing in found)
    first = found[0][1]
    people = (first.holder,) if first.holder else first.ringing.people
    last = _last_answer(work, passes) if held else None
    tended = replace(
        task,
        owner=people[0] if people else None,
        due_at=passes[0].decide_by if task.kind == REVIEW or task.due_at is None else task.due_at,
        acknowledged_at=last[0] if last else None,
        acknowledged_by=last[1] if last else None,
    )
    if tended != task:
        work.tasks.save(tended)
    return tended


def _last_answer(work: UnitOfWork, passes: Iterable[Pass]) -> tuple[datetime, str] | None:
    return max(((a.at, a.person) for one in passes for a in work.escalations.answers(one.id)), default=None)
