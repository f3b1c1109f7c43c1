"""Bulletins, incidents and areas as documents that can be found; only what is public becomes one (house rule 10)."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.area import Area, ancestors
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.incident import ANSWER_PARTS, PARTS, Incident, Publication, Text
from geowarn.domain.search import Document
from geowarn.domain.warning import Series

BULLETIN, INCIDENT, ANSWER, AREA = "bulletin", "incident", "answer", "area"
ENTRY = "website/entry.json"  # what the website freezes of a bulletin in few words
_ENTRY_FORMAT = "geowarn-entry/1"


def bulletin_key(slug: str) -> str:
    """The key of the document of a bulletin."""
    return f"{BULLETIN}/{slug}"


def is_public(bulletin: Bulletin) -> bool:
    """Whether the public site shows it: an exercise and what stays below the public level is shown nowhere."""
    return bulletin.series is Series.REAL and ENTRY in bulletin.artefacts


def bulletin_document(
    bulletin: Bulletin, artefacts: Mapping[str, bytes], areas: Mapping[str, Area], zone: str
) -> Document | None:
    """The page of a bulletin, from its frozen words; None for one that is not public."""
    if not is_public(bulletin):
        return None
    entry = json.loads(artefacts[ENTRY])
    if entry["format"] != _ENTRY_FORMAT or entry["exercise"]:
        return None
    levels = entry["levels"]
    codes = list(dict.fromkeys(code for level in levels for code in level["codes"]))
    around = _around(codes, areas)
    named = [name for level in levels for names in level["names"].values() for name in names]
    words = [word for level in levels for word in level["word"].values()]
    return Document(
        key=bulletin_key(bulletin.slug),
        kind=BULLETIN,
        family=bulletin.warning_id,
        place=f"w/{bulletin.slug}/",
        title=_text(entry["heading"]),
        text=_joined(entry["summary"], entry["why"], entry["instruction"]),
        at=bulletin.released_at,
        called=" ".join([bulletin.number, bulletin.slug, *named, *words]),
        also=" ".join([*_dates(bulletin.released_at, zone), *_names(around[len(codes) :], areas)]),
        facets=frozenset(
            [f"year:{bulletin.year}", f"level:{levels[0]['level']}", *(f"area:{code}" for code in around)]
        ),
        facts={
            "number": bulletin.number,
            "slug": bulletin.slug,
            "act": bulletin.act.value,
            "level": levels[0]["level"],
            "levels": [{"word": level["word"], "phrase": level["phrase"]} for level in levels],
        },
        synthetic=bulletin.content.synthetic,
    )


def incident_documents(
    incident: Incident, publications: Iterable[Publication], zone: str, kind: str = INCIDENT
) -> tuple[Document, ...]:
    """A page for every published version, each as it was; the newest stands at the address without a version."""
    known = tuple(publications)
    return tuple(_version(incident, one, one is known[-1], zone, kind) for one in known)


def _version(incident: Incident, published: Publication, newest: bool, zone: str, kind: str) -> Document:
    statement = published.statement
    said = [statement.parts[name].text for name in (*PARTS, *ANSWER_PARTS) if name in statement.parts]
    own = "" if newest else f"v{published.version}/"
    return Document(
        key=f"{kind}/{incident.id}/v{published.version}",
        kind=kind,
        family=f"{kind}/{incident.id}",
        place=f"{kind}s/{incident.id}/{own}",
        title=statement.title,
        text=_joined(*({"zh": text.zh, "en": text.en} for text in (*said, statement.note))),
        at=published.published_at,
        called=incident.id,
        also=" ".join(_dates(published.published_at, zone)),
        facets=frozenset({f"year:{incident.year}"}),
        facts={"id": incident.id, "version": published.version, "newest": newest, "closed": statement.closed},
        synthetic=incident.synthetic,
    )


def area_document(area: Area, areas: Mapping[str, Area]) -> Document:
    """The page that says whether an area is under a warning; found by its own name and by what it lies in."""
    around = ancestors(area.code, areas)[1:]
    return Document(
        key=f"{AREA}/{area.code}",
        kind=AREA,
        family=f"{AREA}/{area.code}",
        place=f"areas/{area.code}/",
        title=Text(area.name_zh, area.name_en),
        text=Text("，".join(areas[c].name_zh for c in around), ", ".join(areas[c].name_en for c in around)),
        also=area.code,
        facts={"kind": area.kind.value},
    )


def _text(said: Mapping[str, str]) -> Text:
    return Text(said.get("zh", ""), said.get("en", ""))


def _joined(*said: Mapping[str, Any]) -> Text:
    """Several texts one after the other, in each language."""
    chinese, english = ([str(one[lang]) for one in said if one.get(lang)] for lang in ("zh", "en"))
    return Text("\n".join(chinese), "\n".join(english))


def _dates(moment: datetime, zone: str) -> list[str]:
    """The day as people would type it."""
    local = moment.astimezone(ZoneInfo(zone))
    return [f"{local.year}年{local.month}月{local.day}日", f"{local.day} {local:%B %Y}"]


def _around(codes: Sequence[str], areas: Mapping[str, Area]) -> list[str]:
    """The areas named, then all that they lie in, each once."""
    return list(dict.fromkeys([*codes, *(holder for code in codes for holder in ancestors(code, areas))]))


def _names(codes: Iterable[str], areas: Mapping[str, Area]) -> list[str]:
    return [name for code in codes if code in areas for name in (areas[code].name_zh, areas[code].name_en)]
