"""Totals that share a start are differenced, everything is counted once, and the rest is refused."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits
from geowarn.sources.accumulation import Total, disjoint
from geowarn.sources.gates import check_range, most_mm

RUN = datetime(2026, 7, 22, tzinfo=UTC)


def hours(start: float, end: float) -> Period:
    return Period(RUN + timedelta(hours=start), RUN + timedelta(hours=end))


def total(start: float, end: float, *mm: float, quantum: float = 0.0, message: str = "") -> Total:
    return Total(hours(start, end), np.array(mm), quantum, message or f"{start}-{end}")


def parted(*totals: Total, rates: tuple[Total, ...] = ()) -> dict[tuple[float, float], list[float]]:
    return {
        ((t.period.start - RUN) / timedelta(hours=1), (t.period.end - RUN) / timedelta(hours=1)): [
            round(float(value), 9) for value in t.values
        ]
        for t in disjoint(totals, rates, "x.grib2")
    }


def refusal_of(*totals: Total, rates: tuple[Total, ...] = ()) -> str:
    with pytest.raises(Refused) as caught:
        disjoint(totals, rates, "x.grib2")
    assert explain(caught.value, "en") != explain(caught.value, "zh")
    return caught.value.key


def test_from_start_totals_are_differenced() -> None:
    assert parted(total(0, 3, 1), total(0, 6, 3), total(0, 9, 3)) == {(0, 3): [1], (3, 6): [2], (6, 9): [0]}


def test_buckets_stay_what_they_are() -> None:
    assert parted(total(0, 6, 5), total(6, 12, 2)) == {(0, 6): [5], (6, 12): [2]}


def test_buckets_of_six_hours_that_grow() -> None:
    buckets = (total(0, 3, 1), total(0, 6, 3), total(6, 9, 4), total(6, 12, 9))
    assert parted(*buckets) == {(0, 3): [1], (3, 6): [2], (6, 9): [4], (9, 12): [5]}


def test_an_hourly_bucket_beside_the_total_from_the_start_counts_once() -> None:
    assert parted(total(0, 1, 1), total(0, 2, 3), total(1, 2, 2)) == {(0, 1): [1], (1, 2): [2]}


def test_overlap_without_a_common_start_is_refused() -> None:
    assert refusal_of(total(0, 5, 9), total(4, 5, 2)) == "sources.grib-overlap"


def test_two_totals_that_contradict_are_refused() -> None:
    assert refusal_of(total(0, 6, 9), total(0, 6, 8)) == "sources.grib-contradiction"
    assert refusal_of(total(0, 6, 9), rates=(total(0, 6, 7),)) == "sources.grib-contradiction"


def test_a_total_wins_over_the_rate_and_a_rate_alone_counts() -> None:
    assert parted(total(0, 6, 67.1, quantum=0.1), rates=(total(0, 6, 67.07),)) == {(0, 6): [67.1]}
    assert parted(total(0, 3, 2), total(3, 6, 3), rates=(total(0, 6, 5),)) == {(0, 3): [2], (3, 6): [3]}
    assert parted(total(0, 6, 2), rates=(total(6, 12, 5),)) == {(0, 6): [2], (6, 12): [5]}


def test_a_negative_step_within_packing_is_clipped_and_noted() -> None:
    shorter, longer = total(0, 3, 0.09, 5, quantum=0.01), total(0, 6, 0.0, 6, quantum=0.1)
    assert parted(shorter, longer) == {(0, 3): [0.09, 5], (3, 6): [0, 1]}
    assert any("note-clipped" in text for text in disjoint((shorter, longer), (), "x")[1].quality)


def test_a_negative_step_beyond_packing_is_refused() -> None:
    assert refusal_of(total(0, 3, 1.0, quantum=0.01), total(0, 6, 0.5, quantum=0.1)) == "sources.grib-negative"


def test_a_coarse_packing_step_excuses_no_more_than_one_millimetre() -> None:
    assert refusal_of(total(0, 3, 5.0, quantum=50), total(0, 6, 0.0, quantum=50)) == "sources.grib-negative"


def test_missing_stays_missing() -> None:
    found = disjoint((total(0, 3, np.nan, 1), total(0, 6, 4, 2)), (), "x")
    assert np.isnan(found[1].values[0])
    assert found[1].values[1] == 1


@given(st.lists(st.integers(0, 4000), min_size=1, max_size=12))
def test_summing_the_steps_gives_back_the_total(tenths: list[int]) -> None:
    sums = np.cumsum(tenths) / 10
    totals = [total(0, hour + 1, float(mm)) for hour, mm in enumerate(sums)]
    found = disjoint(totals, (), "x")
    assert sum(float(t.values[0]) for t in found) == pytest.approx(sums[-1])
    assert [t.period for t in found] == [hours(hour, hour + 1) for hour in range(len(tenths))]


def test_the_gates_hold_for_one_interval_and_for_any_day() -> None:
    assert (most_mm(1), most_mm(6), most_mm(24), most_mm(240)) == (300, 1500, 1500, 5000)
    support = AreaUnits(("a",))
    fine = [(hours(h, h + 1), np.array([62.0])) for h in range(48)]
    check_range(fine, support, "x")
    wet = [(hours(h, h + 1), np.array([63.0])) for h in range(48)]
    with pytest.raises(Refused, match=r"sources\.impossible"):
        check_range(wet, support, "x")
