"""The pre-approved wording every channel uses: pure functions of templates, draft, level and language.

`level` None means the whole bulletin. No text holds a late field or a minute: dates go down to the hour, the
beginning rounded down and the end rounded up, so that no text ends before its warning does.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.warning import Act, AreaLevel, Series
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels.area_words import MANY, names, phrase, table
from geowarn_channels.area_words import area_name as area_name
from geowarn_channels.area_words import clean as clean
from geowarn_channels.area_words import join as join
from geowarn_channels.area_words import words as words
from geowarn_channels.course import (
    is_closing,
    is_synthetic,
    last_public,
    move_of,
    moved_areas,
    public_areas,
    public_levels,
    released_areas,
)
from geowarn_channels.moments import ceil_hour, floor_hour, moment_words, period_words


def level_name(templates: Templates, level: Level, language: str) -> str:
    """红色, red …"""
    return str(words(templates, language)["level"][level.code])


def risk(templates: Templates, level: Level, language: str) -> str:
    """风险很高 / very high risk, 风险高 / high risk, 风险较高 / elevated risk."""
    return str(words(templates, language)["risk"][level.code])


def event_name(templates: Templates, language: str) -> str:
    """The event, without its colour, so that readers group one hazard's messages."""
    return str(words(templates, language)["event"])


def place(draft: BulletinDraft, language: str) -> str:
    """The place the office is responsible for."""
    return str(draft.facts["installation"][f"place_{language}"])


def issuer_line(draft: BulletinDraft, language: str) -> str:
    """Both offices in full."""
    issuer = draft.facts["issuer"]
    return join([str(issuer[f"name_{language}"]), str(issuer[f"joint_{language}"])], language)


def issuer_short(draft: BulletinDraft) -> str:
    """Both offices in their short Chinese form."""
    issuer = draft.facts["issuer"]
    return join([str(issuer["short_zh"]), str(issuer["joint_short_zh"])], "zh")


def area_names(draft: BulletinDraft, level: Level | None, language: str) -> tuple[str, ...]:
    """Full names of the public areas, highest level first."""
    return names(draft, public_areas(draft, level), language)


def area_list(draft: BulletinDraft, level: Level | None, language: str) -> str:
    """Every name: `海阳市、莱阳市`."""
    return join(area_names(draft, level, language), language)


