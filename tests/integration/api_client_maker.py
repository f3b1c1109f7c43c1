"""Generates a Python client from an OpenAPI 3.1 document: one method an operation, standard library only.

What it knows of the interface it reads in the document; nothing here knows geowarn.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

_HEAD = '''"""Generated; do not edit."""
import json
import urllib.error
import urllib.parse
import urllib.request


class Client:
    def __init__(self, base, key=None, sign=None):
        self.base, self.key, self.sign = base, key, sign

    def _call(self, method, path, query, headers, body, accepted, plain):
        query = {name: value for name, value in query.items() if value is not None}
        if query:
            path += "?" + urllib.parse.urlencode(query)
        content = None if body is None else json.dumps(body).encode()
        sent = {name: value for name, value in headers.items() if value is not None}
        if self.key is not None:
            sent["Authorization"] = "Bearer " + self.key
        if content is not None:
            sent["Content-Type"] = "application/json"
        request = urllib.request.Request(self.base + path, content, sent, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                status, kind, found = answer.status, answer.headers.get_content_type(), answer.read()
                got = dict(answer.headers)
        except urllib.error.HTTPError as error:
            with error:
                status, kind, found = error.code, error.headers.get_content_type(), error.read()
                got = dict(error.headers)
        if str(status) not in accepted:
            raise LookupError(f"{method} {path}: status {status} is not described")
        described = kind.endswith("json") and not (plain and status < 300)
        return status, json.loads(found) if described else found, got
'''


def operations(document: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """(method, path, operation) below a prefix."""
    for path, methods in document["paths"].items():
        if path.startswith(prefix):
            for method, operation in methods.items():
                yield method.upper(), path, operation


def _name(parameter: str) -> str:
    return re.sub(r"\W", "_", parameter).lower()


def _method(method: str, path: str, operation: Mapping[str, Any]) -> str:
    parameters = operation.get("parameters", [])
    needed = [_name(one["name"]) for one in parameters if one.get("required")]
    optional = [_name(one["name"]) for one in parameters if not one.get("required")]
    body = "requestBody" in operation
    arguments = ["self", *needed, *(["body"] if body else []), *(f"{name}=None" for name in optional)]
    where = path
    for one in parameters:
        if one["in"] == "path":
            where = where.replace(
                "{" + one["name"] + "}", "{urllib.parse.quote(str(" + _name(one["name"]) + "), safe='')}"
            )

    def table(place: str) -> str:
        return (
            "{" + ", ".join(f"{one['name']!r}: {_name(one['name'])}" for one in parameters if one["in"] == place) + "}"
        )

    accepted = sorted(operation["responses"])
    plain = any("*/*" in answer.get("content", {}) for answer in operation["responses"].values())  # bytes as they are
    return (
        f"\n    def {operation['operationId']}({', '.join(arguments)}):\n"
        f'        return self._call({method!r}, f"{where}", {table("query")}, {table("header")}, '
        f"{'body' if body else 'None'}, {accepted!r}, {plain})\n"
    )


def source_of(document: Mapping[str, Any], prefix: str) -> str:
    """The client's source."""
    return _HEAD + "".join(_method(*one) for one in operations(document, prefix))


def client_class(document: Mapping[str, Any], prefix: str) -> Any:
    """The class `Client` of the generated source."""
    names: dict[str, Any] = {}
    exec(compile(source_of(document, prefix), "generated client", "exec"), names)
    return names["Client"]
