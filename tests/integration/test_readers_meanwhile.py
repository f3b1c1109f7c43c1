"""A reader that polls while warnings are released one upon the other, by several writers at once.

`GEOWARN_RELEASES=1000` makes it as many as the issue of the public site names; the suite does fewer.
"""

from __future__ import annotations

import json
import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from lxml import etree, html
from tests.unit.site_desk import SiteDesk

from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn.ports import SiteState
from geowarn_channels.site_state import current_json
from geowarn_channels.site_view import SiteView

RELEASES = int(os.environ.get("GEOWARN_RELEASES", "8"))
APART = timedelta(minutes=10)  # so that of 1,000 releases most end, leave the feeds and become the archive meanwhile
WRITERS, READERS = 4, 2
STANDING = "2026-001"  # the warning that is in force all the time
FEEDS = ("warnings.rss", "warnings.atom", "cap.rss", "cap.atom")
ANSWERED = {"search", "say", "subscribe"}  # by the program, not by the tree
ATOM = "{http://www.w3.org/2005/Atom}"


class Newsroom:
    """Releases as a duty room in a bad night does: warnings begin, are brought up to date and are lifted."""

    def __init__(self, site: SiteDesk) -> None:
        self.site, self._one_at_a_time, self._count = site, threading.Lock(), 0
        self.in_force: dict[int, list[dict[str, Any]]] = {}  # by sequence

    def state(self) -> SiteState:
        """As the site is to show it next, noted so that a reader can be told what it should have seen."""
        state = self.site.state()
        self.in_force[state.sequence] = json.loads(current_json(self.site.facts, SiteView(state)))["active"]
        return state

    def release(self, writer: int) -> None:
        with self._one_at_a_time:
            self._count += 1
            turn, warning = self._count % 3, f"w-{writer}-{self._count // (3 * WRITERS)}"
            begun = any(bulletin.warning_id == warning for bulletin in self.site.bulletins)
            act = (Act.UPDATE if turn else Act.LIFT) if begun else Act.ISSUE
            level = Level.ORANGE if turn == 1 else Level.YELLOW
            self.site.now += APART
            self.site.release({f"99010{1 + writer % 4}": level}, act, warning)
            state = self.state()
        self.site.channel.publish(state)


class Reader:
    """What an aggregator, a portal and a person with a phone take from the tree, and what it must never show them."""

    def __init__(self, room: Newsroom) -> None:
        self.root, self.base, self._in_force = room.site.root, room.site.facts["site"]["public_url"], room.in_force
        self.faults: list[str] = []
        self.rounds = 0
        self._sequence = -1

    def look(self) -> None:
        since = self._state()
        feeds = {name: self._links(name) for name in FEEDS}
        self._home()
        self._state()
        self.rounds += 1
        for name, links in feeds.items():
            for link in links:
                self._need(self._file(link).is_file(), f"{name}: nothing at {link}")
            # The feeds are written before the state: what they hold is all of that state or of a later one.
            later = [entries for sequence, entries in self._in_force.copy().items() if sequence >= since]
            whole = any(_wanted(name, entries) <= set(links) for entries in later)
            self._need(whole, f"{name} lacks what is in force")

    def _need(self, holds: object, fault: str) -> None:
        if not holds:
            self.faults.append(fault)

    def _state(self) -> int:
        found: dict[str, Any] = json.loads((self.root / "current.json").read_bytes())
        self._need(found["sequence"] >= self._sequence, f"{found['sequence']} after {self._sequence}")
        self._sequence = found["sequence"]
        self._need(STANDING in [entry["slug"] for entry in found["active"]], "current.json lacks what is in force")
        for entry in found["active"]:
            for url in (entry["url"], *entry["cap"]):
                self._need(self._file(url).is_file(), f"current.json: nothing at {url}")
        return self._sequence

    def _links(self, name: str) -> list[str]:
        tree: Any = etree.fromstring((self.root / "feeds" / name).read_bytes())
        links = [str(link.text) for link in tree.iter("link") if link.getparent().tag == "item"]
        for link in tree.iter(f"{ATOM}link"):
            if link.getparent().tag == f"{ATOM}entry" and link.get("rel", "alternate") == "alternate":
                links.append(str(link.get("href")))
        return links

    def _home(self) -> None:
        for page in ("index.html", "en/index.html"):
            text = (self.root / page).read_text("utf-8")
            self._need(text.rstrip().endswith("</html>"), f"{page} is half a page")
            self._need(STANDING in text, f"{page} lacks what is in force")
            folder = (self.root / page).parent
            found: Any = html.document_fromstring(text)
            for link in found.xpath("//a/@href | //link/@href | //img/@src | //script/@src"):
                if link.startswith(("#", "http:", "https:", "tel:", "mailto:", "data:", "/")):
                    continue
                path = folder / link.partition("#")[0].partition("?")[0]
                if path.name not in ANSWERED:
                    self._need((path / "index.html").is_file() or path.is_file(), f"{page}: nothing at {link}")

    def _file(self, url: str) -> Path:
        path = self.root / url.removeprefix(self.base).lstrip("/")
        return path / "index.html" if url.endswith("/") else path


def _wanted(feed: str, entries: list[dict[str, Any]]) -> set[str]:
    """The links that a feed holds of what is in force: pages for people, CAP messages for machines."""
    if feed.startswith("warnings"):
        return {entry["url"] for entry in entries}
    return {url for entry in entries for url in entry["cap"]}


@pytest.fixture
def room(tmp_path: Path) -> Newsroom:
    """One warning is in force, and stays so."""
    site = SiteDesk(tmp_path)
    site.release({"990103": Level.RED}, warning="w-stays", expires=site.now + (RELEASES + 1) * APART)
    room = Newsroom(site)
    site.channel.publish(room.state())
    return room


def test_a_reader_never_sees_half_a_state(room: Newsroom) -> None:
    site, over = room.site, threading.Event()
    readers = [Reader(room) for _ in range(READERS)]

    def read(reader: Reader) -> None:
        while not over.is_set():
            reader.look()
            time.sleep(0.1)

    with ThreadPoolExecutor(WRITERS + READERS) as pool:
        reading = [pool.submit(read, reader) for reader in readers]
        for made in [pool.submit(room.release, number % WRITERS) for number in range(RELEASES)]:
            made.result()
        over.set()
        for one in reading:
            one.result()
    for reader in readers:
        reader.look()
        assert reader.faults == []
        assert reader.rounds > 1
    last = json.loads(site.read("current.json"))
    assert last["sequence"] == site.sequence
    assert len(site.bulletins) == RELEASES + 1


def test_the_reader_would_notice(room: Newsroom) -> None:
    reader = Reader(room)
    reader.look()
    assert reader.faults == []
    (room.site.root / "w" / STANDING / "index.html").unlink()
    reader.look()
    assert any(fault.startswith("warnings.rss: nothing at") for fault in reader.faults)


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_without_what_is_in_force_is_noticed(room: Newsroom, name: str) -> None:
    reader = Reader(room)
    path = room.site.root / "feeds" / name
    path.write_bytes(path.read_bytes().replace(STANDING.encode(), b"2026-099"))
    reader.look()
    assert f"{name} lacks what is in force" in reader.faults
