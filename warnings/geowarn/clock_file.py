"""`[clock]` of `config/policy.toml`: how long each step may take, who is rung in turn, who stands in for whom."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, TypeVar

from geowarn.domain.clock import (
    DEFAULT_KINDS,
    DEFAULT_RULES,
    DEFAULT_TASKS,
    DEPUTY,
    RELEASE,
    TURNS,
    ClockRule,
    ClockRules,
    OnSilence,
)
from geowarn.domain.clock import EndOfChain as End
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role

E = TypeVar("E", bound=StrEnum)
_SIGNING = tuple(role.value for turn in TURNS for role in turn)
_POSTS = (*_SIGNING, DEPUTY)
_LONGEST = 24 * 60  # minutes
_NAMES = {level.code: level for level in Level if level > 0}
_AWAY = (Role.LEADER, Role.CHIEF, Role.OBSERVATORY)  # the officer on shift has the shift's deputy


class _Wrong(ValueError):
    """A value that does not fit."""


def clock_rules(table: Any, file: str) -> ClockRules:
    """The clock as written; what is not written keeps its default. Raises Refused naming file, key and value."""
    parts = _table(table, {*_NAMES, "tasks", "stand_in"}, file, "clock")
    levels = {
        level: _rule(parts.get(name, {}), DEFAULT_RULES[level], file, f"clock.{name}", level)
        for name, level in _NAMES.items()
    }
    tasks = dict(_table(parts.get("tasks", {}), None, file, "clock.tasks"))
    kinds = _read(file, "clock.tasks.kinds", tasks.pop("kinds", sorted(DEFAULT_KINDS)), _words)
    stand_in = _table(parts.get("stand_in", {}), {role.value for role in _AWAY}, file, "clock.stand_in")
    return ClockRules(
        levels,
        _rule(tasks, DEFAULT_TASKS, file, "clock.tasks", Level.NONE),
        frozenset(kinds),
        {Role(name): _read(file, f"clock.stand_in.{name}", value, _words) for name, value in stand_in.items()},
    )


def _rule(table: Any, default: ClockRule, file: str, key: str, level: Level) -> ClockRule:
    readers: dict[str, tuple[str, Callable[[Any], Any]]] = {
        "acknowledge_minutes": ("acknowledge", _length),
        "again_minutes": ("again", _length),
        "after_review_minutes": ("after_review", _length),
        "decide_minutes": ("decide", lambda value: _times(value, default)),
        "chain": ("chain", _chain),
        "end_of_chain": ("end_of_chain", lambda value: _choice(value, End)),
        "on_silence": ("on_silence", lambda value: _silence(value, level)),
    }
    found = _table(table, set(readers), file, key)
    given = {readers[name][0]: _read(file, f"{key}.{name}", value, readers[name][1]) for name, value in found.items()}
    return replace(default, **given)


def _table(value: Any, known: set[str] | None, file: str, key: str) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise Refused("config.invalid", file=file, key=key, reason=f"{value!r} is not a table")
    for name in value:
        if known is not None and name not in known:
            reason = f"there is no such key; there are {', '.join(sorted(known))}"
            raise Refused("config.invalid", file=file, key=f"{key}.{name}", reason=reason)
    return value


def _read(file: str, key: str, value: Any, reader: Callable[[Any], Any]) -> Any:
    try:
        return reader(value)
    except _Wrong as error:
        raise Refused("config.invalid", file=file, key=key, reason=f"{value!r}: {error}") from None


def _length(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _LONGEST:
        raise _Wrong(f"it is a number of minutes from 1 to {_LONGEST}")
    return timedelta(minutes=value)


def _times(value: Any, default: ClockRule) -> Mapping[str, timedelta]:
    """Minutes for all steps, or a table of them by step."""
    if not isinstance(value, dict):
        return dict.fromkeys(default.decide, _length(value))
    known = (*_SIGNING, RELEASE)
    if unknown := [name for name in value if name not in known]:
        raise _Wrong(f"{unknown[0]!r} is no step; steps are {', '.join(known)}")
    return {**default.decide, **{name: _length(minutes) for name, minutes in value.items()}}


def _words(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise _Wrong("it is a list of names")
    return tuple(value)


def _chain(value: Any) -> tuple[str, ...]:
    names = _words(value)
    if not names or len(set(names)) != len(names) or not set(names) <= set(_POSTS):
        raise _Wrong(f"it lists each of {', '.join(_POSTS)} at most once, and at least one of them")
    return names


def _choice(value: Any, kind: type[E]) -> E:
    try:
        return kind(value)
    except ValueError:
        raise _Wrong(f"it is one of {', '.join(kind)}") from None


def _silence(value: Any, level: Level) -> OnSilence:
    """Below orange a review that takes longer harms nobody as a wrong warning would."""
    chosen = _choice(value, OnSilence)
    if chosen is OnSilence.RELEASE_FIRST and level < Level.ORANGE:
        raise _Wrong("releasing before the review is possible at orange and red only")
    return chosen
