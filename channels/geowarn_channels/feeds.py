"""RSS and Atom with feedgen, its faults repaired: entry links keep their attributes, nothing reads a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from feedgen.feed import FeedGenerator  # type: ignore[import-untyped]
from lxml import etree

ATOM = "http://www.w3.org/2005/Atom"
CAP = "urn:oasis:names:tc:emergency:cap:1.2"
GEORSS = "http://www.georss.org/georss"


@dataclass(frozen=True, slots=True)
class Link:
    """One link of an entry."""

    href: str
    rel: str
    type: str
    hreflang: str = ""


@dataclass(frozen=True, slots=True)
class Item:
    """One entry; `id` is its permanent address, `cap` the CAP fields in order, polygons as `lat lon lat lon …`."""

    id: str
    title: str
    summary: str
    published: datetime
    updated: datetime
    links: tuple[Link, ...]
    categories: tuple[str, ...] = ()
    cap: tuple[tuple[str, str], ...] = ()
    polygons: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Feed:
    """One feed; times must be aware, `items` newest first."""

    title: str
    subtitle: str
    home: str
    author: str
    language: str
    updated: datetime
    items: tuple[Item, ...] = field(default=())
    hub: str = ""


def atom(feed: Feed, address: str) -> bytes:
    """The feed as Atom (RFC 4287) at its own address; two builds of one feed are byte-equal."""
    return bytes(_generator(feed, address, "application/atom+xml").atom_str(pretty=True)) + b"\n"


def rss(feed: Feed, address: str) -> bytes:
    """The feed as RSS 2.0 at its own address."""
    return bytes(_generator(feed, address, "application/rss+xml").rss_str(pretty=True)) + b"\n"


def _generator(feed: Feed, address: str, media_type: str) -> Any:
    made = FeedGenerator()
    made.id(address)
    made.title(feed.title)
    made.description(feed.subtitle)
    made.language(feed.language)
    made.author({"name": feed.author})
    made.generator("geowarn")
    made.updated(feed.updated)
    made.lastBuildDate(feed.updated)
    made.ttl(1)
    made.link(href=address, rel="self", type=media_type)
    if feed.hub:
        made.link(href=feed.hub, rel="hub")
    made.link(href=feed.home, rel="alternate", type="text/html")  # last: feedgen takes the channel's link from here
    made.register_extension("geowarn", lambda: _FeedRepair(feed.hub), _EntryRepair)
    for item in feed.items:
        _add(made, item)
    return made


def _add(made: Any, item: Item) -> None:
    entry = made.add_entry(order="append")
    entry.guid(item.id, permalink=True)
    entry.title(item.title)
    entry.summary(item.summary)
    entry.published(item.published)
    entry.updated(item.updated)
    entry.link(href=item.links[0].href, rel="alternate")
    for term in item.categories:
        entry.category(term=term)
    entry.geowarn.item = item


class _FeedRepair:
    """Adds what feedgen leaves out of a feed: the hub in RSS, and the names of our extensions."""

    def __init__(self, hub: str) -> None:
        self._hub = hub

    def extend_ns(self) -> Mapping[str, str]:
        return {"cap": CAP, "georss": GEORSS}

    def extend_atom(self, feed: Any) -> Any:
        return feed

    def extend_rss(self, feed: Any) -> Any:
        if self._hub:
            etree.SubElement(feed[0], f"{{{ATOM}}}link", href=self._hub, rel="hub")
        return feed


class _EntryRepair:
    """Writes an entry's links anew, with rel, type and hreflang, and adds CAP and GeoRSS elements."""

    item: Item

    def extend_atom(self, entry: Any) -> Any:
        for lost in entry.findall("link"):
            entry.remove(lost)
        for link in self.item.links:
            etree.SubElement(entry, "link", _attributes(link))
        return self._extend(entry)

    def extend_rss(self, entry: Any) -> Any:
        for link in self.item.links[1:]:
            related = Link(link.href, "related", link.type, link.hreflang)
            etree.SubElement(entry, f"{{{ATOM}}}link", _attributes(related))
        return self._extend(entry)

    def _extend(self, entry: Any) -> Any:
        for name, value in self.item.cap:
            etree.SubElement(entry, f"{{{CAP}}}{name}").text = value
        for polygon in self.item.polygons:
            etree.SubElement(entry, f"{{{GEORSS}}}polygon").text = polygon
        return entry


def _attributes(link: Link) -> dict[str, str]:
    found = {"href": link.href, "rel": link.rel, "type": link.type}
    return found | ({"hreflang": link.hreflang} if link.hreflang else {})
