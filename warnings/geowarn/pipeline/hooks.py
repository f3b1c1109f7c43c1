"""Subscriptions of partners: who is told of what, where, and with which secret."""

from __future__ import annotations

import ipaddress
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from urllib.parse import urlsplit

from geowarn.domain.canonical import canonical_json
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.partner import (
    INTERNAL_EVENTS,
    PARTNER_NAME,
    PUBLIC_EVENTS,
    Event,
    Hook,
    HookDelivery,
    Scope,
    event_body,
)
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.partner_keys import Admitted, administrator
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, Store, UnitOfWork, Vault

DISABLED_TASK = "hook-disabled"
MOST_HOOKS = 50
_LONGEST_URL = 500
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True)
class HookPlaces:
    """Where hooks may lead: an installation on synthetic input tells this machine only."""

    synthetic: bool
    private: bool  # addresses of the office's own network too


@dataclass(frozen=True, slots=True)
class Added:
    """A new hook with its secret, which is shown once."""

    hook: Hook
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Keyholder:
    """Who acts by a key with the scope `webhooks`: for its owner's subscriptions, and no others."""

    admitted: Admitted
    label: str  # how the ledger names it


By = Actor | Keyholder | str  # a text is the operator at the command line, as in `partner_keys.administrator`


def _allowed(by: By) -> tuple[str, tuple[str, bool] | None]:
    """How the ledger names who acts, and the one owner whose subscriptions they may touch, None for every owner's.

    Raises Refused for a person who is not an administrator and a key without the scope.
    """
    if not isinstance(by, Keyholder):
        return administrator(by), None
    by.admitted.need(Scope.WEBHOOKS)
    return by.label, (by.admitted.key.owner, by.admitted.key.of_account)


def check_address(url: str, places: HookPlaces) -> None:
    """Raise Refused for an address we would never call; what a name leads to is looked at before each call."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise Refused("partners.hook-address", url=url[:80]) from None
    plain = url.isascii() and url.isprintable() and " " not in url and len(url) <= _LONGEST_URL
    if not host or not plain or parts.username or parts.password or parts.fragment:
        raise Refused("partners.hook-address", url=url[:80])
    if places.synthetic:
        if host not in _LOOPBACK or parts.scheme not in ("http", "https"):
            raise Refused("partners.hook-synthetic", host=host)
        return
    if parts.scheme != "https":
        raise Refused("partners.hook-https", host=host)
    if not places.private and (host in _LOOPBACK or _is_private(host)):
        raise Refused("partners.hook-private", host=host)


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return False


def events_of(names: Iterable[str], internal: bool) -> frozenset[Event]:
    """The events named; raises Refused for one that is none or not for this owner, and for none at all."""
    allowed = PUBLIC_EVENTS | (INTERNAL_EVENTS if internal else frozenset())
    known = ", ".join(sorted(event.value for event in allowed))
    found = {event for name in names for event in allowed if event.value == name.strip()}
    wrong = [name for name in names if name.strip() not in {event.value for event in found}]
    if wrong or not found:
        raise Refused("partners.bad-event", event=", ".join(wrong)[:80] or "-", events=known)
    return frozenset(found)


def add_hook(
    store: Store,
    clock: Clock,
    vault: Vault,
    by: By,
    owner: str,
    of_account: bool,
    url: str,
    events: list[str],
    places: HookPlaces,
    internal: bool = False,
    live: bool = True,
) -> Added:
    """Subscribe an owner's address to events from now on.

    Raises Refused for an address we never call and for events the owner may not hear.
    """
    label, own = _allowed(by)
    if own not in (None, (owner, of_account)):
        raise Refused("partners.hook-of-other", owner=owner[:60])
    if internal and isinstance(by, Keyholder):
        by.admitted.need(Scope.INTERNAL)
    check_address(url, places)
    wanted = events_of(events, internal and of_account)
    secret, now = secrets.token_urlsafe(32), clock.now()
    with store.begin() as work:
        _check_owner(work, owner, of_account)
        if len(work.hooks.all()) >= MOST_HOOKS:
            raise Refused("partners.hook-too-many", most=MOST_HOOKS)
        head = work.ledger.head()
        hook = Hook(
            id=new_id("h"),
            owner=owner,
            of_account=of_account,
            url=url,
            events=wanted,
            internal=internal and of_account,
            live=live and not places.synthetic,
            created_at=now,
            created_by=label,
            cursor=head.sequence if head else 0,
            secret_sealed=vault.seal(secret),
        )
        work.hooks.save(hook)
        facts = {"owner": owner, "host": urlsplit(url).hostname, "events": sorted(wanted), "live": hook.live}
        work.ledger.append(now, label, "hook.added", hook.id, {**facts, "internal": hook.internal})
        work.commit()
    return Added(hook, secret)


def _check_owner(work: UnitOfWork, owner: str, of_account: bool) -> None:
    if of_account:
        find_user(work, owner)
    elif not PARTNER_NAME.fullmatch(owner):
        raise Refused("partners.bad-name", name=owner[:60])


def find_hook(work: UnitOfWork, hook_id: str, owner: tuple[str, bool] | None = None) -> Hook:
    """The hook, one of `owner`'s (name, whether an account) where that is given; raises NotFound."""
    found = work.hooks.get(hook_id)
    if found is None or (owner is not None and (found.owner, found.of_account) != owner):
        raise NotFound("partners.unknown-hook", hook=hook_id[:40])
    return found


def remove_hook(store: Store, clock: Clock, by: By, hook_id: str) -> None:
    """End a subscription with everything still to be sent to it."""
    label, owner = _allowed(by)
    with store.begin() as work:
        hook = find_hook(work, hook_id, owner)
        work.hooks.remove(hook.id)
        facts = {"owner": hook.owner, "host": urlsplit(hook.url).hostname}
        work.ledger.append(clock.now(), label, "hook.removed", hook.id, facts)
        work.commit()


def enable_hook(store: Store, clock: Clock, by: By, hook_id: str) -> Hook:
    """Try a hook again that was left alone, with what waited then; what happened meanwhile is not told afterwards."""
    (label, owner), now = _allowed(by), clock.now()
    with store.begin() as work:
        hook = find_hook(work, hook_id, owner)
        if hook.disabled_at is not None:
            hook = replace(hook, disabled_at=None, failing_since=None, enabled_at=now)
            work.hooks.save(hook)
            head = work.ledger.append(now, label, "hook.enabled", hook.id, {"owner": hook.owner})
            work.hooks.advance(hook.id, head.sequence)
            work.tasks.close(DISABLED_TASK, hook.id, now)
            work.commit()
    return hook


def queue_test(store: Store, clock: Clock, by: By, hook_id: str) -> HookDelivery:
    """Put a `ping` into the hook's queue; it takes the same way as every event."""
    _, owner = _allowed(by)
    with store.begin() as work:
        hook = find_hook(work, hook_id, owner)
        if hook.disabled_at is not None:
            raise Refused("partners.hook-disabled", hook=hook.id)
        made = ping(hook, clock.now())
        work.hooks.add([made])
        work.commit()
    return made


def ping(hook: Hook, now: datetime) -> HookDelivery:
    """A delivery that says nothing but that the line is there."""
    number = new_id("d")
    body = event_body(Event.PING, f"ping:{number}", now.isoformat(), hook.id, False, {})
    return HookDelivery(number, hook.id, f"ping:{number}", Event.PING, canonical_json(body), now, next_try_at=now)


def may_see(by: Actor) -> None:
    """Raise Refused for a person who may not look at keys and hooks."""
    by.need(Role.ADMINISTRATOR, Role.AUDITOR)
