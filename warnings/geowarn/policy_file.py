"""`config/policy.toml`: who signs what, and the numbers by which levels are held."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

from geowarn.clock_file import clock_rules
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.policy import Policy
from geowarn.domain.unread import why
from geowarn.domain.votes import CourseRules
from geowarn.policy_calls import call_rules
from geowarn.policy_reason import each, invalid, names, read, table_of, wrong
from geowarn.policy_review import review_rules
from geowarn.policy_voices import voice_rules


def read_toml(path: Path) -> dict[str, Any]:
    """A configuration file; raises Refused naming file and reason."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Refused("config.unreadable", file=path.name, reason=why(error)) from None


# An installation's own policy from before statements were signed still opens.
_DEFAULT_SIGNERS = {"incident": [Role.LEADER.value], "answer": [Role.LEADER.value]}
# One from before the second factor asks for it where the shipped file does: the safe side.
_DEFAULT_FACTOR = ["orange", "red"]
_LEVELS = {level.code: level for level in Level if level > 0}
_ROLES = {role.value: role for role in Role}


def load_policy(path: Path, publish_from: Level) -> Policy:
    """Read who signs what; raises Refused naming file, key and role."""
    table, file = read_toml(path), path.name
    signers = {key: _signers(table, key, file) for key in (*_LEVELS, "retract", "incident", "answer")}
    levels = {level: signers[name] for name, level in _LEVELS.items()}
    course = _course_rules(table.get("course", {}), file)
    clock = clock_rules(table.get("clock", {}), file)
    review = review_rules(table.get("review", {}), file)
    calls = call_rules(table.get("calls", {}), file)
    asked = table.get("second_factor", _DEFAULT_FACTOR)
    factor = frozenset(read(file, "second_factor", asked, lambda value: each(value, _LEVELS)))
    return Policy(
        levels,
        signers["retract"],
        publish_from,
        signers["incident"],
        course,
        factor,
        clock=clock,
        review=review,
        answer=signers["answer"],
        voices=voice_rules(table.get("voices", {}), file),
        calls=calls,
    )


def _signers(table: Mapping[str, Any], key: str, file: str) -> tuple[Role, ...]:
    """The roles of one key: one that is missing has its default or is refused, one that names nobody is refused."""
    given = table.get(key, _DEFAULT_SIGNERS.get(key))
    if given is None:
        raise invalid(file, key, Refused("reason.missing"))
    roles = read(file, key, given, lambda value: each(value, _ROLES))
    if not roles:
        raise invalid(file, key, Refused("reason.no-role"))
    return roles


def _course_rules(table: Any, file: str) -> CourseRules:
    """The numbers of `[course]`; raises Refused naming the key."""
    known = {field.name for field in fields(CourseRules)}
    numbers = {name: value for name, value in table_of(table, known, file, "course").items() if name != "sources"}
    for name, value in numbers.items():
        least = 2 if name == "lowering_runs" else 0
        whole = name != "lowering_runs" or isinstance(value, int)
        number = isinstance(value, int | float) and not isinstance(value, bool) and whole
        if not (number and least <= value <= 240):
            raise invalid(file, f"course.{name}", wrong(value, f"{least} … 240"))
    return CourseRules(**numbers, sources=read(file, "course.sources", table.get("sources", []), names))
