"""A draft → what a station airs: crawl, caption, spoken script, and how urgent it is. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from geowarn.domain.canonical import canonical_json
from geowarn.domain.level import Level
from geowarn.domain.package import marker
from geowarn.domain.warning import Act, Series
from geowarn.ports import BulletinDraft, Measure, Templates
from geowarn_channels import texts
from geowarn_channels.cap import cap_levels, identifier
from geowarn_channels.course import CLOSING, is_closing, is_exercise, is_synthetic, public_areas, public_levels
from geowarn_channels.moments import cap_time, ceil_hour, floor_hour
from geowarn_channels.speech import seconds, spelled, spoken_moment

LANGUAGES = ("zh", "en")
FORMAT = "geowarn-station-item/1"
PATH = "broadcast/item.json"
LONGEST_CRAWL = {"zh": 120, "en": 600}  # characters
LONGEST_TITLE = 40
NAMES_AT_ONCE = 4
REPEAT_MINUTES = {Level.RED: 10, Level.ORANGE: 15, Level.YELLOW: 30, Level.BLUE: 60}
BADGES = {
    Level.RED: {"shape": "octagon", "fill": "#c3111f", "text": "#ffffff"},
    Level.ORANGE: {"shape": "diamond", "fill": "#f5820b", "text": "#14181b"},
    Level.YELLOW: {"shape": "triangle", "fill": "#ffd21f", "text": "#14181b"},
    Level.BLUE: {"shape": "circle", "fill": "#1f5fbf", "text": "#ffffff"},
}
READINGS = 2  # the script is read twice in a row
MUST_CARRY_FROM = Level.ORANGE


def item_of(draft: BulletinDraft, templates: Templates) -> dict[str, Any]:
    """The item as plain JSON; late fields are markers. Times are `+08:00` style."""
    zone, facts = str(draft.facts["installation"]["zone"]), draft.facts
    top = public_levels(draft)[0]
    script = {language: script_text(draft, templates, language) for language in LANGUAGES}
    return {
        "format": FORMAT,
        "slug": marker("slug"),
        "number": marker("number"),
        "sent": marker("sent"),
        "act": draft.content.act.value,
        "msg_type": draft.content.msg_type.value,
        "exercise": is_exercise(draft),
        "label": {language: texts.opening(templates, draft, language) for language in LANGUAGES},
        "level": top.code,
        "levels": [level.code for level in public_levels(draft)],
        "areas": list(_areas(draft)),
        "onset": cap_time(draft.content.onset, zone),
        "expires": cap_time(draft.content.expires, zone),
        "title": {language: title_text(draft, templates, language) for language in LANGUAGES},
        "crawl": {language: crawl_text(draft, templates, language) for language in LANGUAGES},
        "script": script,
        "script_seconds": {language: seconds(text, language) for language, text in script.items()},
        "script_readings": READINGS,
        "must_carry": top >= MUST_CARRY_FROM,
        "may_interrupt": top is Level.RED and not is_closing(draft),
        "repeat_minutes": REPEAT_MINUTES[top],
        "badge": BADGES[top],
        "replaces": list(_replaced(draft)),
        "cap": [f"{facts['site']['public_url']}/cap/{identifier(draft, level)}.xml" for level in cap_levels(draft)],
        "page": f"{facts['site']['public_url']}/w/{marker('slug')}/",
    }


def item_bytes(item: dict[str, Any]) -> bytes:
    """The frozen form: canonical JSON, so that it can stand inside another JSON file byte for byte."""
    return canonical_json(item).encode()


def measures_of(item: dict[str, Any]) -> tuple[Measure, ...]:
    """Lengths of captions and crawls, seconds of scripts."""
    found = []
    for language in LANGUAGES:
        crawl, title, script = (item[kind][language] for kind in ("crawl", "title", "script"))
        found.append(Measure(f"{PATH}#crawl.{language}", len(crawl), LONGEST_CRAWL[language]))
        found.append(Measure(f"{PATH}#title.{language}", len(title), LONGEST_TITLE))
        spoken = item["script_seconds"][language]
        found.append(Measure(f"{PATH}#script.{language}", len(script), parts=READINGS, seconds=spoken))
    return tuple(found)


def crawl_text(draft: BulletinDraft, templates: Templates, language: str) -> str:
    """One line for the running caption, in the fullest form that fits; no address, no break."""
    return _fitting("crawl", draft, templates, language, 5, LONGEST_CRAWL[language])


def title_text(draft: BulletinDraft, templates: Templates, language: str) -> str:
    """The short caption for a graphics system."""
    return _fitting("title", draft, templates, language, 4, LONGEST_TITLE)


def script_text(draft: BulletinDraft, templates: Templates, language: str) -> str:
    """What the newsreader says: figures in words, no brackets."""
    zone = str(draft.facts["installation"]["zone"])
    known = texts.values(templates, draft, None, language)
    text = templates.render(
        f"broadcast/script.{language}.txt.j2",
        spoken_opening=_spoken_opening(draft, templates, language),
        spoken_start=spoken_moment(floor_hour(draft.content.onset, zone), language),
        spoken_end=spoken_moment(ceil_hour(draft.content.expires, zone), language),
        groups=list(_groups(draft, templates, language)),
        actions=known["rows"][:1] if is_closing(draft) else known["rows"],
        **known,
    )
    return spelled(_one_line(text, language), language)


def _fitting(name: str, draft: BulletinDraft, templates: Templates, language: str, forms: int, longest: int) -> str:
    known = texts.values(templates, draft, None, language)
    if name == "title" and language == "en":
        known["opening"] = _short_opening(draft, templates)
    text = ""
    for form in range(forms):
        text = _one_line(templates.render(f"broadcast/{name}.{language}.txt.j2", form=form, **known), language)
        if len(text) <= longest:
            break
    return text


def _one_line(text: str, language: str) -> str:
    line = texts.clean(text)
    return re.sub(r"(?<=[^\x00-\x7f]) | (?=[^\x00-\x7f])", "", line) if language == "zh" else line


def _short_opening(draft: BulletinDraft, templates: Templates) -> str:
    """The English label is longer than a caption may be, so captions carry its short form."""
    prefix = texts.exercise_prefix(templates, draft, "en")
    short = texts.words(templates, "en")["synthetic_short"] if is_synthetic(draft) else ""
    return "".join([f"{prefix} " if prefix else "", f"{short}: " if short else ""])


def _spoken_opening(draft: BulletinDraft, templates: Templates, language: str) -> str:
    w = texts.words(templates, language)
    said = [w["exercise_spoken"]] if draft.content.series is Series.EXERCISE else []
    said += [w["synthetic_spoken"]] if is_synthetic(draft) else []
    return "".join(f"{sentence}。" if language == "zh" else f"{sentence}. " for sentence in said)


def _groups(draft: BulletinDraft, templates: Templates, language: str) -> Iterator[dict[str, str]]:
    """Names in breaths of at most four, red first."""
    w = texts.words(templates, language)
    for level in public_levels(draft):
        names = texts.area_names(draft, level, language)
        for begin in range(0, len(names), NAMES_AT_ONCE):
            part = texts.join(names[begin : begin + NAMES_AT_ONCE], language)
            yield {"areas": part, "risk": w["risk"][level.code], "level": w["level"][level.code]}


def _areas(draft: BulletinDraft) -> Iterator[dict[str, str]]:
    for area in public_areas(draft):
        names = {f"name_{language}": texts.area_name(draft, area.code, language) for language in LANGUAGES}
        yield {"code": area.code, "level": area.level.code, **names}


def _replaced(draft: BulletinDraft) -> Iterator[str]:
    """Slugs of the bulletins that are no longer to be aired once this one is there."""
    yield from (bulletin.slug for bulletin in draft.earlier if bulletin.act not in CLOSING)
    if draft.content.act is Act.RETRACT:
        yield marker("original.slug")
