"""What is wrong with a setting, in the words of the catalogue instead of the library's."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from geowarn.domain.errors import Refused

_SECRET = {
    ("sms", "auth_token"), ("mail", "password"), ("exercise", "sms_auth_token"), ("exercise", "mail_password"),
    ("database", "url"),
}  # fmt: skip
_LIMITS = {"ge": ">= {}", "le": "<= {}", "gt": "> {}", "lt": "< {}", "min_length": ">= {} x", "max_length": "<= {} x"}
_TYPES = (("int", "1, 2, 3 …"), ("float", "0.5, 1 …"), ("bool", "true, false"), ("string", '"…"'), ("tuple", "[…]"))


def refusal_of(error: ValidationError, model: type[BaseModel], file: str) -> Refused:
    """The refusal of the first wrong setting; names its environment variable where it came from there."""
    first = error.errors()[0]
    place = tuple(str(part) for part in first["loc"])
    variable = "GEOWARN_" + "__".join(place).upper()
    where = variable if variable in os.environ else file
    return Refused("config.invalid", file=where, key=".".join(place), reason=_reason(first, place, model))


def _reason(first: Mapping[str, Any], place: tuple[str, ...], model: type[BaseModel]) -> Refused:
    if first["type"] == "missing":
        return Refused("reason.missing")
    if first["type"] == "extra_forbidden":
        return Refused("reason.unknown-key", known=", ".join(_known(place, model)))
    value = "***" if place[:2] in _SECRET else repr(first["input"])[:80]
    return Refused("reason.value", value=value, allowed=_allowed(first))


def _known(place: tuple[str, ...], model: type[BaseModel]) -> list[str]:
    """The keys beside a key that does not exist."""
    for part in place[:-1]:
        inner = model.model_fields[part].annotation if part in model.model_fields else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return ["-"]
        model = inner
    return [field.alias or name for name, field in model.model_fields.items()]


def _allowed(first: Mapping[str, Any]) -> str:
    told = first.get("ctx") or {}
    for name, form in _LIMITS.items():
        if name in told:
            return form.format(told[name])
    if "pattern" in told:
        return str(told["pattern"])
    kind = str(first["type"])
    if kind == "value_error":  # our own check of the time zone
        return "Asia/Shanghai, UTC …"
    return next((form for name, form in _TYPES if kind.startswith(name)), "[table]")
