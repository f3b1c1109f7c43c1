"""Where the marks of a rain chart stand: rain per hour as bars, its sum against the lines of the levels (pure).

Read from the evidence of `effrain-matrix`: `series` holds the rain of the rolling 24 h at the cell that decides, and
the sum starts at the antecedent rain, so that its last point is the effective rainfall that gave the level.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from geowarn.domain.effrain import class_bounds, rain_class, threshold
from geowarn.domain.level import Level

WIDTH, HEIGHT = 384, 304
LEFT, RIGHT = 40.0, 304.0  # the plots; right of them the names of the lines
SUM_TOP, SUM_BOTTOM = 30.0, 168.0
RATE_TOP, RATE_BOTTOM = 208.0, 266.0
SIZE: Mapping[str, float] = {
    "width": WIDTH,
    "height": HEIGHT,
    "left": LEFT,
    "right": RIGHT,
    "sum_top": SUM_TOP,
    "sum_bottom": SUM_BOTTOM,
    "rate_top": RATE_TOP,
    "rate_bottom": RATE_BOTTOM,
}  # what templates ask for
_TONES = 5  # the darkest tint of a map
_APART = 17.0  # least distance between two names of lines
_HEAD = 1.06  # air above the highest mark
_HOURS = 6  # between two times on the axis


@dataclass(frozen=True, slots=True)
class Bar:
    """One interval, local times; `mm` None where rain is missing, `rate` its mean in mm per hour."""

    start: datetime
    end: datetime
    mm: float | None
    rate: float
    observed: bool
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Line:
    """What a level takes, in mm; `name_y` keeps names apart; `reached` the end of the interval that reaches it."""

    level: Level
    mm: float
    y: float
    name_y: float
    reached: datetime | None
    before: bool  # reached by the antecedent rain alone


@dataclass(frozen=True, slots=True)
class Tick:
    """A mark on an axis and what it says."""

    at: float
    value: float


@dataclass(frozen=True, slots=True)
class TimeTick:
    """A local time on the axis."""

    at: float
    time: datetime


@dataclass(frozen=True, slots=True)
class RainChart:
    """Everything a template draws; lengths in units of the picture, rain in mm, times local."""

    start: datetime
    end: datetime
    bars: tuple[Bar, ...]
    runs: tuple[tuple[tuple[float, float], ...], ...]  # the sum, broken where rain is missing
    lines: tuple[Line, ...]
    sums: tuple[Tick, ...]
    rates: tuple[Tick, ...]
    times: tuple[TimeTick, ...]
    before_mm: float
    total_mm: float
    peak: Bar | None
    missing_hours: float
    window_x: float | None  # where the window begins, None where the picture begins with it

    @property
    def passed(self) -> tuple[Line, ...]:
        """The lines that the sum reaches, lowest first."""
        return tuple(line for line in self.lines if line.before or line.reached)

    @property
    def open(self) -> tuple[Line, ...]:
        """The lines it does not reach."""
        return tuple(line for line in self.lines if not (line.before or line.reached))

    @property
    def kinds(self) -> tuple[bool, ...]:
        """Which kinds of rain there are: False forecast, True observed."""
        return tuple(sorted({bar.observed for bar in self.bars if bar.mm is not None}))


def rain_of_window(evidence: Mapping[str, Any]) -> float | None:
    """Rain over the window in mm: the area's mean, in older evidence that of the cell that decides, else None."""
    mean = evidence.get("window_mean_mm")
    found = evidence.get("window_mm") if mean is None else mean
    return None if found is None else float(found)


def tone(mm: float, breaks: Sequence[float]) -> int:
    """How dark a map paints this rain: its rain class, 0 to 5."""
    return min(rain_class(mm, breaks), _TONES)


def tones(breaks: Sequence[float]) -> list[tuple[float | None, float | None]]:
    """From where to where each tint reaches in mm, lightest first; None where it is open."""
    bounds = [class_bounds(number, breaks) for number in range(len(breaks) + 1)]
    return bounds if len(bounds) <= _TONES + 1 else [*bounds[:_TONES], (bounds[_TONES][0], None)]


