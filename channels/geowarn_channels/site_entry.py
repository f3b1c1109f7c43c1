"""What of a bulletin the website freezes: its article in both languages, its map, and the entry for lists and feeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geowarn.domain.canonical import canonical_json
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, marker
from geowarn.domain.warning import AreaLevel, Series
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.course import is_closing, public_areas, public_levels
from geowarn_channels.rain_pictures import rain_section
from geowarn_channels.svg_draw import draw_map
from geowarn_channels.svg_map import MapBase, MapBases, fingerprint

LANGUAGES = ("zh", "en")
ENTRY = "website/entry.json"
MAP = "website/map.svg"


def page_path(language: str) -> str:
    """Where a bulletin's package holds its article."""
    return f"website/page.{language}.html"


_BASES = MapBases()


def site_artefacts(templates: Templates, draft: BulletinDraft) -> tuple[Artefact, ...]:
    """Everything the website shows of this bulletin, with markers for the late fields."""
    entry, base = entry_of(templates, draft), _base(draft)
    pages = [
        Artefact(page_path(language), "text/html", _article(templates, draft, entry, base, language).encode())
        for language in LANGUAGES
    ]
    picture = _map(templates, draft, entry, base, "zh", standalone=True)
    return (
        *pages,
        Artefact(ENTRY, "application/json", canonical_json(entry).encode()),
        Artefact(MAP, "image/svg+xml", picture.encode()),
    )


def entry_of(templates: Templates, draft: BulletinDraft) -> dict[str, Any]:
    """The bulletin in few words, for the home page, lists, feeds and `current.json`."""
    return {
        "format": "geowarn-entry/1",
        "number": marker("number"),
        "slug": marker("slug"),
        "act": draft.content.act.value,
        "exercise": draft.content.series is Series.EXERCISE,
        "label": {lang: texts.synthetic_label(templates, draft, lang) for lang in LANGUAGES},
        "title": {lang: texts.headline(templates, draft, None, lang) for lang in LANGUAGES},
        "summary": {lang: texts.description(templates, draft, None, lang) for lang in LANGUAGES},
        "heading": {lang: _heading(templates, draft, lang) for lang in LANGUAGES},
        "instruction": {lang: _bare(templates, draft, lang, texts.instruction) for lang in LANGUAGES},
        "why": {lang: _bare(templates, draft, lang, texts.why) for lang in LANGUAGES},
        "until": {lang: texts.until(draft, lang) for lang in LANGUAGES},
        "levels": [_level_entry(templates, draft, level) for level in public_levels(draft)],
    }


def _level_entry(templates: Templates, draft: BulletinDraft, level: Level) -> dict[str, Any]:
    return {
        "level": level.code,
        "codes": [area.code for area in public_areas(draft, level)],
        "names": {lang: list(texts.area_names(draft, level, lang)) for lang in LANGUAGES},
        "phrase": {lang: texts.area_phrase(templates, draft, level, lang) for lang in LANGUAGES},
        "word": {lang: texts.level_name(templates, level, lang) for lang in LANGUAGES},
        "risk": {lang: texts.risk(templates, level, lang) for lang in LANGUAGES},
        "degree": {lang: texts.words(templates, lang)["degree"][level.code] for lang in LANGUAGES},
        "action": {lang: texts.action(templates, draft, level, lang) for lang in LANGUAGES},
    }


def _bare(templates: Templates, draft: BulletinDraft, language: str, text: Callable[..., str]) -> str:
    """A text that follows another one, or stands below the label: without the opening both would bear."""
    opening = texts.opening(templates, draft, language)
    return text(templates, draft, None, language).removeprefix(opening).strip()


def _heading(templates: Templates, draft: BulletinDraft, language: str) -> str:
    prefix = texts.exercise_prefix(templates, draft, language)
    title = _bare(templates, draft, language, texts.headline)
    return f"{prefix}{' ' if prefix and language == 'en' else ''}{title}"


def _article(templates: Templates, draft: BulletinDraft, entry: dict[str, Any], base: MapBase, language: str) -> str:
    issuer = draft.facts["issuer"]
    return templates.render(
        "website/article.html.j2",
        language=language,
        root="../../" if language == "zh" else "../../../",
        rows=_rows(templates, draft, language),
        rain=rain_section(templates, draft, base, language),
        entry=entry,
        closing=is_closing(draft),
        previous=draft.earlier[-1] if draft.earlier else None,
        map=_map(templates, draft, entry, base, language, standalone=False),
        issuer=issuer[f"name_{language}"],
        joint=issuer[f"joint_{language}"],
        slug=marker("slug"),
        date=marker(f"date.{language}"),
        catalogue=_catalogue(templates, draft, language),
        prefix=draft.facts["cap"]["identifier_prefix"],
        caps=[level for level in entry["levels"]],
        approval=draft.facts["installation"]["map_approval"],
    )


def _catalogue(templates: Templates, draft: BulletinDraft, language: str) -> list[dict[str, Any]]:
    """Fields of the disclosure catalogue as the settings order them; the late ones are still to be filled in."""
    issuer, levels = draft.facts["issuer"], public_levels(draft)
    known = {
        "slug": marker("slug"),
        "number": marker("number"),
        "issuer": issuer[f"name_{language}"],
        "joint": issuer[f"joint_{language}"],
        "date": marker(f"date.{language}"),
        "validity": texts.validity(draft, language),
        "level": texts.join([texts.level_name(templates, level, language) for level in levels], language),
        "areas": texts.area_list(draft, None, language),
    }
    found = []
    for one in draft.facts["catalogue"]["fields"]:
        value = one[f"value_{language}"]
        if value.strip():
            chinese = language != "zh" and "{number}" in value  # the number is read in its own language
            found.append({"name": one[f"name_{language}"], "value": value.format(**known), "chinese": chinese})
    return found


def _rows(templates: Templates, draft: BulletinDraft, language: str) -> list[dict[str, Any]]:
    groups: dict[tuple[Level, Level], list[AreaLevel]] = {}
    for area in public_areas(draft):
        before = area.before if area.before >= draft.publish_from else Level.NONE  # internal levels show nowhere
        groups.setdefault((area.level, before), []).append(area)
    return [
        {
            "level": level.code,
            "names": texts.join([texts.area_name(draft, a.code, language) for a in areas], language),
            "word": texts.level_name(templates, level, language),
            "risk": texts.risk(templates, level, language),
            "new": before is Level.NONE,
            "change": int(level) - int(before),
            "action": texts.action(templates, draft, level, language),
        }
        for (level, before), areas in groups.items()
    ]


def _base(draft: BulletinDraft) -> MapBase:
    land = draft.facts.get("map", {}).get("land")
    return _BASES.of(draft.areas, land, fingerprint(draft.areas, land))


def _map(
    templates: Templates, draft: BulletinDraft, entry: dict[str, Any], base: MapBase, language: str, standalone: bool
) -> str:
    levels = {area.code: area.level for area in public_areas(draft)}
    return draw_map(
        templates,
        base,
        levels,
        language,
        entry["title"][language],
        standalone=standalone,
        opening=texts.opening(templates, draft, language).rstrip("。. "),
    )
