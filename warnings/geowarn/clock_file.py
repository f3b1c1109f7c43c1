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
from geowarn.domain.task import KINDS
from geowarn.policy_reason import choices, each, names, read, table_of, wrong

E = TypeVar("E", bound=StrEnum)
_SIGNING = tuple(role.value for turn in TURNS for role in turn)
_POSTS = {post: post for post in (*_SIGNING, DEPUTY)}
_KINDS = {kind: kind for kind in KINDS}
_LONGEST = 24 * 60  # minutes
_NAMES = {level.code: level for level in Level if level > 0}
_AWAY = (Role.LEADER, Role.CHIEF, Role.OBSERVATORY)  # the officer on shift has the shift's deputy


def clock_rules(table: Any, file: str) -> ClockRules:
    """The clock as written; what is not written keeps its default. Raises Refused naming file, key and value."""
    parts = table_of(table, {*_NAMES, "tasks", "stand_in"}, file, "clock")
    levels = {
        level: _rule(parts.get(name, {}), DEFAULT_RULES[level], file, f"clock.{name}", level)
        for name, level in _NAMES.items()
    }
    tasks = dict(table_of(parts.get("tasks", {}), None, file, "clock.tasks"))
    kinds = read(file, "clock.tasks.kinds", tasks.pop("kinds", sorted(DEFAULT_KINDS)), lambda v: each(v, _KINDS))
    stand_in = table_of(parts.get("stand_in", {}), {role.value for role in _AWAY}, file, "clock.stand_in")
    return ClockRules(
        levels,
        _rule(tasks, DEFAULT_TASKS, file, "clock.tasks", Level.NONE),
        frozenset(kinds),
        {Role(name): read(file, f"clock.stand_in.{name}", value, names) for name, value in stand_in.items()},
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
    found = table_of(table, readers, file, key)
    given = {readers[name][0]: read(file, f"{key}.{name}", value, readers[name][1]) for name, value in found.items()}
    return replace(default, **given)


def _length(value: Any) -> timedelta:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value <= _LONGEST:
        raise wrong(value, f"1 … {_LONGEST}")
    return timedelta(minutes=value)


def _times(value: Any, default: ClockRule) -> Mapping[str, timedelta]:
    """Minutes for all steps, or a table of them by step."""
    if not isinstance(value, dict):
        return dict.fromkeys(default.decide, _length(value))
    known = (*_SIGNING, RELEASE)
    if unknown := [name for name in value if name not in known]:
        raise wrong(unknown[0], choices(known))
    return {**default.decide, **{name: _length(minutes) for name, minutes in value.items()}}


def _chain(value: Any) -> tuple[str, ...]:
    posts = each(value, _POSTS)
    if not posts or len(set(posts)) != len(posts):
        raise Refused("reason.chain", value=repr(value)[:80], posts=", ".join(_POSTS))
    return posts


def _choice(value: Any, kind: type[E]) -> E:
    if value not in tuple(kind):
        raise wrong(value, ", ".join(kind))
    return kind(value)


def _silence(value: Any, level: Level) -> OnSilence:
    """Below orange a review that takes longer harms nobody as a wrong warning would."""
    chosen = _choice(value, OnSilence)
    if chosen is OnSilence.RELEASE_FIRST and level < Level.ORANGE:
        raise Refused("reason.release-first", value=chosen.value)
    return chosen
