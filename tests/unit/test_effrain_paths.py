"""All areas at once give what one after another gives, to the last bit; and what is absent lowers no level."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Grid, RainField, RainKind, Stations, Support, curved_grid
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir

RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
NOON = datetime(2026, 7, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
NX, NY = 5, 4
GRID = Grid(lon0=0.5, lat0=0.5, dlon=1, dlat=1, nx=NX, ny=NY)
COARSE = Grid(lon0=1, lat0=1, dlon=2, dlat=2, nx=2, ny=2)  # leaves the eastern column without observations
FORECAST = Forecast(
    id="f1",
    reader="none",
    source="model",
    file_name="f",
    payload_digest="0" * 64,
    received_at=NOON,
    run_time=NOON,
    coverage=Period(NOON, NOON + 72 * HOUR),
    fields=1,
    kinds=frozenset({RainKind.FORECAST}),
    synthetic=False,
)


def ring(corners: Sequence[tuple[float, float]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [[list(one) for one in [*corners, corners[0]]]]}


def field(start: float, end: float, values: Sequence[float], support: Support = GRID, **more: Any) -> RainField:
    kind = more.pop("kind", RainKind.FORECAST)
    period = Period(NOON + start * HOUR, NOON + end * HOUR)
    return RainField(period, support, list(values), kind, more.pop("source", "s"), NOON, **more)


def plain(found: Sequence[Assessment]) -> list[tuple[str, Level | None, bool, str]]:
    return [(o.area, o.level, o.lower_bound, json.dumps(dict(o.evidence), allow_nan=False)) for o in found]


def assess(areas: Sequence[Area], fields: Sequence[RainField], observed: Sequence[RainField] = (), hours: float = 24,
           start: float = 0) -> tuple[Assessment, ...]:  # fmt: skip
    window = Period(NOON + start * HOUR, NOON + (start + hours) * HOUR)
    return EffrainMatrix().assess(tuple(areas), Rain(FORECAST, tuple(fields), tuple(observed)), window, RULES, None)


@contextmanager
def one_by_one() -> Iterator[None]:
    """Nothing is filled for all areas at once."""
    with patch("geowarn.hazard.effrain_own.piece_for_all", lambda *_: None):
        yield


SHAPES = st.lists(st.tuples(st.floats(0, 4.9), st.floats(0, 3.9), st.floats(0.05, 3), st.floats(0.05, 3)), max_size=5)
SPOTS = st.lists(st.tuples(st.floats(-0.4, 5.4), st.floats(-0.4, 4.4)), max_size=5)
TERRAIN = st.lists(st.sampled_from(list(Susceptibility)), min_size=12, max_size=12)
TENTHS = st.integers(0, 900).map(lambda tenth: tenth / 10)
AMOUNT = st.one_of(TENTHS, TENTHS, st.floats(0, 120), st.just(math.nan))
GAPPY = st.lists(AMOUNT, min_size=NX * NY, max_size=NX * NY)
WHOLE = st.lists(TENTHS, min_size=NX * NY, max_size=NX * NY)


@st.composite
def places(draw: st.DrawFn) -> list[Area]:
    terrain = draw(TERRAIN)
    shapes = draw(SHAPES)
    county = Area("county", AreaKind.COUNTY, "县", "County", geometry=ring([(0, 0), (5, 0), (5, 4), (0, 4)]))
    towns = [
        Area(f"t{at}", AreaKind.TOWNSHIP, f"镇{at}", f"Town {at}", parent="county", susceptibility=terrain[at],
             geometry=ring([(x, y), (x + w, y), (x + w, y + h), (x + w / 3, y + h)]))
        for at, (x, y, w, h) in enumerate(shapes)
    ]  # fmt: skip
    points = [
        Area(f"p{at}", AreaKind.POINT, f"点{at}", f"Point {at}", parent="t0" if shapes and at % 2 else "county",
             susceptibility=terrain[6 + at], lon=lon, lat=lat)
        for at, (lon, lat) in enumerate(draw(SPOTS))
    ]  # fmt: skip
    zone = Area("zone", AreaKind.ZONE, "区", "Zone", parent="county")
    return [county, *towns, zone, *points]


@st.composite
def rains(draw: st.DrawFn) -> tuple[list[RainField], list[RainField]]:
    values = draw(st.sampled_from([WHOLE, WHOLE, GAPPY]))
    fields = [field(at, at + 6, draw(values)) for at in (0, 6, 12, 18)]
    if draw(st.booleans()) and draw(st.booleans()):
        del fields[draw(st.integers(0, 3))]
    units = AreaUnits(("county", "t1"))
    stations = Stations(("a", "b"), (1.0, 1.1), (1.0, 1.15))
    kinds = {
        "units": field(-24, 0, [draw(AMOUNT), draw(AMOUNT)], units, kind=RainKind.OBSERVED, source="units"),
        "grid": field(-24, 0, draw(GAPPY), kind=RainKind.OBSERVED, source="radar"),
        "coarse": field(-48, -24, draw(GAPPY)[:4], COARSE, kind=RainKind.OBSERVED, source="coarse"),
        "stations": field(-24, 0, [draw(AMOUNT), draw(AMOUNT)], stations, kind=RainKind.OBSERVED, source="gauges"),
        "crossing": field(-50, -20, draw(GAPPY), kind=RainKind.OBSERVED, source="crossing"),
    }
    chosen = draw(st.lists(st.sampled_from(sorted(kinds)), max_size=3, unique=True))
    return fields, [kinds[name] for name in chosen]


@settings(max_examples=70, deadline=None)
@given(places(), rains())
def test_all_at_once_is_one_after_another(areas: list[Area], rain: tuple[list[RainField], list[RainField]]) -> None:
    together = plain(assess(areas, *rain))
    with one_by_one():
        assert plain(assess(areas, *rain)) == together


@settings(max_examples=20, deadline=None)
@given(places(), WHOLE, st.integers(0, 4))
def test_a_cell_on_the_very_line_is_decided_by_exact_sums(areas: list[Area], values: list[float], line: int) -> None:
    values[0] = values[7] = RULES.parameters["breaks_mm"][line] / 60
    fields = [field(at * 0.4, at * 0.4 + 0.4, values) for at in range(60)]
    together = plain(assess(areas, fields))
    with one_by_one():
        assert plain(assess(areas, fields)) == together


def test_the_quick_way_is_taken_for_a_gridded_run() -> None:
    areas = (Area("a", AreaKind.COUNTY, "甲", "A", geometry=ring([(0, 0), (5, 0), (5, 4), (0, 4)])),)
    rain = Rain(FORECAST, (field(0, 24, [80.0] * 20),), ())
    (found,) = EffrainMatrix().levels(areas, rain, [Period(NOON, NOON + 24 * HOUR)], RULES, None)
    assert found is not None
    assert found.level.tolist() == [Level.BLUE]
    assert (found.max_mm.tolist(), found.mean_mm.tolist()) == ([80.0], [80.0])


class OnDisk:
    """Values that are read each time they are asked for, and counted."""

    def __init__(self, values: Sequence[float]) -> None:
        self.values, self.reads = np.array(values), 0

    def __len__(self) -> int:
        return self.values.size

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, Any]:
        self.reads += 1
        return self.values.astype(dtype or np.float64)


def test_every_field_is_read_a_few_times_however_many_areas_there_are() -> None:
    spots = [Area(f"p{at}", AreaKind.POINT, "点", "P", lon=0.1 + at % 5, lat=0.2 + at % 4) for at in range(200)]
    stored = [OnDisk([3.0 * (cell % 3)] * 20) for cell in range(24)]
    fields = [replace(field(at, at + 1, [0.0]), values=one) for at, one in enumerate(stored)]  # type: ignore[arg-type]
    found = assess(spots, fields)
    assert {one.reads for one in stored} == {1}  # the levels
    assert len({json.dumps(dict(one.evidence)) for one in found}) == 1
    assert max(one.reads for one in stored) <= 3  # exact sums, then rain by interval


def test_a_large_grid_on_disk_is_kept_where_areas_are() -> None:
    grid = Grid(lon0=0.005, lat0=0.005, dlon=0.01, dlat=0.01, nx=300, ny=300)
    spots = [Area(f"p{at}", AreaKind.POINT, "点", "P", lon=0.1 + at / 10, lat=0.2) for at in range(20)]
    stored = [OnDisk([cell % 97 / 10.0 for cell in range(grid.size)]) for _ in range(24)]
    fields = [replace(field(at, at + 1, [0.0], grid), values=one) for at, one in enumerate(stored)]  # type: ignore[arg-type]
    together = plain(assess(spots, fields))
    for one in stored:
        one.reads = 0
    with one_by_one():
        assert plain(assess(spots, fields)) == together
    assert {one.reads for one in stored} == {1}


@settings(max_examples=40, deadline=None)
@given(places(), WHOLE, st.data())
def test_more_rain_and_weaker_terrain_never_lower(areas: list[Area], values: list[float], data: st.DataObject) -> None:
    before = assess(areas, [field(0, 24, values)])
    more = list(values)
    more[data.draw(st.integers(0, 19))] += data.draw(st.floats(0, 200))
    order = list(Susceptibility)
    weaker = [replace(a, susceptibility=order[max(order.index(a.susceptibility) - 1, 0)]) for a in areas]
    for after in (assess(areas, [field(0, 24, more)]), assess(weaker, [field(0, 24, values)])):
        for one, other in zip(before, after, strict=True):
            assert one.level is None or (other.level is not None and other.level >= one.level)


@settings(max_examples=40, deadline=None)
@given(places(), rains(), st.floats(0, 90))
def test_no_pattern_of_gaps_says_less_than_it_knows(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]], fallen: float
) -> None:
    fields, observed = rain
    by_time = {one.period: one for one in observed}  # of two sources for one time the other serves where one has a gap
    observed = list(by_time.values())
    gappy = assess(areas, fields, observed)
    filled = assess(areas, [_filled(one, fallen) for one in fields], [_filled(one, fallen) for one in observed])
    for known, whole in zip(gappy, filled, strict=True):
        # With the gaps filled by any rain the level may differ only where it was none, or said to be a lower bound.
        if known.level is not None and whole.level is not None and known.level != whole.level:
            assert known.lower_bound
        if known.level is not None and not known.lower_bound:
            assert whole.level == known.level
        if known.level is not None and whole.level is not None:
            assert whole.level >= known.level


def _filled(one: RainField, mm: float) -> RainField:
    return replace(one, values=[mm if math.isnan(value) else value for value in one.values])


@settings(max_examples=30, deadline=None)
@given(places(), rains(), st.randoms(use_true_random=False), st.integers(-12, 14))
def test_zone_label_and_order_of_arrival_change_nothing(
    areas: list[Area], rain: tuple[list[RainField], list[RainField]], random: Any, offset: int
) -> None:
    fields, observed = rain
    zone = timezone(timedelta(hours=offset))
    moved = [
        replace(one, period=Period(one.period.start.astimezone(zone), one.period.end.astimezone(zone)))
        for one in fields
    ]
    random.shuffle(moved)
    assert plain(assess(areas, moved, observed)) == plain(assess(areas, fields, observed))


@pytest.mark.parametrize("members", [1, 2, 3, 10, 51])
def test_an_ensemble_has_the_level_that_half_of_it_reaches(members: int) -> None:
    areas = [Area("a", AreaKind.COUNTY, "甲", "A", susceptibility=Susceptibility.HIGH, lon=0.5, lat=0.5)]
    amounts = [10.0 + 300.0 * at / members for at in range(members)]
    fields = [field(0, 24, [mm] * 20, member=at) for at, mm in enumerate(amounts)]
    (found,) = assess(areas, fields)
    levels = [assess(areas, [field(0, 24, [mm] * 20)])[0].level or Level.NONE for mm in amounts]
    assert found.level == max(level for level in Level if sum(one >= level for one in levels) >= 0.5 * members)
    if members == 1:
        assert found.evidence["ensemble"] is None
        return
    ensemble = found.evidence["ensemble"]
    assert ensemble["levels"] == {level.code: levels.count(level) for level in Level}
    assert found.evidence["re_mm"] == amounts[ensemble["member"]]
    assert sum(one <= ensemble["re_p10_mm"] for one in amounts) >= 0.1 * members
    assert sum(one >= ensemble["re_p90_mm"] for one in amounts) >= 0.1 * members


def test_a_member_with_a_gap_forbids_a_level_and_the_mean_never_decides() -> None:
    areas = [Area("a", AreaKind.COUNTY, "甲", "A", susceptibility=Susceptibility.HIGH, lon=0.5, lat=0.5)]
    wet, dry = [field(0, 24, [260.0] * 20, member=0)], [field(0, 24, [0.0] * 20, member=at) for at in (1, 2)]
    (found,) = assess(areas, [*wet, *dry])
    assert found.level is Level.NONE  # the mean would be 87 mm: yellow
    (broken,) = assess(areas, [*wet, *dry, field(0, 12, [0.0] * 20, member=3)])
    assert broken.level is None
    assert broken.evidence["cannot_classify"]["hours"] == 12


def test_a_curved_grid_fills_the_window_like_the_regular_one_it_is() -> None:
    lon, lat = np.meshgrid(0.5 + np.arange(NX), 0.5 + np.arange(NY))
    curved = curved_grid(lon.ravel().tolist(), lat.ravel().tolist(), NX, NY)
    areas = [
        Area("a", AreaKind.COUNTY, "甲", "A", geometry=ring([(0.2, 0.3), (4.6, 0.1), (4, 3.7)])),
        Area("p", AreaKind.POINT, "点", "P", parent="a", lon=3.2, lat=1.4),
    ]
    values = [7.0 * cell for cell in range(20)]
    one, two = (assess(areas, [field(0, 24, values, support)]) for support in (GRID, curved))
    for regular, found in zip(one, two, strict=True):
        assert (found.level, found.lower_bound) == (regular.level, regular.lower_bound)
        assert found.evidence["re_mm"] == regular.evidence["re_mm"]
        assert found.evidence["mean_mm"] == pytest.approx(regular.evidence["mean_mm"])


def test_gauges_alone_fill_a_window_where_they_reach_and_are_a_gap_elsewhere() -> None:
    stations = Stations(("near", "blank", "far"), (121.0, 121.01, 130.0), (37.0, 37.0, 37.0))
    fields = [
        field(at, at + 12, [60.0, math.nan, 400.0], stations, kind=RainKind.OBSERVED, source="gauges") for at in (0, 12)
    ]
    town = Area("t", AreaKind.TOWNSHIP, "镇", "T", geometry=ring([(121, 37), (121.1, 37), (121.1, 37.1), (121, 37.1)]))
    point = Area("p", AreaKind.POINT, "点", "P", lon=121.02, lat=37.0)
    away = Area("x", AreaKind.POINT, "点", "X", lon=125.0, lat=37.0)
    bare = Area("b", AreaKind.ZONE, "区", "B", parent="t")
    found = assess([town, point, away, bare], fields)
    assert [one.evidence["re_mm"] for one in found] == [120.0, 120.0, None, 120.0]
    assert found[2].level is None
    assert found[2].evidence["cannot_classify"]["reason"] == "missing-hours"
    assert found[3].evidence["from_parent"]["code"] == "t"


def test_the_nearest_gauge_that_has_a_value_serves_each_cell() -> None:
    stations = Stations(("a", "b", "c"), (0.5, 0.6, 3.5), (0.5, 0.5, 0.5))
    area = Area("a", AreaKind.POINT, "点", "P", lon=0.5, lat=0.5)
    unit = Area("u", AreaKind.ZONE, "区", "U", parent="a")
    rain = field(0, 24, [80.0] * 20)
    gauges = [field(-24, 0, [math.nan, 30.0, 90.0], stations, kind=RainKind.OBSERVED, source="gauges")]
    (found, _) = assess([area, unit], [rain], gauges)
    assert found.evidence["antecedent"][0]["mm"] == 30
    units = AreaUnits(("u",))
    whole = assess([area, unit], [field(0, 24, [80.0], units)], gauges)[1]
    assert whole.evidence["antecedent"][0]["mm"] == 30  # the unit has no place: its parent's gauge, and says so
    assert whole.evidence["observed_unit"]["code"] == "a"


def test_the_series_tells_the_rolling_day_at_the_deciding_cell() -> None:
    areas = [Area("a", AreaKind.COUNTY, "甲", "A", geometry=ring([(0, 0), (5, 0), (5, 4), (0, 4)]))]
    fields = [field(at, at + 3, [1.0 + at] * 20) for at in (0, 3)]
    observed = [field(-6, 0, [4.0] * 20, kind=RainKind.OBSERVED)]
    (found,) = assess(areas, fields, observed, hours=6)
    told = [(one["from"][11:13], one["mm"], one["kind"]) for one in found.evidence["series"]]
    assert told == [("18", None, "missing"), ("06", 4.0, "observed"), ("12", 1.0, "forecast"), ("15", 4.0, "forecast")]
    assert (found.evidence["window_mean_mm"], found.evidence["window_max_mm"]) == (5.0, 5.0)
    assert sum(one["mm"] or 0 for one in found.evidence["series"]) == found.evidence["r0_mm"]
