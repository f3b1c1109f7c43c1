"""The CAP-like file that 12379 desks take: one a level. It is not CAP 1.2, and no conformance is claimed.

Element names, their order, empty elements and the form of times follow two independent senders of such files
(docs/reference/standards.md, section 4); codes come from the partner's table in channels.toml.
"""

from __future__ import annotations

import re
from typing import Any
from zoneinfo import ZoneInfo

from lxml import etree

from geowarn.domain.level import Level
from geowarn.domain.package import marker
from geowarn.domain.warning import AreaLevel
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.cap import CapMessage, cap_plan
from geowarn_channels.cap_area import cap_areas
from geowarn_channels.course import is_exercise
from geowarn_channels.push_partners import Partner

LANDSLIDE = "11D01"  # GB/T 35561 family, as a warning centre's own table has it; the partner's table decides
_GRADE = {Level.BLUE: "IV级/一般", Level.YELLOW: "III级/较重", Level.ORANGE: "II级/严重", Level.RED: "I级/特别严重"}
_SERIAL = {Level.RED: 0, Level.ORANGE: 1, Level.YELLOW: 2, Level.BLUE: 3}  # one number a level within one second
_ACTS = {"Alert": "发布", "Update": "更新", "Cancel": "解除"}


def cn_messages(draft: BulletinDraft, templates: Templates, partner: Partner) -> dict[str, bytes]:
    """Package path to file, highest level first, with late fields as markers."""
    return {
        f"webhook/{partner.name}/{message.level.code}.xml": _file(draft, templates, partner, message)
        for message in cap_plan(draft)
    }


def cn_name(body: bytes) -> str:
    """`<identifier>_<eventType>_<COLOUR>_<msgType>.xml`, read from the final file."""
    parts = []
    for tag in ("identifier", "eventType", "severity", "msgType"):
        found = re.search(rb"<%s>([^<]*)</%s>" % (tag.encode(), tag.encode()), body)
        text = found.group(1).decode() if found else ""
        parts.append(text.upper() if tag == "severity" else text)
    return "_".join(parts) + ".xml"


def _file(draft: BulletinDraft, templates: Templates, partner: Partner, message: CapMessage) -> bytes:
    alert = etree.Element("alert")
    office, level = str(partner.cn["office"]), message.level
    _add(alert, "identifier", f"{office}_{marker('sent.digits')}_{_SERIAL[level]}")
    _add(alert, "sender", texts.issuer_line(draft, "zh"))
    _add(alert, "senderCode", office)
    _add(alert, "sendTime", marker("sent.blank"))
    _add(alert, "status", "Exercise" if is_exercise(draft) else "Actual")
    _add(alert, "msgType", message.msg_type)
    _add(alert, "scope", "Public")
    _methods(alert, draft, templates, partner, level)
    _add(alert, "secClassification", "None")
    _add(alert, "note", _note(draft, templates, level) if message.msg_type == "Cancel" else "")
    _add(alert, "references", _first(draft, office, level) if message.references else "")
    _info(alert, draft, templates, partner, message)
    return bytes(etree.tostring(alert, xml_declaration=True, encoding="UTF-8", pretty_print=True))


def _methods(alert: etree._Element, draft: BulletinDraft, templates: Templates, partner: Partner, level: Level) -> None:
    code = _add(alert, "code")
    for name in partner.cn.get("methods", ("WEB", "SMS")):
        method = _add(code, "method")
        _add(method, "methodName", str(name))
        _add(method, "message", texts.headline(templates, draft, level, "zh") if name == "SMS" else "")
        _add(method, "audienceGrp")
        _add(method, "audienceprt")  # spelt like this in the files of both senders


def _info(
    alert: etree._Element, draft: BulletinDraft, templates: Templates, partner: Partner, message: CapMessage
) -> None:
    level, zone = message.level, ZoneInfo(str(draft.facts["installation"]["zone"]))
    info = _add(alert, "info")
    values = {
        "language": "zh-CN",
        "eventType": str(partner.cn.get("event_type", LANDSLIDE)),
        "urgency": "Unknown",
        "severity": level.code.capitalize(),
        "certainty": "Unknown",
        "effective": marker("sent.blank"),
        "onset": draft.content.onset.astimezone(zone).isoformat(" ", "seconds"),
        "expires": draft.content.expires.astimezone(zone).isoformat(" ", "seconds"),
        "senderName": texts.issuer_line(draft, "zh"),
        "headline": _headline(draft, templates, message),
        "description": texts.description(templates, draft, level, "zh"),
        "instruction": texts.instruction(templates, draft, level, "zh"),
        "web": f"{draft.facts['site']['public_url']}/w/{marker('slug')}/",
    }
    for name, value in values.items():
        _add(info, name, value)
    _area(info, draft, templates, partner, message.areas)


def _headline(draft: BulletinDraft, templates: Templates, message: CapMessage) -> str:
    return templates.render(
        "webhook/cn-headline.zh.txt.j2",
        opening=texts.opening(templates, draft, "zh"),
        issuer=texts.issuer_line(draft, "zh"),
        act=_ACTS[message.msg_type],
        event=texts.event_name(templates, "zh"),
        level=texts.level_name(templates, message.level, "zh"),
        grade=_GRADE[message.level],
    ).strip()


def _note(draft: BulletinDraft, templates: Templates, level: Level) -> str:
    return texts.headline(templates, draft, level, "zh")


def _first(draft: BulletinDraft, office: str, level: Level) -> str:
    """The identifier of the warning's first message of this level: these files refer to that one alone."""
    zone = ZoneInfo(str(draft.facts["installation"]["zone"]))
    held = [b for b in draft.earlier if f"website/cap/{level.code}.xml" in b.artefacts]
    if not held:
        return f"{office}_{marker('original.sent.digits')}_{_SERIAL[level]}"
    return f"{office}_{held[0].released_at.astimezone(zone):%Y%m%d%H%M%S}_{_SERIAL[level]}"


def _area(
    info: etree._Element, draft: BulletinDraft, templates: Templates, partner: Partner, areas: tuple[AreaLevel, ...]
) -> None:
    found = cap_areas(draft, areas)
    table: dict[str, Any] = dict(partner.cn.get("area_codes", {}))
    element = _add(info, "area")
    _add(element, "areaDesc", ",".join(area.description(draft, templates, "zh") for area in found))
    _add(element, "polygon", found[0].polygons[0] if len(found) == 1 and len(found[0].polygons) == 1 else "")
    _add(element, "circle")
    _add(element, "geocode", ",".join(str(table.get(a.code, _twelve(a.code))) for a in found))


def _twelve(code: str) -> str:
    """A GB/T 2260 code filled up to 12 digits; a code of ours, which means nothing there, stays as it is."""
    return code.ljust(12, "0") if code.isdigit() else code


def _add(parent: etree._Element, name: str, text: str = "") -> etree._Element:
    child = etree.SubElement(parent, name)
    child.text = text
    return child
