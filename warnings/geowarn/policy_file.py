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
from geowarn.policy_review import review_rules


def read_toml(path: Path) -> dict[str, Any]:
    """A configuration file; raises Refused naming file and reason."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise Refused("config.unreadable", file=path.name, reason=why(error)) from None


# An installation's own policy from before statements were signed still opens.
_DEFAULT_SIGNERS = {"incident": (Role.LEADER.value,)}
# One from before the second factor asks for it where the shipped file does: the safe side.
_DEFAULT_FACTOR = ["orange", "red"]


def load_policy(path: Path, publish_from: Level) -> Policy:
    """Read who signs what; raises Refused naming file, key and role."""
    table = read_toml(path)
    signers: dict[str, tuple[Role, ...]] = {}
    for key in ("blue", "yellow", "orange", "red", "retract", "incident"):
        try:
            signers[key] = tuple(Role(role) for role in table.get(key, ()) or _DEFAULT_SIGNERS[key])
        except KeyError:
            raise Refused("config.invalid", file=path.name, key=key, reason=Refused("reason.missing")) from None
        except (ValueError, TypeError):
            reason = _wrong(table[key], f"[{', '.join(Role)}]")
            raise Refused("config.invalid", file=path.name, key=key, reason=reason) from None
        if not signers[key]:
            raise Refused("config.invalid", file=path.name, key=key, reason=Refused("reason.no-role"))
    levels: dict[Level, tuple[Role, ...]] = {level: signers[level.code] for level in Level if level > 0}
    course = _course_rules(table.get("course", {}), path.name)
    clock = clock_rules(table.get("clock", {}), path.name)
    review = review_rules(table.get("review", {}), path.name)
    factor = _levels_asked(table.get("second_factor", _DEFAULT_FACTOR), path.name)
    return Policy(
        levels, signers["retract"], publish_from, signers["incident"], course, factor, clock=clock, review=review
    )


def _levels_asked(names: Any, file: str) -> frozenset[Level]:
    """The levels of `second_factor`; raises Refused for anything but a list of levels."""
    known = {level.code: level for level in Level if level > 0}
    if not isinstance(names, list) or not all(isinstance(name, str) and name in known for name in names):
        reason = f"it is a list of levels ({', '.join(known)})"
        raise Refused("config.invalid", file=file, key="second_factor", reason=reason)
    return frozenset(known[name] for name in names)


def _wrong(value: object, allowed: str) -> Refused:
    return Refused("reason.value", value=repr(value)[:80], allowed=allowed)


def _course_rules(table: Mapping[str, Any], file: str) -> CourseRules:
    """The numbers of `[course]`; raises Refused naming the key."""
    numbers = {name: value for name, value in table.items() if name != "sources"}
    known = {field.name for field in fields(CourseRules)} - {"sources"}
    for name, value in numbers.items():
        least = 2 if name == "lowering_runs" else 0
        whole = name != "lowering_runs" or isinstance(value, int)
        if name not in known:
            reason = Refused("reason.unknown-key", known=", ".join(sorted((*known, "sources"))))
            raise Refused("config.invalid", file=file, key=f"course.{name}", reason=reason)
        number = isinstance(value, int | float) and not isinstance(value, bool) and whole
        if not (number and least <= value <= 240):
            reason = _wrong(value, f"{least} … 240")
            raise Refused("config.invalid", file=file, key=f"course.{name}", reason=reason)
    sources = table.get("sources", [])
    if not isinstance(sources, list) or not all(isinstance(name, str) for name in sources):
        raise Refused("config.invalid", file=file, key="course.sources", reason=_wrong(sources, '["…", "…"]'))
    return CourseRules(**numbers, sources=tuple(sources))
