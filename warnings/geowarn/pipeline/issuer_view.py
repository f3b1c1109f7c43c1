"""What other issuers have said that still holds: for the duty desk and for the public pages."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.area import Area, ancestors
from geowarn.domain.issuers import HELD, Feed, Outcome, Standing, Taken, in_language, standing_of
from geowarn.ports import OtherWarning, UnitOfWork

_SEVERITIES = ("Extreme", "Severe", "Moderate", "Minor", "Unknown")
_SHOWN = (Standing.IN_FORCE, Standing.HELD)


@dataclass(frozen=True, slots=True)
class Other:
    """One message with its feed and whether it still holds."""

    feed: Feed
    message: Taken
    standing: Standing

    @property
    def severity(self) -> str:
        """The gravest word of its parts."""
        words = [text["severity"] for text in self.message.facts.get("texts", ())]
        return min(words, key=_SEVERITIES.index, default="Unknown")

    def text(self, language: str) -> Mapping[str, str]:
        """What it says in this language, else in its first; empty words where it says nothing."""
        return in_language(self.message.facts.get("texts", ()), language) or _NOTHING


_NOTHING: Mapping[str, str] = dict.fromkeys(("event", "headline", "description", "instruction", "sender_name"), "")


def standing_now(work: UnitOfWork, now: datetime) -> tuple[Other, ...]:
    """Every message of a feed in use whose end was not long ago, newest first."""
    return tuple(_of_feeds(work, work.issued.recent(now - HELD), now))


def _of_feeds(work: UnitOfWork, messages: Iterable[Taken], now: datetime) -> Iterator[Other]:
    feeds = {feed.name: feed for feed in work.issued.feeds() if feed.enabled}
    for one in messages:
        if one.issuer in feeds:
            yield Other(feeds[one.issuer], one, standing_of(one, now, feeds[one.issuer].silent_since))


def in_force_of(work: UnitOfWork, now: datetime, drawn: bool = False) -> tuple[Other, ...]:
    """Those that hold and concern us, the gravest first; with their outlines where they are `drawn`."""
    kept = work.issued.standing(now - HELD, drawn)
    found = [other for other in _of_feeds(work, kept, now) if other.standing in _SHOWN and other.message.told]
    return tuple(sorted(found, key=lambda other: _SEVERITIES.index(other.severity)))


def others_of(work: UnitOfWork, areas: Mapping[str, Area], now: datetime) -> tuple[OtherWarning, ...]:
    """The same for the public pages: only what was meant for the public."""
    return tuple(_public(other, areas) for other in in_force_of(work, now) if other.message.outcome is Outcome.SHOWN)


def _public(other: Other, areas: Mapping[str, Area]) -> OtherWarning:
    message, feed = other.message, other.feed
    around = {code for own in message.codes if own in areas for code in ancestors(own, areas)}
    return OtherWarning(
        id=message.id,
        issuer={"zh": feed.name_zh, "en": feed.name_en},
        page=feed.page,
        texts={language: other.text(language) for language in ("zh", "en")},
        severity=other.severity,
        sender=message.sender,
        identifier=message.identifier,
        places=tuple(message.facts.get("places", ())),
        codes=frozenset({*message.codes, *around}),
        sent=message.sent,
        expires=message.expires,
        heard_at=feed.heard_at,
        silent=feed.silent_since is not None,
        held=other.standing is Standing.HELD,
        checked=bool(message.signed_by),
    )
