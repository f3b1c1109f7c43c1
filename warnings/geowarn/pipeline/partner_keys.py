"""Keys of the interface: issued, revoked, and asked for at every call."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.partner import OF_ACCOUNTS, OF_PARTNERS, PARTNER_NAME, PREFIX, SHOWN, ApiKey, Scope
from geowarn.domain.people import Role, User
from geowarn.pipeline import two_person
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, Store, UnitOfWork, Vault

MOST_PER_MINUTE = 6000
LONGEST_DAYS = 1830
_SEEN_STEP = timedelta(minutes=1)  # the last use is stored at most this often


def administrator(by: Actor | str) -> str:
    """How the ledger names who acts; raises Refused for a person who is not an administrator.

    A text is the operator at the command line: whoever may read the data folder's keys.
    """
    if isinstance(by, str):
        return by
    by.need(Role.ADMINISTRATOR)
    return by.label


def owner_of(account: str, partner: str) -> tuple[str, bool]:
    """The owner's name and whether it is an account's; raises Refused where both or neither are given."""
    if bool(account) == bool(partner):
        raise Refused("partners.one-owner")
    return (account, True) if account else (partner, False)


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key with what is shown once and kept nowhere; `signing` where it may co-sign."""

    key: ApiKey
    token: str = field(repr=False)
    signing: str | None = field(repr=False)


def scopes_of(names: Iterable[str]) -> frozenset[Scope]:
    """The scopes named; raises Refused for one that is none, and for none at all."""
    known = ", ".join(scope.value for scope in Scope)
    found = set()
    for name in names:
        try:
            found.add(Scope(name.strip()))
        except ValueError:
            raise Refused("partners.bad-scope", scope=name, scopes=known) from None
    if not found:
        raise Refused("partners.no-scope", scopes=known)
    return frozenset(found)


def issue_key(
    store: Store,
    clock: Clock,
    vault: Vault,
    by: Actor | str,
    owner: str,
    of_account: bool,
    scopes: Iterable[str],
    days: int | None = None,
    per_minute: int = 120,
) -> Issued:
    """Issue a key to an account, as whom it acts, or to a named partner, who only reads and reports.

    An administrator's key works once a second one has confirmed it (`geowarn.pipeline.two_person`); the operator at
    the command line may read the data folder, and theirs works at once. Raises Refused for a scope that such an owner
    cannot have, and for numbers out of bounds.
    """
    label, now, wanted = administrator(by), clock.now(), scopes_of(scopes)
    _check_numbers(days, per_minute)
    excess = wanted - (OF_ACCOUNTS if of_account else OF_PARTNERS)
    if excess:
        kind = "account" if of_account else "partner"
        raise Refused("partners.scope-of-other", owner=owner, kind=kind, scopes=", ".join(sorted(excess)))
    token = PREFIX + secrets.token_urlsafe(32)
    signing = secrets.token_urlsafe(32) if Scope.COSIGN in wanted else None
    key = ApiKey(
        id=new_id("k"),
        prefix=token[:SHOWN],
        token_sha256=sha256_hex(token),
        owner=owner,
        of_account=of_account,
        scopes=wanted,
        per_minute=per_minute,
        created_at=now,
        created_by=label,
        expires_at=now + timedelta(days=days) if days is not None else None,
        signing_sealed=vault.seal(signing) if signing else None,
        confirmed_at=None if isinstance(by, Actor) else now,
    )
    with store.begin() as work:
        _check_owner(work, key)
        work.api_keys.save(key)
        facts = {"prefix": key.prefix, "owner": owner, "of_account": of_account, "scopes": sorted(wanted)}
        ends = key.expires_at.isoformat() if key.expires_at else None
        work.ledger.append(now, label, "key.issued", key.id, {**facts, "per_minute": per_minute, "expires_at": ends})
        if isinstance(by, Actor):
            wanted_key = {"key": key.id, "prefix": key.prefix, "scopes": sorted(wanted)}
            change = two_person.ask(work, two_person.KEY, owner, wanted_key, by, now)
            key = replace(key, confirmed_at=change.decided_at)
        work.commit()
    return Issued(key, token, signing)


