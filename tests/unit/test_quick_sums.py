"""Quick sums never decide what they cannot: levels are those of compensated sums, however close to a break."""

from __future__ import annotations

import gc
import math
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.test_effrain_paths import (
    FORECAST,
    GRID,
    HOUR,
    NOON,
    NX,
    NY,
    RULES,
    OnDisk,
    assess,
    field,
    one_by_one,
    places,
    plain,
)

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, RainField, RainKind
from geowarn.hazard.effrain_classes import ASK, _Lines, classes_of
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.hazard.effrain_sums import Sums
from geowarn.hazard.pieces import QuickSums
from geowarn.ports import Rain

BREAKS = [float(one) for one in RULES.parameters["breaks_mm"]]
CELLS = NX * NY
WINDOW = Period(NOON, NOON + 24 * HOUR)
KINDS = st.sampled_from([np.float32, np.float64])


@st.composite
def near_breaks(draw: st.DrawFn) -> tuple[list[RainField], list[RainField]]:
    """Hourly fields whose sums lie on a break, a last digit beside it, or anywhere; with holes; days before them."""
    kind, hours = draw(KINDS), draw(st.sampled_from([2, 3, 24]))
    share = draw(st.lists(st.floats(0.01, 1), min_size=hours, max_size=hours))
    rows = np.empty((hours, CELLS))
    for cell in range(CELLS):
        aim = draw(st.sampled_from(BREAKS))
        aim *= draw(st.sampled_from([1.0, 1 - 2.0**-24, 1 + 2.0**-23, 1 - 2.0**-53, 1 + 2.0**-52, 0.3, 1 + 3e-6]))
        rows[:, cell] = np.array(share) * aim / sum(share)
        rows[-1, cell] = max(aim - math.fsum(rows[:-1, cell].astype(kind)), 0.0)
    values = rows.astype(kind)
    for cell in draw(st.lists(st.integers(0, CELLS - 1), max_size=2)):
        values[draw(st.integers(0, hours - 1)), cell] = math.nan
    step = 24 / hours
    fields = [whole(at * step, (at + 1) * step, values[at]) for at in range(hours)]
    return fields, draw(st.sampled_from([[], [before(draw, kind)], [before(draw, kind), of_units(draw)]]))


def whole(start: float, end: float, values: Any, **more: Any) -> RainField:
    """A field whose values are an array, as readers give them."""
    made = field(start, end, [0.0], **more)
    return RainField(made.period, GRID, values, made.kind, made.source, made.run_time, made.member)


def before(draw: st.DrawFn, kind: Any) -> RainField:
    amounts = draw(st.lists(st.sampled_from([0.0, 0.1, 12.3, 50 / 0.79, 7e-40]), min_size=CELLS, max_size=CELLS))
    return whole(-24, 0, np.array(amounts).astype(kind), kind=RainKind.OBSERVED, source="radar")


def of_units(draw: st.DrawFn) -> RainField:
    mm = draw(st.sampled_from([0.0, 10.0, 50 / 0.6241]))
    return field(-48, -24, [mm, 3.0], AreaUnits(("county", "t1")), kind=RainKind.OBSERVED, source="units")


def sums_of(areas: Sequence[Area], fields: Sequence[RainField], observed: Sequence[RainField]) -> Sums:
    rain = Rain(FORECAST, tuple(fields), tuple(observed))
    sums = EffrainMatrix()._work(tuple(areas), rain, WINDOW, RULES, None, QuickSums())._runs[0].sums()
    assert sums is not None
    return sums


@settings(max_examples=60, deadline=None)
@given(places(), near_breaks())
def test_all_at_once_is_one_after_another_beside_every_break(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]]
) -> None:
    together = plain(assess(areas, *rain))
    with one_by_one():
        assert plain(assess(areas, *rain)) == together


@settings(max_examples=60, deadline=None)
@given(places(), near_breaks())
def test_every_class_is_that_of_the_compensated_sum(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]]
) -> None:
    sums = sums_of(areas, *rain)
    exact, found = sums.exact(), classes_of(sums)
    classes = np.where(np.isnan(exact), ASK, np.searchsorted(BREAKS, exact, side="right"))
    assert found.of_points.tolist() == classes[sums.index.split :].tolist()
    positions = np.arange(sums.index.every_cell.size)
    assert np.array_equal(sums.exact_at(positions), exact, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(places(), near_breaks())
def test_a_quick_sum_is_no_further_off_than_it_says(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]]
) -> None:
    sums = sums_of(areas, *rain)
    quick, exact = sums.quick()(slice(None)), sums.exact()
    assert np.array_equal(np.isnan(quick), np.isnan(exact))
    seen = ~np.isnan(exact)
    assert (np.abs(quick[seen] - exact[seen]) <= sums.margin * exact[seen] + 1e-30).all()
    found = classes_of(sums)
    for one in sums.index.segments:
        polygons = range(one.polygons.start, one.polygons.stop)
        for at, start, size in zip(polygons, one.starts, one.sizes, strict=True):
            mm, weights = exact[one.span][start : start + size], one.weights[start : start + size]
            assert found.max_mm[at] == pytest.approx(mm.max(), rel=sums.margin, nan_ok=True)
            assert found.mean_mm[at] == pytest.approx(
                (mm * weights).sum() / weights.sum(), rel=sums.margin, nan_ok=True
            )


