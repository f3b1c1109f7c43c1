"""Which mails a bulletin has: a text and a page that say the same, one pair a level and language, frozen with it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.package import marker
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.course import public_levels, released_areas

LANGUAGES = ("zh", "en")
DROPPED = "ended"  # for those whose area an update no longer names


def mails_of(templates: Templates, draft: BulletinDraft) -> Iterator[tuple[str, str, str]]:
    """(path without its ending, text, page) of every mail; nothing below the public level.

    The first line of the text is the subject. Neither names a minute; the number and the page's address come late.
    """
    for language in LANGUAGES:
        for level in public_levels(draft):
            yield f"mail/{level.code}.{language}", *_rendered(templates, draft, level, language)
        if released_areas(draft):
            yield f"mail/{DROPPED}.{language}", *_rendered(templates, draft, None, language)


def _rendered(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> tuple[str, str]:
    name = DROPPED if level is None else draft.content.act.value
    known = _known(templates, draft, level, language)
    lines = templates.render(f"mail/{name}.{language}.txt.j2", **known).splitlines()
    paragraphs = [" ".join(line.split()) for line in lines if line.strip()]
    subject = f"{known['opening']}{'' if language == 'zh' or not known['opening'] else ' '}{paragraphs[0]}"
    said = {"language": language, "subject": subject, "paragraphs": paragraphs[1:], "code": known["shade"], **known}
    return (
        _tidy(templates.render("mail/bulletin.txt.j2", **said)),
        templates.render("mail/bulletin.html.j2", **said),
    )


def _known(templates: Templates, draft: BulletinDraft, level: Level | None, language: str) -> dict[str, Any]:
    known = texts.values(templates, draft, level, language)
    start = "" if language == "zh" else "en/"
    return {
        **known,
        "opening": texts.opening(templates, draft, language),
        "shade": "none" if known["closing"] or level is None else known["level_code"],
        "headline": texts.clean(_bare(templates, draft, level, language)),
        "number": marker("number"),
        "page": f"{draft.facts['site']['public_url']}/{start}w/{marker('slug')}/",
        "choices": f"{draft.facts['site']['public_url']}/{start}subscribe-change",
        "office": draft.facts["installation"][f"name_{language}"],
        "duty_phone": draft.facts["issuer"]["duty_phone"],
        "description": _bare(templates, draft, level, language, "description"),
        "instruction": _bare(templates, draft, level, language, "instruction"),
    }


def _bare(
    templates: Templates, draft: BulletinDraft, level: Level | None, language: str, name: str = "headline"
) -> str:
    """A sentence without the opening, which a mail says once."""
    known = texts.values(templates, draft, level, language)
    return " ".join(templates.render(f"bulletin/{name}.{language}.txt.j2", **known).split())


def _tidy(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.strip().splitlines()) + "\n"
