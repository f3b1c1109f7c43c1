"""The mailboxes of channels.toml that always get the warnings: checked one by one, addresses from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.subscriber import mail_address

_NAME = re.compile(r"(?!m-[0-9a-f]{10}$)[a-z][a-z0-9-]{1,39}")  # not what the store calls a subscriber
_KEYS = ("address", "address_env", "language", "areas", "least", "live", "name_zh", "name_en")


def mailbox_entry(file: str, name: str, table: Any) -> dict[str, Any]:
    """One table as it is used, its address in the form that is sent to; raises Refused naming key, value and what fits.

    `live` must be said in words, so that nobody is a live target, or a test, by forgetting.
    """
    entry: Mapping[str, Any] = table if isinstance(table, Mapping) else {}
    if not _NAME.fullmatch(name) or entry.keys() - set(_KEYS):
        wrong = ", ".join(sorted(entry.keys() - set(_KEYS))) or name
        raise _refuse(file, name, wrong, "[mailboxes.a-z0-9-] " + ", ".join(_KEYS))
    written = str(entry.get("address") or os.environ.get(str(entry.get("address_env", "")), ""))
    address = mail_address(written)
    if address is None:
        key = "address_env" if entry.get("address_env") else "address"
        raise _refuse(file, f"{name}.{key}", entry.get(key, ""), "name@example.com")
    if entry.get("language", "zh") not in ("zh", "en"):
        raise _refuse(file, f"{name}.language", entry["language"], "zh, en")
    areas = entry.get("areas", [])
    if not isinstance(areas, list) or not all(isinstance(code, str) for code in areas):
        raise _refuse(file, f"{name}.areas", areas, '["370687", …]')
    if entry.get("least", "yellow") not in [level.code for level in Level if level]:
        raise _refuse(file, f"{name}.least", entry["least"], "yellow, orange, red")
    if not isinstance(entry.get("live"), bool):
        raise _refuse(file, f"{name}.live", entry.get("live"), "true, false")
    return {
        "address": address,
        "language": entry.get("language", "zh"),
        "areas": list(areas),
        "least": entry.get("least", "yellow"),
        "live": entry["live"],
        **{key: entry[key] for key in ("name_zh", "name_en") if key in entry},
    }


def _refuse(file: str, key: str, value: object, allowed: str) -> Refused:
    reason = Refused("reason.value", value=repr(value)[:80], allowed=allowed)
    return Refused("config.invalid", file=file, key=f"mailboxes.{key}", reason=reason)
