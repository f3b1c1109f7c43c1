"""Ledger entries → deliveries. The ledger is the outbox: what has happened stands in it, in the same transaction."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.domain.exercise import Pages
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.level import Level
from geowarn.domain.partner import PUBLIC_EVENTS, Event, Hook, HookDelivery, event_body, release_event
from geowarn.domain.warning import Series
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.propose import new_id
from geowarn.ports import Clock, Store, UnitOfWork

_LONGEST = timedelta(hours=72)  # validity of a bulletin, from its release on
AT_ONCE = 500  # entries derived in one transaction


@dataclass(frozen=True, slots=True)
class Told:
    """One event: what everybody may hear, and what more is for those inside."""

    event: Event
    key: str
    at: str
    subject: str
    series: Series
    synthetic: bool
    data: Mapping[str, Any]
    inside: Mapping[str, Any]


def derive(store: Store, clock: Clock, publish_from: Level, pages: Pages) -> int:
    """Turn what the ledger says since each hook's cursor into deliveries; returns how many entries were read.

    Cursor and deliveries move in one transaction, and a delivery exists once: after a crash, and with two workers,
    every event is there exactly once.
    """
    with store.read() as work:
        head = work.ledger.head()
        if head is None or not any(hook.cursor < head.sequence for hook in _heard(work)):
            return 0
    with store.begin() as work:
        _leave_closed(work, clock)
        hooks = _heard(work)
        entries = work.ledger.entries(min((hook.cursor for hook in hooks), default=head.sequence), AT_ONCE)
        for entry in entries:
            for told in _told(work, entry, publish_from, pages):
                heard = [hook for hook in hooks if hook.cursor < entry.sequence and hears(hook, told)]
                work.hooks.add([_delivery(hook, told, entry.sequence, clock) for hook in heard])
        for hook in hooks:
            work.hooks.advance(hook.id, entries[-1].sequence if entries else head.sequence)
        work.commit()
    return len(entries)


def _heard(work: UnitOfWork) -> list[Hook]:
    return [hook for hook in work.hooks.all() if hook.disabled_at is None]


def _leave_closed(work: UnitOfWork, clock: Clock) -> None:
    """Nobody is told for an account that is closed."""
    for hook in _heard(work):
        user = work.users.get(hook.owner) if hook.of_account else None
        if hook.of_account and (user is None or not user.active):
            work.hooks.mark(hook.id, hook.failing_since, clock.now())
            facts = {"owner": hook.owner, "reason": "account closed"}
            work.ledger.append(clock.now(), SYSTEM, "hook.disabled", hook.id, facts)


def hears(hook: Hook, told: Told) -> bool:
    """Whether this hook is told: by its events, by what is internal, and never a live one anything unreal."""
    if told.event not in hook.events or (hook.live and (told.synthetic or told.series is Series.EXERCISE)):
        return False
    return hook.internal or (told.event in PUBLIC_EVENTS and told.series is not Series.INTERNAL)


def _delivery(hook: Hook, told: Told, position: int, clock: Clock) -> HookDelivery:
    data = {**told.data, **(told.inside if hook.internal else {})}
    body = event_body(told.event, told.key, told.at, told.subject, told.series is Series.EXERCISE, data)
    text, now = canonical_json(body), clock.now()
    named = (new_id("d"), hook.id, told.key, told.event)
    return HookDelivery(*named, text, now, position, next_try_at=now, subject=told.subject)


def _told(work: UnitOfWork, entry: LedgerEntry, publish_from: Level, pages: Pages) -> list[Told]:
    makers: dict[str, Callable[[], Told | None]] = {
        "warning.validity-ended": lambda: _ended(work, entry, pages),
        "proposal.version": lambda: _proposal(work, entry, Event.PROPOSED),
        "proposal.signed": lambda: _proposal(work, entry, Event.SIGNED),
        "task.opened": lambda: _task(work, entry),
        "dispatch.results": lambda: _settled(work, entry, work.bulletins.get(entry.subject)),
        "dispatch.reported": lambda: _settled(work, entry, work.bulletins.get(entry.subject)),
        "dispatch.reconciled": lambda: _settled(work, entry, work.bulletins.get(entry.subject)),
    }
    if entry.kind == "bulletin.released":
        return _released(work, entry, publish_from, pages)
    if entry.kind == "dispatch.expired":  # names no bulletin: rows of any that ended lately may be the last ones
        lately = datetime.fromisoformat(entry.at) - timedelta(hours=1)
        ended = [one for one in work.bulletins.since(lately - _LONGEST) if one.content.expires > lately]
        return [told for bulletin in ended if (told := _settled(work, entry, bulletin)) is not None]
    made = makers[entry.kind]() if entry.kind in makers else None
    return [made] if made is not None else []


def _released(work: UnitOfWork, entry: LedgerEntry, publish_from: Level, pages: Pages) -> list[Told]:
    """The release; before it, where it overtook the last that was open of the bulletin before, that this is settled."""
    payload = json.loads(entry.payload)
    bulletin = work.bulletins.get(str(payload["bulletin"]))
    if bulletin is None:
        return []
    content = bulletin.content
    before = work.bulletins.get(content.previous_bulletin or "") if payload.get("overtaken") else None
    overtaken = _settled(work, entry, before)
    areas = [{"code": area.code, "level": area.level.code} for area in content.at_or_above(publish_from)]
    data = {**_names(bulletin, pages), "level": content.highest.code, "areas": areas}
    every = {"areas": [{"code": area.code, "level": area.level.code} for area in content.areas]}
    released = _of_bulletin(release_event(content.act.value), str(entry.sequence), entry.at, bulletin, data, every)
    return [released] if overtaken is None else [overtaken, released]


def _names(bulletin: Bulletin, pages: Pages) -> dict[str, Any]:
    return {
        "number": bulletin.number,
        "slug": bulletin.slug,
        "act": bulletin.act.value,
        "expires": bulletin.content.expires.isoformat(),
        "page": pages.of(bulletin),
        "href": f"/api/v1/bulletins/{bulletin.slug}",
    }


def _of_bulletin(
    event: Event, key: str, at: str, bulletin: Bulletin, data: Mapping[str, Any], inside: Mapping[str, Any]
) -> Told:
    subject, synthetic = bulletin.warning_id, bulletin.content.synthetic
    return Told(event, f"{event.value}:{key}", at, subject, bulletin.series, synthetic, data, inside)


def _ended(work: UnitOfWork, entry: LedgerEntry, pages: Pages) -> Told | None:
    chain = work.bulletins.of_warning(entry.subject)
    if not chain:
        return None
    data = {**_names(chain[-1], pages), "act": "validity-ended"}
    return _of_bulletin(Event.ENDED, str(entry.sequence), entry.at, chain[-1], data, {})


def _settled(work: UnitOfWork, entry: LedgerEntry, bulletin: Bulletin | None) -> Told | None:
    """Nothing more will be sent; an earlier "settled" of the same bulletin has the same key and stays the only one."""
    if bulletin is None or work.dispatches.unsettled(bulletin.id):
        return None
    counts = work.dispatches.counts(bulletin.id)
    if not counts:
        return None
    told = {channel: {state.value: n for state, n in states.items()} for channel, states in counts.items()}
    data = {"number": bulletin.number, "slug": bulletin.slug, "dispatches": told}
    return _of_bulletin(Event.SETTLED, bulletin.slug, entry.at, bulletin, data, {})


def _proposal(work: UnitOfWork, entry: LedgerEntry, event: Event) -> Told | None:
    warning, payload = work.warnings.get(entry.subject), json.loads(entry.payload)
    if warning is None:
        return None
    content = payload.get("content", {})
    synthetic = bool(content.get("synthetic", False))
    if event is Event.SIGNED:
        newest = work.proposals.of_warning(warning.id)
        synthetic = bool(newest and newest[0].content.synthetic)
    inside = {name: payload[name] for name in ("version", "package_sha256", "role") if name in payload}
    inside["href"] = f"/api/v1/warnings/{warning.id}"
    return Told(event, f"{event.value}:{entry.sequence}", entry.at, warning.id, warning.series, synthetic, {}, inside)


def _task(work: UnitOfWork, entry: LedgerEntry) -> Told:
    """A task of a warning is of its series; any other is real."""
    warning = work.warnings.get(entry.subject)
    series = warning.series if warning else Series.REAL
    inside = {"kind": str(json.loads(entry.payload).get("kind", ""))}
    key = f"{Event.TASK.value}:{entry.sequence}"
    return Told(Event.TASK, key, entry.at, entry.subject, series, False, {}, inside)
