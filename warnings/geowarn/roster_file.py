"""`config/roster.toml`: who must be on a shift, when people are asked, holidays."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

from geowarn.domain.duty import Band, Holiday, Part, RosterRules
from geowarn.domain.settings_table import SettingsTable
from geowarn.policy_file import read_toml

_KEYS = ("needed", "ask_hours", "answer_minutes", "ahead_days", "rest_hours", "bands", "holidays")


def load_roster(path: Path) -> RosterRules:
    """Read the rules; raises Refused naming file, table, key and what fits."""
    table = SettingsTable(path.name, "roster", read_toml(path))
    table.refuse_unknown(_KEYS)
    asks = _falling(table, "ask_hours", 72)
    minutes = _falling(table, "answer_minutes", 24 * 60)
    if len(minutes) != len(asks):
        raise table.bad("answer_minutes", f"{len(asks)} numbers")
    return RosterRules(
        needed=_parts(table),
        ask_hours=asks,
        answer_minutes=minutes,
        ahead=timedelta(days=table.whole("ahead_days", 1, 31, 7)),
        rest=timedelta(hours=table.number("rest_hours", 0, 48, 12)),
        bands=tuple(_band(path.name, one) for one in _tables(table, "bands")),
        holidays=tuple(_holiday(path.name, one) for one in _tables(table, "holidays")),
    )


def _falling(table: SettingsTable, key: str, high: int) -> tuple[int, ...]:
    """Whole numbers from 1 to `high`, the largest first."""
    value = table.values.get(key)
    whole = isinstance(value, list) and value and all(type(one) is int and 1 <= one <= high for one in value)
    if not whole or sorted(set(value or ()), reverse=True) != value:
        raise table.bad(key, f"[{high} … 1]")
    return tuple(value or ())


def _parts(table: SettingsTable) -> frozenset[Part]:
    value = table.values.get("needed", [])
    known = {part.value: part for part in Part}
    if not isinstance(value, list) or not all(one in known for one in value):
        raise table.bad("needed", ", ".join(known))
    return frozenset(known[one] for one in value)


def _tables(table: SettingsTable, key: str) -> list[Mapping[str, Any]]:
    value = table.values.get(key, [])
    if not isinstance(value, list) or not all(isinstance(one, Mapping) for one in value):
        raise table.bad(key, f"[[{key}]]")
    return value


def _clock(table: SettingsTable, key: str) -> time:
    try:
        return datetime.strptime(table.text(key), "%H:%M").time()  # noqa: DTZ007 -- a wall clock has no date yet
    except ValueError:
        raise table.bad(key, "HH:MM") from None


def _band(file: str, values: Mapping[str, Any]) -> Band:
    table = SettingsTable(file, "bands", values)
    table.refuse_unknown(("name_zh", "name_en", "start", "end"))
    return Band(table.text("name_zh"), table.text("name_en"), _clock(table, "start"), _clock(table, "end"))


def _holiday(file: str, values: Mapping[str, Any]) -> Holiday:
    table = SettingsTable(file, "holidays", values)
    table.refuse_unknown(("name_zh", "name_en", "first", "last"))
    for key in ("first", "last"):
        if type(values.get(key)) is not date:
            raise table.bad(key, "YYYY-MM-DD")
    if values["last"] < values["first"]:
        raise table.bad("last", f">= {values['first']}")
    return Holiday(values["first"], values["last"], table.text("name_zh"), table.text("name_en"))
