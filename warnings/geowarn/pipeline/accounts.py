"""Accounts: invitation, first password, roles, switching off, sessions."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.identity import Invitation, PendingChange
from geowarn.domain.people import Role, User
from geowarn.pipeline import two_person
from geowarn.pipeline.actor import Actor, hold_user
from geowarn.pipeline.people import hashed
from geowarn.ports import Clock, PasswordHasher, Session, Store, UnitOfWork, Vault

INVITED_FOR = timedelta(hours=72)
_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")


def invite(
    store: Store, vault: Vault, clock: Clock, name: str, display: tuple[str, str], actor: Actor
) -> tuple[Invitation, str]:
    """Let a person in by a code they use once within 72 h; a new account has no role until two have granted it.

    `display` is the name in Chinese and English, kept as it is for an account that exists. Returns the invitation and
    the code, which is kept nowhere.
    """
    actor.need(Role.ADMINISTRATOR)
    now, code = clock.now(), secrets.token_urlsafe(15)
    with store.begin() as work:
        invitation = _invited(work, vault, name, display, code, actor, now)
        work.commit()
    return invitation, code


def _invited(
    work: UnitOfWork, vault: Vault, name: str, display: tuple[str, str], code: str, actor: Actor, now: datetime
) -> Invitation:
    user = work.users.get(name)
    if user is None:
        if not _NAME.fullmatch(name):
            raise Refused("identity.bad-name", user=name[:40])
        zh, en = (text.strip()[:60] or name for text in display)
        user = User(name, zh, en, frozenset())
        work.users.save(user)
        work.ledger.append(now, actor.label, "user.added", name, {"roles": []})
    if not user.active:
        raise Refused("identity.switched-off", user=name)
    invitation = Invitation(_key(vault, name, code), name, actor.user.name, now, now + INVITED_FOR)
    work.invitations.add(invitation)
    work.ledger.append(now, actor.label, "user.invited", name, {"until": invitation.ends_at.isoformat()})
    return invitation


def accept(
    store: Store, vault: Vault, clock: Clock, hasher: PasswordHasher, name: str, code: str, password: str, origin: str
) -> User:
    """Use an invitation up and set the password; every session of the account ends.

    Raises Refused for a wrong, used or overdue code without saying which, and for a short password.
    """
    now, made = clock.now(), hashed(password, hasher)
    with store.begin() as work:
        user = work.users.held(name)
        if user is None or not user.active or not work.invitations.use(name, _key(vault, name, code.strip()), now):
            raise Refused("identity.no-invitation")
        user = replace(user, password_hash=made)
        work.users.save(user)
        work.sessions.delete_of(name)
        work.ledger.append(now, f"{name} ({origin})", "user.came-in", name, {})
        work.commit()
    return user


def change_roles(
    store: Store, clock: Clock, name: str, roles: Iterable[str], areas: Mapping[str, Iterable[str]], actor: Actor
) -> PendingChange:
    """Ask for other roles and the areas they hold in; another administrator confirms."""
    actor.need(Role.ADMINISTRATOR)
    wanted = two_person.roles_of(roles)
    with store.begin() as work:
        user = _account(work, name)
        where = two_person.areas_of(work, areas, wanted)
        if (user.roles, dict(user.areas)) == (wanted, where):
            raise Refused("identity.same-roles", user=name)
        facts = two_person.wanted_roles(wanted, where)
        change = two_person.ask(work, "roles", user.name, facts, actor, clock.now())
        work.commit()
    return change


def disable(store: Store, clock: Clock, name: str, actor: Actor) -> None:
    """Switch an account off at once: the safe direction takes one administrator; never oneself."""
    actor.need(Role.ADMINISTRATOR)
    if name == actor.user.name:
        raise Refused("identity.own-account", user=name)
    with store.begin() as work:
        user = hold_user(work, name)
        work.users.save(replace(user, active=False))
        ended = work.sessions.delete_of(name)
        work.ledger.append(clock.now(), actor.label, "user.disabled", name, {"sessions": ended})
        work.commit()


def enable(store: Store, clock: Clock, name: str, actor: Actor) -> PendingChange:
    """Ask to switch an account on again; another administrator confirms."""
    actor.need(Role.ADMINISTRATOR)
    with store.begin() as work:
        user = _account(work, name)
        if user.active:
            raise Refused("identity.is-on", user=name)
        change = two_person.ask(work, "enable", user.name, {}, actor, clock.now())
        work.commit()
    return change


def end_sessions(store: Store, clock: Clock, name: str, handle: str | None, actor: Actor) -> int:
    """End one session of a person, or all: one's own, or as an administrator anybody's; returns how many."""
    if name != actor.user.name:
        actor.need(Role.ADMINISTRATOR)
    with store.begin() as work:
        mine = [one for one in work.sessions.all() if one.user == name and handle in (None, one.handle)]
        if handle is not None and not mine:
            raise NotFound("identity.no-session", user=name)
        for one in mine:
            work.sessions.delete(one.token_sha256)
        work.ledger.append(clock.now(), actor.label, "session.ended", name, {"sessions": len(mine)})
        work.commit()
    return len(mine)


def account(users: Mapping[str, User], name: str) -> User:
    """One of these accounts; raises NotFound."""
    if name not in users:
        raise NotFound("people.unknown-user", user=name)
    return users[name]


def sessions_of(work: UnitOfWork, name: str, now: datetime) -> tuple[Session, ...]:
    """A person's sessions that have not ended, newest first."""
    return tuple(one for one in work.sessions.all() if one.user == name and one.ends_at > now)


def _account(work: UnitOfWork, name: str) -> User:
    """The account of this name, switched off or not, held for a change."""
    user = work.users.held(name)
    if user is None:
        raise NotFound("people.unknown-user", user=name)
    return user


def _key(vault: Vault, name: str, code: str) -> str:
    return vault.key_of(f"invitation\n{name}\n{code}")
