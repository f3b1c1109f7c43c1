"""Who is exposed in the areas under review: people, hazard points, registered numbers; and when the last SMS is out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from geowarn.domain.area import AreaKind, ancestors
from geowarn.domain.level import Level
from geowarn.web.channel_texts import ChannelTexts
from geowarn.web.review_sheet import Sheet


@dataclass(frozen=True, slots=True)
class Exposed:
    """What lies in one area, everything inside it included; `people` is None where the count is not known."""

    people: int | None
    points: int
    numbers: int


@dataclass(frozen=True, slots=True)
class Batch:
    """The numbers of one level, and when the last of them is sent after the release."""

    level: Level
    numbers: int
    each: int  # parts of one message
    done_after: timedelta

    @property
    def segments(self) -> int:
        """Parts of the whole batch."""
        return self.numbers * self.each


@dataclass(frozen=True, slots=True)
class Reach:
    """Every batch in the order of sending."""

    rows: tuple[Batch, ...]

    @property
    def total(self) -> int:
        """Registrations reached."""
        return sum(row.numbers for row in self.rows)

    @property
    def segments(self) -> int:
        """Parts of all messages."""
        return sum(row.segments for row in self.rows)

    @property
    def needs(self) -> timedelta:
        """From the release to the last SMS."""
        return self.rows[-1].done_after if self.rows else timedelta()


def exposed_in(sheet: Sheet) -> dict[str, Exposed]:
    """By code of every area under review."""
    inside = {area.code: frozenset(ancestors(area.code, sheet.areas)) for area in sheet.areas.values()}
    points = [area for area in sheet.areas.values() if area.kind is AreaKind.POINT]
    registered: dict[str, int] = {}
    for (code, _, _), count in sheet.registrations.items():
        registered[code] = registered.get(code, 0) + count
    return {
        named.code: Exposed(
            people=sheet.areas[named.code].population,
            points=sum(named.code in inside[point.code] for point in points),
            numbers=sum(count for code, count in registered.items() if named.code in inside.get(code, ())),
        )
        for named in sheet.proposal.content.areas
        if named.code in sheet.areas
    }


def threatened(sheet: Sheet, exposed: Mapping[str, Exposed], least: Level) -> Exposed | None:
    """All areas at `least` or above together, none counted twice; None where there is none."""
    codes = {area.code for area in sheet.proposal.content.areas if area.level >= least}
    outermost = [code for code in codes if not codes.intersection(ancestors(code, sheet.areas)[1:])]
    found = [exposed[code] for code in outermost if code in exposed]
    if not found:
        return None
    known = [one.people for one in found if one.people is not None]
    people = sum(known) if len(known) == len(found) else None
    return Exposed(people, sum(one.points for one in found), sum(one.numbers for one in found))


def reach_of(sheet: Sheet, texts: Iterable[ChannelTexts], rate: float, publish_from: Level) -> Reach:
    """Registrations per public level, highest first, at `rate` parts a second."""
    parts: dict[Level, int] = {}
    for channel in texts:
        for text in channel.texts if channel.channel == "sms" else ():
            if text.level is not None and text.measure is not None:
                parts[text.level] = max(parts.get(text.level, 1), text.measure.parts or 1)
    levels = sorted({level for level in sheet.levels.values() if level >= publish_from}, reverse=True)
    rows, segments = [], 0
    for level in levels:
        count, each = sheet.reached(level), parts.get(level, 1)
        segments += count * each
        rows.append(Batch(level, count, each, timedelta(seconds=segments / rate)))
    return Reach(tuple(rows))
