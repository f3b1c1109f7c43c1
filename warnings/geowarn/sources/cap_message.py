"""CAP messages of other issuers: read as hostile, checked against their own version of CAP, verified, or refused.

What a signature covers is what is read: the canonical bytes that the verifier hands back, never the file around them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

from lxml import etree

from geowarn.domain.companion import AlertArea, AlertKey
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import LONGEST, Demand, IssuedInfo, IssuedMessage, Issuer
from geowarn.ports import MessageVerifier, ReadMessage
from geowarn.sources.cap_alert import MessageParts
from geowarn.sources.cap_structure import NAMESPACE, OLDER, check_structure

MOST_BYTES = 2 << 20
_MOST_ELEMENTS = 20_000
_MOST_POINTS = 100_000  # of all polygons together
_MOST_AREAS = 1000  # of all parts together
_MOST_REFERENCES = 1000
_DEEPEST = 16  # a signature's certificates stand at depth 7
_VERSION = {NAMESPACE: "1.2", OLDER: "1.1"}
_DECLARED = re.compile(rb"<\?xml[^>]*?encoding\s*=\s*[\"']([^\"']*)[\"']", re.ASCII)
_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"
_STYLE = "xml-stylesheet"


class CapMessageReader:
    """`geowarn.ports.IssuedReader` for CAP 1.2, and for CAP 1.1 as such."""

    def __init__(self, verifier: MessageVerifier) -> None:
        self._verifier = verifier

    def read(self, data: bytes, file_name: str, issuer: Issuer) -> ReadMessage:
        """The message and who signed it; raises Refused naming file, line, field, value and what to do."""
        root = parsed(data, file_name, issuer.stylesheet)
        namespace = check_structure(root, file_name, (NAMESPACE, OLDER))
        faults = self._verifier.schema_faults(data) if namespace == NAMESPACE else ()
        if faults:
            raise Refused("issuers.schema", file=file_name, reason=faults[0][:300])
        signed_by, root = self._verified(data, root, file_name, issuer, namespace)
        return ReadMessage(_IssuedParts(root, file_name, namespace).issued(), signed_by)

    def _verified(
        self, data: bytes, root: etree._Element, file_name: str, issuer: Issuer, namespace: str
    ) -> tuple[str, etree._Element]:
        """The fingerprint of who signed it and the root to be read."""
        signatures = [child for child in root if child.tag == _SIGNATURE]
        if issuer.demand is Demand.NONE or (not signatures and issuer.demand is Demand.IF_PRESENT):
            return "", root
        if not signatures:
            raise Refused("issuers.unsigned", file=file_name, issuer=issuer.name)
        if len(signatures) > 1 or any(_is_instruction(node) for node in _around(root)):
            raise Refused("issuers.signature", file=file_name, issuer=issuer.name, count=len(issuer.certificates))
        sent = MessageParts(root, file_name, namespace).sent()
        found = self._verifier.verify(data, issuer.certificates, sent)
        if found is None:
            raise Refused("issuers.signature", file=file_name, issuer=issuer.name, count=len(issuer.certificates))
        covered = parsed(found.body, file_name, False)
        if check_structure(covered, file_name, (namespace,)) != namespace:
            raise Refused("issuers.signature", file=file_name, issuer=issuer.name, count=len(issuer.certificates))
        return found.fingerprint, covered


def parsed(data: bytes, file_name: str, stylesheet: bool) -> etree._Element:
    """The root of a file that can do no harm; raises Refused for whatever an honest message does without."""
    if not data.strip():
        raise Refused("sources.empty", file=file_name)
    if len(data) > MOST_BYTES:
        raise Refused("sources.too-large", file=file_name, size=-(-len(data) >> 20), limit=MOST_BYTES >> 20)
    declared = _DECLARED.match(data.removeprefix(b"\xef\xbb\xbf"))
    encoding = declared[1].decode("ascii", "replace") if declared else "UTF-8"
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("issuers.encoding", file=file_name, encoding=encoding[:40], byte=error.start) from None
    if encoding.upper() not in ("UTF-8", "UTF8", "US-ASCII"):
        raise Refused("issuers.encoding", file=file_name, encoding=encoding[:40], byte=0)
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        raise Refused("companion.doctype", file=file_name)
    # Comments go, so that a text they stand in is whole: what comes before one could say something else.
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True
    )
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError) as error:
        line, column = getattr(error, "position", (0, 0))
        raise Refused("companion.xml", file=file_name, line=line, column=column) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused("companion.doctype", file=file_name)
    _refuse_odd(root, file_name, stylesheet)
    return root


def _refuse_odd(root: etree._Element, file_name: str, stylesheet: bool) -> None:
    for node in _around(root):
        if _is_instruction(node) and not (stylesheet and getattr(node, "target", "") == _STYLE):
            raise Refused("issuers.instruction", file=file_name, value=str(getattr(node, "target", "?"))[:60])
    count, depth = 0, 0
    for event, node in etree.iterwalk(root, events=("start", "end", "pi")):
        if event == "pi":
            raise Refused("issuers.instruction", file=file_name, value=str(getattr(node, "target", "?"))[:60])
        depth += 1 if event == "start" else -1
        count += event == "start"
        if depth > _DEEPEST or count > _MOST_ELEMENTS:
            raise Refused("issuers.too-deep", file=file_name, depth=_DEEPEST, count=_MOST_ELEMENTS)


def _around(root: etree._Element) -> Iterator[etree._Element]:
    yield from root.itersiblings(preceding=True)
    yield from root.itersiblings()


def _is_instruction(node: etree._Element) -> bool:
    return isinstance(node, etree._ProcessingInstruction)


class _IssuedParts(MessageParts):
    """Takes the parts of a message by another issuer; what is odd without being wrong becomes a remark."""

    def __init__(self, root: etree._Element, file_name: str, namespace: str) -> None:
        super().__init__(root, file_name, namespace)
        self.version = _VERSION[namespace]

    def issued(self) -> IssuedMessage:
        """All of it, moments in UTC."""
        key = AlertKey(self._name("sender"), self._name("identifier"), self.sent().astimezone(UTC))
        kind, scope = self._text(self.root, "msgType"), self._text(self.root, "scope")
        references = self._referred(kind)
        infos = tuple(self._issued_info(element) for element in self.root.findall("cap:info", self.cap))
        if not infos and kind in ("Alert", "Update"):
            raise Refused("companion.element-missing", file=self.file, line=self.root.sourceline, field="alert/info")
        if sum(len(ring) for info in infos for area in info.areas for ring in area.polygons) > _MOST_POINTS:
            raise Refused("issuers.too-many-points", file=self.file, limit=_MOST_POINTS)
        if sum(len(info.areas) for info in infos) > _MOST_AREAS:
            raise Refused("issuers.too-many-areas", file=self.file, limit=_MOST_AREAS)
        found = IssuedMessage(key, self.version, self._text(self.root, "status"), kind, scope, references, infos)
        return replace(found, remarks=tuple(self._remarks(found)))

    def _referred(self, kind: str) -> tuple[AlertKey, ...]:
        """What it refers to; only an Update may leave it out, as then it can still be shown."""
        if kind not in ("Update", "Cancel"):
            return ()
        if kind == "Update" and not self._text(self.root, "references"):
            return ()
        found = tuple(AlertKey(key.sender, key.identifier, key.sent.astimezone(UTC)) for key in self._references())
        if len(found) > _MOST_REFERENCES:
            raise Refused("issuers.too-many-references", file=self.file, limit=_MOST_REFERENCES)
        return found

    def _issued_info(self, element: etree._Element) -> IssuedInfo:
        read = self._info(element)
        return IssuedInfo(
            language=read.language,
            event=read.event,
            responses=tuple((found.text or "").strip() for found in element.findall("cap:responseType", self.cap)),
            urgency=read.urgency,
            severity=read.severity,
            certainty=read.certainty,
            onset=_utc(read.onset),
            expires=_utc(read.expires),
            sender_name=read.issuer,
            headline=read.headline,
            description=read.description,
            instruction=self._text(element, "instruction"),
            areas=read.areas,
        )

    def _remarks(self, message: IssuedMessage) -> Iterator[str]:
        if message.version != "1.2":
            yield "cap-1-1"
        if any(info.expires is None for info in message.infos):
            yield "end-assumed"
        elif any(info.expires and info.expires - message.key.sent > LONGEST for info in message.infos):
            yield "end-bounded"
        if message.msg_type == "Update" and not message.references:
            yield "update-of-nothing"
        if message.key in message.references:
            yield "refers-to-itself"
        if any(key.sender != message.key.sender for key in message.references):
            yield "refers-to-others"
        if message.infos and not _geometry(message.areas):
            yield "no-area"


def _geometry(areas: tuple[AlertArea, ...]) -> bool:
    return any(area.polygons or area.circles or area.geocodes for area in areas)


def _utc(moment: datetime | None) -> datetime | None:
    return None if moment is None else moment.astimezone(UTC)
