"""Changes of rights: one administrator asks, another one decides; where there is only one, the ledger says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.identity import Outcome, PendingChange
from geowarn.domain.people import Role, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, Store, UnitOfWork

TASK = "rights-change"
KEY = "key"


def roles_of(names: Iterable[str]) -> frozenset[Role]:
    """The roles of these names; raises Refused for an unknown one, and for an auditor who could change things."""
    known = ", ".join(role.value for role in Role)
    found = set()
    for name in names:
        try:
            found.add(Role(name))
        except ValueError:
            raise Refused("people.bad-role", role=name, roles=known) from None
    if Role.AUDITOR in found and len(found) > 1:
        raise Refused("identity.auditor-alone")
    return frozenset(found)


def areas_of(
    work: UnitOfWork, given: Mapping[str, Iterable[str]], roles: frozenset[Role]
) -> dict[Role, frozenset[str]]:
    """Where each role is held; raises Refused for a role not granted or an area nobody knows."""
    found = {}
    for name, codes in given.items():
        (role,) = roles_of([name])
        if role not in roles:
            raise Refused("identity.area-without-role", role=name)
        for code in codes:
            if work.areas.get(code) is None:
                raise Refused("identity.unknown-area", area=code)
        if chosen := frozenset(codes):
            found[role] = chosen
    return found


def wanted_roles(roles: frozenset[Role], areas: Mapping[Role, frozenset[str]]) -> dict[str, Any]:
    """Roles and where they hold, as the change and the ledger keep them."""
    return {
        "roles": sorted(role.value for role in roles),
        "areas": {role.value: sorted(codes) for role, codes in sorted(areas.items())},
    }


def ask(
    work: UnitOfWork, kind: str, subject: str, wanted: Mapping[str, Any], actor: Actor, now: datetime
) -> PendingChange:
    """Ask for a change inside the caller's transaction; a lone administrator's holds at once and is marked as such.

    `subject` is the person whose rights change, for a key (`kind` "key") the person or partner it is for.
    """
    actor.need(Role.ADMINISTRATOR)
    for earlier in work.pending_changes.waiting():
        if kind != KEY and (earlier.kind, earlier.subject) == (kind, subject):
            raise Refused("identity.change-waits", user=subject, change=earlier.id)
    change = PendingChange(new_id("c"), kind, subject, dict(wanted), actor.user.name, now)
    work.pending_changes.save(change)
    alone = not _others(work, actor.user.name)
    decided = _decided(work, change, Outcome.CONFIRMED, actor, now) if alone else change
    work.ledger.append(now, actor.label, "rights.asked", subject, {"change": change.id, "kind": kind, **wanted})
    if alone:
        _enter(work, decided, actor, now, alone=True)
    else:
        facts = {"account": subject, "asked_by": actor.user.name}
        work.tasks.open(Task(new_id("t"), TASK, change.id, now, facts=facts))
    return decided


def decide(store: Store, clock: Clock, change_id: str, confirmed: bool, actor: Actor) -> PendingChange:
    """Confirm or refuse a change that another administrator asked for; whose rights change does not confirm it."""
    actor.need(Role.ADMINISTRATOR)
    now = clock.now()
    with store.begin() as work:
        change = work.pending_changes.get(change_id)
        if change is None:
            raise NotFound("identity.unknown-change", change=change_id)
        if change.outcome is not Outcome.WAITING:
            raise Refused("identity.change-decided", change=change_id, by=change.decided_by or "-")
        if confirmed and actor.user.name in (change.asked_by, change.subject):
            raise Refused("identity.second-person", user=actor.user.name, change=change_id)
        outcome = Outcome.CONFIRMED if confirmed else Outcome.REFUSED
        decided = _decided(work, change, outcome, actor, now)
        _enter(work, decided, actor, now, alone=False)
        work.commit()
    return decided


def _others(work: UnitOfWork, name: str) -> bool:
    """Whether anyone else could confirm: an administrator who can log in."""
    return any(
        user.active and user.name != name and user.password_hash and Role.ADMINISTRATOR in user.held_over(())
        for user in work.users.all()
    )


def _decided(work: UnitOfWork, change: PendingChange, outcome: Outcome, actor: Actor, now: datetime) -> PendingChange:
    """The change with what came of it, stored and carried out."""
    decided = replace(change, outcome=outcome, decided_by=actor.user.name, decided_at=now)
    work.pending_changes.save(decided)
    if change.kind == KEY:
        _settle_key(work, change, outcome, now)
    elif outcome is Outcome.CONFIRMED:
        _apply(work, change)
    return decided


def _enter(work: UnitOfWork, decided: PendingChange, actor: Actor, now: datetime, alone: bool) -> None:
    """Close the task and enter the decision, after every row is changed: see the order in `store.repositories.base`."""
    work.tasks.close(TASK, decided.id, now)
    facts = {"change": decided.id, "kind": decided.kind, "asked_by": decided.asked_by, "alone": alone, **decided.wanted}
    work.ledger.append(now, actor.label, f"rights.{decided.outcome.value}", decided.subject, facts)


def _settle_key(work: UnitOfWork, change: PendingChange, outcome: Outcome, now: datetime) -> None:
    """A key that is confirmed works from now on, one that is refused never will."""
    key = next((one for one in work.api_keys.all() if one.id == change.wanted["key"]), None)
    if key is None:
        raise NotFound("partners.unknown-key", key=str(change.wanted["key"]))
    if outcome is Outcome.CONFIRMED:
        work.api_keys.save(replace(key, confirmed_at=now))
    elif key.revoked_at is None:
        work.api_keys.save(replace(key, revoked_at=now))


def _apply(work: UnitOfWork, change: PendingChange) -> None:
    """Carry it out; every session of the person ends, so that nothing goes on with the old rights."""
    user = work.users.held(change.subject)
    if user is None:
        raise NotFound("people.unknown-user", user=change.subject)
    if change.kind == "roles":
        roles = roles_of(change.wanted["roles"])
        user = replace(user, roles=roles, areas=areas_of(work, change.wanted["areas"], roles))
        _keep_one_administrator(work, user)
    else:
        user = replace(user, active=True)
    work.users.save(user)
    work.sessions.delete_of(user.name)


def _keep_one_administrator(work: UnitOfWork, changed: User) -> None:
    """Refuse what would leave nobody to administer."""
    others = [user for user in work.users.all() if user.name != changed.name]
    if not any(user.active and Role.ADMINISTRATOR in user.held_over(()) for user in (*others, changed)):
        raise Refused("identity.last-administrator", user=changed.name)
