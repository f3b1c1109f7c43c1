"""CAP 1.2 alerts of the weather service: parsed without DTD, entities or network, within limits, or refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from math import isfinite

from lxml import etree

from geowarn.domain.companion import AlertArea, AlertInfo, AlertKey, AlertMessage
from geowarn.domain.errors import Refused
from geowarn.sources.cap_structure import NAMESPACE, bad_value, check_structure

_MOST_POINTS = 50_000
_NO_BLANKS = re.compile(r"[^\s,<&]{1,200}")
_REFERENCE = re.compile(r"([^\s,<&]+),([^\s,<&]+),(\S+)")


class CapAlertReader:
    """`geowarn.ports.AlertReader` for CAP 1.2."""

    def read(self, data: bytes, file_name: str) -> AlertMessage:
        """The message; raises Refused naming line, field, value and what to do."""
        root = _root(data, file_name)
        check_structure(root, file_name)
        return MessageParts(root, file_name).message()


def _root(data: bytes, file_name: str) -> etree._Element:
    if not data.strip():
        raise Refused("sources.empty", file=file_name)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise Refused("companion.doctype", file=file_name)
    parser = etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, column = getattr(error, "position", (0, 0))
        raise Refused("companion.xml", file=file_name, line=line, column=column) from None
    if root.getroottree().docinfo.internalDTD is not None:  # written in an encoding that hides it from the search above
        raise Refused("companion.doctype", file=file_name)
    return root


class MessageParts:
    """Takes the parts of one message whose structure holds."""

    def __init__(self, root: etree._Element, file_name: str, namespace: str = NAMESPACE) -> None:
        self.root = root
        self.file = file_name
        self.cap = {"cap": namespace}

    def message(self) -> AlertMessage:
        """All of it."""
        sent = self.sent()
        sender, identifier = (self._name(field) for field in ("sender", "identifier"))
        kind = self._text(self.root, "msgType")
        if kind in ("Ack", "Error"):
            raise Refused("companion.kind", file=self.file, value=kind)
        infos = tuple(self._info(element) for element in self.root.findall("cap:info", self.cap))
        if not infos and kind != "Cancel":
            raise Refused("companion.element-missing", file=self.file, line=self.root.sourceline, field="alert/info")
        key = AlertKey(sender, identifier, sent)
        references = tuple(self._references()) if kind in ("Update", "Cancel") else ()
        return AlertMessage(key, self._text(self.root, "status"), kind, references, infos)

    def sent(self) -> datetime:
        """When it was sent."""
        return self._moment(self._first(self.root, "sent"))

    def _first(self, element: etree._Element, name: str) -> etree._Element:
        found = element.find(f"cap:{name}", self.cap)
        return element if found is None else found

    def _text(self, element: etree._Element, name: str) -> str:
        return " ".join((element.findtext(f"cap:{name}", "", self.cap) or "").split())

    def _name(self, field: str) -> str:
        """Sender or identifier: no blank, comma, `<` or `&` (CAP 1.2, 3.2.1)."""
        element = self._first(self.root, field)
        text = element.text or ""
        if not _NO_BLANKS.fullmatch(text):
            raise bad_value(element, field, text, "1-200, no blank , < &", self.file)
        return text

    def _moment(self, element: etree._Element) -> datetime:
        text = (element.text or "").strip()
        try:
            moment = datetime.fromisoformat(text)
        except ValueError:
            raise bad_value(
                element, etree.QName(element).localname, text, "2026-07-23T02:00:00+08:00", self.file
            ) from None
        if not 1990 <= moment.year <= 2200:
            raise bad_value(element, etree.QName(element).localname, text, "1990-2200", self.file)
        return moment

    def _references(self) -> Iterator[AlertKey]:
        element = self.root.find("cap:references", self.cap)
        parts = (element.text or "").split() if element is not None else []
        if element is None or not parts:
            raise Refused("companion.no-references", file=self.file, value=self._text(self.root, "msgType"))
        for part in parts:
            found = _REFERENCE.fullmatch(part)
            try:
                sent = datetime.fromisoformat(found[3] if found else "")
            except ValueError:
                sent = None
            if found is None or sent is None or sent.tzinfo is None or not 1990 <= sent.year <= 2200:
                raise bad_value(element, "references", part, "sender,identifier,2026-07-23T02:00:00+08:00", self.file)
            yield AlertKey(found[1], found[2], sent)

    def _info(self, element: etree._Element) -> AlertInfo:
        moments = {
            name: self._moment(found) if (found := element.find(f"cap:{name}", self.cap)) is not None else None
            for name in ("onset", "effective", "expires")
        }
        return AlertInfo(
            language=self._text(element, "language") or "en-US",  # the schema's default
            event=self._text(element, "event"),
            urgency=self._text(element, "urgency"),
            severity=self._text(element, "severity"),
            certainty=self._text(element, "certainty"),
            onset=moments["onset"] or moments["effective"],
            expires=moments["expires"],
            issuer=self._text(element, "senderName"),
            headline=self._text(element, "headline"),
            description=self._text(element, "description"),
            areas=tuple(self._area(area) for area in element.findall("cap:area", self.cap)),
        )

    def _area(self, element: etree._Element) -> AlertArea:
        return AlertArea(
            description=self._text(element, "areaDesc"),
            polygons=tuple(self._polygon(found) for found in element.findall("cap:polygon", self.cap)),
            circles=tuple(self._circle(found) for found in element.findall("cap:circle", self.cap)),
            geocodes=tuple(
                (self._text(found, "valueName"), self._text(found, "value"))
                for found in element.findall("cap:geocode", self.cap)
            ),
        )

    def _polygon(self, element: etree._Element) -> tuple[tuple[float, float], ...]:
        """A closed ring; CAP writes latitude first."""
        pairs = (element.text or "").split()
        if not 4 <= len(pairs) <= _MOST_POINTS or pairs[0] != pairs[-1]:
            raise bad_value(element, "polygon", f"{len(pairs)} …", "lat,lon lat,lon lat,lon lat,lon", self.file)
        return tuple(self._position(element, "polygon", pair) for pair in pairs)

    def _circle(self, element: etree._Element) -> tuple[float, float, float]:
        parts = (element.text or "").split()
        try:
            radius = float(parts[1]) if len(parts) == 2 else -1.0
        except ValueError:
            radius = -1.0
        if not 0 <= radius <= 20_040:  # half the equator
            raise bad_value(element, "circle", element.text or "", "lat,lon km", self.file)
        return (*self._position(element, "circle", parts[0]), radius)

    def _position(self, element: etree._Element, field: str, pair: str) -> tuple[float, float]:
        try:
            lat, lon = (float(side) for side in pair.split(","))
        except ValueError:
            lat, lon = float("nan"), float("nan")
        if not (isfinite(lat) and isfinite(lon) and abs(lat) <= 90 and abs(lon) <= 180):
            raise bad_value(element, field, pair, "lat,lon", self.file)
        return lon, lat
