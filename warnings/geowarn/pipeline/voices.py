"""What somebody says → a receipt, a task with owner and due time, and a ledger entry without a word of it."""

from __future__ import annotations

import hmac
import json
import secrets
from base64 import b64decode, b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.network import network_of
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.domain.voice import (
    FOLDED_FOR,
    Photo,
    Said,
    Voice,
    VoiceKind,
    VoiceState,
    check_said,
    folded,
    mask_contact,
    plain_word,
    word_of,
)
from geowarn.domain.voice_limits import WINDOW, Load, SayLimits, refused_for, takes_photo
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.identifiers import new_id
from geowarn.ports import UnitOfWork, Vault

DANGER, TASK, OVERDUE = "voice-danger", "voice", "voice-overdue"
PUBLIC = "public"  # how the ledger names whoever says something
# However many write, so many tasks stand open at once; the list at /console/voices has all of it.
MOST_RINGING = 20
MOST_TASKS = 60


@dataclass(frozen=True, slots=True)
class Incoming:
    """One form as it came; `nonce` is the form's own, so that sending it twice says it once."""

    nonce: str
    kind: str
    sign: str
    language: str
    said: Said
    area: str = ""
    contact: str = field(default="", repr=False)
    photo: bytes | None = field(default=None, repr=False)  # PNG, drawn anew
    address: str = field(default="", repr=False)
    in_force: bool = False  # whether a public warning is


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the citizen keeps: number and word; `repeated`: this form had arrived before."""

    number: str
    word: str
    voice: Voice
    repeated: bool = False


def from_key(vault: Vault, address: str, now: datetime) -> str:
    """A keyed hash of a network address that is another one tomorrow; of IPv6 the network that one house has."""
    return vault.key_of(f"voice-from\n{now:%Y-%m-%d}\n{network_of(address)}")[:32]


def load_from(desk: Desk, address: str) -> Load:
    """How much came within the last hour, from this address and from everywhere."""
    now = desk.clock.now()
    with desk.store.read() as work:
        return work.voices.load(from_key(desk.vault, address, now), now - WINDOW)


def refuse_flood(kind: VoiceKind, load: Load, limits: SayLimits, in_force: bool) -> None:
    """Raise Refused with what to do instead where one more cannot be taken."""
    why = refused_for(kind, load, limits, in_force)
    if why == "address":
        raise Refused("say.too-many")
    if why:
        raise Refused("say.busy")


def receive(desk: Desk, came: Incoming, limits: SayLimits) -> Receipt:
    """Take it in; raises Refused naming the field, or where too much comes in."""
    kind = check_said(came.kind, came.sign, came.said, came.contact)
    now, voice_id = desk.clock.now(), _id(desk.vault, came.nonce)
    with desk.store.begin() as work:
        year = now.astimezone(desk.zone).year
        serial = work.counters.next(f"voice.{year}")  # first: whoever sends the same form meanwhile waits here
        known = work.voices.get(voice_id)
        if known is not None:
            return Receipt(known.number, _word(desk.vault, known), known, repeated=True)
        if came.area and work.areas.get(came.area) is None:
            raise Refused("say.area")
        key = from_key(desk.vault, came.address, now)
        load = work.voices.load(key, now - WINDOW)
        refuse_flood(kind, load, limits, came.in_force)
        photo = came.photo if takes_photo(load, limits) else None
        made = _voice(desk, work, replace(came, photo=photo), kind, voice_id, f"{year}-{serial:04d}", key)
        work.voices.save(made)
        if photo is not None:
            work.voices.put_photo(
                Photo(made.id, "image/png", sha256_hex(photo), desk.vault.seal(b64encode(photo).decode()))
            )
        facts: dict[str, Any] = {"kind": kind.value, "sign": made.sign, "area": made.area, "digest": made.digest}
        facts |= {"photo": sha256_hex(photo) if photo else "", "folded": made.folded_into is not None}
        work.ledger.append(now, PUBLIC, "voice.received", made.number, facts)
        if made.folded_into is None:
            open_task_for(desk, work, made)
        work.commit()
    return Receipt(made.number, _word(desk.vault, made), made)


def _id(vault: Vault, nonce: str) -> str:
    return f"v-{vault.key_of(f'voice {nonce}')[:20]}"


def _voice(
    desk: Desk, work: UnitOfWork, came: Incoming, kind: VoiceKind, voice_id: str, number: str, key: str
) -> Voice:
    now, rules = desk.clock.now(), desk.policy.voices
    said = replace(came.said, salt=secrets.token_hex(16))
    sealed = canonical_json(said.as_json())
    sign = came.sign if kind is VoiceKind.OBSERVATION else ""
    same = "\n".join(("voice-same", kind.value, sign, came.area, folded(said.text), folded(said.place)))
    fold_key = desk.vault.key_of(same)[:32]
    before = work.voices.standing_like(fold_key, now - FOLDED_FOR)
    return Voice(
        id=voice_id,
        number=number,
        kind=kind,
        sign=sign,
        language=came.language,
        received_at=now,
        due_at=now + rules.time_for(kind),
        area=came.area,
        digest=sha256_hex(sealed),
        fold_key=fold_key,
        from_key=key,
        said_sealed=desk.vault.seal(sealed),
        contact_sealed=desk.vault.seal(came.contact) if came.contact else None,
        contact_masked=mask_contact(came.contact),
        photo=came.photo is not None,
        state=VoiceState.NEW if before is None else VoiceState.FOLDED,
        owner=(owner_of(desk, work, kind) or "") if before is None else "",
        folded_into=before.id if before else None,
    )


def owner_of(desk: Desk, work: UnitOfWork, kind: VoiceKind) -> str | None:
    """Whose it is at first: the officer on shift, or the first who holds the role of the rules; None: nobody."""
    role = desk.policy.voices.owners[kind]
    if role is Role.DUTY_OFFICER:
        shift = current_shift(work, desk.clock.now())
        return shift.officer if shift else None
    return next(iter(sorted(user.name for user in work.users.all() if user.active and role in user.roles)), None)


def open_task_for(desk: Desk, work: UnitOfWork, voice: Voice) -> None:
    """A task of its own, ringing for the first observation of its sort in its place; bounded, however many come."""
    standing = [task for task in work.tasks.pending() if task.kind in (DANGER, TASK)]
    facts = {"kind": voice.kind.value, "sign": voice.sign, "area": voice.area}
    ringing = [task for task in standing if task.kind == DANGER]
    first = voice.kind is VoiceKind.OBSERVATION and not any(_same_place(task.facts, facts) for task in ringing)
    kind = DANGER if first and len(ringing) < MOST_RINGING else TASK
    if kind == TASK and len(standing) >= MOST_TASKS:
        return
    owner = voice.owner or None
    work.tasks.open(Task(new_id("t"), kind, voice.number, desk.clock.now(), voice.due_at, facts=facts, owner=owner))


def _same_place(one: Mapping[str, object], other: Mapping[str, object]) -> bool:
    """Where nobody says where it is, every one may be somewhere else."""
    return bool(other["area"]) and (one.get("area"), one.get("sign")) == (other["area"], other["sign"])


def _word(vault: Vault, voice: Voice) -> str:
    """Kept nowhere: whoever has the key makes it anew."""
    return word_of(vault.key_of(f"voice-word\n{voice.id}"))


def look_up(desk: Desk, number: str, word: str) -> Voice:
    """The voice of this receipt; raises NotFound alike for a number that was never given and for a wrong word."""
    with desk.store.read() as work:
        found = work.voices.by_number(number.strip()[:20])
    right = plain_word(_word(desk.vault, found)) if found else ""
    if found is None or not hmac.compare_digest(right.encode(), plain_word(word[:40]).encode()):
        raise NotFound("say.no-receipt")
    return found


def leading(work: UnitOfWork, voice: Voice) -> Voice:
    """The voice itself, or the one that it repeats."""
    return (work.voices.get(voice.folded_into) if voice.folded_into else None) or voice


def find_voice(work: UnitOfWork, number: str) -> Voice:
    """The voice of this number; raises NotFound."""
    found = work.voices.by_number(number)
    if found is None:
        raise NotFound("voices.unknown", number=number[:20])
    return found


def said_in(vault: Vault, voice: Voice) -> Said:
    """What was written; empty once erased."""
    return Said(**json.loads(vault.open(voice.said_sealed))) if voice.said_sealed else Said("")


def photo_of(vault: Vault, work: UnitOfWork, voice: Voice) -> bytes:
    """Its photo as PNG; raises NotFound where there is none."""
    found = work.voices.photo(voice.id)
    if found is None:
        raise NotFound("voices.no-photo", number=voice.number)
    return b64decode(vault.open(found.sealed))
