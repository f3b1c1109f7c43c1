"""The four feeds: valid, complete, the same bytes for the same state (standards 2.3, and feedgen's faults repaired)."""

from __future__ import annotations

import re
from datetime import timedelta
from email.utils import parsedate_to_datetime
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


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


ATOM = "{http://www.w3.org/2005/Atom}"
PATHS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")
RFC822 = re.compile(r"^(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d \w{3} \d{4} \d\d:\d\d:\d\d [+-]\d{4}$")


def built(site: SiteDesk, **changes: Any) -> dict[str, bytes]:
    return feed_files(site.templates, site.facts, SiteView(site.state(**changes)))


def storm(site: SiteDesk) -> None:
    site.release({"990101": Level.YELLOW}, synthetic=False)
    site.now += timedelta(minutes=70)
    site.release({"990101": Level.RED, "990104": Level.YELLOW}, Act.UPDATE)


@pytest.mark.parametrize("path", PATHS)
def test_feed_parses_without_complaint_and_names_itself(site: SiteDesk, path: str) -> None:
    storm(site)
    parsed = feedparser.parse(built(site)[path])
    assert not parsed.bozo
    assert parsed.feed.title
    links = {link["rel"]: link["href"] for link in parsed.feed.links}
    assert links["self"] == f"{site.facts['site']['public_url']}/{path}"
    assert parsed.feed.link == f"{site.facts['site']['public_url']}/"


@pytest.mark.parametrize("path", PATHS)
def test_two_builds_of_one_state_are_byte_equal_and_wait_for_the_hour(site: SiteDesk, path: str) -> None:
    storm(site)
    first = built(site)[path]
    site.now += timedelta(minutes=1)
    assert built(site)[path] == first


@pytest.mark.parametrize("path", PATHS)
def test_empty_feed_says_that_nothing_is_in_force(site: SiteDesk, path: str) -> None:
    body = built(site)[path]
    parsed = feedparser.parse(body)
    assert not parsed.bozo
    assert parsed.entries == []
    assert "当前无生效预警" in body.decode()


@pytest.mark.parametrize("name", ["warnings", "cap"])
def test_rss_rules(site: SiteDesk, name: str) -> None:
    storm(site)
    channel = etree.fromstring(built(site)[f"feeds/{name}.rss"])[0]
    assert channel.findtext("language") == "zh-cn"
    assert channel.findtext("link") == f"{site.facts['site']['public_url']}/"
    assert RFC822.match(channel.findtext("lastBuildDate") or "")
    guids = [item.findtext("guid") for item in channel.iter("item")]
    assert len(set(guids)) == len(guids) > 0
    for item in channel.iter("item"):
        assert item.findtext("title")
        assert RFC822.match(item.findtext("pubDate") or "")
        assert item.find("guid").get("isPermaLink") == "true"  # type: ignore[union-attr]
        assert (item.findtext("link") or "").startswith("http")


@pytest.mark.parametrize("name", ["warnings", "cap"])
def test_atom_entries_keep_their_links_and_repeat_no_alternate(site: SiteDesk, name: str) -> None:
    storm(site)
    feed = etree.fromstring(built(site)[f"feeds/{name}.atom"])
    entries = feed.findall(f"{ATOM}entry")
    assert entries
    ids = [entry.findtext(f"{ATOM}id") for entry in entries]
    assert len(set(ids)) == len(ids)
    for entry in entries:
        links = [(x.get("rel"), x.get("type"), x.get("hreflang")) for x in entry.findall(f"{ATOM}link")]
        assert len(set(links)) == len(links) >= 2
        assert ("alternate", "text/html", "zh-CN") in links
        assert entry.findtext(f"{ATOM}updated")


def test_machines_find_every_cap_message_by_link_and_by_id(site: SiteDesk) -> None:
    storm(site)
    url = site.facts["site"]["public_url"]
    released = {f"{url}/{path}" for path in cap_files(site.bodies["b-2"])}  # the first one's is superseded
    files = built(site)
    rss = {e.link for e in feedparser.parse(files["feeds/cap.rss"]).entries}
    entries = feedparser.parse(files["feeds/cap.atom"]).entries
    assert rss == released == {e.id for e in entries}
    for entry in entries:
        typed = [link.href for link in entry.links if link.get("type") == "application/cap+xml"]
        assert typed == [entry.id]
        assert entry.cap_identifier in entry.id
        assert entry.cap_sent.endswith("+08:00")
        assert entry.cap_severity in {"Extreme", "Severe", "Moderate"}
    assert "georss:polygon" in files["feeds/cap.atom"].decode()


def test_georss_polygons_are_closed_blank_separated_latitude_first(site: SiteDesk) -> None:
    storm(site)
    feed = etree.fromstring(built(site)["feeds/cap.rss"])
    for polygon in feed.iter("{http://www.georss.org/georss}polygon"):
        numbers = [float(n) for n in (polygon.text or "").split(" ")]
        assert len(numbers) >= 8
        assert numbers[:2] == numbers[-2:]
        assert all(36 < lat < 40 for lat in numbers[::2])


def test_newest_comes_first_and_superseded_stays_marked(site: SiteDesk) -> None:
    storm(site)
    entries = feedparser.parse(built(site)["feeds/warnings.rss"]).entries
    assert [entry.link.rsplit("/", 2)[1] for entry in entries] == ["2026-002", "2026-001"]
    assert entries[1].title.startswith("【已由新的一号替代】")
    assert parsedate_to_datetime(entries[0].published) > parsedate_to_datetime(entries[1].published)


def test_every_active_bulletin_is_in_every_feed_however_many(site: SiteDesk) -> None:
    for number in range(60):
        site.release({"990101": Level.YELLOW}, warning=f"w-{number}")
        site.now += timedelta(seconds=1)
    for path, body in built(site).items():
        assert len(feedparser.parse(body).entries) == 60, path


def test_ended_ones_stay_two_days_and_say_how_they_ended(site: SiteDesk) -> None:
    site.release({"990101": Level.YELLOW})
    site.now += timedelta(hours=30)
    entries = feedparser.parse(built(site)["feeds/warnings.atom"]).entries
    assert "没有发过解除" in entries[0].title
    assert "已解除" not in entries[0].title
    site.release({"990101": Level.YELLOW}, Act.LIFT)
    entries = feedparser.parse(built(site)["feeds/warnings.atom"]).entries
    assert any(entry.title.startswith("【已解除】") for entry in entries)
    site.now += timedelta(hours=47)
    assert len(feedparser.parse(built(site)["feeds/warnings.atom"]).entries) == 2
    (cancel,) = feedparser.parse(built(site)["feeds/cap.atom"]).entries
    assert cancel.cap_msgtype == "Cancel"
    assert cancel.cap_expires == cancel.cap_sent
    site.now += timedelta(hours=2)
    assert feedparser.parse(built(site)["feeds/cap.atom"]).entries == []


def test_exercises_are_in_no_feed(site: SiteDesk) -> None:
    site.release({"990101": Level.RED}, series=Series.EXERCISE)
    assert all(feedparser.parse(body).entries == [] for body in built(site).values())


def test_hub_is_announced_in_both_forms_and_never_becomes_the_channels_link(site: SiteDesk) -> None:
    site.facts["site"]["hub_url"] = "https://hub.example/"
    storm(site)
    for body in built(site).values():
        parsed = feedparser.parse(body)
        assert any(link["rel"] == "hub" and link["href"] == "https://hub.example/" for link in parsed.feed.links)
        assert parsed.feed.link == f"{site.facts['site']['public_url']}/"
