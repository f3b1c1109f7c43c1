"""班前应答: before a shift each person is asked to confirm, and silence becomes a task.

Every timer is derived from the shifts and the rows of questions asked, so a process that dies or comes back asks
neither twice nor too late. A code rides in the text: typed in the console it proves that the text arrived.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.duty import MOST_TRIES, Ask, seats
from geowarn.domain.errors import Refused
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM, Actor, find_user
from geowarn.pipeline.notices import reached, tell
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.roster_desk import RULERS, SEATED, RosterDesk, find_shift, seat_of
from geowarn.ports import UnitOfWork

SILENT = "shift-silent"
NOTICE = "shift-ask"
FAR = timedelta(days=400)  # no roster reaches further ahead
_YES = frozenset({"1", "是", "yes", "y", "ok", "确认", "收到"})
_NO = frozenset({"2", "否", "no", "n", "不能"})


def _digest(ask_id: str, code: str) -> str:
    return hashlib.sha256(f"{ask_id} {code}".encode()).hexdigest()


def ask_people(desk: RosterDesk) -> int:
    """Ask everyone whose time has come and open a task for each silence; returns how many were asked.

    A question may run out just as the shift begins: silence counts until its end.
    """
    now = desk.clock.now()
    longest = timedelta(hours=desk.rules.ask_hours[0])
    with desk.store.begin() as work:
        shifts = work.shifts.between(now, now + longest + timedelta(seconds=1))
        asks = work.roster.asks([shift.id for shift in shifts])
        asked = sum(
            _ask(work, desk, *due, now) for shift in shifts if shift.start > now for due in _due(desk, shift, asks, now)
        )
        silent = sum(_silence(work, shift, asks, now) for shift in shifts)
        over = _end_over(work, now)
        if asked or silent or over:
            work.commit()
    return asked


def _end_over(work: UnitOfWork, now: datetime) -> int:
    """Close the tasks about shifts that have ended or are gone; returns how many."""
    standing = [task for task in work.tasks.pending() if task.kind == SILENT]
    lasting = {shift.id for shift in work.shifts.between(now, now + FAR)} if standing else set()
    over = [task for task in standing if task.facts["shift"] not in lasting]
    for task in over:
        work.tasks.close(SILENT, task.subject, now)
        work.ledger.append(now, SYSTEM, "task.closed", task.subject, {"kind": SILENT, **task.facts})
    return len(over)


def _due(desk: RosterDesk, shift: Shift, asks: Iterable[Ask], now: datetime) -> Iterator[tuple[Shift, str, int, int]]:
    """(shift, person, hours before, minutes to answer) of every question whose time has come.

    After an outage only the last question that is due is asked, not those before it as well.
    """
    times = list(zip(desk.rules.ask_hours, desk.rules.answer_minutes, strict=True))
    due = [(hours, minutes) for hours, minutes in times if shift.start - timedelta(hours=hours) <= now]
    had = {(ask.person, ask.hours) for ask in asks if ask.shift == shift.id}
    for _, person in seats(shift):
        if due and (person, due[-1][0]) not in had:
            yield shift, person, *due[-1]


def _ask(work: UnitOfWork, desk: RosterDesk, shift: Shift, person: str, hours: int, minutes: int, now: datetime) -> int:
    user, part = work.users.get(person), seat_of(shift, person)
    if user is None or part is None:
        return 0  # the check of the roster names somebody without an account
    ask_id, code = new_id("q"), f"{secrets.randbelow(10**6):06d}"
    due = min(now + timedelta(minutes=minutes), shift.start)
    if not work.roster.add_ask(Ask(ask_id, shift.id, person, hours, now, due, _digest(ask_id, code))):
        return 0
    facts = {"start": shift.start, "end": shift.end, "by": due, "part": part.value, "code": code}
    told = tell(work, user, NOTICE, ask_id, facts, now, shift.start, alarm=False)
    work.ledger.append(now, SYSTEM, "shift.asked", shift.id, {"person": person, "hours": hours, "told": told})
    return 1


def _silence(work: UnitOfWork, shift: Shift, asks: Iterable[Ask], now: datetime) -> int:
    """Open a task for each person whose newest question has run out without an answer."""
    opened = 0
    for _, person in seats(shift):
        mine = [ask for ask in asks if (ask.shift, ask.person) == (shift.id, person)]
        if mine and mine[-1].answered_at is None and mine[-1].due_at <= now:
            opened += _open(work, shift, person, "silent", now)
    return opened


def _open(work: UnitOfWork, shift: Shift, person: str, why: str, now: datetime) -> bool:
    """One task a shift and person, for the leader of that shift, or whoever else leads when they are silent."""
    leaders = [shift.leader] if shift.leader else []
    leaders += [user.name for user in work.users.all() if user.active and Role.LEADER in user.roles]
    owner = next((name for name in leaders if name != person), None)
    facts = {"shift": shift.id, "person": person, "why": why, "start": shift.start.isoformat()}
    subject = f"{shift.id} {person}"
    if not work.tasks.open(Task(new_id("t"), SILENT, subject, now, shift.start, facts=facts, owner=owner)):
        return False
    work.ledger.append(now, SYSTEM, "task.opened", subject, {"kind": SILENT, **facts})
    return True


def confirm(
    desk: RosterDesk, shift_id: str, actor: Actor, code: str, person: str | None = None, answer: str = "yes"
) -> Ask:
    """Confirm a shift, or say that one cannot come: with the code from the text, or for somebody who telephoned.

    Raises Refused when nobody asked, the shift has begun, the code is wrong, or the actor may not answer for others.
    """
    actor.need_somewhere(*SEATED)
    with desk.store.begin() as work:
        now = desk.clock.now()
        shift = find_shift(work, shift_id)
        name = person or actor.user.name
        ask = _open_question(work, shift, name, now)
        if name != actor.user.name:
            actor.need_somewhere(*RULERS, Role.DUTY_OFFICER)
            via = "telephone"
        elif actor.via == "console":
            _check_code(work, ask, code)
            via = "console"
        else:
            via = actor.via
        done = _answer(work, shift, ask, answer, via, actor.label, now)
        work.commit()
    return done


def _open_question(work: UnitOfWork, shift: Shift, person: str, now: datetime) -> Ask:
    mine = [ask for ask in work.roster.asks([shift.id]) if ask.person == person]
    if seat_of(shift, find_user(work, person).name) is None:
        raise Refused("roster.not-in-shift", user=person, shift=shift.id)
    if not mine or shift.start <= now:
        raise Refused("roster.not-asked", user=person, shift=shift.id)
    if mine[-1].answer == "yes":
        raise Refused("roster.answered", user=person, shift=shift.id)
    return mine[-1]


def _check_code(work: UnitOfWork, ask: Ask, code: str) -> None:
    """A wrong code is counted for good, though nothing else is kept; after a few somebody else has to confirm."""
    if ask.tries >= MOST_TRIES:
        raise Refused("roster.too-many-codes", most=MOST_TRIES)
    if hmac.compare_digest(_digest(ask.id, "".join(code.split())), ask.code_sha256):
        return
    work.roster.save_ask(replace(ask, tries=ask.tries + 1))
    work.commit()
    raise Refused("roster.wrong-code", left=MOST_TRIES - ask.tries - 1)


def _answer(work: UnitOfWork, shift: Shift, ask: Ask, answer: str, via: str, actor: str, now: datetime) -> Ask:
    done = replace(ask, answered_at=now, answer=answer, via=via, recorded_by=actor)
    work.roster.save_ask(done)
    facts = {"person": ask.person, "hours": ask.hours, "answer": answer, "via": via}
    work.ledger.append(now, actor, "shift.answered", shift.id, facts)
    work.tasks.close(SILENT, f"{shift.id} {ask.person}", now)
    if answer == "no":
        _open(work, shift, ask.person, "declined", now)
    elif via in ("SMS", "console"):
        reached(work, ask.person, now)
    return done


def hear(work: UnitOfWork, user: User, text: str, now: datetime) -> str | None:
    """A text from somebody who was asked: 1 confirms the shift asked about last, 2 says no; all else is not ours."""
    word = "".join(text.split()).strip(".。!！").lower()
    answer = "yes" if word in _YES else "no" if word in _NO else None
    if answer is None:
        return None
    for ask in work.roster.asked(user.name):
        shift = work.shifts.get(ask.shift)
        if shift is None or shift.start <= now or ask.answer == "yes" or seat_of(shift, user.name) is None:
            continue
        _answer(work, shift, ask, answer, "SMS", f"{user.name} (SMS)", now)
        return f"shift {shift.id} {answer}"
    return None