@given(
    st.lists(st.floats(0, 500), min_size=1, max_size=6, unique=True).map(sorted),
    st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), max_size=30),
    KINDS,
)
def test_a_number_is_of_its_class_or_close_to_a_break(breaks: list[float], numbers: list[float], kind: Any) -> None:
    beside = [near for one in breaks for near in (one, one * (1 + 4e-6), one * (1 - 4e-6), one * 1.001, one * 0.999)]
    quick = np.array([*numbers, *beside, math.nan], dtype=kind)
    classes, close = _Lines(breaks, 3e-6).classes(quick)
    sure = np.setdiff1d(np.arange(quick.size), close)
    exact = np.where(np.isnan(quick), ASK, np.searchsorted(breaks, quick, side="right"))
    assert classes[sure].tolist() == exact[sure].tolist()
    nearest = np.abs(quick[close][:, None] - np.array(breaks)).argmin(axis=1)
    assert np.allclose(quick[close], np.array(breaks)[nearest], rtol=4e-6, atol=1e-29)


@pytest.mark.parametrize(
    ("first", "rest", "reached"),
    [
        (50 - 60e-6, 1.95e-6, 0),  # 49.999985, of which single precision makes 50.00003
        (50 - 40e-6, 1.85e-6, 1),  # 50.0000025, of which single precision makes 49.99996
    ],
)
def test_what_single_precision_rounds_over_a_break_is_decided_exactly(first: float, rest: float, reached: int) -> None:
    amounts = [np.full(CELLS, mm, np.float32) for mm in [first] + 23 * [rest]]
    sums = sums_of([Area("p", AreaKind.POINT, "点", "P", lon=0.5, lat=0.5)], [whole(at, at + 1, mm) for at, mm in
                   enumerate(amounts)], [])  # fmt: skip
    exact = math.fsum(float(mm[0]) for mm in amounts)
    assert (exact >= 50, bool(sums.quick()(slice(None))[0] >= 50)) == (bool(reached), not reached)
    assert classes_of(sums).of_points.tolist() == [reached]


def test_of_fields_on_disk_only_doubtful_cells_are_read_again() -> None:
    areas = [Area(f"p{at}", AreaKind.POINT, "点", "P", lon=0.5 + at, lat=0.5) for at in range(NX)]
    near = [50.0 / 4 if cell == 1 else 3.0 for cell in range(CELLS)]
    stored = [Taken(near) for _ in range(4)]
    fields = [whole(at * 6, at * 6 + 6, one) for at, one in enumerate(stored)]
    (found,) = EffrainMatrix().levels(tuple(areas), Rain(FORECAST, tuple(fields), ()), [WINDOW], RULES, None)
    assert found is not None
    assert [(one.reads, one.taken) for one in stored] == [(1, [1])] * 4
    assert found.level.tolist() == [one.level for one in assess(areas, fields)]


class Taken(OnDisk):
    """Values of which some can be had by themselves."""

    def __init__(self, values: Sequence[float]) -> None:
        super().__init__(values)
        self.taken: list[int] = []

    def take(self, indices: Any) -> Any:
        self.taken += indices.tolist()
        return self.values[indices]


def test_several_windows_share_their_sums_and_a_run_is_let_go_at_once() -> None:
    areas = (Area("a", AreaKind.POINT, "点", "P", lon=0.5, lat=0.5),)
    stored = [OnDisk([3.0] * CELLS) for _ in range(12)]
    fields = [whole(at * 6, at * 6 + 6, one) for at, one in enumerate(stored)]
    windows = [Period(NOON + at * HOUR, NOON + (at + 24) * HOUR) for at in (0, 24, 48)]
    model = EffrainMatrix()
    found = model.levels(areas, Rain(FORECAST, tuple(fields), ()), windows, RULES, None)
    assert len(found) == 3
    assert {one.reads for one in stored} == {1}
    watched = [weakref.ref(one) for one in stored]
    gc.disable()
    try:
        del stored, fields
        assert [one() for one in watched] == [None] * 12
    finally:
        gc.enable()


@settings(max_examples=15, deadline=None)
@given(places(), near_breaks(), st.floats(0, 90))
def test_members_are_judged_like_runs_of_their_own(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]], mm: float
) -> None:
    fields = [RainField(f.period, f.support, f.values, f.kind, f.source, f.run_time, 1) for f in rain[0]]
    members = [*fields, whole(0, 24, np.full(CELLS, mm), member=2)]
    together = plain(assess(areas, members, rain[1]))
    with one_by_one():
        assert plain(assess(areas, members, rain[1])) == together
