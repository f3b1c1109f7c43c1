"""The rain chart: its sum ends at the effective rainfall, lines stand where levels begin, gaps stay gaps."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.effrain import level_for
from geowarn.domain.level import Level
from geowarn.domain.rain_chart import (
    LEFT,
    RATE_BOTTOM,
    RATE_TOP,
    RIGHT,
    SUM_BOTTOM,
    SUM_TOP,
    nice_ticks,
    rain_chart,
    rain_of_window,
    tone,
    tones,
)

ZONE = ZoneInfo("Asia/Shanghai")
START = datetime(2026, 7, 22, 18, tzinfo=UTC)
BREAKS = [50.0, 70.0, 110.0, 160.0, 250.0]


def evidence(rain: list[float | None], before: float = 10.0, shift: int = 1, step: int = 1, **more: Any) -> Any:
    """Evidence with one entry of `step` hours for each value."""
    hours = [START + timedelta(hours=step * number) for number in range(len(rain) + 1)]
    series = [
        {"from": start.isoformat(), "to": end.isoformat(), "mm": mm, "kind": "forecast"}
        for (start, end), mm in zip(pairwise(hours), rain, strict=True)
    ]
    window = {"from": START.isoformat(), "to": hours[-1].isoformat()}
    return {"series": series, "breaks_mm": BREAKS, "shift": shift, "antecedent_mm": before, "window": window} | more


def test_the_sum_starts_at_the_antecedent_rain_and_ends_at_the_effective_rainfall() -> None:
    chart = rain_chart(evidence([20.0, 40.0, 0.0, 50.0]), ZONE)
    assert chart is not None
    assert (chart.before_mm, chart.total_mm) == (10.0, 120.0)
    assert chart.peak is not None
    assert (chart.peak.start.hour, chart.peak.rate) == (5, 50.0)
    assert [(line.level, line.mm, line.reached and line.reached.hour) for line in chart.lines] == [
        (Level.BLUE, 70.0, 4),
        (Level.YELLOW, 110.0, 6),
        (Level.ORANGE, 160.0, None),
        (Level.RED, 250.0, None),
    ]
    assert [line.level for line in chart.passed] == [Level.BLUE, Level.YELLOW]


def test_only_lines_of_levels_that_this_terrain_can_reach_and_that_may_be_shown() -> None:
    chart = rain_chart(evidence([20.0], shift=2), ZONE)
    assert chart is not None
    assert [line.level for line in chart.lines] == [Level.BLUE, Level.YELLOW, Level.ORANGE]
    public = rain_chart(evidence([20.0], shift=1), ZONE, Level.YELLOW)
    assert public is not None
    assert Level.BLUE not in [line.level for line in public.lines]


def test_a_line_that_earlier_rain_has_passed_says_so() -> None:
    chart = rain_chart(evidence([1.0], before=80.0), ZONE)
    assert chart is not None
    assert [(line.before, line.reached) for line in chart.lines][:1] == [(True, None)]


def test_missing_rain_breaks_the_line_and_is_no_zero() -> None:
    chart = rain_chart(evidence([5.0, None, 5.0]), ZONE)
    assert chart is not None
    assert len(chart.runs) == 2
    assert chart.missing_hours == 1
    assert [bar.mm for bar in chart.bars] == [5.0, None, 5.0]


def test_a_longer_interval_shows_its_mean_per_hour() -> None:
    chart = rain_chart(evidence([60.0, 0.0], step=6), ZONE)
    assert chart is not None
    assert chart.bars[0].rate == 10.0
    assert {tick.time.hour % 6 for tick in chart.times} == {0}


@pytest.mark.parametrize("lacking", ["series", "breaks_mm", "shift"])
def test_older_evidence_gives_no_chart(lacking: str) -> None:
    full = evidence([5.0])
    assert rain_chart({key: value for key, value in full.items() if key != lacking}, ZONE) is None
    assert rain_chart(full | {lacking: None}, ZONE) is None
    assert rain_chart(evidence([None, None]), ZONE) is None


def test_the_map_takes_the_mean_and_falls_back_to_the_cell_that_decides() -> None:
    assert rain_of_window({"window_mean_mm": 3, "window_mm": 9.0}) == 3.0
    assert rain_of_window({"window_mm": 9.0}) == 9.0
    assert rain_of_window({"window_mm": None}) is None
    assert [tone(mm, BREAKS) for mm in (0, 50, 249.9, 250, 900)] == [0, 1, 4, 5, 5]
    assert tones(BREAKS)[0] == (None, 50.0)
    assert tones([*BREAKS, 400.0])[-1] == (250.0, None)


@given(
    st.lists(st.one_of(st.none(), st.floats(0, 150)), min_size=1, max_size=24),
    st.floats(0, 300),
    st.integers(0, 2),
)
def test_every_mark_stands_inside_and_the_lines_agree_with_the_level(
    rain: list[float | None], before: float, shift: int
) -> None:
    chart = rain_chart(evidence(rain, before, shift), ZONE)
    if chart is None:
        assert all(mm is None for mm in rain)
        return
    assert level_for(chart.total_mm, shift, BREAKS) == max((line.level for line in chart.passed), default=Level.NONE)
    for bar in chart.bars:
        assert LEFT <= bar.x <= bar.x + bar.width <= RIGHT
        assert RATE_TOP <= bar.y <= RATE_BOTTOM
    for x, y in (point for run in chart.runs for point in run):
        assert LEFT <= x <= RIGHT
        assert SUM_TOP <= y <= SUM_BOTTOM
    assert all(later.name_y <= line.name_y - 17 for line, later in pairwise(chart.lines))


@given(st.floats(0, 5000), st.integers(1, 6))
def test_ticks_are_round_and_cover(highest: float, parts: int) -> None:
    ticks = nice_ticks(highest, parts)
    assert ticks[0] == 0
    assert ticks[-1] >= highest
    assert len(ticks) <= parts + 2
