"""Shifts are made and changed, and what is wrong with them is told days ahead."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.duty import ROLES_OF, Part, seats
from geowarn.domain.errors import Refused
from geowarn.domain.people import Shift
from geowarn.domain.roster import Fault, Finding, candidates, findings
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM, Actor, find_user
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.roster_desk import RULERS, RosterDesk, find_shift, people, shift_facts
from geowarn.ports import UnitOfWork

TASK = "roster-fault"


def assign(
    desk: RosterDesk,
    actor: Actor,
    officer: str,
    deputy: str | None,
    leader: str | None,
    start: datetime,
    end: datetime,
) -> Shift:
    """Put people on duty for [start, end); a shift of exactly that time gets these people instead.

    Raises Refused for somebody without the role, a time that is over, or a time that another shift has.
    """
    actor.need(*RULERS)
    now = desk.clock.now()
    if end <= start:
        raise Refused("people.shift-times", start=start.isoformat(), end=end.isoformat())
    if end <= now:
        raise Refused("roster.past", start=_local(desk, start))
    with desk.store.begin() as work:
        held = next((s for s in work.shifts.between(start, end) if (s.start, s.end) == (start, end)), None)
        made = Shift(held.id if held else new_id("sh"), officer, deputy, start, end, leader, held.uid if held else None)
        if held is not None and held.start <= now:
            raise Refused("roster.begun", shift=held.id, start=_local(desk, held.start))
        refuse_unfit(work, made)
        refuse_taken(desk, work, made)
        keep(work, made, held, actor.label, now)
        work.commit()
    return made


def keep(work: UnitOfWork, made: Shift, held: Shift | None, actor: str, now: datetime) -> None:
    """Store a shift, new or changed, with its entry; questions to people who no longer sit there are over."""
    work.shifts.save(made)
    before = shift_facts(held) if held else None
    kind = "shift.changed" if held else "shift.assigned"
    work.ledger.append(now, actor, kind, made.id, shift_facts(made) | ({"before": before} if before else {}))
    gone = {name for _, name in seats(held)} - {name for _, name in seats(made)} if held else set()
    for name in gone:
        work.tasks.close("shift-silent", f"{made.id} {name}", now)


def refuse_unfit(work: UnitOfWork, shift: Shift) -> None:
    """Raise Refused when somebody has no account in use or not the role for the seat."""
    for part, name in seats(shift):
        if not find_user(work, name).roles & ROLES_OF[part]:
            roles = ", ".join(sorted(role.value for role in ROLES_OF[part]))
            raise Refused("roster.no-role", user=name, roles=roles)
    names = [name for _, name in seats(shift)]
    if len(set(names)) < len(names):
        raise Refused("roster.double", user=next(name for name in names if names.count(name) > 1))


def refuse_taken(desk: RosterDesk, work: UnitOfWork, shift: Shift) -> None:
    """Raise Refused when another shift has some of the time."""
    for other in work.shifts.between(shift.start, shift.end):
        if other.id != shift.id:
            span = f"{_local(desk, other.start)} – {_local(desk, other.end)}"
            raise Refused("roster.taken", shift=other.id, span=span, user=other.officer)


def _local(desk: RosterDesk, moment: datetime) -> str:
    return f"{moment.astimezone(desk.zone):%Y-%m-%d %H:%M}"


def remove(desk: RosterDesk, actor: Actor, shift_id: str) -> None:
    """Take a shift that has not begun out of the roster."""
    actor.need(*RULERS)
    now = desk.clock.now()
    with desk.store.begin() as work:
        shift = find_shift(work, shift_id)
        if shift.start <= now:
            raise Refused("roster.begun", shift=shift.id, start=_local(desk, shift.start))
        drop(work, shift, actor.label, now)
        work.commit()


def drop(work: UnitOfWork, shift: Shift, actor: str, now: datetime) -> None:
    """Take a shift out, with its entry."""
    work.shifts.remove(shift.id)
    for _, name in seats(shift):
        work.tasks.close("shift-silent", f"{shift.id} {name}", now)
    work.ledger.append(now, actor, "shift.removed", shift.id, shift_facts(shift))


def check(desk: RosterDesk, work: UnitOfWork, now: datetime) -> tuple[Finding, ...]:
    """What is wrong with the roster in the days ahead."""
    end = now + desk.rules.ahead
    return findings(work.shifts.between(now, end), people(work), now, end, desk.rules, desk.zone)


def proposed(desk: RosterDesk, work: UnitOfWork, finding: Finding) -> tuple[str, ...]:
    """Who could fill a gap or an empty seat."""
    if finding.fault is Fault.OVERLAP:
        return ()
    part = finding.part or Part.OFFICER
    rest = desk.rules.rest
    shifts = work.shifts.between(finding.start - desk.rules.ahead, finding.end + desk.rules.ahead)
    return candidates(people(work).values(), shifts, finding.start, finding.end, part, rest)


def watch_roster(desk: RosterDesk) -> tuple[str, ...]:
    """Keep one task for each thing that is wrong in the days ahead; returns the subjects newly opened.

    What was put right closes its task, and time that merely passes neither opens nor closes one.
    """
    now = desk.clock.now()
    opened = []
    with desk.store.begin() as work:
        wrong = {subject_of(finding, now): finding for finding in check(desk, work, now)}
        standing = {task.subject: task for task in work.tasks.pending() if task.kind == TASK}
        for subject in standing.keys() - wrong.keys():
            work.tasks.close(TASK, subject, now)
        for subject, finding in wrong.items():
            if subject in standing:
                continue
            leader = next((shift.leader for shift in work.shifts.at(now)), None)
            facts = finding_facts(finding)
            if work.tasks.open(Task(new_id("t"), TASK, subject, now, finding.start, facts=facts, owner=leader)):
                work.ledger.append(now, SYSTEM, "task.opened", subject, {"kind": TASK, **facts})
                opened.append(subject)
        if opened or standing.keys() - wrong.keys():
            work.commit()
    return tuple(opened)


def subject_of(finding: Finding, now: datetime) -> str:
    """The same fault has the same name as long as it lasts: by shift where there is one, a gap by its beginning.

    A gap that has begun is "gap now": its beginning would else be new every minute.
    """
    if finding.shifts:
        part = finding.part.value if finding.part else ""
        return " ".join((finding.fault.value, *finding.shifts, *finding.people, part))
    begun = finding.start <= now
    return f"{finding.fault.value} {'now' if begun else finding.start.isoformat(timespec='minutes')}"


def finding_facts(finding: Finding) -> dict[str, object]:
    """A finding as tasks, ledger and JSON name it."""
    return {
        "fault": finding.fault.value,
        "start": finding.start.isoformat(),
        "end": finding.end.isoformat(),
        "people": list(finding.people),
        "part": finding.part.value if finding.part else None,
        "shifts": list(finding.shifts),
    }