def rain_chart(evidence: Mapping[str, Any], zone: tzinfo, least: Level = Level.BLUE) -> RainChart | None:
    """The chart of one area with the lines from `least` up; None where the evidence lacks a series or lines."""
    series, breaks, shift = evidence.get("series"), evidence.get("breaks_mm"), evidence.get("shift")
    if not series or not breaks or shift is None or all(one["mm"] is None for one in series):
        return None
    before = float(evidence.get("antecedent_mm") or 0.0)
    spans = [_Span.read(one, zone) for one in series]
    sums = _sums(before, spans)
    wanted = {level: threshold(level, shift, breaks) for level in Level if level >= max(least, Level.BLUE)}
    needs = {level: mm for level, mm in wanted.items() if mm is not None}
    axis_x = _Axis(spans[0].start.timestamp(), spans[-1].end.timestamp(), LEFT, RIGHT)
    axis_sum = _Axis(0.0, max([*needs.values(), *sums]) * _HEAD, SUM_BOTTOM, SUM_TOP)
    rates = nice_ticks(max(span.rate for span in spans), 2)
    axis_rate = _Axis(0.0, rates[-1], RATE_BOTTOM, RATE_TOP)
    bars = tuple(_bar(span, axis_x, axis_rate) for span in spans)
    return RainChart(
        start=spans[0].start,
        end=spans[-1].end,
        bars=bars,
        runs=_runs(spans, sums, axis_x, axis_sum),
        lines=_lines(needs, spans, sums, axis_sum),
        sums=tuple(Tick(axis_sum.at(value), value) for value in nice_ticks(axis_sum.high / _HEAD, 4)[:-1]),
        rates=tuple(Tick(axis_rate.at(value), value) for value in rates),
        times=_times(spans[0].start, spans[-1].end, axis_x),
        before_mm=before,
        total_mm=sums[-1],
        peak=max((bar for bar in bars if bar.rate > 0), key=lambda bar: bar.rate, default=None),
        missing_hours=sum(span.hours for span in spans if span.mm is None),
        window_x=_window_start(evidence, spans[0].start, axis_x),
    )


def nice_ticks(highest: float, parts: int) -> list[float]:
    """Round values from 0 up to the first at or above `highest`, about `parts` steps apart: 1, 2 or 5 times ten."""
    rough = max(highest, 1e-9) / parts
    power = 10.0 ** len(str(int(rough))) / 10 if rough >= 1 else 1.0
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= rough)
    count = 1
    while step * count < highest:
        count += 1
    return [step * number for number in range(count + 1)]


@dataclass(frozen=True, slots=True)
class _Axis:
    low: float
    high: float
    start: float
    stop: float

    def at(self, value: float) -> float:
        share = (value - self.low) / max(self.high - self.low, 1e-9)
        return round(self.start + share * (self.stop - self.start), 1)


@dataclass(frozen=True, slots=True)
class _Span:
    start: datetime
    end: datetime
    mm: float | None
    observed: bool

    @classmethod
    def read(cls, one: Mapping[str, Any], zone: tzinfo) -> _Span:
        start, end = (datetime.fromisoformat(one[key]).astimezone(zone) for key in ("from", "to"))
        return cls(start, end, one["mm"], one["kind"] == "observed")

    @property
    def hours(self) -> float:
        return (self.end - self.start) / timedelta(hours=1)

    @property
    def rate(self) -> float:
        return (self.mm or 0.0) / self.hours


def _sums(before: float, spans: Sequence[_Span]) -> list[float]:
    sums = [before]
    for span in spans:
        sums.append(sums[-1] + (span.mm or 0.0))
    return sums


def _bar(span: _Span, x: _Axis, y: _Axis) -> Bar:
    left, right, top = x.at(span.start.timestamp()), x.at(span.end.timestamp()), y.at(span.rate)
    width, height = round(max(right - left - 1, 0.5), 1), round(RATE_BOTTOM - top, 1)
    return Bar(span.start, span.end, span.mm, span.rate, span.observed, left, top, width, height)


def _runs(
    spans: Sequence[_Span], sums: Sequence[float], x: _Axis, y: _Axis
) -> tuple[tuple[tuple[float, float], ...], ...]:
    runs: list[list[tuple[float, float]]] = [[]]
    for span, before, after in zip(spans, sums, sums[1:], strict=False):
        if span.mm is None:
            runs.append([])
            continue
        if not runs[-1]:
            runs[-1].append((x.at(span.start.timestamp()), y.at(before)))
        runs[-1].append((x.at(span.end.timestamp()), y.at(after)))
    return tuple(tuple(run) for run in runs if run)


def _lines(needs: Mapping[Level, float], spans: Sequence[_Span], sums: Sequence[float], y: _Axis) -> tuple[Line, ...]:
    """Lowest level first; the names climb where lines lie close."""
    found: list[Line] = []
    lowest = SUM_BOTTOM + _APART
    for level, mm in sorted(needs.items()):
        at = next((index for index, total in enumerate(sums) if total >= mm), None)
        reached = spans[at - 1].end if at else None
        lowest = min(y.at(mm), lowest - _APART)
        found.append(Line(level, mm, y.at(mm), lowest, reached, at == 0))
    return tuple(found)


def _times(start: datetime, end: datetime, x: _Axis) -> tuple[TimeTick, ...]:
    first = start.replace(minute=0, second=0, microsecond=0)
    hours = [first + timedelta(hours=number) for number in range(int((end - first) / timedelta(hours=1)) + 1)]
    step = _HOURS if end - start > timedelta(hours=_HOURS) else 1
    shown = [one for one in hours if start <= one <= end and one.hour % step == 0]
    return tuple(TimeTick(x.at(one.timestamp()), one) for one in shown)


def _window_start(evidence: Mapping[str, Any], start: datetime, x: _Axis) -> float | None:
    begins = datetime.fromisoformat(evidence["window"]["from"])
    return x.at(begins.timestamp()) if begins > start else None
