"""The OASIS CAP 1.2 schema, read from a pinned copy: no network, no entities."""

from __future__ import annotations

import hashlib
from functools import cache
from importlib.resources import files

from lxml import etree

NAMESPACE = "urn:oasis:names:tc:emergency:cap:1.2"
SCHEMA_SHA256 = "dd73a2e1f76efa451814b02b127bbf4c86cedc7bb21a77204231c38c84d8fd36"


def safe_parser() -> etree.XMLParser:
    """A parser that loads nothing and expands no entity (house rule 18)."""
    return etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)


def schema_bytes() -> bytes:
    """The pinned copy; raises RuntimeError when it is not the file this version was tested with."""
    body = (files("geowarn_channels") / "schema" / "CAP-v1.2.xsd").read_bytes()
    if hashlib.sha256(body).hexdigest() != SCHEMA_SHA256:
        raise RuntimeError("geowarn_channels/schema/CAP-v1.2.xsd is not the pinned copy")
    return body


@cache
def schema() -> etree.XMLSchema:
    """The compiled schema."""
    return etree.XMLSchema(etree.fromstring(schema_bytes(), safe_parser()))


def schema_faults(document: etree._ElementTree | etree._Element) -> tuple[str, ...]:
    """What the schema finds wrong, one line each; empty when valid."""
    checker = schema()
    if checker.validate(document):
        return ()
    return tuple(f"line {entry.line}: {entry.message}" for entry in checker.error_log)  # type: ignore[attr-defined]
