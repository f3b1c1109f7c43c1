"""Reads a form that may bring one file, from a body that the guard has already bounded."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import create_form_parser
from starlette.requests import Request

from geowarn.domain.errors import Refused
from geowarn.web.forms import MOST_FIELDS, fields

_MULTIPART = "multipart/form-data"


@dataclass
class Form:
    """The fields by name, and the bytes of files by the name of their field; empty files are none."""

    fields: dict[str, str] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)


def form_of(request: Request) -> Form:
    """The form as a browser sends it, with or without files; raises Refused for a body that is none."""
    media_type = request.headers.get("content-type", "")
    body: bytes = request.state.body
    if media_type.split(";")[0].strip().lower() != _MULTIPART:
        return Form(fields(request))
    found = Form()

    def on_field(one: Any) -> None:
        if len(found.fields) >= MOST_FIELDS:
            raise FormParserError("too many fields")
        name = (one.field_name or b"").decode("utf-8", "replace")
        found.fields[name] = (one.value or b"").decode("utf-8", "replace")

    def on_file(one: Any) -> None:
        if len(found.files) >= MOST_FIELDS:
            raise FormParserError("too many files")
        one.file_object.seek(0)
        content = one.file_object.read()
        if content:
            found.files[(one.field_name or b"").decode("utf-8", "replace")] = content
        one.close()

    headers = {"Content-Type": media_type.encode("latin-1", "replace")}
    # All of it stays in memory: what a stranger sends is written nowhere in the clear.
    limits = {"MAX_MEMORY_FILE_SIZE": len(body) + 1, "MAX_HEADER_COUNT": 10}
    try:
        parser = create_form_parser(headers, on_field, on_file, config=limits)
        parser.write(body)
        parser.finalize()
    except (FormParserError, ValueError):
        raise Refused("web.not-a-form", media_type=_MULTIPART) from None
    return found
