"""`[review]` of `config/policy.toml`: the secrecy check, consultations, codes, and what the linter may hold back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.lint import RULES
from geowarn.domain.people import Role
from geowarn.domain.review import ReviewRules
from geowarn.policy_reason import each, invalid, read, table_of, wrong

_LEVELS = {level.code: level for level in Level if level > 0}
_ROLES = {role.value: role for role in Role}
_LINT = {rule: rule for rule in RULES}


def review_rules(table: Any, file: str) -> ReviewRules:
    """The rules as written; raises Refused naming file and key. What is not written keeps its default."""
    readers: dict[str, Callable[[Any], Any]] = {
        "secrecy_levels": lambda value: frozenset(each(value, _LEVELS)),
        "secrecy_check": lambda value: each(value, _ROLES),
        "secrecy_own_edit": _switch,
        "consultation_counts": lambda value: frozenset(each(value, _LEVELS)),
        "code_minutes": lambda value: _number(value, 1, 120),
        "code_tries": lambda value: _number(value, 1, 10),
        "lint_blocks": lambda value: frozenset(each(value, _LINT)),
    }
    found = table_of(table, readers, file, "review")
    rules = ReviewRules(**{key: read(file, f"review.{key}", value, readers[key]) for key, value in found.items()})
    if rules.secrecy_levels and not rules.secrecy_check:
        raise invalid(file, "review.secrecy_check", Refused("reason.no-role"))
    return rules


def _switch(value: Any) -> bool:
    if not isinstance(value, bool):
        raise wrong(value, "true, false")
    return value


def _number(value: Any, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise wrong(value, f"{least} … {most}")
    return value
