"""`[review]` of `config/policy.toml`: the secrecy check, consultations, codes, and what the linter may hold back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.lint import RULES
from geowarn.domain.people import Role
from geowarn.domain.review import ReviewRules

T = TypeVar("T")
_WHOLE = {"code_minutes": (1, 120), "code_tries": (1, 10)}


def review_rules(table: Mapping[str, Any], file: str) -> ReviewRules:
    """The rules as written; raises Refused naming file and key. What is not written keeps its default."""
    readers: dict[str, Callable[[str], Any]] = {
        "secrecy_levels": lambda key: frozenset(_each(table[key], _level)),
        "secrecy_check": lambda key: _each(table[key], Role),
        "secrecy_own_edit": lambda key: _switch(table[key]),
        "consultation_counts": lambda key: frozenset(_each(table[key], _level)),
        "code_minutes": lambda key: _number(table[key], *_WHOLE[key]),
        "code_tries": lambda key: _number(table[key], *_WHOLE[key]),
        "lint_blocks": lambda key: frozenset(_each(table[key], _rule)),
    }
    given = {}
    for key in table:
        if key not in readers:
            reason = f"there is no such key; there are {', '.join(sorted(readers))}"
            raise Refused("config.invalid", file=file, key=f"review.{key}", reason=reason)
        try:
            given[key] = readers[key](key)
        except ValueError as error:
            raise Refused("config.invalid", file=file, key=f"review.{key}", reason=str(error)) from None
    rules = ReviewRules(**given)
    if rules.secrecy_levels and not rules.secrecy_check:
        raise Refused("config.invalid", file=file, key="review.secrecy_check", reason="no role is named")
    return rules


def _each(value: Any, read: Callable[[str], T]) -> tuple[T, ...]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("it is a list of words")
    return tuple(read(one) for one in value)


def _level(text: str) -> Level:
    try:
        return Level.parse(text)
    except Refused:
        raise ValueError(f"{text!r} is no level") from None


def _rule(text: str) -> str:
    if text not in RULES:
        raise ValueError(f"{text!r} is no rule of the linter; there are {', '.join(RULES)}")
    return text


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"{value!r} is neither true nor false")
    return value


def _number(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError(f"{value!r} is not a whole number from {least} to {most}")
    return value
