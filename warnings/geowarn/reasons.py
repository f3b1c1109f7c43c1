"""Facts of a decision on the course of events as sentences: what rises, falls or is held, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.catalogue import say
from geowarn.domain.area import Area
from geowarn.domain.votes import CourseRules


def area_sentences(
    record: Mapping[str, Any], areas: Mapping[str, Area], rules: CourseRules, language: str, zone: ZoneInfo
) -> list[tuple[str, str]]:
    """(area code, sentence) for every area of a decision, in its order; `record` is the ledger's payload."""
    return [(fact["code"], _sentence(fact, areas, rules, language, zone)) for fact in record["areas"]]


def whole_sentences(record: Mapping[str, Any], areas: Mapping[str, Area], language: str, zone: ZoneInfo) -> list[str]:
    """What holds for all areas together: a later end, an all-clear to decide on, and what people refused before."""
    return list(_whole(record, areas, language, zone))


def _whole(record: Mapping[str, Any], areas: Mapping[str, Area], language: str, zone: ZoneInfo) -> Iterator[str]:
    if record["way"] == "extend":
        yield say("course.later-end", language, until=_moment(record["expires"], language, zone))
    if record["all_clear"]:
        yield say("course.nothing-public", language)
    for answer in record["answers"]:
        levels = {**answer["rises"], **answer["falls"]}
        yield say(
            f"course.refused-{answer['status']}",
            language,
            when=_moment(answer["at"], language, zone),
            levels=_levels(levels, areas, language) if levels else say("course.only-the-end", language),
            reason=answer["reason"] or say("course.no-reason", language),
        )


def _levels(levels: Mapping[str, str], areas: Mapping[str, Area], language: str) -> str:
    parts = [f"{_name(code, areas, language)} {_level(level, language)}" for code, level in levels.items()]
    return ("、" if language == "zh" else ", ").join(parts)


def _name(code: str, areas: Mapping[str, Area], language: str) -> str:
    return areas[code].name(language) if code in areas else code


def _level(code: str, language: str) -> str:
    return say(f"cli.level-{code}", language)


def _moment(iso: str | None, language: str, zone: ZoneInfo) -> str:
    """7月23日 02:00, 23 July 02:00."""
    if iso is None:
        return "-"
    at = datetime.fromisoformat(iso).astimezone(zone)
    return f"{at.month}月{at.day}日 {at:%H:%M}" if language == "zh" else f"{at.day} {at:%B %H:%M}"


def _sentence(
    fact: Mapping[str, Any], areas: Mapping[str, Area], rules: CourseRules, language: str, zone: ZoneInfo
) -> str:
    quiet = datetime.fromisoformat(fact["until"]) if fact["until"] else None
    persists = quiet + timedelta(hours=rules.persistence_hours) if quiet else None
    because = fact["because"]
    if because in ("reached", "withdrawn") and "none" in (fact["before"], fact["after"]):
        because = "first" if because == "reached" else "gone"
    return say(
        f"course.{because}",
        language,
        area=_name(fact["code"], areas, language),
        before=_level(fact["before"], language),
        level=_level(fact["after"], language),
        source=fact["source"] or "-",
        holder=fact["holder"] or "-",
        run=_moment(fact["run_time"], language, zone),
        until=_moment(fact["until"], language, zone),
        persists=_moment(persists.isoformat() if persists else None, language, zone),
        votes=fact["votes"],
        needed=rules.lowering_runs,
    )
