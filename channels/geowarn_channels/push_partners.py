"""Partners as `[webhooks]` of channels.toml names them, checked before anything is sent."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from geowarn.domain.errors import Refused

FORMS = ("cap", "json", "cn", "websub")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")
_OFFICE = re.compile(r"\d{14}")


@dataclass(frozen=True, slots=True)
class Partner:
    """One partner: `url` or `folder`; `secret` signs requests; `cn` holds the code table of the 12379 form."""

    name: str
    form: str
    url: str
    folder: Path | None
    secret: str = field(repr=False)
    live: bool
    seconds: float
    cn: Mapping[str, Any]


def partners_of(table: Mapping[str, Mapping[str, Any]]) -> dict[str, Partner]:
    """Every partner by name; raises Refused naming the key in channels.toml and what it must be."""
    return {name: _partner(name, dict(entry)) for name, entry in table.items()}


def _refuse(name: str, key: str, value: object, wanted: str) -> Refused:
    return Refused("webhook.setting", key=f"webhooks.{name}.{key}", value=str(value)[:80], wanted=wanted)


def _partner(name: str, entry: dict[str, Any]) -> Partner:
    if not _NAME.fullmatch(name):
        raise _refuse(name, "name", name, "a-z, 0-9, -")
    if entry.get("form") not in FORMS:
        raise _refuse(name, "form", entry.get("form"), ", ".join(FORMS))
    if not isinstance(entry.get("live"), bool):
        raise _refuse(name, "live", entry.get("live"), "true / false")
    url, folder = str(entry.get("url", "")), str(entry.get("folder", ""))
    if bool(url) == bool(folder):
        raise _refuse(name, "url", url or folder, "url / folder")
    if folder and (entry["form"] == "websub" or not Path(folder).is_absolute()):
        raise _refuse(name, "folder", folder, "/…")
    if url:
        _refuse_address(name, url)
    cn = dict(entry.get("cn", {}))
    if entry["form"] == "cn" and not _OFFICE.fullmatch(str(cn.get("office", ""))):
        raise _refuse(name, "cn.office", cn.get("office"), "14 digits (GB/T 35965.1)")
    secret = os.environ.get(str(entry.get("secret_env", "")), "")
    if url and entry["form"] != "websub" and not secret:
        raise _refuse(name, "secret_env", entry.get("secret_env", ""), "GEOWARN_…")
    seconds = float(entry.get("timeout_seconds", 10.0))
    return Partner(name, entry["form"], url, Path(folder) if folder else None, secret, entry["live"], seconds, cn)


def _refuse_address(name: str, url: str) -> None:
    """Only TLS leaves the machine; a password in an address would end in logs."""
    parts = urlsplit(url)
    safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOOPBACK)
    if not safe or not parts.hostname or parts.username or parts.password:
        raise _refuse(name, "url", f"{parts.scheme}://{parts.hostname or ''}", "https://…")
