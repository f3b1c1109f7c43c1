"""The public state as feed entries: one a bulletin for people, one a CAP message for machines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from lxml import etree

from geowarn.domain.bulletin import Standing
from geowarn.ports import Templates
from geowarn_channels.feeds import CAP, Feed, Item, Link, atom, rss
from geowarn_channels.moments import floor_hour, moment_words
from geowarn_channels.site_incidents import incident_items
from geowarn_channels.site_view import Shown, SiteView

KEPT = timedelta(hours=48)  # ended bulletins stay this long, marked as ended, so that a poller learns of the end
_GIVEN_UP = (Standing.SUPERSEDED, Standing.LIFTED, Standing.CANCELLED, Standing.RETRACTED)
_CAP_TYPE = "application/cap+xml"
_ALERT = ("identifier", "sender", "sent", "status", "msgType")
_INFO = ("event", "urgency", "severity", "certainty", "effective", "onset", "expires", "headline")
_PARSER = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def feed_files(templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView) -> dict[str, bytes]:
    """The four feeds by path; every bulletin in force is in each, however many there are.

    People find what has ended for two days more, marked as ended. Machines find its Cancel instead: some show every
    message of a feed that has not expired, and would show an area at its old level beside its new one
    (standards: IFRC Alert Hub, KDE FOSS Public Alert Server).
    """
    shown = [s for s in view.real if _kept(s, view.state.generated)]
    label = _words(templates, "label", view=view)
    warnings = tuple(_page_item(templates, facts, s) for s in shown)
    now = view.state.generated
    answers = incident_items(view.answers, facts, now, label, "answers")
    people = (*warnings, *incident_items(view.incidents, facts, now, label), *answers)
    machines = tuple(item for s in shown for item in _cap_items(templates, facts, s))
    url = facts["site"]["public_url"]
    found = {}
    for name, items in (("warnings", people), ("cap", machines)):
        feed = _feed(templates, facts, view, name, items)
        found[f"feeds/{name}.rss"] = rss(feed, f"{url}/feeds/{name}.rss")
        found[f"feeds/{name}.atom"] = atom(feed, f"{url}/feeds/{name}.atom")
    return found


def cap_files(artefacts: Mapping[str, bytes]) -> dict[str, bytes]:
    """The CAP messages of one bulletin at their public paths, byte for byte as they were released."""
    bodies = [artefacts[path] for path in sorted(artefacts, key=_by_level) if path.startswith("website/cap/")]
    return {f"cap/{_text(_alert(body), 'identifier')}.xml": body for body in bodies}


def _by_level(path: str) -> tuple[int, str]:
    order = ("red", "orange", "yellow", "blue")
    name = path.rsplit("/", 1)[-1].removesuffix(".xml")
    return (order.index(name) if name in order else len(order), path)


def _kept(shown: Shown, now: datetime) -> bool:
    return shown.ended_at is None or now - shown.ended_at < KEPT


def _feed(
    templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView, name: str, items: tuple[Item, ...]
) -> Feed:
    zone = facts["installation"]["zone"]
    hour = floor_hour(view.state.generated, zone)
    return Feed(
        title=_words(templates, "title", name=name, site=facts["installation"]["name_zh"], view=view),
        subtitle=_words(
            templates,
            "subtitle",
            name=name,
            view=view,
            site=facts["installation"]["name_zh"],
            asof=moment_words(hour, "zh"),
            next=moment_words(floor_hour(view.state.next_update, zone), "zh"),
        ),
        home=f"{facts['site']['public_url']}/",
        author=facts["issuer"]["name_zh"],
        language="zh-cn",
        # The last full hour, or what happened since: the bytes, and with them the ETag, change only then.
        updated=max([hour, *(item.updated.astimezone(hour.tzinfo) for item in items)]),
        items=items,
        hub=str(facts["site"].get("hub_url", "")),
    )


def _words(templates: Templates, part: str, **values: Any) -> str:
    text = templates.render("website/feed.zh.txt.j2", part=part, **({"asof": "", "next": "", "shown": None} | values))
    return " ".join(text.split())


def _page_item(templates: Templates, facts: Mapping[str, Mapping[str, Any]], shown: Shown) -> Item:
    page = f"{facts['site']['public_url']}/w/{shown.bulletin.slug}/"
    return Item(
        id=page,
        title=_title(templates, facts, shown, shown.entry["title"]["zh"]),
        summary=f"{shown.entry['summary']['zh']}{shown.entry['instruction']['zh']}",
        published=_local(facts, shown.bulletin.released_at),
        updated=_local(facts, shown.ended_at or shown.bulletin.released_at),
        links=(
            Link(page, "alternate", "text/html", "zh-CN"),
            Link(f"{facts['site']['public_url']}/en/w/{shown.bulletin.slug}/", "alternate", "text/html", "en"),
        ),
        categories=tuple(words["level"] for words in shown.entry["levels"]),
    )


def _cap_items(templates: Templates, facts: Mapping[str, Mapping[str, Any]], shown: Shown) -> Iterable[Item]:
    url, slug = facts["site"]["public_url"], shown.bulletin.slug
    for path, body in cap_files(shown.published.artefacts).items():
        alert = _alert(body)
        if shown.standing in _GIVEN_UP and _text(alert, "msgType") != "Cancel":
            continue
        info = alert.find(f"{{{CAP}}}info")
        yield Item(
            id=f"{url}/{path}",
            title=_title(templates, facts, shown, _text(info, "headline")),
            summary=_text(info, "description"),
            published=_local(facts, shown.bulletin.released_at),
            updated=_local(facts, shown.ended_at or shown.bulletin.released_at),
            links=(
                Link(f"{url}/{path}", "alternate", _CAP_TYPE),
                Link(f"{url}/w/{slug}/", "alternate", "text/html", "zh-CN"),
                Link(f"{url}/en/w/{slug}/", "alternate", "text/html", "en"),
            ),
            cap=_cap_fields(alert, info),
            polygons=_polygons(info),
        )


def _title(templates: Templates, facts: Mapping[str, Mapping[str, Any]], shown: Shown, title: str) -> str:
    """What became of it comes first, so that nobody takes an ended warning for one in force."""
    if shown.standing in (Standing.IN_FORCE, Standing.CLOSING):
        return title
    until = moment_words(floor_hour(shown.bulletin.content.expires, facts["installation"]["zone"]), "zh")
    mark = _words(templates, "ended", shown=shown, standing=shown.standing.value, until=until)
    return f"{mark}{title}"


def _local(facts: Mapping[str, Mapping[str, Any]], moment: datetime) -> datetime:
    return moment.astimezone(floor_hour(moment, facts["installation"]["zone"]).tzinfo).replace(microsecond=0)


def _alert(body: bytes) -> Any:
    return etree.fromstring(body, _PARSER)


def _text(element: Any, name: str) -> str:
    return (element.findtext(f"{{{CAP}}}{name}") or "").strip() if element is not None else ""


def _cap_fields(alert: Any, info: Any) -> tuple[tuple[str, str], ...]:
    found = [(name, _text(alert, name)) for name in _ALERT] + [(name, _text(info, name)) for name in _INFO]
    areas = info.findall(f"{{{CAP}}}area") if info is not None else []
    found.append(("areaDesc", "、".join(_text(area, "areaDesc") for area in areas)))
    return tuple((name, text) for name, text in found if text)


def _polygons(info: Any) -> tuple[str, ...]:
    """The longest polygon of each area in GeoRSS form; the message itself holds them all."""
    areas = info.findall(f"{{{CAP}}}area") if info is not None else []
    longest = [max((p.text or "" for p in area.findall(f"{{{CAP}}}polygon")), key=len, default="") for area in areas]
    return tuple(dict.fromkeys(text.replace(",", " ") for text in longest if text))
