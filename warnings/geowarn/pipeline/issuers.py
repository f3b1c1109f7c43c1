"""A message of another issuer → kept beside ours with what it ends; or refused, with its reason, once.

Messages come in any order: what one replaces or cancels is noted whether that has come or not. Nothing of this is
ever ours: no level, no bulletin, no message that leaves.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from geowarn.domain.area import Area, by_code
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import (
    MOST_SKEW,
    SKEW,
    IssuedMessage,
    Issuer,
    Outcome,
    Refusal,
    Taken,
    end_of,
    ends_of,
    may_end,
    message_id,
    outcome_of,
    plain,
    texts_of,
)
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.companion import keep_payload
from geowarn.pipeline.companion_areas import covered, outline
from geowarn.pipeline.propose import new_id
from geowarn.ports import Carrier, Clock, FeedReader, IssuedReader, ReadMessage, Store, UnitOfWork

REFUSED, SILENT = "issuer-refused", "issuer-silent"
_MOST_PLACES = 60
_MOST_RINGS, _MOST_DRAWN = 40, 4000  # rings kept for drawing, and their points together


@dataclass(frozen=True, slots=True)
class IssuerDesk:
    """The ports of taking in others' messages; `inbox` is the folder of the watched folders."""

    store: Store
    clock: Clock
    reader: IssuedReader
    feeds: FeedReader
    carrier: Carrier
    raw_dir: Path
    inbox: Path


@dataclass(frozen=True, slots=True)
class Came:
    """What became of one file: an outcome, "known", or "refused" with its reason."""

    id: str
    what: str
    ended: tuple[str, ...] = ()
    refusal: Refused | None = None
    moves: bool = False  # whether pages show something else than before


def take_message(desk: IssuerDesk, issuer: Issuer, data: bytes, file_name: str, actor_text: str = SYSTEM) -> Came:
    """Keep one message of this issuer, or note why it is refused; the same again changes nothing."""
    shown_name = plain(file_name, 200)
    try:
        with whatever_it_is(shown_name):
            letter = desk.reader.read(data, shown_name, issuer)
        _check(letter.message, issuer, desk.clock.now(), shown_name)
        return _kept(desk, issuer, letter, data, shown_name, actor_text)
    except Refused as refusal:
        note_refusal(desk, issuer, data, shown_name, refusal)
        return Came("", "refused", refusal=refusal)


@contextmanager
def whatever_it_is(file_name: str) -> Iterator[None]:
    """What nobody thought of in a file of others refuses that file as well, so that those behind it are read."""
    try:
        yield
    except (Refused, MemoryError):
        raise
    except Exception as error:
        raise Refused("issuers.unreadable", file=file_name, reason=type(error).__name__) from error


def note_refusal(desk: IssuerDesk, issuer: Issuer, data: bytes, file_name: str, refusal: Refused) -> bool:
    """A task and a ledger entry, once for each file and reason; returns whether it is new."""
    now = desk.clock.now()
    made = Refusal(issuer.name, file_name, sha256_hex(data), now, refusal.key, refusal.kept())
    facts: dict[str, Any] = {"file": file_name, "sha256": made.payload, "key": made.key, "facts": dict(made.facts)}
    with desk.store.begin() as work:
        if not work.issued.refuse(made):
            return False
        work.ledger.append(now, SYSTEM, "issuer.refused", issuer.name, facts)
        names = {"name_zh": issuer.name_zh, "name_en": issuer.name_en}
        told = {**names, "file": file_name, "key": made.key, "facts": dict(made.facts)}
        if work.tasks.open(Task(new_id("t"), REFUSED, issuer.name, now, facts=told)):
            work.ledger.append(now, SYSTEM, "task.opened", issuer.name, {"kind": REFUSED})
        work.commit()
    return True


def _check(message: IssuedMessage, issuer: Issuer, now: datetime, file_name: str) -> None:
    if message.key.sender not in issuer.senders:
        facts = {"issuer": issuer.name, "sender": plain(message.key.sender, 120), "known": ", ".join(issuer.senders)}
        raise Refused("issuers.sender", file=file_name, **facts)
    if message.key.sent > now + MOST_SKEW:
        raise Refused("issuers.ahead", file=file_name, issuer=issuer.name, sent=message.key.sent.isoformat())


