"""`[calls]` of `config/policy.toml`: who must answer at each level, and how long silence may last."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from geowarn.domain.calls import DEFAULT_KINDS, CallKind, CallRules
from geowarn.domain.level import Level
from geowarn.policy_reason import each, invalid, read, table_of, wrong

_LEVELS = {level.code: level for level in Level if level > 0}
_KINDS = {kind.value: kind for kind in CallKind}
_LONGEST = 120  # minutes
_MINUTES = ("next_minutes", "people_minutes")


def call_rules(table: Any, file: str) -> CallRules:
    """The rules as written; raises Refused naming file, key and what fits. What is not written keeps its default."""
    found = table_of(table, {*_LEVELS, *_MINUTES, "keep_days"}, file, "calls")
    readers: dict[str, Callable[[Any], Any]] = {name: lambda value: frozenset(each(value, _KINDS)) for name in _LEVELS}
    readers |= dict.fromkeys(_MINUTES, _minutes)
    readers["keep_days"] = _days
    given = {name: read(file, f"calls.{name}", value, readers[name]) for name, value in found.items()}
    default = CallRules()
    kinds = {level: given.get(name, DEFAULT_KINDS[level]) for name, level in _LEVELS.items()}
    rules = CallRules(
        kinds,
        given.get("next_minutes", default.next_after),
        given.get("people_minutes", default.people_after),
        given.get("keep_days", default.keep_days),
    )
    if rules.next_after > rules.people_after:
        most = int(rules.people_after.total_seconds() // 60)
        raise invalid(file, "calls.next_minutes", wrong(found.get("next_minutes", 3), f"1 … {most} (people_minutes)"))
    return rules


def _minutes(value: Any) -> timedelta:
    return timedelta(minutes=_number(value, 1, _LONGEST))


def _days(value: Any) -> int:
    return _number(value, 30, 3650)


def _number(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(value, f"{least} … {most}")
    return value