def area_phrase(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    """Up to three names; beyond that `海阳市等4个区市`."""
    return phrase(templates, draft, public_areas(draft, level), language)


def action(templates: Templates, draft: BulletinDraft, level: Level, language: str) -> str:
    """The one thing to do: the slot of this level, else its pre-approved text; fixed words once it ends."""
    if is_closing(draft):
        return closing_action(templates, draft.content.act, language)
    written = draft.content.slots.get(f"action.{level.code}.{language}", "")
    if not written.strip():
        written = table(templates, "bulletin/slots.toml")["action"][level.code][language]
    return clean(written).rstrip("。.； ")


def closing_action(templates: Templates, act: Act, language: str) -> str:
    """What to do once the warning has ended."""
    return str(table(templates, "bulletin/closing.toml")[act.value][language])


def validity(draft: BulletinDraft, language: str) -> str:
    """From when to when, in words."""
    return period_words(*_hours(draft), language)


def until(draft: BulletinDraft, language: str) -> str:
    """Until when, in words."""
    return moment_words(_hours(draft)[1], language)


def next_update(draft: BulletinDraft, language: str) -> str:
    """By when the next word comes, in words."""
    return moment_words(ceil_hour(draft.content.next_update, _zone(draft)), language)


def exercise_prefix(templates: Templates, draft: BulletinDraft, language: str) -> str:
    """【演练】 or [EXERCISE] for an exercise, else nothing."""
    return str(words(templates, language)["exercise"]) if draft.content.series is Series.EXERCISE else ""


def synthetic_label(templates: Templates, draft: BulletinDraft, language: str) -> str:
    """The label of synthetic input, else nothing."""
    return str(words(templates, language)["synthetic"]) if is_synthetic(draft) else ""


def opening(templates: Templates, draft: BulletinDraft, language: str) -> str:
    """What must come before everything else: exercise prefix, then the synthetic label as its own sentence."""
    prefix, label = exercise_prefix(templates, draft, language), synthetic_label(templates, draft, language)
    if language == "zh":
        return prefix + (f"{label}。" if label else "")
    return " ".join(part for part in (prefix, f"{label}." if label else "") if part)


def labelled(templates: Templates, draft: BulletinDraft, language: str, text: str) -> str:
    """`text` behind its opening."""
    head = opening(templates, draft, language)
    return head + ("" if language == "zh" or not head else " ") + text


def headline(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    """One line naming place, act, event and colour, with the opening in front."""
    return _sentence("headline", templates, draft, level, language)


def description(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    """What is expected where and when, with the opening in front."""
    return _sentence("description", templates, draft, level, language)


def instruction(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    """What to do, with the opening in front."""
    return _sentence("instruction", templates, draft, level, language)


def why(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    """Why the level is what it is, with the opening in front."""
    return _sentence("why", templates, draft, level, language)


def values(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> dict[str, Any]:
    """Everything a text template may use; the keys are those of `templates/bulletin/*.j2`."""
    w = words(templates, language)
    rows = _rows(templates, draft, level, language, w)
    top = level if level is not None else Level.parse(rows[0]["code"])
    start, end = _hours(draft)
    return {
        "act": draft.content.act.value,
        "closing": is_closing(draft),
        "move": move_of(draft, level),
        "place": place(draft, language),
        "event": w["event"],
        "hazards": w["hazards"],
        "level": w["level"][top.code],
        "level_a": w["level_a"][top.code],
        "level_code": top.code,
        "urgent": top >= Level.ORANGE and not is_closing(draft) and move_of(draft, level) not in ("replaced", "ended"),
        "risk": w["risk"][top.code],
        "degree": w["degree"][top.code],
        "areas": join([row["areas"] for row in rows], language) if level is None else rows[0]["areas"],
        "area_phrase": phrase(templates, draft, _listed(draft, level), language),
        "rows": rows,
        "action": action(templates, draft, top, language),
        "period": period_words(start, end, language),
        "start": moment_words(start, language),
        "until": moment_words(end, language),
        "next_update": next_update(draft, language),
        "hours": round((end - start).total_seconds() / 3600),
        "issuer": issuer_line(draft, language),
        "issuer_short": issuer_short(draft),
        "by_forecast": draft.content.assessment_id is not None,
        "reason": _reason(draft, language),
        "ended": join(names(draft, released_areas(draft, level), language), language),
        "moved": join(names(draft, moved_areas(draft, top), language), language),
        "rain": _rain(draft, level, language),
        "uncalibrated": "" if draft.content.calibrated else w["uncalibrated"],
        "opening": opening(templates, draft, language),
    }


def _sentence(name: str, templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    text = templates.render(f"bulletin/{name}.{language}.txt.j2", **values(templates, draft, level, language))
    return labelled(templates, draft, language, " ".join(text.split()))


def _rows(
    templates: Templates, draft: BulletinDraft, level: Level | None, language: str, w: Mapping[str, Any]
) -> list[dict[str, str]]:
    return [
        {
            "code": one.code,
            "level": w["level"][one.code],
            "risk": w["risk"][one.code],
            "degree": w["degree"][one.code],
            "areas": join(names(draft, _listed(draft, one), language), language),
            "phrase": phrase(templates, draft, _listed(draft, one), language),
            "action": action(templates, draft, one, language),
        }
        for one in ([level] if level is not None else public_levels(draft))
    ]


def _listed(draft: BulletinDraft, level: Level | None) -> tuple[AreaLevel, ...]:
    """The areas a text of this level speaks of; for a level that an update gave up, those it held before."""
    return public_areas(draft, level) or tuple(a for a in last_public(draft) if level is None or a.level is level)


def _rain(draft: BulletinDraft, level: Level | None, language: str) -> list[dict[str, str]]:
    """Effective rain in whole millimetres of up to three areas of the highest level spoken of."""
    spoken = public_areas(draft, level if level is not None else draft.content.highest)
    found = []
    for area in spoken[:MANY]:
        assessment = draft.assessments.get(area.code)
        amount = assessment.evidence.get("re_mm") if assessment else None
        if isinstance(amount, int | float):
            found.append({"area": area_name(draft, area.code, language), "mm": f"{amount:.0f}"})
    return found


def _reason(draft: BulletinDraft, language: str) -> str:
    """Why it was cancelled, in the words of the person; an English text holds no Chinese sentence."""
    reason = clean(draft.content.reason).rstrip("。.")
    return "" if language == "en" and not reason.isascii() else reason


def _hours(draft: BulletinDraft) -> tuple[datetime, datetime]:
    return floor_hour(draft.content.onset, _zone(draft)), ceil_hour(draft.content.expires, _zone(draft))


def _zone(draft: BulletinDraft) -> str:
    return str(draft.facts["installation"]["zone"])
