"""Asks another issuer's feed, or looks into his folder, and takes in what is new; silence is noted (house rule 16)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.issuers import CAP, Feed, Issuer
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.companion_inbox import set_aside, waiting
from geowarn.pipeline.inbox import OTHERS
from geowarn.pipeline.issuer_follow import Fetched, follow, reason_of
from geowarn.pipeline.issuer_limits import note_flood, room_of
from geowarn.pipeline.issuers import REFUSED, SILENT, Came, IssuerDesk, take_message
from geowarn.pipeline.propose import new_id
from geowarn.ports import Brought, Store, UnitOfWork

FILE = "issuers.toml"


@dataclass(frozen=True, slots=True)
class Polled:
    """What one look brought; `fault` is why the feed could not be read."""

    came: tuple[Came, ...] = ()
    fault: Refused | None = None

    @property
    def new(self) -> bool:
        """Whether anything was taken that was not known."""
        return any(one.what not in ("known", "refused") for one in self.came)

    @property
    def changed(self) -> bool:
        """Whether pages show something else than before."""
        return any(one.moves for one in self.came)


def note_plan(store: Store, issuers: Iterable[Issuer], now: datetime) -> bool:
    """Keep the names of the configured feeds beside what they said; what is not configured any more is not shown."""
    plan = {issuer.name: issuer for issuer in issuers}
    with store.read() as work:
        known = {feed.name: feed for feed in work.issued.feeds()}
    changed = [feed for name in plan.keys() | known.keys() if (feed := _planned(plan.get(name), known.get(name), now))]
    if not changed:
        return False
    with store.begin() as work:
        for feed in sorted(changed, key=lambda one: one.name):
            work.issued.save_feed(feed)
        for name in sorted(feed.name for feed in changed if not feed.enabled):
            for kind in (REFUSED, SILENT):
                work.tasks.close(kind, name, now)
        work.commit()
    return True


def _planned(issuer: Issuer | None, known: Feed | None, now: datetime) -> Feed | None:
    """The feed as it is to be kept, None where it is kept so already."""
    if issuer is None or (known is None and not issuer.enabled):
        return replace(known, enabled=False) if known is not None and known.enabled else None
    base = known or Feed(issuer.name, "", "", "", False, now)
    made = replace(
        base, name_zh=issuer.name_zh, name_en=issuer.name_en, page=issuer.page, enabled=issuer.enabled,
        since=base.since if base.enabled else now,
    )  # fmt: skip
    return made if made != known else None


def due(store: Store, issuer: Issuer, now: datetime) -> bool:
    """Whether its poll time is over."""
    with store.read() as work:
        feed = work.issued.feed(issuer.name)
    # A little early rather than a whole tick late.
    return feed is None or feed.tried_at is None or feed.tried_at + timedelta(seconds=issuer.poll_seconds - 5) <= now


def poll(desk: IssuerDesk, issuer: Issuer, again: bool = False) -> Polled:
    """Look once; `again` reads everything anew. Never raises for what comes from outside."""
    if issuer.watched:
        return _look(desk, issuer)
    now = desk.clock.now()
    with desk.store.read() as work:
        feed = work.issued.feed(issuer.name)
    known = dict(feed.known) if feed and not again else {}
    (answer,) = desk.carrier.get(issuer, [(issuer.address, known)])
    try:
        if isinstance(answer, Exception):
            raise reason_of(answer, issuer.address)
        found = _heard(desk, issuer, answer, again)
    except Refused as refusal:
        found = Fetched(fault=refusal)
    polled = Polled(found.came, found.fault)
    told = answer.known if isinstance(answer, Brought) and found.complete else {}
    _note_try(desk, issuer, now, refusal=found.fault, known=told, newest=polled.new)
    return polled


def _heard(desk: IssuerDesk, issuer: Issuer, answer: Brought, again: bool) -> Fetched:
    """What an answer brought; a feed of which nothing new can be read is not heard (house rule 1)."""
    if issuer.kind != CAP:
        return follow(desk, issuer, answer.body, again)
    if answer.body is None:
        return Fetched()
    if not room_of(desk, issuer).takes(len(answer.body)):
        return Fetched(fault=note_flood(desk, issuer, issuer.address, 1))
    came = take_message(desk, issuer, answer.body, issuer.address)
    return Fetched((came,), came.refusal)


def _look(desk: IssuerDesk, issuer: Issuer) -> Polled:
    """Take in what lies in `inbox/issuers/<name>/`, oldest first; each file is set aside once it is kept."""
    folder, now, room = desk.inbox / OTHERS / issuer.name, desk.clock.now(), room_of(desk, issuer)
    came, fault, files = [], None, list(waiting(folder, now.timestamp()))
    for number, file in enumerate(files):
        try:
            with file.open("rb") as handle:
                data = handle.read((8 << 20) + 1)
        except OSError:
            continue  # taken away again, or not ours to read: looked at the next time
        if not room.takes(len(data)):
            fault = note_flood(desk, issuer, f"inbox/{OTHERS}/{issuer.name}", len(files) - number)
            break
        came.append(take_message(desk, issuer, data, file.name))
        set_aside(desk.inbox / ("refused" if came[-1].refusal else "taken"), file, desk.clock)
    polled = Polled(tuple(came), fault)
    _note_try(desk, issuer, now, refusal=fault, newest=polled.new)
    return polled


def _note_try(
    desk: IssuerDesk,
    issuer: Issuer,
    now: datetime,
    refusal: Refused | None = None,
    known: Mapping[str, str] | None = None,
    newest: bool = False,
) -> None:
    """When it was tried and whether it answered; an answer ends the silence."""
    with desk.store.begin() as work:
        feed = work.issued.feed(issuer.name)
        if feed is None:
            return
        if refusal is not None:
            made = replace(feed, tried_at=now, failure={"key": refusal.key, "facts": refusal.kept()})
        else:
            made = replace(feed, tried_at=now, heard_at=now, failure={}, known=dict(known or {}))
        work.issued.save_feed(replace(made, newest_at=now) if newest else made)
        work.commit()


def watch_issuers(store: Store, issuers: Iterable[Issuer], now: datetime) -> tuple[str, ...]:
    """Open the task `issuer-silent` for each feed that was not heard in time; returns which are new."""
    with store.read() as work:
        feeds = {feed.name: feed for feed in work.issued.feeds()}
        told = {task.subject for task in work.tasks.pending() if task.kind == SILENT}
    plan = [issuer for issuer in issuers if issuer.enabled and issuer.name in feeds]
    silent = {issuer.name: _silence(issuer, feeds[issuer.name], now) for issuer in plan}
    changed = {name: how[0] if how else None for name, how in silent.items()}
    changed = {name: since for name, since in changed.items() if feeds[name].silent_since != since}
    if not changed and all((how is not None) == (name in told) for name, how in silent.items()):
        return ()
    opened = []
    with store.begin() as work:
        for name, since in sorted(changed.items()):  # rows before tasks, as everywhere
            feed = work.issued.feed(name)
            if feed is not None:
                work.issued.save_feed(replace(feed, silent_since=since))
        for name, how in silent.items():
            if how is None:
                work.tasks.close(SILENT, name, now)
            elif _raise(work, name, now, _told(feeds[name], *how)):
                opened.append(name)
        work.commit()
    return tuple(opened)


def _told(feed: Feed, since: datetime, why: str) -> dict[str, str]:
    return {"name_zh": feed.name_zh, "name_en": feed.name_en, "why": why, "since": since.isoformat()}


def _silence(issuer: Issuer, feed: Feed, now: datetime) -> tuple[datetime, str] | None:
    """Since when, and in what way; None while it is heard."""
    heard, newest = feed.heard_at or feed.since, feed.newest_at or feed.since
    if issuer.silent_minutes and heard + timedelta(minutes=issuer.silent_minutes) < now:
        return heard, "no-answer"
    if issuer.quiet_hours and newest + timedelta(hours=issuer.quiet_hours) < now:
        return newest, "nothing-new"
    return None


def _raise(work: UnitOfWork, name: str, now: datetime, facts: Mapping[str, Any]) -> bool:
    if not work.tasks.open(Task(new_id("t"), SILENT, name, now, facts=facts)):
        return False
    work.ledger.append(now, SYSTEM, "task.opened", name, {"kind": SILENT, **facts})
    return True


def note_wrong_plan(store: Store, now: datetime, refusal: Refused | None) -> None:
    """A task while the file of feeds cannot be read: nobody is asked then, which would be silence."""
    with store.begin() as work:
        if refusal is None:
            changed = bool(work.tasks.close(SILENT, FILE, now))
        else:
            facts = {"why": "plan", "key": refusal.key, "facts": refusal.kept()}
            changed = _raise(work, FILE, now, facts)
        if changed:
            work.commit()


def saw_refusals(store: Store, name: str, now: datetime, actor_text: str, who: str) -> int:
    """Somebody has looked at what was refused: the task ends; returns how many there were."""
    with store.begin() as work:
        count = work.issued.saw_refusals(name, now, who)
        closed = work.tasks.close(REFUSED, name, now)
        if count or closed:
            work.ledger.append(now, actor_text, "issuer.seen", name, {"refused": count})
            work.commit()
    return count
