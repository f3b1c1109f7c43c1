"""What the public sees of incidents: the newest version part by part, every version, and what is overdue."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.incident import ANSWER_PARTS, PARTS, Publication, overdue, part_version
from geowarn.ports import PublishedIncident
from geowarn_channels.feeds import Item, Link
from geowarn_channels.moments import cap_time

FORMAT, ANSWER_FORMAT = "geowarn-incident/1", "geowarn-answer/1"
KEPT = timedelta(days=7)  # a version stays in the feeds this long, the newest of an open incident for ever


@dataclass(frozen=True)
class ShownPart:
    """One part of the newest version: since when it says this, and whether its next word is overdue."""

    name: str
    text: Mapping[str, str]
    version: Publication
    next_update: datetime | None
    late: bool


@dataclass(frozen=True)
class ShownIncident:
    """One incident at the moment the tree is written for, or one of its versions as it stood."""

    published: PublishedIncident
    now: datetime
    version: int | None = None  # None: the newest

    @property
    def id(self) -> str:
        """Its public number."""
        return self.published.incident.id

    @property
    def publications(self) -> tuple[Publication, ...]:
        """The versions up to the one shown, oldest first."""
        known = self.published.publications
        return known if self.version is None else tuple(p for p in known if p.version <= self.version)

    @property
    def newest(self) -> Publication:
        """The version shown."""
        return self.publications[-1]

    @property
    def superseded(self) -> bool:
        """Whether a newer version is public."""
        return self.newest is not self.published.publications[-1]

    @property
    def late(self) -> Mapping[str, datetime]:
        """Parts that are overdue, with the promise; an old version owes nothing any more."""
        return {} if self.superseded else overdue(self.publications, self.now)

    @property
    def parts(self) -> list[ShownPart]:
        """The parts in their order."""
        found = []
        for name in (*PARTS, *ANSWER_PARTS):
            part, since = self.newest.statement.parts.get(name), part_version(self.publications, name)
            if part is not None and since is not None:
                texts = {"zh": part.text.zh, "en": part.text.en}
                found.append(ShownPart(name, texts, since, part.next_update, name in self.late))
        return found

    @property
    def next_update(self) -> datetime | None:
        """The earliest promise that still lies ahead."""
        ahead = [
            p.next_update for p in self.newest.statement.parts.values() if p.next_update and p.next_update > self.now
        ]
        return None if self.newest.statement.closed else min(ahead, default=None)


def incident_json(
    shown: ShownIncident, facts: Mapping[str, Mapping[str, Any]], folder: str = "incidents", form: str = FORMAT
) -> bytes:
    """Every version of an incident or an answer, newest last, as they were published."""
    zone, base = str(facts["installation"]["zone"]), str(facts["site"]["public_url"])
    body = {
        "format": form,
        "id": shown.id,
        "synthetic": shown.published.incident.synthetic,
        "closed": shown.newest.statement.closed,
        "page": f"{base}/{folder}/{shown.id}/",
        "warnings": [f"{base}/w/{slug}/" for slug in shown.published.slugs],
        "overdue": {name: cap_time(promised, zone) for name, promised in shown.late.items()},
        "versions": [
            {
                "version": p.version,
                "published": cap_time(p.published_at, zone),
                "sha256": p.statement.digest,
                "signed_by": [role for role, _ in p.signed_by],
                **{key: value for key, value in p.statement.as_json().items() if key != "warnings"},
            }
            for p in shown.publications
        ],
    }
    return json.dumps(body, ensure_ascii=False, indent=1).encode() + b"\n"


def incident_items(
    incidents: list[ShownIncident],
    facts: Mapping[str, Mapping[str, Any]],
    now: datetime,
    label: str,
    folder: str = "incidents",
) -> tuple[Item, ...]:
    """Feed entries for people, newest first: an entry a version, each at an address that never changes."""
    base, zone = str(facts["site"]["public_url"]), ZoneInfo(str(facts["installation"]["zone"]))
    found = []
    for shown in incidents:
        for published in shown.published.publications:
            open_still = folder == "incidents" and not published.statement.closed
            newest = published is shown.published.publications[-1] and open_still
            if not newest and now - published.published_at >= KEPT:
                continue
            page = f"{base}/{folder}/{shown.id}/v{published.version}/"
            statement, at = published.statement, published.published_at.astimezone(zone).replace(microsecond=0)
            first = statement.parts["situation" if folder == "incidents" else "answer"]
            note = statement.note.zh or first.text.zh
            links = (
                Link(page, "alternate", "text/html", "zh-CN"),
                Link(page.replace(f"{base}/", f"{base}/en/", 1), "alternate", "text/html", "en"),
            )
            found.append(Item(page, f"{label}{statement.title.zh}", f"{label}{note}", at, at, links, (folder[:-1],)))
    return tuple(sorted(found, key=lambda item: item.published, reverse=True))
