"""Runs and areas for the tests of the course of events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geowarn.domain.area import Area, AreaKind, by_code
from geowarn.domain.course import Decision, Held, Way, decide
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.votes import CourseRules, Run, Say

T0 = datetime(2026, 7, 22, tzinfo=UTC)
A, B, TOWN = "370687", "370682", "370687001"
AREAS = by_code(
    [
        Area("370600", AreaKind.CITY, "烟台市", "Yantai"),
        Area(A, AreaKind.COUNTY, "海阳市", "Haiyang", "370600"),
        Area(B, AreaKind.COUNTY, "莱阳市", "Laiyang", "370600"),
        Area(TOWN, AreaKind.TOWNSHIP, "方圆街道", "Fangyuan", A),
    ]
)
AT_ONCE = CourseRules(persistence_hours=0)
NONE, BLUE, YELLOW, ORANGE, RED = Level
GAP = "gap"


def hour(at: float) -> datetime:
    return T0 + timedelta(hours=at)


def run(
    at: float, says: Mapping[str, Level | str], source: str = "gfs", length: float = 24, made: float | None = None
) -> Run:
    """A run of hour `at`, complete where it gives a level; `"gap"` cannot classify, `"yellow?"` is a lower bound."""
    heard: dict[str, Say] = {}
    for code, word in says.items():
        if isinstance(word, Level):
            heard[code] = Say(word, complete=True)
        else:
            heard[code] = Say(None if word == GAP else Level.parse(word.rstrip("?")), complete=False)
    name = f"{source}-{at:g}" + (f"-{made:g}" if made is not None else "")
    window = Period(hour(at), hour(at + length))
    return Run(name, source, hour(at), hour(at if made is None else made), window, heard)


def held(levels: Mapping[str, Level], until: float = 24, **more: object) -> Held:
    return replace(Held(dict(levels), hour(until)), **more)  # type: ignore[arg-type]


def decided(have: Held, runs: Iterable[Run], now: float, rules: CourseRules = AT_ONCE) -> Decision:
    return decide(AREAS, have, tuple(runs), rules, Level.YELLOW, hour(now))


def after(have: Held, decision: Decision) -> Held:
    """What is held once the proposal is taken as it is."""
    if decision.way is Way.NOTHING:
        return have
    return replace(have, levels=dict(decision.levels), expires=decision.expires)


def because(decision: Decision) -> dict[str, str]:
    return {fact.area: fact.because for fact in decision.facts}