def _check_numbers(days: int | None, per_minute: int) -> None:
    if not 1 <= per_minute <= MOST_PER_MINUTE:
        raise Refused("partners.per-minute", value=per_minute, most=MOST_PER_MINUTE)
    if days is not None and not 1 <= days <= LONGEST_DAYS:
        raise Refused("partners.days", value=days, most=LONGEST_DAYS)


def _check_owner(work: UnitOfWork, key: ApiKey) -> None:
    if not key.of_account:
        if not PARTNER_NAME.fullmatch(key.owner):
            raise Refused("partners.bad-name", name=key.owner[:60])
        return
    user = find_user(work, key.owner)
    if Scope.COSIGN in key.scopes and Role.OBSERVATORY not in user.roles:
        raise Refused("partners.cosign-role", user=user.name)


def revoke_key(store: Store, clock: Clock, by: Actor | str, name: str) -> ApiKey:
    """End a key by its id or its prefix; revoking it again changes nothing. Raises NotFound."""
    label, now = administrator(by), clock.now()
    with store.begin() as work:
        found = [key for key in work.api_keys.all() if name in (key.id, key.prefix)]
        if len(found) != 1:
            raise NotFound("partners.unknown-key", key=name[:60])
        key = found[0]
        if key.revoked_at is None:
            key = replace(key, revoked_at=now)
            work.api_keys.save(key)
            work.ledger.append(now, label, "key.revoked", key.id, {"prefix": key.prefix, "owner": key.owner})
            work.commit()
    return key


@dataclass(frozen=True, slots=True)
class Admitted:
    """A call with a key that works; `user` where the key is a person's."""

    key: ApiKey
    user: User | None
    left: int  # calls left in this minute
    resets_in: int  # seconds until the next minute

    def need(self, scope: Scope) -> None:
        """Raise Refused when the key lacks the scope."""
        if scope not in self.key.scopes:
            raise Refused("partners.scope-missing", key=self.key.prefix, scope=scope.value)

    def actor(self, origin: str) -> Actor:
        """The person the key acts as; raises Refused for a partner's key."""
        if self.user is None:
            raise Refused("partners.needs-account", key=self.key.prefix)
        return Actor(self.user, "api", f"{self.key.prefix}, {origin}")


class TooMany(Refused):
    """The key has used up its calls of this minute."""

    def __init__(self, key: ApiKey, resets_in: int) -> None:
        super().__init__("partners.too-many", key=key.prefix, most=key.per_minute, seconds=resets_in)
        self.resets_in, self.most = resets_in, key.per_minute


def admit(store: Store, clock: Clock, token: str) -> Admitted:
    """Whose key this is, counted; raises Refused for no key or one that works no longer, TooMany past its rate.

    Calls are counted by the minute in the store, so all processes share the count. A refused call counts too.
    """
    now = clock.now()
    with store.begin() as work:
        key = work.api_keys.by_token(sha256_hex(token)) if token else None
        if key is None:
            raise Refused("partners.no-key")
        user = work.users.get(key.owner) if key.of_account else None
        if key.confirmed_at is None and key.revoked_at is None:
            raise Refused("partners.key-waits", key=key.prefix)
        if not key.works(now) or (key.of_account and (user is None or not user.active)):
            raise Refused("partners.key-ended", key=key.prefix)
        window = now.replace(second=0, microsecond=0)
        used = work.api_keys.count(key.id, window)
        if key.last_used_at is None or key.last_used_at + _SEEN_STEP <= now:
            work.api_keys.touch(key.id, now)
        work.commit()
    resets_in = 60 - now.second
    if used > key.per_minute:
        raise TooMany(key, resets_in)
    return Admitted(key, user, key.per_minute - used, resets_in)


_CALL = re.compile(r"t=(\d{1,12}),n=([A-Za-z0-9_-]{16,64}),v1=([0-9a-f]{64})")


def parse_call_signature(header: str) -> tuple[int, str, str]:
    """Seconds, nonce and digest of `X-Geowarn-Signature`; raises Refused where it is not of that form."""
    match = _CALL.fullmatch(header.strip())
    if match is None:
        raise Refused("partners.not-signed")
    return int(match[1]), match[2], match[3]


def key_state(key: ApiKey, now: datetime) -> str:
    """`active`, `waiting` for a second administrator, `revoked` or `expired`."""
    if key.revoked_at is not None:
        return "revoked"
    if key.confirmed_at is None:
        return "waiting"
    return "active" if key.works(now) else "expired"
