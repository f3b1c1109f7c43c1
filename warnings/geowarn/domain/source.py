"""A configured source of rain: when a run is due, what makes it complete, and what a run still lacks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import RainField, Reading
from geowarn.domain.settings_table import SettingsTable

FOLDER = "folder"
_BLOCK = 4096  # values looked at together


@dataclass(frozen=True, slots=True)
class Source:
    """One table of `sources.toml`.

    `order` 1 is asked first; 0 never decides a level (observed rain). `cron` has five fields in `zone`; empty: nothing
    is expected, so nothing is late. `pattern` finds the run in a file's name (named group `run`); empty: each file is
    a run.
    """

    name: str
    reader: str
    way: str  # "folder", or a fetcher's name
    enabled: bool
    order: int
    cron: str
    zone: str
    expected_minutes: int  # after its slot a run is late
    needs_hours: int  # from the run's time on, without a gap
    stale_hours: float  # older than this by run time, the next source decides
    patience_minutes: int  # a run may stay incomplete
    retry_minutes: int  # after a fetch that brought nothing
    pattern: str
    parameters: SettingsTable = field(repr=False)
    options: SettingsTable = field(default_factory=lambda: SettingsTable("", "options", {}), repr=False)  # the reader's

    @property
    def watched(self) -> bool:
        """Whether it comes through a folder rather than over the network."""
        return self.way == FOLDER


def deciding(sources: Iterable[Source]) -> tuple[str, ...]:
    """The names of the enabled sources that may decide a level, as given: a plan gives those asked first first."""
    return tuple(one.name for one in sources if one.enabled and one.order)


def lacking(reading: Reading, hours: int) -> tuple[Period, ...]:
    """The parts of the first `hours` hours of a run that some member lacks; a field of nothing but gaps lacks too."""
    if not hours:
        return ()
    wanted = Period(reading.run_time, reading.run_time + timedelta(hours=hours))
    members: dict[int | None, list[Period]] = {}
    for one in reading.fields:
        members.setdefault(one.member, []).extend([one.period] if _says_something(one) else [])
    gaps = [gap for periods in members.values() for gap in uncovered(wanted, periods)]
    return merged(gaps)


def _says_something(one: RainField) -> bool:
    """Looks block by block, because values may lie on disk; NaN is not equal to itself."""
    blocks = (one.values[start : start + _BLOCK] for start in range(0, len(one.values), _BLOCK))
    return any(value == value for block in blocks for value in block)


def merged(periods: Iterable[Period]) -> tuple[Period, ...]:
    """The same time as `periods`, in order and without overlap."""
    found: list[Period] = []
    for period in sorted(periods):
        if found and period.start <= found[-1].end:
            found[-1] = Period(found[-1].start, max(found[-1].end, period.end))
        else:
            found.append(period)
    return tuple(found)


class Incomplete(Exception):
    """Part of a run is there; `gaps` are what it still lacks."""

    def __init__(self, run_time: datetime, gaps: Sequence[Period]) -> None:
        super().__init__(run_time, gaps)
        self.run_time = run_time
        self.gaps = tuple(gaps)

    def facts(self) -> dict[str, object]:
        """As plain JSON."""
        gaps = [[gap.start.isoformat(), gap.end.isoformat()] for gap in self.gaps]
        return {"run_time": self.run_time.isoformat(), "lacks": gaps}


class Superseded(Exception):
    """A run of forecasts only that is older than one already taken in."""

    def __init__(self, run_time: datetime) -> None:
        super().__init__(run_time)
        self.run_time = run_time


def pause(attempt: int, chance: float, asked: float, left: float) -> float | None:
    """Seconds to wait after the `attempt`-th failure (1, 2, …), or None when the time that is left is too short.

    Doubling from 1 s to 60 s with jitter, `chance` in [0, 1); never shorter than the far end `asked` for.
    """
    wait = max(min(2.0 ** (attempt - 1), 60.0) * (0.5 + 0.5 * chance), asked)
    return wait if wait < left else None


def late(due: datetime | None, last_good: datetime | None) -> bool:
    """Whether nothing good has come since a slot whose time for arriving is over."""
    return due is not None and (last_good is None or last_good < due)
