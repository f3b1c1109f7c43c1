"""Checks JSON against the schemas of an OpenAPI 3.1 document: the words of JSON Schema 2020-12 that ours uses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

# A word that is not here would be passed over in silence, so it is a fault of the document.
KNOWN = frozenset(
    {
        *("$ref", "type", "anyOf", "enum", "const", "pattern", "format", "contentMediaType"),
        *("properties", "required", "additionalProperties", "items", "minItems", "maxItems"),
        *("minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum"),
        *("title", "description", "default", "examples"),
    }
)
_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}


def resolved(document: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema a reference leads to; raises KeyError for one that leads nowhere."""
    while "$ref" in schema:
        found: Any = document
        for part in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def faults(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str = "$") -> list[str]:
    """Everything in which the value is not what the schema says; empty where it fits."""
    schema = resolved(document, schema)
    strange = set(schema) - KNOWN
    if strange:
        return [f"{where}: unknown words {sorted(strange)}"]
    return list(_faults(document, schema, value, where))


def _faults(document: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    if "anyOf" in schema and all(faults(document, one, value, where) for one in schema["anyOf"]):
        yield f"{where}: {value!r} fits none of anyOf"
    if "type" in schema and not _is(schema["type"], value):
        yield f"{where}: {value!r} is not {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{where}: {value!r} is none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{where}: {value!r} is not {schema['const']!r}"
    if isinstance(value, str):
        yield from _text(schema, value, where)
    elif isinstance(value, dict):
        yield from _object(document, schema, value, where)
    elif isinstance(value, list):
        yield from _list(document, schema, value, where)


def _is(named: str, value: Any) -> bool:
    return isinstance(value, _TYPES[named]) and (named == "boolean" or not isinstance(value, bool))


def _text(schema: Mapping[str, Any], value: str, where: str) -> Iterator[str]:
    if "pattern" in schema and not re.search(schema["pattern"], value):
        yield f"{where}: {value!r} does not match {schema['pattern']}"
    if not schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value)):
        yield f"{where}: length {len(value)}"
    if schema.get("format") == "date-time" and datetime.fromisoformat(value).tzinfo is None:
        yield f"{where}: {value!r} has no offset"


def _object(document: Mapping[str, Any], schema: Mapping[str, Any], value: dict[str, Any], where: str) -> Iterator[str]:
    known = schema.get("properties", {})
    yield from (f"{where}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, inner in value.items():
        other = schema.get("additionalProperties", True)
        if name in known:
            yield from faults(document, known[name], inner, f"{where}.{name}")
        elif other is False:
            yield f"{where}.{name} is not described"
        elif isinstance(other, dict):
            yield from faults(document, other, inner, f"{where}.{name}")


def _list(document: Mapping[str, Any], schema: Mapping[str, Any], value: list[Any], where: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{where}: {len(value)} items"
    for index, inner in enumerate(value):
        yield from faults(document, schema.get("items", {}), inner, f"{where}[{index}]")
