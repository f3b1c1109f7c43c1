"""How long before a landslide its warning was issued (pure).

Lead = moment of failure - first issue at `least` or above of the warning that covers the area. The moment is only
known to lie in an interval, so each lead has a least and a most.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import floor

from geowarn.domain.level import Level
from geowarn.domain.score_issued import Issued, Span
from geowarn.domain.score_units import Event

LATE = timedelta(hours=24)  # a first issue up to this long after the failure is a warning that came too late


@dataclass(frozen=True, slots=True)
class Lead:
    """The lead of one event in hours; both None: no warning of that level came."""

    event: Event
    least: float | None
    most: float | None


def lead_of(event: Event, issued: Issued, least: Level) -> Lead:
    """The lead of the earliest course in force when it happened; else of the first issued within a day after."""
    courses: dict[str, list[Span]] = defaultdict(list)
    for span in issued.of(event.area):
        if span.level >= least:
            courses[span.warning].append(span)
    held = [
        min(span.start for span in spans)
        for spans in courses.values()
        if any(span.start < event.end and span.end >= event.start for span in spans)
    ]
    firsts = [min(span.start for span in spans) for spans in courses.values()]
    after = [first for first in firsts if event.end <= first <= event.end + LATE]
    first = min(held, default=None) or min(after, default=None)
    if first is None:
        return Lead(event, None, None)
    return Lead(event, _hours(event.start, first), _hours(event.end, first))


def _hours(moment: datetime, first: datetime) -> float:
    return (moment - first).total_seconds() / 3600


def quantile(values: Sequence[float], share: float) -> float | None:
    """The quantile of the values, straight between the two nearest (Hyndman & Fan 1996, type 7); None of nothing."""
    if not values:
        return None
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    low = floor(place)
    high = min(low + 1, len(ordered) - 1)
    return ordered[low] + (ordered[high] - ordered[low]) * (place - low)


@dataclass(frozen=True, slots=True)
class Leads:
    """The leads of a season; every figure is of the least leads, `median_most` and `tenth_most` of the most."""

    events: int
    warned: int  # with a lead, negative ones too
    median: float | None
    median_most: float | None
    tenth: float | None
    tenth_most: float | None
    under_an_hour: int  # 0 h to under 1 h
    negative: int


def summary(leads: Sequence[Lead]) -> Leads:
    """Median and 10 % quantile, and how many came in the last hour or too late."""
    least = [one.least for one in leads if one.least is not None]
    most = [one.most for one in leads if one.most is not None]
    return Leads(
        events=len(leads),
        warned=len(least),
        median=quantile(least, 0.5),
        median_most=quantile(most, 0.5),
        tenth=quantile(least, 0.1),
        tenth_most=quantile(most, 0.1),
        under_an_hour=sum(0 <= one < 1 for one in least),
        negative=sum(one < 0 for one in least),
    )
