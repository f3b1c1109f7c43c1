"""A draft → its CAP 1.2 messages: one a public level, each level's chain its own.

A level new to the warning is an Alert, one it held before an Update, one it gives up a Cancel; an end cancels all.
An area that moves between levels is listed by exactly one message that stays in force: the Update of the level it
left no longer names it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from lxml import etree

from geowarn.domain.level import Level
from geowarn.domain.package import marker
from geowarn.domain.warning import Act, AreaLevel, Series
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.cap_area import CapArea, cap_areas
from geowarn_channels.cap_rules import check_cap
from geowarn_channels.cap_schema import NAMESPACE
from geowarn_channels.course import (
    cap_path,
    chain_of,
    is_closing,
    is_exercise,
    last_public,
    move_of,
    public_areas,
    public_levels,
    vanished_levels,
)
from geowarn_channels.moments import cap_time

__all__ = ["cap_levels", "cap_messages", "check_cap", "identifier"]

LANGUAGES = (("zh", "zh-CN"), ("en", "en-US"))
EVENT_CODES = ("OET-119", "OET-056")  # landslide, debris flow: OASIS Event Terms List, version 1.2
SEVERITY = {Level.BLUE: "Minor", Level.YELLOW: "Moderate", Level.ORANGE: "Severe", Level.RED: "Extreme"}
CERTAINTY = {Level.BLUE: "Possible", Level.YELLOW: "Possible", Level.ORANGE: "Likely", Level.RED: "Likely"}
RESPONSES = {
    Level.BLUE: ("Monitor",),
    Level.YELLOW: ("Monitor", "Prepare"),
    Level.ORANGE: ("Prepare", "Avoid"),
    Level.RED: ("Evacuate", "Avoid"),
}


@dataclass(frozen=True, slots=True)
class CapMessage:
    """One message of a bulletin: its level, type (Alert, Update, Cancel), areas and what it refers to."""

    level: Level
    msg_type: str  # Alert, Update, Cancel
    areas: tuple[AreaLevel, ...]
    references: tuple[str, ...]


def cap_messages(draft: BulletinDraft, templates: Templates) -> dict[str, bytes]:
    """Package path to XML with its late fields as markers, highest level first, given-up levels last."""
    return {cap_path(message.level): _document(draft, templates, message) for message in cap_plan(draft)}


def cap_levels(draft: BulletinDraft) -> tuple[Level, ...]:
    """The levels that have a message of their own, in the order of `cap_messages`."""
    return tuple(message.level for message in cap_plan(draft))


def identifier(draft: BulletinDraft, level: Level, slug: str | None = None) -> str:
    """`<prefix>-<slug>-<level>`; without `slug` that of the message itself, known at release."""
    return f"{draft.facts['cap']['identifier_prefix']}-{slug or marker('slug')}-{level.code}"


def cap_plan(draft: BulletinDraft) -> list[CapMessage]:
    """The messages of a bulletin, highest level first, given-up levels last."""
    found = []
    for level in public_levels(draft):
        references = _references(draft, level)
        kind = "Cancel" if is_closing(draft) else ("Update" if references else "Alert")
        if references or kind == "Alert":
            found.append(CapMessage(level, kind, public_areas(draft, level), references))
    for level in vanished_levels(draft):
        areas = tuple(area for area in last_public(draft) if area.level is level)
        if references := _references(draft, level):
            found.append(CapMessage(level, "Cancel", areas, references))
    return found


def _references(draft: BulletinDraft, level: Level) -> tuple[str, ...]:
    """Every earlier message of this level that may still stand, its `sent` copied character by character."""
    sender = draft.facts["cap"]["sender"]
    named = [f"{sender},{identifier(draft, level, b.slug)},{b.late['sent']}" for b in chain_of(draft, level)]
    if draft.content.act is Act.RETRACT:
        named.append(f"{sender},{identifier(draft, level, marker('original.slug'))},{marker('original.sent')}")
    return tuple(named)


def _document(draft: BulletinDraft, templates: Templates, message: CapMessage) -> bytes:
    alert = etree.Element(f"{{{NAMESPACE}}}alert", nsmap={None: NAMESPACE})  # type: ignore[dict-item]
    exercise = is_exercise(draft)
    _add(alert, "identifier", identifier(draft, message.level))
    _add(alert, "sender", str(draft.facts["cap"]["sender"]))
    _add(alert, "sent", marker("sent"))
    _add(alert, "status", "Exercise" if exercise else "Actual")
    _add(alert, "msgType", message.msg_type)
    _add(alert, "scope", "Public")
    if exercise:
        _add(alert, "note", _note(draft, templates))
    if message.references:
        _add(alert, "references", " ".join(message.references))
    areas = cap_areas(draft, message.areas)
    for language, tag in LANGUAGES:
        _info(alert, draft, templates, message, areas, language, tag)
    # No blanks between elements: capvalidator drops them before it verifies, and would find other bytes than signed.
    return bytes(etree.tostring(alert, xml_declaration=True, encoding="UTF-8"))


def _note(draft: BulletinDraft, templates: Templates) -> str:
    """Which exercise it is, and that its rain is made up."""
    number = [f"演练 / exercise {marker('slug')}"] if draft.content.series is Series.EXERCISE else []
    labels = [texts.synthetic_label(templates, draft, language) for language, _ in LANGUAGES]
    return "; ".join([*number, *(label for label in labels if label)])


def _info(
    alert: etree._Element,
    draft: BulletinDraft,
    templates: Templates,
    message: CapMessage,
    areas: Sequence[CapArea],
    language: str,
    tag: str,
) -> None:
    content, level, facts = draft.content, message.level, draft.facts
    zone = str(facts["installation"]["zone"])
    info = _add(alert, "info")
    _add(info, "language", tag)
    _add(info, "category", "Geo")
    _add(info, "event", texts.event_name(templates, language))
    for response in _responses(draft, message):
        _add(info, "responseType", response)
    _add(info, "urgency", _urgency(draft, message))
    _add(info, "severity", SEVERITY[level])
    _add(info, "certainty", CERTAINTY[level])
    for code in EVENT_CODES:
        _pair(info, "eventCode", "OET:v1.2", code)
    if message.msg_type == "Cancel":  # a receiver that knows no references shows whatever has not expired
        _add(info, "expires", marker("sent"))
    else:
        _add(info, "onset", cap_time(content.onset, zone))
        _add(info, "expires", cap_time(content.expires, zone))
    _add(info, "senderName", texts.issuer_line(draft, language))
    _add(info, "headline", texts.headline(templates, draft, level, language))
    _add(info, "description", texts.description(templates, draft, level, language))
    _add(info, "instruction", texts.instruction(templates, draft, level, language))
    page = "/w/" if language == "zh" else "/en/w/"
    _add(info, "web", f"{facts['site']['public_url']}{page}{marker('slug')}/")
    _add(info, "contact", texts.join([texts.clean(str(facts["issuer"]["duty_phone"])), "12379"], language))
    for name, value in _parameters(draft, message):
        _pair(info, "parameter", name, value)
    for area in areas:
        _area(info, area, area.description(draft, templates, language), str(facts["cap"]["geocode"]))


def _responses(draft: BulletinDraft, message: CapMessage) -> tuple[str, ...]:
    """What to do; nothing where another level now holds for areas of this one, as all-clear would be wrong there."""
    if message.msg_type != "Cancel":
        return RESPONSES[message.level]
    return () if move_of(draft, message.level) == "replaced" else ("AllClear",)


def _urgency(draft: BulletinDraft, message: CapMessage) -> str:
    """Expected when it begins within the hour, else Future; Immediate is for ground seen moving."""
    if message.msg_type == "Cancel":
        return "Past"
    near = draft.prepared_at is None or draft.content.onset <= draft.prepared_at + timedelta(hours=1)
    return "Expected" if near else "Future"


def _parameters(draft: BulletinDraft, message: CapMessage) -> list[tuple[str, str]]:
    zone = str(draft.facts["installation"]["zone"])
    found = [("CN-WARNING-LEVEL", message.level.code.capitalize()), ("CN-WARNING-GRADE", message.level.roman)]
    if message.msg_type != "Cancel":
        found.append(("GEOWARN-NEXT-UPDATE", cap_time(draft.content.next_update, zone)))
    if not draft.content.calibrated:
        found.append(("GEOWARN-THRESHOLDS", "uncalibrated-default"))
    return found


def _area(info: etree._Element, area: CapArea, name: str, code_list: str) -> None:
    element = _add(info, "area")
    _add(element, "areaDesc", name)
    for polygon in area.polygons:
        _add(element, "polygon", polygon)
    if area.circle:
        _add(element, "circle", area.circle)
    _pair(element, "geocode", code_list, area.code)


def _add(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = text
    return child


def _pair(parent: etree._Element, name: str, value_name: str, value: str) -> None:
    element = _add(parent, name)
    _add(element, "valueName", value_name)
    _add(element, "value", value)
