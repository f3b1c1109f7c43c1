"""People on duty are told, once each, and what they answer is heard.

`tell` writes one row into the outbox inside the caller's transaction; `notice_lane` sends it. The text of a kind is
`templates/notice/<kind>.<language>.txt.j2`, rendered at sending. No number and no code is in ledger or log: facts
named in `SECRET_FACTS` are sent and then taken out of the row.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from geowarn.domain.calls import CALL
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.notice import LANGUAGES, Notice
from geowarn.domain.people import User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.identifiers import new_id
from geowarn.ports import Clock, Store, UnitOfWork, Vault

UNREACHABLE = "unreachable"
REPORTED = "notices.reported"
_DELIVERED = frozenset({"delivered", "read"})
_ARRIVING = frozenset({DispatchState.ACCEPTED, DispatchState.DELIVERED})
_FAILED = frozenset({"failed", "undelivered", "canceled"})

# Looks at what a person on duty wrote; returns what it was taken for, None when it is not for this listener.
Listener = Callable[[UnitOfWork, User, str, datetime], str | None]


def tell(
    work: UnitOfWork,
    to: User,
    kind: str,
    subject: str,
    facts: Mapping[str, Any],
    at: datetime,
    not_after: datetime,
    *,
    language: str = "zh",
    alarm: bool = True,
) -> bool:
    """Have one person told about one thing, once; False when that was done before or there is no way to reach them.

    Somebody without a number is recorded with the task `unreachable`. `alarm`: a second text beats silence where
    nobody can say whether the first arrived. Raises ValueError for an unknown language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is not one of {LANGUAGES}")
    lacks = None if to.active and to.phone_sealed else "notices.no-number" if to.active else "notices.inactive"
    plain = {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}
    made = Notice(
        id=new_id("n"),
        kind=kind,
        subject=subject,
        person=to.name,
        language=language,
        facts=plain,
        created_at=at,
        not_after=not_after,
        alarm=alarm,
        state=DispatchState.FAILED if lacks else DispatchState.NEW,
        reason=lacks,
        settled_at=at if lacks else None,
    )
    if not work.notices.add(made):
        return False
    entry = {"kind": kind, "person": to.name, "not_after": not_after.isoformat(), "reason": lacks}
    work.ledger.append(at, SYSTEM, "notice.queued", subject, entry)
    if lacks:
        not_reached(work, made, at, lacks)
    return not lacks


def not_reached(work: UnitOfWork, notice: Notice, at: datetime, reason: str) -> None:
    """Open the task that somebody must call this person otherwise; it waits for the leader on call."""
    leaders = (shift.leader for shift in work.shifts.at(at) if shift.leader != notice.person)
    facts = {"kind": notice.kind, "subject": notice.subject, "reason": reason, "notice": notice.id}
    task = Task(new_id("t"), UNREACHABLE, notice.person, at, notice.not_after, facts=facts, owner=next(leaders, None))
    if work.tasks.open(task):
        opened = {"kind": UNREACHABLE, "about": notice.subject, "reason": reason}
        work.ledger.append(at, SYSTEM, "task.opened", notice.person, opened)


def reached(work: UnitOfWork, person: str, at: datetime) -> None:
    """The person has proved that they can be reached: the task is over."""
    work.tasks.close(UNREACHABLE, person, at)


def reported(store: Store, clock: Clock, notice_id: str, provider_id: str, status: str, error_code: str) -> bool:
    """Note what the far end says about a notice; returns whether it told something new."""
    state = DispatchState.DELIVERED if status in _DELIVERED else DispatchState.FAILED if status in _FAILED else None
    if state is None:
        return False
    with store.begin() as work:
        now = clock.now()
        held = work.notices.get(notice_id) if notice_id else work.notices.by_provider_id(provider_id)
        failed = state is DispatchState.FAILED
        reason = f"{REPORTED} {error_code or status}" if failed else None
        if held is None or not work.notices.report(held.id, state, now, provider_id, reason):
            return False
        note_result(work, held, state, now, reason)
        work.commit()
    return True


def note_result(work: UnitOfWork, notice: Notice, state: DispatchState, at: datetime, reason: str | None) -> None:
    """Enter what became of a notice; whoever could not be reached becomes a task, or the next contact is called."""
    facts = {"kind": notice.kind, "person": notice.person, "state": state.value, "reason": reason}
    work.ledger.append(at, SYSTEM, "notice.result", notice.subject, facts)
    if notice.kind == CALL:
        if state not in _ARRIVING:
            work.calls.fail(notice.subject, int(notice.facts["order"]), at)
    elif state is DispatchState.DELIVERED:
        reached(work, notice.person, at)
    elif state is not DispatchState.ACCEPTED:
        not_reached(work, notice, at, reason or state.value)


def answered(
    store: Store, vault: Vault, clock: Clock, number: str, text: str, listeners: Iterable[Listener] = ()
) -> bool:
    """Hand what a person on duty wrote to whoever waits for it; returns whether the number is one of ours.

    The words themselves are kept nowhere: they may hold a code.
    """
    with store.begin() as work:
        now = clock.now()
        user = owner_of(work, vault, number)
        if user is None:
            return False
        meant = next((found for listener in listeners if (found := listener(work, user, text, now))), None)
        reached(work, user.name, now)
        work.ledger.append(now, f"{user.name} (SMS)", "notice.answered", user.name, {"meaning": meant})
        work.commit()
    return True


def owner_of(work: UnitOfWork, vault: Vault, number: str) -> User | None:
    """The active person with this number; there are few, and numbers are sealed one by one."""
    wanted = vault.key_of(re.sub(r"[\s()-]", "", number))
    numbered = (user for user in work.users.all() if user.active and user.phone_sealed)
    return next((u for u in numbered if vault.key_of(vault.open(u.phone_sealed or b"")) == wanted), None)
