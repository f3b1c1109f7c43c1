"""What pages take from the settings: words on the installation, tags for machines, the picture of a shared link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from markupsafe import Markup, escape

from geowarn.domain.bulletin import Standing
from geowarn.domain.exercise import PREFIX
from geowarn_channels.site_incidents import ShownIncident
from geowarn_channels.site_view import Shown

Facts = Mapping[str, Mapping[str, Any]]

_NAMES = 8  # areas among the keywords; more would help nobody
_ARTICLES = ("bulletin", "incident", "answer")
_WITH_MAP = ("home", "areas", "area")  # and a bulletin in force: the map shows what is in force now


def installed(facts: Facts, language: str) -> dict[str, Any]:
    """What every page says of the installation and its offices."""
    installation, issuer, press, archive = (facts[part] for part in ("installation", "issuer", "press", "archive"))
    return {
        "name": installation[f"name_{language}"],
        "city": installation[f"place_{language}"],
        "approval": installation["map_approval"],
        "url": facts["site"]["public_url"],
        "issuer": issuer[f"name_{language}"],
        "joint": issuer[f"joint_{language}"],
        "tv": issuer[f"tv_{language}"],
        "radio": issuer[f"radio_{language}"],
        "duty_phone": issuer["duty_phone"],
        "press": {**press, "name": press[f"name_{language}"]},
        "print_map": facts["site"]["print_map"],
        "licence": archive[f"licence_{language}"],
        "licence_url": archive["licence_url"],
    }


def image_of(page: str, values: Mapping[str, Any]) -> str:
    """The picture of a shared link, relative to the tree; none for what the map of now does not show."""
    shown = values.get("shown")
    live = page == "bulletin" and shown is not None and shown.standing is Standing.IN_FORCE
    return "map.png" if live or page in _WITH_MAP else ""


def labelled_title(title: Markup, language: str, synthetic: str, exercise: bool) -> Markup:
    """The title as it may travel without its page: with the labels that the page bears (house rules 10 and 17)."""
    label = "" if not synthetic else f"{synthetic}。" if language == "zh" else f"{synthetic}. "
    mark = PREFIX[language] if exercise else ""
    if mark:
        title = Markup(title.removeprefix(escape(mark)).lstrip())  # noqa: S704 -- a part of escaped text
        mark += "" if language == "zh" else " "
    return escape(mark) + escape(label) + title


def head_tags(facts: Facts, page: str, language: str, known: Mapping[str, object]) -> list[tuple[str, Markup]]:
    """Names and contents of the `meta` tags, escaped; `known` holds what stands in braces, escaped text as Markup.

    Tags whose content comes out empty are left out.
    """
    tags = dict(facts["meta"]["every"])
    if page != "home":
        tags |= facts["meta"]["article" if page in _ARTICLES else "column"]
    issuer = facts["issuer"]
    words = {
        "name": facts["installation"][f"name_{language}"],
        "domain": urlsplit(str(facts["site"]["public_url"])).netloc,
        "issuer": issuer[f"name_{language}"],
        "joint": issuer[f"joint_{language}"],
        "published": "",
        "number": "",
        "keywords": "",
        **known,
    }
    found = ((name, escape(pattern).format(**words)) for name, pattern in tags.items())
    return [(name, content) for name, content in found if content.strip()]


def article_words(values: Mapping[str, Any], event: str, zone: str, language: str) -> dict[str, str]:
    """When an article was published (to the minute, as the tags' rules demand), its number and keywords."""
    shown, incident = values.get("shown"), values.get("incident")
    if isinstance(shown, Shown):
        levels = shown.entry["levels"]
        names = [name for words in levels for name in words["names"][language]]
        keywords = [event, *(words["word"][language] for words in levels), *names[:_NAMES]]
        at, number = shown.bulletin.released_at, shown.bulletin.number
    elif isinstance(incident, ShownIncident):
        keywords, at, number = [event], incident.newest.published_at, f"{incident.id}-v{incident.newest.version}"
    else:
        return {}
    moment = f"{at.astimezone(ZoneInfo(zone)):%Y-%m-%d %H:%M}"
    return {"published": moment, "number": number, "keywords": ",".join(keywords)}
