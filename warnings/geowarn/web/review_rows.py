"""Rows of the review page: areas with their evidence, and the clock since the forecast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.warning import AreaLevel
from geowarn.pipeline.clock_view import TaskClock
from geowarn.web.review_sheet import Sheet


@dataclass(frozen=True, slots=True)
class AreaRow:
    """One area of the table with the sentence below it; figures in mm, None where the model gives none."""

    area: Area
    level: AreaLevel
    effective: float | None
    above: float | None  # how much more rain the next level takes
    below: float | None  # how far it is above its own level's line
    sentence: str


@dataclass(frozen=True, slots=True)
class Step:
    """One cell of the clock: done, now or next."""

    key: str
    at: datetime | None
    state: str
    who: str = ""
    since: timedelta | None = None
    until: datetime | None = None  # by when it has to be done


def _number(evidence: Mapping[str, Any], *names: str) -> float | None:
    """The first of these keys that holds a number: models name their figures each in their own way."""
    for name in names:
        value = evidence.get(name)
        if isinstance(value, int | float):
            return float(value)
    return None


def area_rows(sheet: Sheet, sentence: Callable[[Assessment], str]) -> list[AreaRow]:
    """Every proposed area, highest level first."""
    rows = []
    for level in sorted(sheet.proposal.content.areas, key=lambda found: -found.level):
        found = sheet.assessment(level.code)
        evidence: Mapping[str, Any] = found.evidence if found else {}
        rows.append(
            AreaRow(
                area=sheet.areas[level.code],
                level=level,
                effective=_number(evidence, "re_mm"),
                above=_number(evidence, "to_next_mm", "margin_up_mm"),
                below=_number(evidence, "over_own_mm", "margin_down_mm"),
                sentence=sentence(found) if found else "",
            )
        )
    return rows


def quiet_line(sheet: Sheet, language: str) -> dict[str, list[tuple[str, float | None]]]:
    """Counties without a level with their rain, and those that cannot be classified: never said to be none."""
    quiet: list[tuple[str, float | None]] = []
    unknown: list[tuple[str, float | None]] = []
    for found in sheet.run.assessments if sheet.run else ():
        area = sheet.areas.get(found.area)
        if area is None or area.kind not in (AreaKind.COUNTY, AreaKind.ZONE) or found.level:
            continue  # a part that shares its parent's level is named with its parent
        effective = _number(found.evidence, "re_mm")
        (unknown if found.level is None else quiet).append((area.name(language), effective))
    quiet.sort(key=lambda pair: -(pair[1] or 0))
    return {"quiet": quiet, "unknown": unknown}


def steps(sheet: Sheet, now: datetime, clock: TaskClock | None = None) -> list[Step]:
    """From the forecast's arrival over proposal, ring and signatures to the release."""
    heard = sheet.heard_at()
    found = [Step("heard" if sheet.inputs else "told", heard, "done first", since=now - heard)]
    if sheet.inputs:
        found.append(Step("proposed", sheet.first_version.edited_at, "done"))
    if sheet.proposal.version != sheet.first_version.version:
        found.append(Step("edited", sheet.proposal.edited_at, "done", sheet.proposal.edited_by))
    signed = sorted((seat.signed for seat in sheet.seats if seat.signed), key=lambda signoff: signoff.at)
    found += [Step(f"signed.{s.role.value}", s.at, "done", s.user) for s in signed]
    found += _rung(clock)
    deadlines = {step.one.step: step.one.decide_by for step in clock.steps} if clock else {}
    waiting = [(f"waits.{seat.role.value}", seat.role.value) for seat in sheet.seats if seat.signed is None]
    found += [Step(key, None, "", until=deadlines.get(name)) for key, name in [*waiting, ("release", "release")]]
    return _marked(found)


def _rung(clock: TaskClock | None) -> list[Step]:
    """Since when the present step rings, and who has answered."""
    if clock is None:
        return []
    rung = [ring.at for step in clock.steps for ring in step.rung]
    answered = [(step.answered_at, step.standing.holder or "") for step in clock.steps if step.answered_at]
    found = [Step("rung", min(rung), "done")] if rung else []
    return found + [Step("answered", at, "done", who) for at, who in answered[:1]]


def _marked(found: list[Step]) -> list[Step]:
    waiting = [index for index, step in enumerate(found) if step.at is None]
    states = {index: state for index, state in zip(waiting, ("now", "next"), strict=False)}
    return [replace(step, state=states.get(index, step.state)) for index, step in enumerate(found)]


def by_level(rows: list[AreaRow]) -> dict[Level, list[AreaRow]]:
    """Rows grouped, highest level first."""
    groups: dict[Level, list[AreaRow]] = {}
    for row in rows:
        groups.setdefault(row.level.level, []).append(row)
    return groups
