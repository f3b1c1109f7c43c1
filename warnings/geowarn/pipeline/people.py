"""Accounts and shifts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime

from geowarn.domain.errors import Refused
from geowarn.domain.people import Shift, User
from geowarn.pipeline.actor import find_user, hold_user
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.roster_desk import shift_facts
from geowarn.pipeline.two_person import roles_of
from geowarn.ports import Clock, PasswordHasher, Store

SHORTEST_PASSWORD = 10


def hashed(password: str, hasher: PasswordHasher) -> str:
    """What is stored of a password; raises Refused for a short one."""
    check_password(password)
    return hasher(password)


def check_password(password: str) -> None:
    """Raise Refused for a password that is too short."""
    if len(password) < SHORTEST_PASSWORD:
        raise Refused("people.password-short", least=SHORTEST_PASSWORD)


def add_user(
    store: Store,
    clock: Clock,
    hasher: PasswordHasher,
    name: str,
    display_zh: str,
    display_en: str,
    roles: Iterable[str],
    password: str,
    actor: str,
) -> User:
    """Add an account; raises Refused for a taken name, an unknown role or a short password."""
    user = User(name, display_zh, display_en, roles_of(roles), hashed(password, hasher))
    with store.begin() as work:
        if work.users.get(name) is not None:
            raise Refused("people.name-taken", user=name)
        work.users.save(user)
        granted = sorted(role.value for role in user.roles)
        work.ledger.append(clock.now(), actor, "user.added", name, {"roles": granted})
        work.commit()
    return user


def set_password(store: Store, clock: Clock, hasher: PasswordHasher, name: str, password: str, actor: str) -> None:
    """Give an account a new password."""
    made = hashed(password, hasher)
    with store.begin() as work:
        work.users.save(replace(hold_user(work, name), password_hash=made))
        work.sessions.delete_of(name)
        work.ledger.append(clock.now(), actor, "user.password", name, {})
        work.commit()


def assign_shift(
    store: Store,
    clock: Clock,
    officer: str,
    deputy: str | None,
    start: datetime,
    end: datetime,
    actor: str,
    leader: str | None = None,
) -> Shift:
    """Put people on duty from `start` until `end` (UTC); all must have accounts."""
    if end <= start:
        raise Refused("people.shift-times", start=start.isoformat(), end=end.isoformat())
    shift = Shift(new_id("sh"), officer, deputy, start, end, leader)
    with store.begin() as work:
        for name in filter(None, (officer, deputy, leader)):
            find_user(work, name)
        work.shifts.add(shift)
        work.ledger.append(clock.now(), actor, "shift.assigned", shift.id, shift_facts(shift))
        work.commit()
    return shift
