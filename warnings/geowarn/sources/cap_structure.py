"""The structure that the CAP 1.2 schema demands, checked element by element so that a refusal names line and field.

Order, number and allowed values are those of CAP-v1.2.xsd (OASIS, 1 July 2010); a test holds this table against it.
Not checked is what nothing here reads: attributes, the numbers in `size`, `altitude` and `ceiling`, a signature.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from lxml import etree

from geowarn.domain.errors import Refused

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
OLDER = "urn:oasis:names:tc:emergency:cap:1.1"
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}"
_FORMS = {  # pattern and example
    "TIME": (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[-+]\d\d:\d\d", re.ASCII), "2026-07-23T02:00:00+08:00"),
    "MOMENT": (
        re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[-+]\d\d:\d\d)", re.ASCII),
        "2026-07-22T18:00:00Z",
    ),
    "LANGUAGE": (re.compile(r"[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*", re.ASCII), "zh-CN"),
}


class _Child(NamedTuple):
    """An element of a sequence: how often it may stand there, what it may hold."""

    least: int = 0
    many: bool = False
    values: str = ""  # allowed words; "TIME", "MOMENT", "LANGUAGE" for a form, "PARTS" where it has children of its own


_ONE, _MAY, _ANY, _TIME = _Child(1), _Child(), _Child(many=True), _Child(values="TIME")
_PARTS = _Child(many=True, values="PARTS")

_SEQUENCES: Mapping[str, Mapping[str, _Child]] = {
    "alert": {
        "identifier": _ONE,
        "sender": _ONE,
        "sent": _Child(1, values="TIME"),
        "status": _Child(1, values="Actual Exercise System Test Draft"),
        "msgType": _Child(1, values="Alert Update Cancel Ack Error"),
        "source": _MAY,
        "scope": _Child(1, values="Public Restricted Private"),
        "restriction": _MAY,
        "addresses": _MAY,
        "code": _ANY,
        "note": _MAY,
        "references": _MAY,
        "incidents": _MAY,
        "info": _PARTS,
    },
    "info": {
        "language": _Child(values="LANGUAGE"),
        "category": _Child(1, True, "Geo Met Safety Security Rescue Fire Health Env Transport Infra CBRNE Other"),
        "event": _ONE,
        "responseType": _Child(0, True, "Shelter Evacuate Prepare Execute Avoid Monitor Assess AllClear None"),
        "urgency": _Child(1, values="Immediate Expected Future Past Unknown"),
        "severity": _Child(1, values="Extreme Severe Moderate Minor Unknown"),
        "certainty": _Child(1, values="Observed Likely Possible Unlikely Unknown"),
        "audience": _MAY,
        "eventCode": _PARTS,
        "effective": _TIME,
        "onset": _TIME,
        "expires": _TIME,
        "senderName": _MAY,
        "headline": _MAY,
        "description": _MAY,
        "instruction": _MAY,
        "web": _MAY,
        "contact": _MAY,
        "parameter": _PARTS,
        "resource": _PARTS,
        "area": _PARTS,
    },
    "resource": {
        "resourceDesc": _ONE,
        "mimeType": _ONE,
        "size": _MAY,
        "uri": _MAY,
        "derefUri": _MAY,
        "digest": _MAY,
    },
    "area": {"areaDesc": _ONE, "polygon": _ANY, "circle": _ANY, "geocode": _PARTS, "altitude": _MAY, "ceiling": _MAY},
    **{name: {"valueName": _ONE, "value": _ONE} for name in ("eventCode", "parameter", "geocode")},
}

# CAP 1.1 (OASIS, October 2005): times are xs:dateTime, two responses did not exist, a resource need not name its type.
_OLDER: Mapping[str, Mapping[str, _Child]] = {
    **_SEQUENCES,
    "alert": {**_SEQUENCES["alert"], "sent": _Child(1, values="MOMENT")},
    "info": {
        **_SEQUENCES["info"],
        "responseType": _Child(0, True, "Shelter Evacuate Prepare Execute Monitor Assess None"),
        **dict.fromkeys(("effective", "onset", "expires"), _Child(values="MOMENT")),
    },
    "resource": {**_SEQUENCES["resource"], "mimeType": _MAY},
}
_VERSIONS = {NAMESPACE: _SEQUENCES, OLDER: _OLDER}


def check_structure(root: etree._Element, file_name: str, versions: tuple[str, ...] = (NAMESPACE,)) -> str:
    """The namespace, one of `versions`; raises Refused at the first element that the schema would not have there."""
    namespace, _, local = str(root.tag).removeprefix("{").rpartition("}")
    if local != "alert" or namespace not in versions:
        raise Refused("companion.not-cap", file=file_name, value=str(root.tag)[:80])
    _Structure(namespace, file_name).check(root, "alert")
    return namespace


class _Structure:
    """Checks against one version's sequences."""

    def __init__(self, namespace: str, file_name: str) -> None:
        self.namespace, self.file, self.sequences = namespace, file_name, _VERSIONS[namespace]

    def check(self, element: etree._Element, name: str) -> None:
        """Raise Refused at the first element out of place."""
        sequence = self.sequences[name]
        order = list(sequence)
        reached, counts = 0, dict.fromkeys(order, 0)
        if (element.text or "").strip() or any((child.tail or "").strip() for child in element):
            raise self._refused("element-unexpected", element, f"{name}/text()")
        for child, local in self._children(element, name):
            if local not in sequence or order.index(local) < reached:
                raise self._refused("element-unexpected", child, f"{name}/{local}")
            reached = order.index(local)
            counts[local] += 1
            if counts[local] > 1 and not sequence[local].many:
                raise self._refused("element-twice", child, f"{name}/{local}")
            self._content(child, local, sequence[local])
        for local, count in counts.items():
            if count < sequence[local].least:
                raise self._refused("element-missing", element, f"{name}/{local}")

    def _children(self, element: etree._Element, name: str) -> Iterator[tuple[etree._Element, str]]:
        for child in element:
            if not isinstance(child.tag, str):
                continue  # a comment or processing instruction
            if name == "alert" and child.tag.startswith(_SIGNATURE):
                continue
            namespace, _, local = child.tag.rpartition("}")
            if namespace != f"{{{self.namespace}":
                raise self._refused("element-unexpected", child, f"{name}/{child.tag}"[:80])
            yield child, local

    def _content(self, element: etree._Element, local: str, child: _Child) -> None:
        if child.values == "PARTS":
            self.check(element, local)
            return
        if any(isinstance(inner.tag, str) for inner in element):
            raise self._refused("element-unexpected", element, f"{local}/…")
        text = element.text or ""
        if child.values in _FORMS:
            pattern, example = _FORMS[child.values]
            if not pattern.fullmatch(text.strip()):
                raise bad_value(element, local, text, example, self.file)
        elif child.values and text not in child.values.split():
            raise bad_value(element, local, text, child.values.replace(" ", ", "), self.file)

    def _refused(self, key: str, element: etree._Element, field: str) -> Refused:
        return Refused(f"companion.{key}", file=self.file, line=element.sourceline or 0, field=field)


def bad_value(element: etree._Element, field: str, value: str, expected: str, file_name: str) -> Refused:
    """A refusal that names file, line, field, the value seen and the value expected."""
    shown = " ".join(value.split())[:60]
    facts = {"line": element.sourceline or 0, "field": field, "value": shown, "expected": expected}
    return Refused("companion.value", file=file_name, **facts)