def _kept(desk: IssuerDesk, issuer: Issuer, letter: ReadMessage, data: bytes, file_name: str, actor_text: str) -> Came:
    """What takes long is done before the transaction: nothing of others may hold a release of ours up."""
    now, message = desk.clock.now(), letter.message
    with desk.store.read() as work:
        known = work.issued.get(message_id(message.key))
        if known is not None:
            return _again(known, message, file_name)
        outcome = outcome_of(message, now, timedelta(hours=issuer.max_age_hours), _follows(work, message))
        private = outcome is Outcome.NOT_PUBLIC
        areas = {} if private else by_code(work.areas.all())
    with whatever_it_is(file_name):
        made = _taken(issuer, letter, data, outcome, now, areas)
    if not private:
        keep_payload(data, desk.raw_dir)
    with desk.store.begin() as work:
        known = work.issued.get(made.id)
        if known is not None:  # another process was quicker
            return _again(known, message, file_name)
        names = ends_of(message, outcome)
        remarks = (*made.remarks, *_remarks(work, message, now))
        work.issued.refer(made.id, names)
        ended = work.issued.end([message_id(key) for key in names], made.id)
        made = replace(made, remarks=remarks, ended_by=work.issued.referring(made.id))
        work.issued.add(made)
        work.ledger.append(now, actor_text, "issuer.taken", made.id, _entry(made, file_name, sha256_hex(data), ended))
        moves = (made.told and not made.ended_by) or any(one.told for one in map(work.issued.get, ended) if one)
        work.commit()
    return Came(made.id, outcome.value, ended, moves=moves)


def _follows(work: UnitOfWork, message: IssuedMessage) -> bool:
    """Whether it names a message that was shown."""
    named = (work.issued.get(message_id(key)) for key in may_end(message))
    return any(one is not None and one.outcome is Outcome.SHOWN for one in named)


def _again(known: Taken, message: IssuedMessage, file_name: str) -> Came:
    if known.digest != message.digest:
        raise Refused("issuers.changed", file=file_name, identifier=message.key.identifier, sent=known.sent)
    return Came(known.id, "known")


def _taken(
    issuer: Issuer, letter: ReadMessage, data: bytes, outcome: Outcome, now: datetime, areas: Mapping[str, Area]
) -> Taken:
    message = letter.message
    private = outcome is Outcome.NOT_PUBLIC
    codes, unplaced = ((), False) if private else covered(message.areas, areas)
    return Taken(
        id=message_id(message.key),
        issuer=issuer.name,
        sender=message.key.sender,
        identifier=message.key.identifier,
        sent=message.key.sent,
        version=message.version,
        status=message.status,
        msg_type=message.msg_type,
        outcome=outcome,
        expires=end_of(message),
        clears=bool(message.infos) and all(info.clears for info in message.infos),
        unplaced=unplaced,
        codes=codes,
        facts={} if private else _facts(message),
        remarks=message.remarks,
        digest=message.digest,
        payload="" if private else sha256_hex(data),
        signed_by=letter.signed_by,
        received_at=now,
    )


def _facts(message: IssuedMessage) -> dict[str, Any]:
    """Texts, places and outlines; plain JSON of bounded size."""
    places = list(dict.fromkeys(plain(area.description, 120) for area in message.areas))
    return {"texts": texts_of(message.infos)[:10], "places": places[:_MOST_PLACES], "rings": list(_rings(message))}


def _rings(message: IssuedMessage) -> Iterator[list[list[float]]]:
    """Outlines as they are drawn, as many as a map can bear."""
    left = _MOST_DRAWN
    for ring in [ring for area in message.areas for ring in area.polygons][:_MOST_RINGS]:
        found = outline(ring)
        left -= len(found)
        if left < 0:
            return
        yield found


def _remarks(work: UnitOfWork, message: IssuedMessage, now: datetime) -> Iterator[str]:
    """What is odd about it beside what else is known."""
    if message.key.sent > now + SKEW:
        yield "clock-ahead"
    named = set(may_end(message))
    for key in named:
        others = work.issued.same_identifier(key.sender, key.identifier)
        if others and message_id(key) not in [one.id for one in others]:
            yield "other-sent"  # the identifier is known, but not with this `sent`: the earlier one still stands
            break
    if any(key.sender == message.key.sender and key not in named and key != message.key for key in message.references):
        yield "refers-ahead"


def _entry(made: Taken, file_name: str, digest: str, ended: tuple[str, ...]) -> dict[str, Any]:
    """What the ledger says of it: of a message that is not public nothing but that it came."""
    entry = {
        "issuer": made.issuer,
        "sender": made.sender,
        "identifier": made.identifier,
        "sent": made.sent.isoformat(),
        "version": made.version,
        "status": made.status,
        "msg_type": made.msg_type,
        "outcome": made.outcome.value,
        "sha256": digest,
        "signed_by": made.signed_by,
        "remarks": list(made.remarks),
    }
    if made.outcome is Outcome.NOT_PUBLIC:
        return entry
    headlines = {text["language"]: text["headline"] or text["event"] for text in made.facts["texts"]}
    told = {"file": file_name, "expires": made.expires.isoformat(), "headline": headlines, "areas": list(made.codes)}
    return {**entry, **told, "ends": list(ended)}
