"""What was in force, where and when: the released bulletins of each warning as spans of time (pure)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from geowarn.domain.area import Area, ancestors
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.warning import Act

_ENDING = (Act.LIFT, Act.CANCEL, Act.RETRACT)


@dataclass(frozen=True, slots=True)
class Span:
    """One area named at one level, in force from its release until the next bulletin or its end of validity."""

    area: str
    level: Level
    warning: str
    start: datetime
    end: datetime


def spans_of(chain: Sequence[Bulletin]) -> tuple[Span, ...]:
    """The spans of one warning's bulletins, given in order of release; none for a warning never released."""
    found: list[Span] = []
    for position, bulletin in enumerate(chain):
        if bulletin.act in _ENDING:
            continue
        end = min([bulletin.content.expires, *(following.released_at for following in chain[position + 1 :][:1])])
        found += [
            Span(one.code, one.level, bulletin.warning_id, bulletin.released_at, end)
            for one in bulletin.content.areas
            if one.level > Level.NONE and end > bulletin.released_at
        ]
    return tuple(found)


class Issued:
    """Levels in force by area: an area is warned where it or anything it lies in was named."""

    def __init__(self, spans: Iterable[Span], areas: Mapping[str, Area]) -> None:
        self._areas = areas
        self._by_area: dict[str, list[Span]] = defaultdict(list)
        for span in sorted(spans, key=lambda one: (one.start, one.end, one.warning, one.area)):
            self._by_area[span.area].append(span)
        self._known: dict[str, tuple[Span, ...]] = {}

    def of(self, code: str) -> tuple[Span, ...]:
        """Every span that holds for this area, oldest first."""
        if code not in self._known:
            found = [span for holder in ancestors(code, self._areas) for span in self._by_area.get(holder, ())]
            self._known[code] = tuple(sorted(found, key=lambda one: (one.start, one.end, one.warning, one.area)))
        return self._known[code]

    def at(self, code: str, moment: datetime) -> Level:
        """The highest level in force at `moment`; what is issued at that very moment is not in force yet."""
        return max((s.level for s in self.of(code) if s.start < moment <= s.end), default=Level.NONE)

    def highest(self, code: str, period: Period) -> Level:
        """The highest level in force at any time of `period`."""
        found = (s.level for s in self.of(code) if s.start < period.end and s.end > period.start)
        return max(found, default=Level.NONE)


def pieces(spans: Sequence[Span], period: Period) -> tuple[tuple[Period, Level], ...]:
    """The parts of `period` in which something is in force with the highest level of each, in order of time."""
    cut = [s for s in spans if s.start < period.end and s.end > period.start]
    moments = sorted({max(s.start, period.start) for s in cut} | {min(s.end, period.end) for s in cut})
    found = []
    for start, end in pairwise(moments):
        level = max((s.level for s in cut if s.start <= start and s.end >= end), default=Level.NONE)
        if level > Level.NONE:
            found.append((Period(start, end), level))
    return tuple(found)


def hours_by_level(issued: Issued, codes: Iterable[str], period: Period) -> dict[Level, float]:
    """Area-hours in force at each level; where two warnings overlap only the higher one counts."""
    hours = {level: 0.0 for level in Level if level > Level.NONE}
    for code in codes:
        for part, level in pieces(issued.of(code), period):
            hours[level] += part.hours
    return hours
