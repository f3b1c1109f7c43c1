"""The whole state as one station sees it: items.json and feed.atom, made of frozen items."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lxml import etree

from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.warning import Series
from geowarn.ports import PublishedBulletin, SiteState
from geowarn_channels.broadcast_item import PATH
from geowarn_channels.moments import cap_time

FORMAT = "geowarn-station/1"
ATOM = "http://www.w3.org/2005/Atom"
OWN = "urn:geowarn:station:1"
ENDS_SHOWN = timedelta(hours=48)  # how long a lift, cancel or retraction stays, so that no station misses it


@dataclass(frozen=True, slots=True)
class StationItem:
    """One frozen item with where it stands now."""

    bulletin: Bulletin
    standing: Standing
    body: bytes

    @property
    def file(self) -> str:
        """Its own file below the station's folder."""
        return f"items/{self.bulletin.slug}.json"


def is_unreal(bulletin: Bulletin, settings: Mapping[str, Mapping[str, Any]]) -> bool:
    """Whether a live station must never have it (house rule 10)."""
    synthetic = bulletin.content.synthetic or bool(settings["installation"]["synthetic"])
    return bulletin.series is not Series.REAL or synthetic


def items_for(state: SiteState, live: bool, settings: Mapping[str, Mapping[str, Any]]) -> tuple[StationItem, ...]:
    """What the station is to hold: everything in force and every recent end, newest first."""
    return tuple(
        StationItem(found.bulletin, found.standing, found.artefacts[PATH])
        for found in state.bulletins
        if _shown(found, state.generated) and not (live and is_unreal(found.bulletin, settings))
    )


def index_json(
    state: SiteState, items: tuple[StationItem, ...], station: str, settings: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """items.json: sequence, times, and every item's frozen bytes with their digest."""
    head = canonical_json({"format": FORMAT, "station": station, **_pulse(state, settings)})
    inside = ",".join(_entry_json(item) for item in items)
    return f'{head[:-1]},"items":[{inside}]}}\n'.encode()


def feed_atom(
    state: SiteState, items: tuple[StationItem, ...], station: str, settings: Mapping[str, Mapping[str, Any]]
) -> bytes:
    """feed.atom (RFC 4287) with the same items; the pulse stands in elements of our own namespace."""
    url = f"{settings['site']['public_url']}/broadcast/v1"
    pulse, name = _pulse(state, settings), settings["installation"]["name_zh"]
    feed = etree.Element(f"{{{ATOM}}}feed", nsmap={None: ATOM, "gw": OWN})  # type: ignore[dict-item]
    feed.set("{http://www.w3.org/XML/1998/namespace}lang", "zh-CN")
    _add(feed, "id", f"{url}/feed.atom")
    _add(feed, "title", f"{name}：{station}")
    _add(feed, "updated", pulse["generated"])
    _add(_add(feed, "author"), "name", settings["issuer"]["name_zh"])
    _add(feed, "link", rel="self", type="application/atom+xml", href=f"{url}/feed.atom")
    for key, value in pulse.items():
        etree.SubElement(feed, f"{{{OWN}}}{key}").text = str(value)
    for item in items:
        _entry(feed, item, url)
    return bytes(etree.tostring(feed, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _shown(found: PublishedBulletin, now: datetime) -> bool:
    if PATH not in found.artefacts:
        return False
    if found.standing is Standing.CLOSING:
        return now - found.bulletin.released_at <= ENDS_SHOWN
    return found.standing is Standing.IN_FORCE


def _pulse(state: SiteState, settings: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Sequence and times by which a gap or a silence is seen."""
    zone = str(settings["installation"]["zone"])
    every = timedelta(seconds=int(settings["schedule"]["publish_seconds"]))
    silent = timedelta(seconds=int(settings["broadcast"]["stale_seconds"]))
    return {
        "sequence": state.sequence,
        "generated": cap_time(state.generated, zone),
        "next_due": cap_time(state.generated + every, zone),
        "stale_after": cap_time(state.generated + silent, zone),
    }


def _entry_json(item: StationItem) -> str:
    about = canonical_json(
        {
            "slug": item.bulletin.slug,
            "number": item.bulletin.number,
            "standing": item.standing.value,
            "file": item.file,
            "sha256": sha256_hex(item.body),
        }
    )
    return f'{about[:-1]},"item":{item.body.decode()}}}'


def _entry(feed: etree._Element, item: StationItem, url: str) -> None:
    said = json.loads(item.body)
    entry = _add(feed, "entry")
    _add(entry, "id", f"{url}/items/{item.bulletin.slug}")
    _add(entry, "title", said["title"]["zh"])
    sent = item.bulletin.released_at.astimezone(UTC).isoformat(timespec="seconds")
    _add(entry, "updated", sent)
    _add(entry, "published", sent)
    _add(entry, "category", term=said["level"])
    _add(entry, "link", rel="alternate", type="text/html", href=said["page"])
    for address in said["cap"]:
        _add(entry, "link", rel="related", type="application/cap+xml", href=address)
    _add(entry, "summary", said["crawl"]["zh"])
    for key, value in _flags(item, said):
        etree.SubElement(entry, f"{{{OWN}}}{key}").text = value


def _flags(item: StationItem, said: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    yield "standing", item.standing.value
    yield "must_carry", str(said["must_carry"]).lower()
    yield "repeat_minutes", str(said["repeat_minutes"])
    yield "expires", str(said["expires"])
    yield "sha256", sha256_hex(item.body)
    for slug in said["replaces"]:
        yield "replaces", str(slug)


def _add(parent: etree._Element, tag: str, text: str | None = None, **attributes: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{ATOM}}}{tag}", attributes)
    child.text = text
    return child
