"""Series of equal steps: whole intervals, gaps that stay gaps, and intervals parted only where a rule file says so."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.model_bench import HOUR, NOON, UNIT, field, hourly, one, seen, with_age

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.parameters import StepRules
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainField, RainKind
from geowarn.domain.rolling import highest_sum
from geowarn.hazard.filling import Ground, Sampler
from geowarn.hazard.hourly import StepFiller, Steps, Supply, window_sums
from geowarn.pipeline.assess import evidence_sentence
from geowarn.ports import Rain
from geowarn.templating import JinjaTemplates

ROW = Forecast(
    id="f1",
    reader="none",
    source="model",
    file_name="f",
    payload_digest="0" * 64,
    received_at=NOON,
    run_time=NOON,
    coverage=Period(NOON, NOON + 24 * HOUR),
    fields=1,
    kinds=frozenset({RainKind.FORECAST}),
    synthetic=False,
)


def steps(
    fields: Sequence[RainField],
    observed: Sequence[RainField] = (),
    hours: float = 6,
    before: float = 3,
    minutes: int = 60,
    split: bool = False,
) -> Steps:
    supply = Supply.of(Rain(ROW, tuple(fields), tuple(observed)))
    window = Period(NOON, NOON + hours * HOUR)
    filler = StepFiller(supply, Sampler(lambda _: {}), window, StepRules(minutes, split), before)
    return filler.fill(Ground(("a", "b"), None, None))


def rain_of(found: Steps) -> list[float | None]:
    """mm by step, None where unfilled or missing."""
    return [
        float(mm[0]) if known and not hole[0] else None
        for mm, hole, known in zip(found.mm, found.holes, found.known, strict=True)
    ]


def test_forecast_inside_and_observed_before() -> None:
    fields = [field(hour, hour + 1, 10 + hour) for hour in range(-2, 6)]
    found = steps(fields, [seen(-3, -2, 1), seen(-1, 0, 3), seen(1, 2, 99)])
    assert rain_of(found) == [1, 8, 3, 10, 11, 12, 13, 14, 15]
    assert found.first_inside == 3
    assert found.period == Period(NOON - 3 * HOUR, NOON + 6 * HOUR)


def test_a_gap_is_a_gap_and_never_zero() -> None:
    found = steps([field(0, 1, 5), field(2, 3, math.nan), field(3, 6, 9)], [seen(-3, -2, 1)])
    assert rain_of(found) == [1, None, None, 5, None, None, None, None, None]
    assert [gap.hours for gap in found.gaps(0, 3)] == [2]
    assert [gap.hours for gap in found.gaps(3, 9)] == [5]
    assert [one.period.hours for one in found.unsplit] == [3]


def test_shorter_intervals_are_added_up_only_when_they_fill_a_step() -> None:
    quarters = [field(at / 4, (at + 1) / 4, 1) for at in range(24) if at != 10]
    found = steps(quarters, before=0)
    assert rain_of(found) == [4, 4, None, 4, 4, 4]
    assert found.mm[2, 0] == 3, "the known part is kept for a lower bound"


def test_an_interval_is_parted_evenly_only_where_the_rules_say_so() -> None:
    fields = [field(0, 3, 9), field(3, 6, 30)]
    assert rain_of(steps(fields, before=0)) == [None] * 6
    found = steps(fields, before=0, split=True)
    assert rain_of(found) == [3, 3, 3, 10, 10, 10]
    assert len(found.split) == 2
    assert found.unsplit == ()


def test_what_is_known_by_the_hour_is_never_overlaid_by_a_share() -> None:
    found = steps([field(0, 3, 30), field(1, 2, 20), field(3, 6, 0)], before=0, split=True)
    assert rain_of(found) == [None, 20, None, 0, 0, 0]
    assert [one.period.hours for one in found.unsplit] == [3]


def test_a_day_and_an_interval_off_the_steps_are_never_parted() -> None:
    found = steps([field(0, 6, 6)], [seen(-24, 0, 240)], split=True)
    assert rain_of(found)[:3] == [None] * 3
    off = steps([field(-0.5, 2.5, 9), field(2.5, 6, 9)], before=0, split=True)
    assert rain_of(off) == [None] * 6


def test_a_native_step_of_three_hours_needs_no_parting() -> None:
    found = steps([field(0, 3, 9), field(3, 6, 30)], [seen(-3, 0, 2)], minutes=180)
    assert rain_of(found) == [2, 9, 30]
    with pytest.raises(Refused, match=r"models\.window-steps"):
        steps([field(0, 3, 9)], hours=5, minutes=180)


def test_the_newest_observation_and_the_nearest_unit_count() -> None:
    other = type(UNIT)(("b",))
    found = steps([field(0, 6, 0)], [seen(-1, 0, 7, other), seen(-1, 0, 2), seen(-1, 0, 3)])
    assert rain_of(found)[2] == 2


def test_a_model_says_that_it_parted_intervals() -> None:
    coarse = [field(at, at + 3, 30 if at == 6 else 0) for at in range(0, 24, 3)]
    assert one("rolling-multi", coarse).level is None
    found = one("rolling-multi", coarse, split_intervals=True)
    assert found.level is Level.NONE
    assert found.evidence["split"] == {"count": 8, "hours": [3.0]}
    assert "8 intervals of 3 h are parted evenly" in evidence_sentence(JinjaTemplates(), with_age(found), "en")
    assert "8 个 3 小时时段按均匀降雨" in evidence_sentence(JinjaTemplates(), with_age(found), "zh")


def test_a_nowcast_continues_what_was_measured() -> None:
    measured = [seen(at - 23, at - 22, 8) for at in range(23)]
    alone = one("rolling-multi", hourly([20.0, 0.0]), hours=2)
    found = one("rolling-multi", hourly([20.0, 0.0]), measured, hours=2)
    day = next(window for window in found.evidence["windows"] if window["hours"] == 24)
    assert day["mm"] == 23 * 8 + 20
    assert (alone.level, alone.lower_bound) == (Level.NONE, True)
    assert (found.level, found.lower_bound) == (Level.YELLOW, False)


def test_tenths_of_a_millimetre_reach_the_line() -> None:
    series = np.full((720, 1), 0.1)
    assert window_sums(series, 500, 600)[0] == 50.0
    assert highest_sum([0.1] * 720, 500, 600).mm == 50.0


@settings(max_examples=80, deadline=None)
@given(st.lists(st.floats(0, 300), min_size=30, max_size=30), st.integers(1, 40), st.integers(0, 29))
def test_all_cells_at_once_give_what_one_by_one_gives(rain: list[float], count: int, first_end: int) -> None:
    both = np.array([rain, rain[::-1]]).T
    found = window_sums(both, count, first_end)
    for at, series in enumerate((rain, rain[::-1])):
        assert found[at] == pytest.approx(highest_sum(series, count, first_end).mm, rel=1e-15, abs=1e-12)
