"""Which SMS texts a bulletin has, and how each is made to fit: the full form, else the short one, else the bare one.

The short form names the end only, offices and labels in short; the bare one leaves the issuer to the signature.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from geowarn.domain.level import Level
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.course import public_levels, released_areas
from geowarn_channels.sms_text import size

LANGUAGES = ("zh", "en")
FITTING_PARTS = 2  # beyond this a shorter form of the template is used
MOST_PARTS = {"zh": 2, "en": 3}
FULL, SHORT, BARE = range(3)
DROPPED = "ended"  # for numbers whose area an update no longer names

# Typographic characters that would turn a Latin text into UCS-2, with seventy instead of 160 characters a part.
_PLAIN = str.maketrans({"‘": "'", "’": "'", "“": '"', "”": '"', "–": "-", "—": "-", "…": "...", "\u00a0": " "})


def texts_of(templates: Templates, draft: BulletinDraft) -> Iterator[tuple[str, str, str]]:
    """(path, language, text) of every text; nothing below the public level."""
    for language in LANGUAGES:
        for level in public_levels(draft):
            yield f"sms/{level.code}.{language}.txt", language, _fitting(templates, draft, level, language)
        if released_areas(draft):
            yield f"sms/{DROPPED}.{language}.txt", language, _fitting(templates, draft, None, language)


def _fitting(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> str:
    known = texts.values(templates, draft, level, language)
    for form in (FULL, SHORT):
        text = _rendered(templates, draft, level, language, known, form)
        if size(text).parts <= FITTING_PARTS:
            return text
    return _rendered(templates, draft, level, language, known, BARE)


def _rendered(
    templates: Templates,
    draft: BulletinDraft,
    level: Level | None,
    language: str,
    known: dict[str, Any],
    form: int,
) -> str:
    name = DROPPED if level is None else draft.content.act.value
    body = texts.clean(
        templates.render(f"sms/{name}.{language}.txt.j2", short=form >= SHORT, bare=form >= BARE, **known)
    )
    text = _signature(draft, language) + _opening(templates, draft, language, form >= SHORT) + body
    return text if language == "zh" else text.translate(_PLAIN)


def _signature(draft: BulletinDraft, language: str) -> str:
    name = str(draft.facts["sms"][f"signature_{language}"])
    return f"【{name}】" if language == "zh" else f"[{name}] "


def _opening(templates: Templates, draft: BulletinDraft, language: str, short: bool) -> str:
    """Exercise prefix and synthetic label, which no form may leave out (house rules 10 and 17)."""
    if not short:
        opening = texts.opening(templates, draft, language)
        return opening if language == "zh" or not opening else f"{opening} "
    label = "synthetic_short" if texts.synthetic_label(templates, draft, language) else ""
    known = texts.words(templates, language)
    parts = [texts.exercise_prefix(templates, draft, language), str(known[label]) if label else ""]
    if language == "zh":
        return parts[0] + (f"{parts[1]}。" if parts[1] else "")
    return "".join(f"{part}{'.' if part == parts[1] else ''} " for part in parts if part)
