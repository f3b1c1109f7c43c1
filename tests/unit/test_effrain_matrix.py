"""The default model on small grids and units: what fills a window, what a gap does, where a level comes from."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.assessment import Assessment
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Grid, RainField, RainKind, Support
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir

RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
NOON = datetime(2026, 7, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
GRID = Grid(lon0=0.5, lat0=0.5, dlon=1, dlat=1, nx=4, ny=4)
UNIT = AreaUnits(("a",))
Amounts = float | Sequence[float] | np.ndarray[Any, np.dtype[np.float64]]
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


def area(code: str = "a", terrain: Susceptibility = Susceptibility.HIGH, **more: Any) -> Area:
    return Area(code, more.pop("kind", AreaKind.COUNTY), code, code, susceptibility=terrain, **more)


def box(west: float, south: float, east: float, north: float) -> dict[str, Any]:
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


def field(start: float, end: float, mm: Amounts, support: Support = UNIT, **more: Any) -> RainField:
    values = [float(mm)] * support.size if isinstance(mm, int | float) else [float(one) for one in mm]
    kind = more.pop("kind", RainKind.FORECAST)
    return RainField(
        Period(NOON + start * HOUR, NOON + end * HOUR), support, values, kind, more.pop("source", "s"), NOON, **more
    )


def seen(start: float, end: float, mm: Amounts, support: Support = UNIT, **more: Any) -> RainField:
    return field(start, end, mm, support, kind=RainKind.OBSERVED, **more)


def classify(
    fields: Sequence[RainField],
    observed: Sequence[RainField] = (),
    areas: Sequence[Area] = (area(),),
    hours: float = 24,
    start: float = 0,
    cache: Path | None = None,
) -> tuple[Assessment, ...]:
    window = Period(NOON + start * HOUR, NOON + (start + hours) * HOUR)
    return EffrainMatrix().assess(areas, Rain(FORECAST, tuple(fields), tuple(observed)), window, RULES, cache)


def one(fields: Sequence[RainField], observed: Sequence[RainField] = (), **more: Any) -> Assessment:
    return classify(fields, observed, **more)[0]


THREE_DAYS = [seen(-24, 0, 30), seen(-48, -24, 10), seen(-72, -48, 5)]


def test_the_worked_example_is_reproduced() -> None:
    found = one([field(0, 24, 96)], THREE_DAYS, areas=[area(terrain=Susceptibility.MEDIUM)])
    assert found.level is Level.YELLOW
    assert not found.lower_bound
    evidence = found.evidence
    assert evidence["re_mm"] == pytest.approx(128.41, abs=0.005)
    assert evidence["antecedent_mm"] == pytest.approx(32.41, abs=0.005)
    assert (evidence["rain_class"], evidence["shift"]) == (3, 1)
    assert evidence["to_next_mm"] == pytest.approx(31.59, abs=0.005)
    assert evidence["over_own_mm"] == pytest.approx(18.41, abs=0.005)
    json.dumps(dict(evidence), allow_nan=False)


def test_the_line_itself_is_reached_by_tenths() -> None:
    found = one([field(hour, hour + 0.04, 0.1) for hour in np.arange(0, 20, 0.04)], hours=20)
    assert found.evidence["r0_mm"] == 50.0
    assert found.level is Level.BLUE


def test_a_missing_forecast_hour_forbids_a_level() -> None:
    found = one([field(0, 6, 300), field(7, 24, 300)], THREE_DAYS)
    assert found.level is None
    assert not found.lower_bound
    assert found.evidence["cannot_classify"]["reason"] == "missing-hours"
    assert found.evidence["cannot_classify"]["hours"] == 1


def test_an_interval_across_the_start_is_not_split_but_named() -> None:
    found = one([field(-3, 3, 300, source="coarse"), field(3, 24, 300)])
    assert found.evidence["cannot_classify"]["hours"] == 3
    assert found.evidence["unsplit"][0]["source"] == "coarse"


def test_missing_observed_rain_makes_a_lower_bound() -> None:
    found = one([field(0, 6, 80)], hours=6)
    assert (found.level, found.lower_bound) == (Level.YELLOW, True)
    gaps = {gap["part"]: gap["hours"] for gap in found.evidence["missing_observed"]}
    assert gaps == {"r0": 18, "r1": 24, "r2": 24, "r3": 24}


def test_a_daily_total_on_another_boundary_is_left_out_and_named() -> None:
    found = one([field(0, 24, 80)], [seen(-28, -4, 500, source="08-08")])
    assert found.evidence["re_mm"] == 80
    assert found.lower_bound
    assert found.evidence["unsplit"][0]["source"] == "08-08"


def test_the_forecast_fills_what_was_not_observed_before_the_window() -> None:
    fields = [field(hour, hour + 1, 2) for hour in range(30)]
    found = one(fields, [seen(0, 2, 1)], start=6)
    r1 = found.evidence["antecedent"][0]
    assert r1["mm"] == 1 + 4 * 2
    assert r1["missing_hours"] == 18


def test_a_day_known_whole_is_not_lost_to_broken_hours() -> None:
    hours = [seen(hour, hour + 1, 1, source="hourly") for hour in range(-24, 0) if hour != -10]
    found = one([field(0, 24, 80)], [*hours, seen(-24, 0, 24, source="daily"), *THREE_DAYS[1:]])
    assert found.evidence["antecedent"][0]["mm"] == 24
    assert not found.lower_bound


def test_the_newest_observation_is_taken() -> None:
    found = one([field(0, 24, 80)], [seen(-24, 0, 40, source="new"), *THREE_DAYS])
    assert found.evidence["antecedent"][0]["mm"] == 40


def test_observed_rain_can_be_assessed_itself() -> None:
    found = one([seen(-20, 0, 70.9)], hours=20, start=-20)
    assert (found.level, found.lower_bound) == (Level.YELLOW, True)


def test_a_blank_unit_is_never_none() -> None:
    found = one([field(0, 24, math.nan)])
    assert found.level is None


def test_the_level_is_what_a_tenth_of_the_area_reaches() -> None:
    place = area(geometry=box(0, 0, 4, 4))
    values = np.full(16, 20.0)
    values[3] = 200
    assert one([field(0, 24, values, GRID)], areas=[place]).level is Level.NONE
    values[7] = 120
    found = one([field(0, 24, values, GRID)], areas=[place])
    assert (found.level, found.evidence["re_mm"], found.evidence["max_mm"]) == (Level.ORANGE, 120, 200)


def test_bug_13_sums_are_made_per_cell_before_the_area() -> None:
    place = area(geometry=box(0, 0, 4, 4))
    first, second = np.zeros(16), np.zeros(16)
    first[:4], second[8:12] = 60, 60
    found = one([field(0, 12, first, GRID), field(12, 24, second, GRID)], areas=[place])
    assert found.evidence["max_mm"] == 60


@pytest.mark.parametrize(("missing", "classified"), [(3, True), (4, False)])
def test_a_fifth_of_the_cells_may_be_missing(missing: int, classified: bool) -> None:
    values = np.full(16, 120.0)
    values[:missing] = math.nan
    found = one([field(0, 24, values, GRID)], THREE_DAYS, areas=[area(geometry=box(0, 0, 4, 4))])
    assert (found.level is not None) is classified
    assert found.lower_bound is classified


def test_a_unit_without_place_takes_its_parents_level_and_says_so() -> None:
    county = area("county", geometry=box(0, 0, 4, 4))
    zone = area("zone", kind=AreaKind.ZONE, parent="county")
    found = classify([field(0, 24, 120, GRID)], areas=[zone, county])
    assert found[0].level == found[1].level == Level.ORANGE
    assert found[0].evidence["from_parent"]["code"] == "county"
    orphan = one([field(0, 24, 120, GRID)], areas=[area("orphan")])
    assert orphan.evidence["cannot_classify"]["reason"] == "no-place"


def test_an_area_outside_the_grid_is_named_even_with_a_parent() -> None:
    county = area("county", geometry=box(0, 0, 4, 4))
    far = area("far", parent="county", lon=50.0, lat=50.0)
    found = classify([field(0, 24, 120, GRID)], areas=[far, county])
    assert found[0].evidence["cannot_classify"]["reason"] == "outside-grid"
    half = one([field(0, 24, 120, GRID)], areas=[area(geometry=box(3, 0, 5, 4))])
    assert half.level is None
    most = one([field(0, 24, 120, GRID)], areas=[area(geometry=box(0, 0, 4.5, 4))])
    assert (most.level, most.lower_bound) == (Level.ORANGE, True)


def test_an_area_is_never_below_a_hazard_point_inside_it() -> None:
    values = np.full(16, 20.0)
    values[0] = 170
    county = area("county", geometry=box(0, 0, 4, 4))
    town = area("town", kind=AreaKind.TOWNSHIP, parent="county")
    point = area("point", kind=AreaKind.POINT, parent="town", lon=0.2, lat=0.3)
    found = classify([field(0, 24, values, GRID)], areas=[county, town, point])
    assert [one.level for one in found] == [Level.RED] * 3
    assert found[0].evidence["raised_by"]["code"] == "point"
    assert found[0].evidence["own_level"] == "none"


def test_observed_rain_of_the_county_serves_its_township_and_is_named() -> None:
    county = area("county")
    town = area("town", parent="county", lon=1.5, lat=1.5)
    units = AreaUnits(("county",))
    found = one([field(0, 24, 40, GRID)], [seen(-24, 0, 30, units)], areas=[town, county])
    assert found.evidence["antecedent"][0]["mm"] == 30
    assert found.evidence["observed_unit"]["code"] == "county"


def test_a_long_window_is_refused() -> None:
    with pytest.raises(Refused, match=r"assess\.window"):
        one([field(0, 30, 1)], hours=30)


def test_the_same_input_gives_the_same_bytes_with_and_without_cache(tmp_path: Path) -> None:
    place = [area(geometry=box(0.3, 0.2, 3.7, 3.9))]
    rain = [field(hour, hour + 1, np.linspace(0.1, 7.7, 16) * hour, GRID) for hour in range(24)]
    results = {json.dumps([dict(o.evidence) for o in classify(rain, areas=place, cache=c)]) for c in
               (None, tmp_path, tmp_path)}  # fmt: skip
    assert len(results) == 1


HOURS = st.lists(st.floats(0, 40, width=32), min_size=24, max_size=24)


@settings(max_examples=60, deadline=None)
@given(HOURS, st.sets(st.integers(0, 23), min_size=1), st.booleans())
def test_no_pattern_of_forecast_gaps_gives_a_level(rain: list[float], gaps: set[int], as_nan: bool) -> None:
    fields = [
        field(hour, hour + 1, math.nan if hour in gaps else mm)
        for hour, mm in enumerate(rain)
        if as_nan or hour not in gaps
    ]
    found = one(fields, THREE_DAYS)
    assert found.level is None
    assert found.evidence["cannot_classify"]["hours"] == len(gaps)


@settings(max_examples=60, deadline=None)
@given(HOURS, st.sets(st.integers(0, 23), min_size=1), st.floats(0, 200, width=32))
def test_observed_gaps_give_a_lower_bound_and_no_less_than_the_known(
    rain: list[float], gaps: set[int], fallen: float
) -> None:
    hourly = [seen(hour - 24, hour - 23, mm) for hour, mm in enumerate(rain)]
    known = [one for at, one in enumerate(hourly) if at not in gaps]
    whole = one([field(0, 24, fallen)], [*hourly, *THREE_DAYS[1:]])
    partial = one([field(0, 24, fallen)], [*known, *THREE_DAYS[1:]])
    dry = one([field(0, 24, fallen)])
    assert not whole.lower_bound
    assert partial.lower_bound
    assert (dry.level or 0) <= (partial.level or 0) <= (whole.level or 0)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0, 300), min_size=16, max_size=16), st.integers(0, 15), st.floats(0, 200))
def test_more_rain_anywhere_never_lowers(values: list[float], cell: int, extra: float) -> None:
    place = area(geometry=box(0.5, 0.25, 3.75, 4))
    more = list(values)
    more[cell] += extra
    for terrain in Susceptibility:
        spot = [replace(place, susceptibility=terrain)]
        before = one([field(0, 24, values, GRID)], areas=spot).level
        after = one([field(0, 24, more, GRID)], areas=spot).level
        assert before is not None
        assert after is not None
        assert after >= before
