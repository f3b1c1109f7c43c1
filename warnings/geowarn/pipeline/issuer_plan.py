"""The feeds of other issuers: `config/issuers.toml`, one table a feed."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from geowarn.domain.errors import Refused
from geowarn.domain.issuers import CAP, FEED, FOLDER, Demand, Issuer
from geowarn.domain.settings_table import SettingsTable
from geowarn.domain.unread import why
from geowarn.ports import MessageVerifier

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}", re.ASCII)
_KINDS = (FEED, CAP, FOLDER)
_KEYS = (
    "name_zh", "name_en", "kind", "enabled", "address", "page", "senders", "hosts", "signature", "certificates",
    "max_age_hours", "poll_seconds", "silent_minutes", "quiet_hours", "daily_messages", "daily_mebibytes",
    "allow_stylesheet", "http",
)  # fmt: skip
HTTP_KEYS = ("connect_seconds", "read_seconds", "transfer_seconds", "total_seconds", "most_mebibytes", "proxy")
_ADDRESS = r"https?://[^\s/?#@]+(/[^\s#]*)?"
_SENDER = re.compile(r"[^\s,<&]{1,200}")
_HTTP = {"connect_seconds": 10, "read_seconds": 20, "transfer_seconds": 60, "total_seconds": 120, "most_mebibytes": 4}


def load_issuers(
    path: Path, keys_dir: Path, verifier: MessageVerifier | None, ours: Sequence[str]
) -> tuple[Issuer, ...]:
    """Every configured feed by name; raises Refused naming file, feed, key, value and what fits.

    Certificates are files below `keys_dir`. `ours` are what our own messages call their sender: nobody else may.
    Without a verifier no feed can be enabled.
    """
    try:
        tables = tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Refused("config.unreadable", file=path.name, reason=why(error)) from None
    found = [_issuer(path.name, name, table, keys_dir, verifier, ours) for name, table in tables.items()]
    _refuse_shared(found, path.name)
    return tuple(sorted(found, key=lambda issuer: issuer.name))


def _issuer(
    file: str, name: str, values: Any, keys_dir: Path, verifier: MessageVerifier | None, ours: Sequence[str]
) -> Issuer:
    if not _NAME.fullmatch(name) or not isinstance(values, dict):
        raise Refused("issuers.name", file=file, issuer=name[:60])
    table = SettingsTable(file, name, values)
    table.refuse_unknown(_KEYS)
    enabled, kind = table.truth("enabled", False), table.text("kind", None, "|".join(_KINDS), ", ".join(_KINDS))
    if enabled and verifier is None:
        raise table.bad("enabled", "geowarn.verifiers: cap")
    demand = Demand(table.text("signature", None, "|".join(Demand), ", ".join(Demand)))
    return Issuer(
        name=name,
        name_zh=table.text("name_zh", None, r".{1,40}", "1 … 40"),
        name_en=table.text("name_en", None, r".{1,80}", "1 … 80"),
        kind=kind,
        enabled=enabled,
        address=_address(table, kind),
        page=table.url("page", ""),
        senders=_senders(table, ours),
        hosts=_texts(table, "hosts", r"[a-z0-9.-]{1,253}", 20),
        demand=demand,
        certificates=_certificates(table, keys_dir, verifier, demand, enabled),
        max_age_hours=table.number("max_age_hours", 1, 720, 72),
        poll_seconds=table.whole("poll_seconds", 30, 3600, 120),
        silent_minutes=table.whole("silent_minutes", 0 if kind == FOLDER else 2, 2880, 0 if kind == FOLDER else 30),
        quiet_hours=table.number("quiet_hours", 0, 8760, 0),
        daily_messages=table.whole("daily_messages", 10, 100_000, 3000),
        daily_mebibytes=table.whole("daily_mebibytes", 1, 10_000, 256),
        stylesheet=table.truth("allow_stylesheet", False),
        http=_http(table, kind),
    )


def _address(table: SettingsTable, kind: str) -> str:
    if kind != FOLDER:
        return table.text("address", None, _ADDRESS, "http(s)://host/path?query")
    if table.values.get("address"):
        raise table.bad("address", f'"" (inbox/issuers/{table.name}/)')
    return ""


def _texts(table: SettingsTable, key: str, pattern: str, most: int, least: int = 0) -> tuple[str, ...]:
    values = table.values.get(key, [])
    fits = isinstance(values, list) and least <= len(values) <= most
    if not fits or not all(isinstance(one, str) and re.fullmatch(pattern, one) for one in values):
        raise table.bad(key, f"{least} … {most} x {pattern}")
    return tuple(values)


def _senders(table: SettingsTable, ours: Sequence[str]) -> tuple[str, ...]:
    found = _texts(table, "senders", _SENDER.pattern, 50, 1)
    if set(found).intersection(ours):
        raise Refused("issuers.ours", file=table.file, issuer=table.name, sender=", ".join(ours))
    return found


def _certificates(
    table: SettingsTable, keys_dir: Path, verifier: MessageVerifier | None, demand: Demand, enabled: bool
) -> tuple[bytes, ...]:
    """The PEM of each; an enabled feed that checks signatures must name at least one that can be read."""
    needed = enabled and demand is not Demand.NONE
    names = _texts(table, "certificates", r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", 20, 1 if needed else 0)
    found: list[bytes] = []
    if not needed or verifier is None:
        return ()
    for name in names:
        try:
            pem = (keys_dir / name).read_bytes()
            verifier.fingerprint(pem)
        except (OSError, ValueError) as error:
            facts = {"issuer": table.name, "certificate": name, "folder": keys_dir.name, "reason": why(error)}
            raise Refused("issuers.certificate", file=table.file, **facts) from None
        found.append(pem)
    return tuple(found)


def _http(table: SettingsTable, kind: str) -> SettingsTable:
    values = table.values.get("http", {})
    if not isinstance(values, dict) or (values and kind == FOLDER):
        raise table.bad("http", f"[{table.name}.http]")
    inner = SettingsTable(table.file, f"{table.name}.http", {**_HTTP, **values})
    inner.refuse_unknown(HTTP_KEYS)
    for key, low, high in (
        ("connect_seconds", 0.1, 60),
        ("read_seconds", 0.1, 120),
        ("transfer_seconds", 1, 600),
        ("total_seconds", 1, 900),
    ):
        inner.number(key, low, high)
    inner.whole("most_mebibytes", 1, 64)
    inner.url("proxy", "")
    return inner


def _refuse_shared(issuers: Sequence[Issuer], file: str) -> None:
    """A sender has one feed, or feeds that demand the same: else whoever can write the weaker one speaks for him."""
    seen: dict[str, Issuer] = {}
    for issuer in issuers:
        for sender in issuer.senders if issuer.enabled else ():
            other = seen.setdefault(sender, issuer)
            if (other.demand, set(other.certificates)) != (issuer.demand, set(issuer.certificates)):
                raise Refused("issuers.shared", file=file, issuer=issuer.name, other=other.name, sender=sender)


def host_of(address: str) -> str:
    """An address as pages show it: without query and fragment, where keys may stand."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}{parts.path}" if parts.scheme else ""
