"""Subscriptions by mail: asked for by a form, confirmed by the link in a mail, changed and ended by links too.

Whatever somebody types, the answer on the page is the same, so that nobody learns who subscribes. Until the page
behind the link is confirmed nothing is sent to an address but that link. The row is all there is of an address: with
the end of the subscription it is gone, and the ledger only ever names its random id.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.exercise import TARGET
from geowarn.domain.level import Level
from geowarn.domain.network import network_of
from geowarn.domain.notice import Notice
from geowarn.domain.subscriber import SUBSCRIBER, Asked, Subscriber, Wish, mail_address, mask_address
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.mailing import address_key, who_leaves
from geowarn.pipeline.throttle import LONGEST, Rate, counted
from geowarn.ports import Clock, Store, UnitOfWork, Vault

CONFIRM, CHOICES = "confirm", "choices"
LANGUAGES = ("zh", "en")
MOST_PLACES = 60  # areas of one subscription; whoever wants more wants all
LETTERS_KEPT = timedelta(days=7)  # what became of a letter, without its address

_FROM_ONE_PLACE = (10, timedelta(hours=1))  # an office or a village shares one address of a network
_OVERALL = (300, timedelta(hours=1))
_TO_ONE_ADDRESS = (3, timedelta(days=1))  # nobody's mailbox is filled by a stranger
BY_FORM = "form, confirmed by link"


@dataclass(frozen=True, slots=True)
class Counter:
    """What the desk for subscriptions needs; links hold for `hours`."""

    store: Store
    vault: Vault
    clock: Clock
    hours: int


@dataclass(frozen=True, slots=True)
class Sealed:
    """An address in the three forms in which it is kept."""

    key: str
    sealed: bytes = field(repr=False)
    masked: str


def wish_of(language: str, areas: Collection[str], least: str, known: Collection[str], lowest: Level) -> Wish:
    """What a form asks for; raises Refused naming the field that cannot be used."""
    if language not in LANGUAGES:
        raise Refused("mail.bad-language", value=language[:20])
    for code in areas:
        if code not in known:
            raise Refused("mail.bad-place", area=code[:20])
    levels = {level.code: level for level in Level if level >= max(lowest, Level.BLUE)}
    if least not in levels:
        raise Refused("mail.bad-level", value=least[:20])
    places = tuple(sorted(set(areas)))
    return Wish(language, places if len(places) <= MOST_PLACES else (), levels[least])


def ask(counter: Counter, typed: str, wish: Wish, origin: str) -> None:
    """Somebody wants to subscribe: a letter with a link goes out, to confirm or, where they do already, to change.

    Raises Refused for what is no address, and where this place or everybody together asks too often. Too many letters
    to one address are left out without a word.
    """
    _ask(counter, typed, origin, wish)


def ask_change(counter: Counter, typed: str, origin: str) -> None:
    """Somebody wants to change or end a subscription: the link goes to its address; raises as `ask`."""
    _ask(counter, typed, origin, None)


def _ask(counter: Counter, typed: str, origin: str, wish: Wish | None) -> None:
    address = mail_address(typed)
    if address is None:
        raise Refused("mail.not-an-address", address=typed.strip()[:80])
    given, now = sealed(counter.vault, address), counter.clock.now()
    with counter.store.begin() as work:
        _refuse_haste(counter, work, origin, now)
        held = _subscription(work, given.key)
        chosen = held.wish if held is not None else wish
        to_it = Rate(f"mail to\n{given.key}", *_TO_ONE_ADDRESS)
        if chosen is not None and counted(work, counter.vault, [to_it], now) is None:
            kind = CONFIRM if held is None else CHOICES
            _write(counter, work, kind, given, address, chosen, now)
        work.commit()


def _subscription(work: UnitOfWork, key: str) -> Subscriber | None:
    """Whoever gets real warnings at this address; one of the exercise group subscribes to nothing."""
    held = work.subscribers.by_key(key)
    return None if held is not None and held.role == TARGET else held


def _refuse_haste(counter: Counter, work: UnitOfWork, origin: str, now: datetime) -> None:
    rates = [Rate(f"mail from\n{network_of(origin)}", *_FROM_ONE_PLACE), Rate("mail", *_OVERALL)]
    used_up = counted(work, counter.vault, rates, now)
    if used_up is not None:
        raise Refused("mail.too-many", minutes=used_up.minutes)


def sealed(vault: Vault, address: str) -> Sealed:
    """The address as it is kept."""
    return Sealed(address_key(vault, address), vault.seal(address), mask_address(address))


def _write(
    counter: Counter, work: UnitOfWork, kind: str, given: Sealed, address: str, wish: Wish, now: datetime
) -> None:
    """Keep what was asked, and put the letter with its link into the outbox in the same transaction."""
    token, until = secrets.token_urlsafe(32), now + timedelta(hours=counter.hours)
    digest = token_sha256(token)
    work.subscribers.ask(Asked(digest, kind, given.key, given.sealed, given.masked, wish, now, until))
    secret = counter.vault.seal(json.dumps({"address": address, "token": token})).hex()
    facts = {"code": secret, "until": until.isoformat(), "hours": counter.hours}
    # A second letter would only say the same: where nobody knows whether it arrived, the person asks again.
    work.letters.add(Notice(new_id("l"), kind, digest[:16], digest[:16], wish.language, facts, now, until, alarm=False))


def token_sha256(token: str) -> str:
    """What the store keeps of a link."""
    return sha256(token.encode()).hexdigest()


def asked(counter: Counter, kind: str, token: str) -> Asked:
    """What the link stands for; changes nothing, since programs look at links too. Raises NotFound."""
    with counter.store.read() as work:
        return _held(work, kind, token, counter.clock.now())


def _held(work: UnitOfWork, kind: str, token: str, now: datetime) -> Asked:
    found = work.subscribers.asked(token_sha256(token))
    if found is None or found.kind != kind or found.expires_at <= now:
        raise NotFound("mail.no-link")
    return found


def confirm(counter: Counter, token: str) -> Subscriber:
    """The person has confirmed: from now on they are told. Raises NotFound for a link that does not hold."""
    now = counter.clock.now()
    with counter.store.begin() as work:
        found = _held(work, CONFIRM, token, now)
        held = work.subscribers.by_key(found.address_key)
        made = Subscriber(
            new_id("m"), found.address_key, found.address_sealed, found.address_masked, found.wish, SUBSCRIBER,
            BY_FORM, now,
        )  # fmt: skip
        if held is not None and held.role == TARGET:  # from now on real warnings, which the group never gets
            _remove(work, held, now, "subscriber", BY_FORM)
        elif held is not None:  # two links for one address: the later one says what is wanted
            made = replace(held, wish=found.wish)
        work.subscribers.save(made)
        work.subscribers.answered(found.address_key)
        work.ledger.append(now, "subscriber", "subscriber.confirmed", made.id, {"by": BY_FORM})
        work.commit()
    return made


def choose(counter: Counter, token: str, wish: Wish) -> Subscriber:
    """Another language, other areas or another level; the link is used up. Raises NotFound."""
    now = counter.clock.now()
    with counter.store.begin() as work:
        found = _held(work, CHOICES, token, now)
        held = _subscription(work, found.address_key)
        if held is None:
            raise NotFound("mail.no-link")
        changed = replace(held, wish=wish)
        work.subscribers.save(changed)
        work.subscribers.answered(found.address_key)
        work.ledger.append(now, "subscriber", "subscriber.changed", held.id, {})
        work.commit()
    return changed


def end(counter: Counter, token: str) -> None:
    """End a subscription by the link to its choices: row and address are gone. Raises NotFound."""
    now = counter.clock.now()
    with counter.store.begin() as work:
        found = _held(work, CHOICES, token, now)
        held = _subscription(work, found.address_key)
        if held is not None:
            _remove(work, held, now, "subscriber", "link")
        else:
            work.subscribers.answered(found.address_key)
        work.commit()


def leave(counter: Counter, token: str) -> bool:
    """End a subscription by the token that every bulletin carries; whether it is one of ours at all.

    Once more does no harm: who has left has left.
    """
    name = who_leaves(counter.vault, token)
    if name is None:
        return False
    now = counter.clock.now()
    with counter.store.begin() as work:
        held = work.subscribers.get(name)
        if held is not None:
            _remove(work, held, now, "subscriber", "one click")
            work.commit()
    return True


def remove(store: Store, vault: Vault, clock: Clock, typed: str, reason: str, actor_text: str) -> str:
    """Delete an address at its owner's request, whatever its role; returns its id. Raises Refused."""
    address = mail_address(typed)
    if address is None:
        raise Refused("mail.not-an-address", address=typed.strip()[:80])
    if not reason.strip():
        raise Refused("recipients.reason-missing")
    key, now = address_key(vault, address), clock.now()
    with store.begin() as work:
        held = work.subscribers.by_key(key)
        if held is None:
            raise Refused("mail.no-such-subscriber")
        _remove(work, held, now, actor_text, reason.strip())
        work.commit()
    return held.id


def _remove(work: UnitOfWork, held: Subscriber, now: datetime, actor_text: str, how: str) -> None:
    """Delete the row and whatever was asked for its address."""
    work.subscribers.answered(held.address_key)
    work.subscribers.remove(held.id)
    work.ledger.append(now, actor_text, "subscriber.ended", held.id, {"by": how, "role": held.role})


def forget(store: Store, clock: Clock) -> int:
    """Delete what was never confirmed, what became of letters long ago, and old notes of the throttle."""
    now = clock.now()
    with store.begin() as work:
        count = work.subscribers.forget(now, now - LETTERS_KEPT)
        count += work.sessions.forget_failures(now - LONGEST)
        work.commit()
    return count
