"""Feeds of other issuers on the duty desk: what holds, who was heard when, what was refused."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.catalogue import explain, say
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.issuers import Feed, Refusal, Standing
from geowarn.pipeline import outside
from geowarn.pipeline.issuer_poll import saw_refusals
from geowarn.pipeline.issuer_view import Other, in_force_of
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting
from geowarn.web.wording import Words

router = APIRouter(prefix="/console/outside", include_in_schema=False)
_LATEST = 12


@dataclass(frozen=True, slots=True)
class Line:
    """One message as the desk shows it; texts are the issuer's and are escaped by the template."""

    issuer: str
    what: str
    more: str
    language: str
    places: str
    severity: str
    sent: datetime
    until: datetime
    heard_at: datetime | None
    silent: bool
    held: bool
    checked: bool
    remarks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One feed with what was refused of it and what came last."""

    feed: Feed
    title: str
    failure: str
    refusals: tuple[tuple[Refusal, str], ...]
    unseen: int
    latest: tuple[tuple[datetime, str, str, str], ...]  # received, status and type, what became of it, headline


def lines_of(work: UnitOfWork, now: datetime, words: Words) -> tuple[list[Line], list[list[list[float]]]]:
    """What others say that holds, and the outlines of it."""
    found = in_force_of(work, now, drawn=True)
    rings = [ring for other in found for ring in other.message.facts.get("rings", ())]
    return [_line(other, words) for other in found], rings


def _line(other: Other, words: Words) -> Line:
    said, message = other.text(words.language), other.message
    return Line(
        issuer=other.feed.title(words.language),
        what=said["headline"] or said["event"] or message.identifier,
        more=said["description"],
        language=said.get("language", "und"),
        places=words.few(list(message.facts.get("places", ())) or ["?"]),
        severity=other.severity,
        sent=message.sent,
        until=message.expires,
        heard_at=other.feed.heard_at,
        silent=other.feed.silent_since is not None,
        held=other.standing is Standing.HELD,
        checked=bool(message.signed_by),
        remarks=tuple(say(f"issuers.remark-{remark}", words.language) for remark in message.remarks),
    )


def desk_values(visit: Visit, work: UnitOfWork) -> dict[str, Any]:
    """What the page about other offices needs of the feeds."""
    lines, _ = lines_of(work, visit.now, visit.words)
    feeds = [_shown(work, feed, visit.words) for feed in work.issued.feeds() if feed.enabled]
    return {"lines": lines, "feeds": feeds}


def _shown(work: UnitOfWork, feed: Feed, words: Words) -> Shown:
    refusals = work.issued.refusals(feed.name, _LATEST)
    language = words.language
    failure = explain(Refused(feed.failure["key"], **feed.failure["facts"]), language) if feed.failure else ""
    return Shown(
        feed=feed,
        title=feed.title(language),
        failure=failure,
        refusals=tuple((one, explain(Refused(one.key, **one.facts), language)) for one in refusals),
        unseen=sum(one.seen_at is None for one in refusals),
        latest=tuple(
            (
                one.received_at,
                f"{one.status} {one.msg_type}",
                say(f"issuers.said-{one.outcome.value}", language),
                next((text["headline"] or text["event"] for text in one.facts.get("texts", ())), one.identifier),
            )
            for one in work.issued.latest(feed.name, _LATEST)
        ),
    )


@router.post("/feeds/{feed}/seen")
def seen(visit: Visiting, feed: str) -> Response:
    """Somebody has looked at what was refused of one feed."""
    visit.form()
    visit.actor.need_somewhere(*outside.MAY_ENTER)
    with visit.system.store.read() as work:
        if work.issued.feed(feed) is None:
            raise NotFound("issuers.unknown", issuer=feed[:40], known="-")
    saw_refusals(visit.system.store, feed, visit.now, visit.actor.label, visit.user.name)
    return visit.go("/console/outside")
