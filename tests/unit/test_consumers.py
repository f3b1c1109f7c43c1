"""Readers of the machines' feeds, each as it is known to behave, end with what is in force after every step."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import feedparser  # type: ignore[import-untyped]
import pytest
from lxml import etree
from tests.unit.site_desk import SiteDesk

from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn_channels.feed_items import cap_files, feed_files
from geowarn_channels.site_view import SiteView

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
ATOM = "{http://www.w3.org/2005/Atom}"
TYPES = ("application/cap+xml", "application/common-alerting-protocol+xml")
GRADES = {"Moderate": Level.YELLOW, "Severe": Level.ORANGE, "Extreme": Level.RED}
Fetch = Callable[[str], bytes]
InForce = dict[str, Level]


@dataclass
class Message:
    """What a reader takes of a CAP message."""

    name: str
    kind: str
    status: str
    expires: datetime
    references: tuple[str, ...]
    levels: InForce

    @classmethod
    def of(cls, body: bytes) -> Message:
        alert = etree.fromstring(body)
        assert alert.tag == f"{NS}alert"

        def text(name: str) -> str:
            return alert.findtext(f"{NS}{name}") or ""

        info = next(alert.iter(f"{NS}info"))
        level = GRADES[info.findtext(f"{NS}severity") or ""]
        codes = [value.text or "" for value in info.iterfind(f"{NS}area/{NS}geocode/{NS}value")]
        references = tuple(reference.split(",")[1] for reference in text("references").split())
        expires = datetime.fromisoformat(info.findtext(f"{NS}expires") or "")
        return cls(
            text("identifier"), text("msgType"), text("status"), expires, references, dict.fromkeys(codes, level)
        )


def shown(messages: Iterator[Message] | list[Message]) -> InForce:
    """Areas by level; an area that two messages name would be shown twice."""
    found: InForce = {}
    for message in messages:
        for code, level in message.levels.items():
            assert code not in found, f"{code} twice: {message.name}"
            found[code] = level
    return found


@dataclass
class AlertHub:
    """IFRC Alert Hub: fetches what an Atom entry's id says, each address once; what leaves the feed is gone at once."""

    read: dict[str, Message] = field(default_factory=dict)

    def poll(self, feeds: dict[str, bytes], fetch: Fetch, now: datetime) -> InForce:
        addresses = [
            entry.findtext(f"{ATOM}id") or "" for entry in etree.fromstring(feeds["cap.atom"]).iter(f"{ATOM}entry")
        ]
        self.read = {a: self.read.get(a) or Message.of(fetch(a)) for a in addresses}
        return shown([m for m in self.read.values() if m.status == "Actual" and m.expires > now])


@dataclass
class AlertHubByRss(AlertHub):
    """The same, given the RSS feed: fetches an item's link."""

    def poll(self, feeds: dict[str, bytes], fetch: Fetch, now: datetime) -> InForce:
        addresses = [item.findtext("link") or "" for item in etree.fromstring(feeds["cap.rss"]).iter("item")]
        self.read = {a: self.read.get(a) or Message.of(fetch(a)) for a in addresses}
        return shown([m for m in self.read.values() if m.status == "Actual" and m.expires > now])


@dataclass
class PublicAlertServer:
    """KDE: skips by `cap:expires` in the entry, takes the link of a CAP type, else the only link; caches by address."""

    cached: dict[str, Message] = field(default_factory=dict)

    def poll(self, feeds: dict[str, bytes], fetch: Fetch, now: datetime) -> InForce:
        held = []
        for entry in feedparser.parse(feeds["cap.atom"]).entries:
            if datetime.fromisoformat(entry.cap_expires) <= now:
                continue
            typed = [link.href for link in entry.links if link.get("type") in TYPES]
            address = typed[0] if typed else (entry.links[0].href if len(entry.links) == 1 else "")
            held.append(self.cached.setdefault(address, Message.of(fetch(address))))
        return shown([message for message in held if message.status == "Actual"])


@dataclass
class Aggregator:
    """Google, WMO: keeps what it has seen whatever leaves the feed, follows references, honours expiry."""

    seen: dict[str, Message] = field(default_factory=dict)

    def poll(self, feeds: dict[str, bytes], fetch: Fetch, now: datetime) -> InForce:
        for entry in feedparser.parse(feeds["cap.rss"]).entries:
            message = Message.of(fetch(entry.link))
            self.seen.setdefault(message.name, message)
        over = {name for message in self.seen.values() for name in message.references}
        held = [m for m in self.seen.values() if m.name not in over and m.kind != "Cancel" and m.expires > now]
        return shown([message for message in held if message.status == "Actual"])


@dataclass
class Latecomer(Aggregator):
    """One that looks at the feed for the first time now."""

    def poll(self, feeds: dict[str, bytes], fetch: Fetch, now: datetime) -> InForce:
        return Aggregator().poll(feeds, fetch, now)


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def truth(site: SiteDesk) -> InForce:
    view = SiteView(site.state())
    return {a.code: a.level for s in view.in_force for a in s.bulletin.content.areas if a.level >= Level.YELLOW}


@pytest.mark.parametrize("reader", [AlertHub, AlertHubByRss, PublicAlertServer, Aggregator, Latecomer])
def test_a_reader_holds_what_is_in_force_after_every_step(site: SiteDesk, reader: Callable[[], Any]) -> None:
    polling = reader()

    def agrees(minutes: int = 0) -> None:
        site.now += timedelta(minutes=minutes)
        address = site.facts["site"]["public_url"]
        bodies = {path: body for artefacts in site.bodies.values() for path, body in cap_files(artefacts).items()}
        feeds = {
            path.removeprefix("feeds/"): body
            for path, body in feed_files(site.templates, site.facts, SiteView(site.state())).items()
        }
        found = polling.poll(feeds, lambda url: bodies[url.removeprefix(f"{address}/")], site.now)
        assert found == truth(site)

    agrees()
    site.release({"990101": Level.YELLOW, "990102": Level.YELLOW}, synthetic=False)
    agrees(1)
    assert truth(site)
    site.release({"990101": Level.RED, "990102": Level.YELLOW}, Act.UPDATE)  # an area changes level
    agrees()
    agrees(20)
    site.release({"990101": Level.ORANGE, "990102": Level.ORANGE}, Act.UPDATE)  # both old levels are given up
    agrees(1)
    site.release({"990104": Level.YELLOW}, warning="w-2")  # a second warning beside it
    agrees(1)
    site.release({"990103": Level.RED}, series=Series.EXERCISE, warning="w-x")
    agrees(1)
    site.release({"990104": Level.YELLOW}, Act.RETRACT, warning="w-2")
    agrees(1)
    site.release({"990101": Level.ORANGE, "990102": Level.ORANGE}, Act.LIFT)
    agrees()
    agrees(120)
    assert truth(site) == {}
    site.release({"990103": Level.YELLOW}, warning="w-3")
    agrees(1)
    agrees(25 * 60)  # nobody lifts it: its time runs out
