"""交接班: open tasks and notes pass from one officer to the next, and both sign."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.duty import Handover
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, Shift
from geowarn.domain.warning import WarningStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.roster_desk import RosterDesk, next_after
from geowarn.ports import UnitOfWork

LATE = timedelta(hours=4)  # how long after its end a shift may still be handed over
EARLY = timedelta(hours=2)  # how long before its end
LONGEST_NOTES = 2000


def shift_to_hand_over(work: UnitOfWork, person: str, now: datetime) -> Shift | None:
    """The shift this officer or deputy may hand over now: the one that has just ended, or ends soon."""
    near = [s for s in work.shifts.between(now - LATE, now + EARLY) if now - LATE <= s.end <= now + EARLY]
    mine = [shift for shift in near if person in (shift.officer, shift.deputy)]
    given = {handover.shift for handover in work.roster.handovers(50) if handover.taken_at is not None}
    return next((shift for shift in mine if shift.id not in given), None)


def hand_over(desk: RosterDesk, actor: Actor, notes: str) -> Handover:
    """Sign one's shift away with what is open and what the next one must know; may be corrected until it is taken."""
    actor.need_somewhere(Role.DUTY_OFFICER)
    now = desk.clock.now()
    with desk.store.begin() as work:
        shift = shift_to_hand_over(work, actor.user.name, now)
        if shift is None:
            raise Refused("roster.nothing-to-hand-over", user=actor.user.name)
        if len(notes) > LONGEST_NOTES:
            raise Refused("roster.notes-long", most=LONGEST_NOTES)
        later = next_after(work, shift, now + desk.rules.ahead)
        held = next((one for one in work.roster.handovers(50) if one.shift == shift.id), None)
        held = work.roster.handover(held.id) if held else None
        if held is not None and held.taken_at is not None:  # meanwhile
            raise Refused("roster.handover-taken", user=held.taken_by)
        made = Handover(
            id=held.id if held else new_id("h"),
            shift=shift.id,
            giver=actor.user.name,
            next_shift=later.id if later else None,
            taker=later.officer if later else None,
            given_at=now,
            notes=notes.strip(),
            facts=open_work(work),
        )
        work.roster.save_handover(made)
        work.ledger.append(now, actor.label, "shift.handed-over", shift.id, _facts(made))
        work.commit()
    return made


def open_work(work: UnitOfWork) -> dict[str, Any]:
    """What waits now: tasks, warnings in force and versions under review."""
    tasks = [
        {
            "kind": task.kind,
            "subject": task.subject,
            "opened": task.opened_at.isoformat(),
            "due": task.due_at.isoformat() if task.due_at else None,
            "owner": task.owner,
        }
        for task in work.tasks.pending()
    ]
    chains = {w.id: work.bulletins.of_warning(w.id) for w in work.warnings.standing(WarningStatus.IN_FORCE)}
    in_force = [
        {"warning": name, "number": chain[-1].number, "until": chain[-1].content.expires.isoformat()}
        for name, chain in chains.items()
        if chain
    ]
    return {"tasks": tasks, "in_force": in_force, "review": [p.warning_id for p in work.proposals.open()]}


def _facts(made: Handover) -> dict[str, Any]:
    return {"handover": made.id, "giver": made.giver, "taker": made.taker, "notes": made.notes, **made.facts}


def take_over(desk: RosterDesk, handover_id: str, actor: Actor) -> Handover:
    """The next officer, or the deputy, signs; tasks that waited for the one before wait for them now."""
    actor.need_somewhere(Role.DUTY_OFFICER)
    now = desk.clock.now()
    with desk.store.begin() as work:
        held = work.roster.handover(handover_id)
        if held is None:
            raise NotFound("roster.unknown-handover", handover=handover_id[:40])
        if held.taken_at is not None:
            raise Refused("roster.handover-taken", user=held.taken_by)
        shift = work.shifts.get(held.next_shift) if held.next_shift else None
        shift = shift or next(iter(work.shifts.at(now)), None)
        if shift is None or actor.user.name not in (shift.officer, shift.deputy):
            raise Refused("roster.not-next", user=actor.user.name)
        if actor.user.name == held.giver:
            raise Refused("roster.own-handover", user=actor.user.name)
        taken = replace(held, taken_by=actor.user.name, taken_at=now, next_shift=shift.id, taker=shift.officer)
        work.roster.save_handover(taken)
        moved = [task for task in work.tasks.pending() if task.owner == held.giver]
        for task in moved:
            work.tasks.save(replace(task, owner=actor.user.name))
        facts = {"handover": held.id, "giver": held.giver, "taker": actor.user.name}
        tasks = [f"{task.kind} {task.subject}" for task in moved]
        work.ledger.append(now, actor.label, "shift.taken-over", shift.id, {**facts, "tasks": tasks})
        work.commit()
    return taken
