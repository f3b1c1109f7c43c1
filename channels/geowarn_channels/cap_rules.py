"""What a CAP message must hold beyond the schema: CAP 1.2 section 3 and what receivers are known to refuse."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from lxml import etree

from geowarn.domain.package import MARKER, fill
from geowarn_channels.cap_schema import NAMESPACE, safe_parser, schema_faults
from geowarn_channels.polygons import polygon_faults

Problem = tuple[str, Mapping[str, Any]]

LONGEST_HEADLINE = 140
SAMPLE = {
    "number": "sample 2",
    "slug": "2000-002",
    "sent": "2000-01-02T00:00:00+08:00",
    "date.zh": "2000年1月2日",
    "date.en": "2 January 2000",
    "original.number": "sample 1",
    "original.slug": "2000-001",
    "original.sent": "2000-01-01T00:00:00+08:00",
    "original.date.zh": "2000年1月1日",
    "original.date.en": "1 January 2000",
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d")
_ILLEGAL = re.compile(r"[\s,<&]")
_SAME = ("category", "responseType", "urgency", "severity", "certainty", "onset", "expires")


def check_cap(body: bytes) -> tuple[Problem, ...]:
    """Everything wrong with a message; markers are filled with sample values first. Empty when it may leave."""
    filled = fill(body, SAMPLE)
    try:
        alert = etree.fromstring(filled, safe_parser())
    except etree.XMLSyntaxError as error:
        return (("cap.unreadable", {"reason": error.msg}),)
    if alert.getroottree().docinfo.doctype:  # type: ignore[union-attr]
        return (("cap.unreadable", {"reason": "DOCTYPE"}),)
    name = _text(alert, "identifier") or "?"
    faults = schema_faults(alert)
    if faults:
        return (("cap.schema", {"identifier": name, "reason": faults[0]}),)
    return tuple(_rules(alert, name))


def _rules(alert: etree._Element, name: str) -> Iterator[Problem]:
    yield from _head(alert, name)
    yield from _references(alert, name)
    yield from _every_element(alert, name)
    infos = _all(alert, "info")
    yield from _languages(infos, name)
    for info in infos:
        yield from _info(info, name)


def _head(alert: etree._Element, name: str) -> Iterator[Problem]:
    for field in ("identifier", "sender"):
        if _ILLEGAL.search(_text(alert, field)):
            yield "cap.identifier", {"identifier": name, "field": field, "value": _text(alert, field)}
    if _text(alert, "scope") != "Public" or _text(alert, "status") not in ("Actual", "Exercise"):
        yield "cap.status", {"identifier": name, "status": _text(alert, "status")}
    elif _text(alert, "status") == "Exercise" and not _text(alert, "note"):
        yield "cap.status", {"identifier": name, "status": "Exercise"}


def _references(alert: etree._Element, name: str) -> Iterator[Problem]:
    kind, references = _text(alert, "msgType"), _text(alert, "references")
    if (kind in ("Update", "Cancel")) != bool(references):
        yield "cap.references", {"identifier": name, "reason": f"msgType {kind}"}
    for reference in references.split():
        parts = reference.split(",")
        if len(parts) != 3 or not _good_time(parts[2]):
            yield "cap.references", {"identifier": name, "reason": reference}
        elif parts[:2] == [_text(alert, "sender"), _text(alert, "identifier")]:
            yield "cap.references", {"identifier": name, "reason": "self"}


def _every_element(alert: etree._Element, name: str) -> Iterator[Problem]:
    for element in alert.iter(f"{{{NAMESPACE}}}*"):
        field, text = etree.QName(element).localname, element.text or ""
        if not len(element) and not text.strip():
            yield "cap.empty", {"identifier": name, "field": field}
        if MARKER.search(text):
            yield "cap.marker", {"identifier": name, "field": field}
        if field in ("sent", "effective", "onset", "expires") and not _good_time(text):
            yield "cap.time", {"identifier": name, "field": field, "value": text}


def _languages(infos: list[etree._Element], name: str) -> Iterator[Problem]:
    languages = [_text(info, "language") for info in infos]
    if languages != ["zh-CN", "en-US"]:
        yield "cap.languages", {"identifier": name, "languages": ", ".join(languages) or "-"}
        return
    first, second = infos
    for field in _SAME:
        if _texts(first, field) != _texts(second, field):
            yield "cap.differs", {"identifier": name, "field": field}
    for field in ("eventCode/value", "area/polygon", "area/circle", "area/geocode/value"):
        path = "/".join(f"{{{NAMESPACE}}}{step}" for step in field.split("/"))
        if [e.text for e in first.findall(path)] != [e.text for e in second.findall(path)]:
            yield "cap.differs", {"identifier": name, "field": field}


def _info(info: etree._Element, name: str) -> Iterator[Problem]:
    onset, expires = _text(info, "onset"), _text(info, "expires")
    if not expires or (onset and _good_time(onset) and _good_time(expires) and _moment(expires) <= _moment(onset)):
        yield "cap.expires", {"identifier": name, "expires": expires or "-"}
    headline = _text(info, "headline")
    if not headline or len(headline) > LONGEST_HEADLINE:
        yield "cap.headline", {"identifier": name, "length": len(headline), "longest": LONGEST_HEADLINE}
    if not re.match(r"https?://[^\s/]+/", _text(info, "web")):
        yield "cap.web", {"identifier": name, "value": _text(info, "web") or "-"}
    if not _all(info, "area"):
        yield "cap.area", {"identifier": name, "area": "-", "reason": "0"}
    for area in _all(info, "area"):
        yield from _area(area, name)


def _area(area: etree._Element, name: str) -> Iterator[Problem]:
    described = _text(area, "areaDesc")
    for polygon in _texts(area, "polygon"):
        if reason := polygon_faults(polygon):
            yield "cap.area", {"identifier": name, "area": described, "reason": reason}
    for circle in _texts(area, "circle"):
        if not re.fullmatch(r"-?[\d.]+,-?[\d.]+ [\d.]*[1-9][\d.]*", circle):
            yield "cap.area", {"identifier": name, "area": described, "reason": circle}


def _good_time(text: str) -> bool:
    return bool(_TIME.fullmatch(text)) and not text.endswith("+00:00")


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text.removesuffix("-00:00") + "+00:00" if text.endswith("-00:00") else text)


def _all(parent: etree._Element, name: str) -> list[etree._Element]:
    return parent.findall(f"{{{NAMESPACE}}}{name}")


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(f"{{{NAMESPACE}}}{name}") or ""


def _texts(parent: etree._Element, name: str) -> list[str]:
    return [element.text or "" for element in _all(parent, name)]
