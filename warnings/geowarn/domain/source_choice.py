"""Which run decides: the newest complete run of the first source in order that is not stale; else the next.

Age is counted from the run's time, never from its arrival. What arrived in which order makes no difference, but for a
run published again with other bytes: then the later one is a correction and counts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from geowarn.domain.period import Period

HANDED_IN = ""  # the source of runs that a person brought, or that came without a plan
FURTHEST_AHEAD = timedelta(hours=24)  # a run from further in the future has a wrong date


@dataclass(frozen=True, slots=True)
class Candidate:
    """One run of forecast rain that was taken in; `needs_hours` from its time on make it complete."""

    forecast_id: str
    source: str
    run_time: datetime
    coverage: Period
    received_at: datetime
    needs_hours: float = 0
    part: str = ""

    def usable(self, now: datetime, refuse_hours: float) -> bool:
        """Complete, not from the future, not over, and not older than the rules accept."""
        complete = self.coverage.end >= self.run_time + timedelta(hours=self.needs_hours)
        ahead = self.run_time > now + FURTHEST_AHEAD
        return complete and not ahead and self.coverage.end > now and not self.older(now, refuse_hours)

    def older(self, now: datetime, hours: float) -> bool:
        """Whether more than `hours` have passed since the run's time."""
        return now - self.run_time > timedelta(hours=hours)


@dataclass(frozen=True, slots=True)
class Rank:
    """One source in the order in which sources are asked."""

    source: str
    stale_hours: float


@dataclass(frozen=True, slots=True)
class Choice:
    """The run that decides, and the sources before its own that had nothing fresh enough."""

    chosen: Candidate | None
    passed_over: tuple[str, ...] = ()


def choose(candidates: Iterable[Candidate], ranks: Sequence[Rank], now: datetime, refuse_hours: float) -> Choice:
    """The deciding run; where every source is stale the newest run that the rules accept stands."""
    usable = [one for one in candidates if one.usable(now, refuse_hours)]
    for position, rank in enumerate(ranks):
        newest = _newest(one for one in usable if one.source == rank.source)
        if newest is not None and not newest.older(now, rank.stale_hours):
            return Choice(newest, tuple(before.source for before in ranks[:position]))
    known = {rank.source: -position for position, rank in enumerate(ranks)}
    standing = [one for one in usable if one.source in known]
    if not standing:
        return Choice(None, tuple(rank.source for rank in ranks))
    top = max(standing, key=lambda one: (one.run_time, known[one.source]))
    position = -known[top.source]
    return Choice(_newest(one for one in standing if one.source == top.source), _names(ranks[:position]))


def _names(ranks: Sequence[Rank]) -> tuple[str, ...]:
    return tuple(rank.source for rank in ranks)


def _newest(candidates: Iterable[Candidate]) -> Candidate | None:
    found = list(candidates)
    if not found:
        return None
    newest = max((one.run_time, one.received_at, one.coverage.end) for one in found)
    same = [one for one in found if (one.run_time, one.received_at, one.coverage.end) == newest]
    return min(same, key=lambda one: (one.part, one.forecast_id))
