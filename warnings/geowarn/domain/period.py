"""Half-open intervals of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta


def to_utc(moment: datetime) -> datetime:
    """The same moment in UTC; raises ValueError for a moment without an offset."""
    if moment.tzinfo is None:
        raise ValueError(f"{moment.isoformat()} has no offset from UTC")
    return moment.astimezone(UTC)


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """The half-open interval (start, end] in UTC: an hour labelled by its end belongs to it."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        object.__setattr__(self, "start", to_utc(self.start))
        object.__setattr__(self, "end", to_utc(self.end))
        if self.start >= self.end:
            raise ValueError(f"period ends at {self.end.isoformat()}, not after {self.start.isoformat()}")

    @property
    def hours(self) -> float:
        """Length in hours."""
        return (self.end - self.start).total_seconds() / 3600

    @classmethod
    def ending(cls, end: datetime, hours: float) -> Period:
        """The period of `hours` hours that ends at `end`."""
        return cls(end - timedelta(hours=hours), end)

    def contains(self, other: Period) -> bool:
        """Whether `other` lies wholly inside."""
        return self.start <= other.start and other.end <= self.end

    def overlaps(self, other: Period) -> bool:
        """Whether the two share any time; periods that only touch do not."""
        return self.start < other.end and other.start < self.end


def uncovered(period: Period, parts: Iterable[Period]) -> tuple[Period, ...]:
    """The pieces of `period` that no part covers, in order of time."""
    gaps: list[Period] = []
    reached = period.start
    for part in sorted(parts):
        if part.end <= reached or part.start >= period.end:
            continue
        if part.start > reached:
            gaps.append(Period(reached, part.start))
        reached = max(reached, part.end)
    if reached < period.end:
        gaps.append(Period(reached, period.end))
    return tuple(gaps)
