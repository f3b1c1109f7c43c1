"""Beside the line: an alert of the weather service is kept and raises attention; a level is none of its business."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from geowarn.domain.area import by_code
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.companion import ATTENTION, AlertKey, AlertMessage
from geowarn.domain.errors import Refused
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.companion_areas import covered
from geowarn.pipeline.propose import new_id
from geowarn.ports import AlertReader, Clock, CompanionAlert, Store, UnitOfWork

TASK = "companion"
MOST_MEBIBYTES = 4
_WITHOUT_END = timedelta(hours=24)  # how long an alert counts that does not say when it ends
_LONG, _SHORT = 2000, 200  # characters kept of a description and of everything else


@dataclass(frozen=True, slots=True)
class Received:
    """What became of one alert: "attention", "ended" (it only ends others, or was ended before), "over", "elsewhere"
    (none of our areas), "not-actual" (an exercise or test) or "known"."""

    id: str
    outcome: str
    areas: tuple[str, ...] = ()
    ended: int = 0


def receive_alert(
    store: Store, clock: Clock, reader: AlertReader, raw_dir: Path, file: Path, actor_text: str
) -> Received:
    """Keep an alert and raise attention where it covers one of our areas; raises Refused for a file that is bad.

    Updates and cancels end the messages of the same sender they refer to, in whatever order the messages arrive.
    The same message again changes nothing. An exercise or test is kept and does nothing else.
    """
    data = _bytes(file)
    message = reader.read(data, file.name)
    now, alert_id = clock.now(), message.key.id
    with store.begin() as work:
        earlier = work.ledger.entries(subject=alert_id)
        if any(entry.kind == "companion.received" for entry in earlier):
            return Received(alert_id, "known")
        keep_payload(data, raw_dir)
        codes, unplaced = covered(message.areas, by_code(work.areas.all()))
        ended_before = any(entry.kind == "companion.ended" for entry in earlier)
        outcome = _outcome(message, bool(codes) or unplaced, now, ended_before)
        facts = _facts(message, unplaced)
        entry = {**facts, "outcome": outcome, "areas": list(codes), "file_name": file.name, "sha256": sha256_hex(data)}
        work.ledger.append(now, actor_text, "companion.received", alert_id, entry)
        ended = _end_references(work, message, now, actor_text) if message.status == ATTENTION else 0
        if outcome == "attention":
            _raise_attention(work, _alert(message, codes, facts, data, now), now)
        work.commit()
    return Received(alert_id, outcome, codes, ended)


def close_finished(store: Store, clock: Clock) -> int:
    """Close the tasks of alerts that have expired or were ended; returns how many."""
    now, closed = clock.now(), 0
    with store.begin() as work:
        current = {alert.id for alert in work.companions.current(now)}
        for task in work.tasks.pending():
            if task.kind == TASK and task.subject not in current:
                closed += work.tasks.close(TASK, task.subject, now)
        if closed:
            work.commit()
    return closed


def _bytes(file: Path) -> bytes:
    try:
        size = file.stat().st_size if file.is_file() else -1
        if size > MOST_MEBIBYTES << 20:
            whole = -(-size >> 20)
            raise Refused("sources.too-large", file=file.name, size=whole, limit=MOST_MEBIBYTES)
        with file.open("rb") as handle:
            return handle.read((MOST_MEBIBYTES << 20) + 1)
    except OSError:
        raise Refused("ingest.no-file", file=file.name) from None


def keep_payload(data: bytes, raw_dir: Path) -> None:
    """The payload below `raw/` by digest, there before the transaction that names it."""
    place = raw_dir / sha256_hex(data)
    if place.is_file():
        return
    raw_dir.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=".incoming-", dir=raw_dir)
    try:
        with os.fdopen(handle, "wb") as target:
            target.write(data)
            target.flush()
            os.fsync(target.fileno())
        os.replace(name, place)
    finally:
        Path(name).unlink(missing_ok=True)


def _outcome(message: AlertMessage, ours: bool, now: datetime, ended_before: bool) -> str:
    if message.status != ATTENTION:
        return "not-actual"
    if message.msg_type == "Cancel" or ended_before:
        return "ended"
    if not ours:
        return "elsewhere"
    return "attention" if _expires(message) > now else "over"


def _expires(message: AlertMessage) -> datetime:
    """The latest end of its parts; one that names none counts for a day from when it was sent."""
    return max(info.expires or message.key.sent + _WITHOUT_END for info in message.infos)


def _facts(message: AlertMessage, unplaced: bool) -> dict[str, Any]:
    def by_language(name: str, longest: int = _SHORT) -> dict[str, str]:
        return {info.language: str(getattr(info, name))[:longest] for info in message.infos if getattr(info, name)}

    severities = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
    worst = min((info.severity for info in message.infos), key=severities.index, default="Unknown")
    return {
        "sender": message.key.sender,
        "identifier": message.key.identifier,
        "sent": message.key.sent.isoformat(),
        "status": message.status,
        "msg_type": message.msg_type,
        "severity": worst,
        "event": by_language("event"),
        "issuer": by_language("issuer"),
        "headline": by_language("headline"),
        "description": by_language("description", _LONG),
        "places": [block.description[:_SHORT] for block in message.areas][:50],
        "unplaced": unplaced,
        "end_assumed": any(info.expires is None for info in message.infos),
        "references": [key.id for key in message.references],
    }


def _alert(
    message: AlertMessage, codes: tuple[str, ...], facts: Mapping[str, Any], data: bytes, now: datetime
) -> CompanionAlert:
    onsets = [info.onset for info in message.infos if info.onset is not None]
    return CompanionAlert(
        id=message.key.id,
        sender=message.key.sender,
        identifier=message.key.identifier,
        sent=message.key.sent,
        onset=min(onsets, default=message.key.sent),
        expires=_expires(message),
        areas=codes,
        facts=facts,
        payload_digest=sha256_hex(data),
        received_at=now,
    )


def _raise_attention(work: UnitOfWork, alert: CompanionAlert, now: datetime) -> None:
    work.companions.add(alert)
    work.tasks.open(Task(new_id("t"), TASK, alert.id, now, facts={"areas": list(alert.areas)}))
    work.ledger.append(now, SYSTEM, "task.opened", alert.id, {"kind": TASK})


def _end_references(work: UnitOfWork, message: AlertMessage, now: datetime, actor_text: str) -> int:
    """End what the message refers to; one that has not arrived yet is noted, and is ended when it does."""
    ended = 0
    for key in message.references:
        if key.sender != message.key.sender:
            continue  # nobody ends another service's alert
        ended += work.companions.end(key.sender, key.identifier, message.key.identifier)
        work.tasks.close(TASK, key.id, now)
        work.ledger.append(now, actor_text, "companion.ended", key.id, {"by": message.key.id, **_named(message.key)})
    return ended


def _named(key: AlertKey) -> dict[str, str]:
    return {"sender": key.sender, "identifier": key.identifier, "sent": key.sent.isoformat()}
