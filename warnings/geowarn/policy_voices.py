"""`[voices]` of `config/policy.toml`: who deals with what people say, by when, and how long it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from geowarn.domain.people import Role
from geowarn.domain.voice import VoiceKind, VoiceRules
from geowarn.policy_reason import choices, read, table_of, wrong

_OWNERS = {role.value: role for role in (Role.DUTY_OFFICER, Role.DISCLOSURE, Role.LEADER)}
_LONGEST = 60 * 24 * 90  # minutes


def voice_rules(table: Any, file: str) -> VoiceRules:
    """The rules as written; what is not written keeps its default. Raises Refused naming file, key and value."""
    found = dict(table_of(table, {*(kind.value for kind in VoiceKind), "keep_days"}, file, "voices"))
    rules = VoiceRules()
    keep = read(file, "voices.keep_days", found.pop("keep_days", rules.keep_days), lambda v: _number(v, 30, 3650))
    owners, due = dict(rules.owners), dict(rules.due)
    for name, value in found.items():
        kind, key = VoiceKind(name), f"voices.{name}"
        readers: dict[str, Callable[[Any], Any]] = {"owner": _owner, "minutes": lambda v: _number(v, 1, _LONGEST)}
        for part, given in table_of(value, readers, file, key).items():
            made = read(file, f"{key}.{part}", given, readers[part])
            if part == "owner":
                owners[kind] = made
            else:
                due[kind] = timedelta(minutes=made)
    return VoiceRules(owners, due, keep)


def _owner(value: Any) -> Role:
    if not isinstance(value, str) or value not in _OWNERS:
        raise wrong(value, choices(_OWNERS))
    return _OWNERS[value]


def _number(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(value, f"{least} … {most}")
    return value
