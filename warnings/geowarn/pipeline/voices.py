"""What somebody says → a receipt, a task with owner and due time, and a ledger entry without a word of it."""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.network import network_of
from geowarn.domain.voice import (
    FOLDED_FOR,
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
from geowarn.pipeline.voice_sealed import salted_digest, seal_photo
from geowarn.pipeline.voice_tasks import open_task_for, owner_of
from geowarn.ports import UnitOfWork, Vault

PUBLIC = "public"  # how the ledger names whoever says something
_CELL = 0.02  # degrees; the same words out of two such squares are not one matter


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
    sent: str = ""  # digest of the file that it was drawn from
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


def refuse_flood(kind: VoiceKind, load: Load, limits: SayLimits, in_force: bool) -> None:
    """Raise Refused with what to do instead where one more cannot be taken."""
    why = refused_for(kind, load, limits, in_force)
    if why == "address":
        raise Refused("say.too-many")
    if why:
        raise Refused("say.busy")


def look_over(desk: Desk, came: Incoming, limits: SayLimits) -> Receipt | Load:
    """What `receive` would say without the photo, before anything decodes that: the receipt of a form that had
    arrived before, else how much there is already; raises Refused as `receive` does.
    """
    with desk.store.read() as work:
        return _looked_over(desk, work, came, limits)


def _looked_over(desk: Desk, work: UnitOfWork, came: Incoming, limits: SayLimits) -> Receipt | Load:
    kind, now = check_said(came.kind, came.sign, came.said, came.contact), desk.clock.now()
    known = work.voices.get(_id(desk.vault, came))
    if known is not None:
        return Receipt(known.number, _word(desk.vault, known), known, repeated=True)
    if came.area and work.areas.get(came.area) is None:
        raise Refused("say.area")
    load = work.voices.load(from_key(desk.vault, came.address, now), now - WINDOW)
    refuse_flood(kind, load, limits, came.in_force)
    return load


def receive(desk: Desk, came: Incoming, limits: SayLimits) -> Receipt:
    """Take it in; raises Refused naming the field, or where too much comes in."""
    now = desk.clock.now()
    with desk.store.begin() as work:
        year = now.astimezone(desk.zone).year
        serial = work.counters.next(f"voice.{year}")  # first: whoever sends the same form meanwhile waits here
        found = _looked_over(desk, work, came, limits)
        if isinstance(found, Receipt):
            return found
        photo = came.photo if takes_photo(found, limits) else None
        said = replace(came.said, salt=secrets.token_hex(16))
        made = _voice(desk, work, replace(came, photo=photo, said=said), f"{year}-{serial:04d}")
        work.voices.save(made)
        facts: dict[str, Any] = {"kind": made.kind.value, "sign": made.sign, "area": made.area, "digest": made.digest}
        facts |= {"photo": "", "folded": made.folded_into is not None}
        if photo is not None:
            kept = seal_photo(desk.vault, made.id, photo)
            work.voices.put_photo(kept)
            facts["photo"] = salted_digest(said, kept.sha256)
        work.ledger.append(now, PUBLIC, "voice.received", made.number, facts)
        if made.folded_into is None:
            open_task_for(desk, work, made)
        work.commit()
    return Receipt(made.number, _word(desk.vault, made), made)


def _id(vault: Vault, came: Incoming) -> str:
    """Of the form and of all that is in it: who goes back and changes something says something else."""
    said = replace(came.said, salt="").as_json()
    form = [came.nonce, came.kind, came.sign, came.area, came.contact, came.sent, said]
    return f"v-{vault.key_of(f'voice {canonical_json(form)}')[:20]}"


def _fold_key(vault: Vault, came: Incoming, sign: str) -> str:
    """What two reports must have in common to be one matter."""
    lon, lat = came.said.lon, came.said.lat
    cell = "" if lon is None or lat is None else f"{round(lon / _CELL)} {round(lat / _CELL)}"
    parts = ("voice-same", came.kind, sign, came.area, folded(came.said.text), folded(came.said.place))
    return vault.key_of("\n".join((*parts, cell) if cell else parts))[:32]


def _voice(desk: Desk, work: UnitOfWork, came: Incoming, number: str) -> Voice:
    now, kind = desk.clock.now(), VoiceKind(came.kind)
    sealed = canonical_json(came.said.as_json())
    sign = came.sign if kind is VoiceKind.OBSERVATION else ""
    fold_key = _fold_key(desk.vault, came, sign)
    before = work.voices.standing_like(fold_key, now - FOLDED_FOR)
    return Voice(
        id=_id(desk.vault, came),
        number=number,
        kind=kind,
        sign=sign,
        language=came.language,
        received_at=now,
        due_at=now + desk.policy.voices.time_for(kind),
        area=came.area,
        digest=sha256_hex(sealed),
        fold_key=fold_key,
        from_key=from_key(desk.vault, came.address, now),
        said_sealed=desk.vault.seal(sealed),
        contact_sealed=desk.vault.seal(came.contact) if came.contact else None,
        contact_masked=mask_contact(came.contact),
        photo=came.photo is not None,
        state=VoiceState.NEW if before is None else VoiceState.FOLDED,
        owner=(owner_of(desk, work, kind) or "") if before is None else "",
        folded_into=before.id if before else None,
    )


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
