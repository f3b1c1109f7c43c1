"""`sitemap.xml` with both languages of every page, and `robots.txt`; for search engines only, no page needs them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import escape

from geowarn_channels.archive_shelves import Shelf
from geowarn_channels.site_view import SiteView
from geowarn_channels.tree_record import Page, short

MOST = 5_000  # addresses in one file, so that a release touches a small one; the protocol (0.9) allows 50,000
FOLDER = "sitemaps/"  # where the parts are once there are more
_LANGUAGES = (("zh-CN", ""), ("en", "en/"), ("x-default", ""))
_SCHEMA = "http://www.sitemaps.org/schemas/sitemap/0.9"
_HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'
# Dynamic, or nothing for the public. /subscribe and /say may be found, what mailed links lead to may not.
_PRIVATE = ("console/", "sign/", "api/", "broadcast/", "hooks/", "search", "subscribe-", "metrics", "healthz", "readyz")


@dataclass(frozen=True)
class Place:
    """A page that is there in both languages, and the day its content last changed where that is known."""

    place: str
    changed: str = ""


def places(view: SiteView, shelves: Iterable[Shelf], zone: str) -> list[Place]:
    """Every page of the tree, what is added as time passes last."""
    places = ("", "areas/", "archive/", "incidents/", "answers/", "others/", "feeds/", "about/")
    found = [Place(name) for name in places]
    found += [Place(f"areas/{code}/") for code in view.state.areas]
    bulletins = sorted(view.real, key=lambda shown: (shown.bulletin.released_at, shown.bulletin.serial))
    found += [
        Place(f"w/{shown.bulletin.slug}/", _day(shown.ended_at or shown.bulletin.released_at, zone))
        for shown in bulletins
    ]
    found += [Place(shelf.place) for shelf in reversed(list(shelves)) if shelf.place != "archive/"]
    for folder, shown_ones in (("incidents", view.incidents), ("answers", view.answers)):
        for incident in shown_ones:
            for one in incident.published.publications:
                found.append(Place(f"{folder}/{incident.id}/v{one.version}/", _day(one.published_at, zone)))
            found.append(Place(f"{folder}/{incident.id}/", _day(incident.newest.published_at, zone)))
    return found


def sitemap_pages(found: Sequence[Place], url: str) -> Iterator[Page]:
    """One file, or beyond its bound an index and as many parts as it takes."""
    step = MOST // 2
    parts = [found[start : start + step] for start in range(0, len(found), step)]
    if len(parts) == 1:
        yield Page("sitemap.xml", _key(url, found), partial(_addresses, found, url))
        return
    for number, part in enumerate(parts, 1):
        yield Page(f"{FOLDER}{number}.xml", _key(url, part), partial(_addresses, part, url))
    yield Page("sitemap.xml", _key(url, len(parts)), partial(_index, len(parts), url))


def _key(*parts: object) -> str:
    """Nothing of it warns anybody: it may wait."""
    return f".{short(*parts)}"


def _addresses(found: Iterable[Place], url: str) -> bytes:
    head = f'{_HEAD}<urlset xmlns="{_SCHEMA}" xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
    return f"{head}{''.join(_both(place, str(escape(url))) for place in found)}</urlset>\n".encode()


def _both(place: Place, url: str) -> str:
    there = escape(place.place)
    others = "".join(
        f'<xhtml:link rel="alternate" hreflang="{language}" href="{url}/{start}{there}"/>'
        for language, start in _LANGUAGES
    )
    changed = f"<lastmod>{place.changed}</lastmod>" if place.changed else ""
    return "".join(f"<url><loc>{url}/{start}{there}</loc>{changed}{others}</url>\n" for start in ("", "en/"))


def _index(count: int, url: str) -> bytes:
    listed = "".join(
        f"<sitemap><loc>{escape(url)}/{FOLDER}{number}.xml</loc></sitemap>\n" for number in range(1, count + 1)
    )
    return f'{_HEAD}<sitemapindex xmlns="{_SCHEMA}">\n{listed}</sitemapindex>\n'.encode()


def robots(url: str, hidden: bool) -> bytes:
    """What search engines may read; nothing of an exercise or of made-up rain, which a result would show bare."""
    start = urlsplit(url).path
    closed = [f"{start}/"] if hidden else [f"{start}/{path}" for path in _PRIVATE]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in closed)]
    if not hidden:
        lines += ["", f"Sitemap: {url}/sitemap.xml"]
    return "\n".join([*lines, ""]).encode()


def _day(moment: datetime, zone: str) -> str:
    return f"{moment.astimezone(ZoneInfo(zone)):%Y-%m-%d}"
