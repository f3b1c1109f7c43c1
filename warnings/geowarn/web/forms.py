"""Reads a form that the guard has already bounded."""

from __future__ import annotations

from urllib.parse import parse_qsl

from starlette.requests import Request

from geowarn.domain.errors import Refused

MOST_FIELDS = 200


def pairs(request: Request) -> list[tuple[str, str]]:
    """Every field in order, blank ones included; raises Refused for a body that is not a plain form."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    body: bytes = request.state.body
    if body and media_type != "application/x-www-form-urlencoded":
        raise Refused("web.not-a-form", media_type=media_type or "?")
    try:
        return parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MOST_FIELDS, errors="strict")
    except ValueError:  # not UTF-8, or too many fields
        raise Refused("web.not-a-form", media_type=media_type) from None


def fields(request: Request) -> dict[str, str]:
    """The form as a dict; of a name given twice the last one counts. Line ends become blanks in one-line use."""
    return dict(pairs(request))
