"""What holds for every model beside the default: gaps, monotone levels, hazard points, parents, refusals, sentences."""

from __future__ import annotations

import json
import math
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.model_bench import (
    GRID,
    MODELS,
    area,
    assess,
    box,
    dry_before,
    field,
    hourly,
    one,
    rules,
    seen,
    with_age,
)

from geowarn.domain.area import AreaKind, Susceptibility
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.rain import AreaUnits
from geowarn.pipeline.assess import evidence_sentence, evidence_short
from geowarn.pipeline.rules import load_rules
from geowarn.resources import config_dir
from geowarn.templating import JinjaTemplates

NAMES = sorted(MODELS)
STORM = [0.0, 5.0, 20.0, 60.0, 90.0, 80.0, 40.0, 20.0, 5.0, *[1.0] * 15]
HOURS = st.lists(st.floats(0, 80, width=32), min_size=24, max_size=24)
BEFORE = {name: dry_before(7) for name in NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_storm_rises_and_quiet_does_not(name: str) -> None:
    storm, quiet = one(name, hourly(STORM), BEFORE[name]), one(name, hourly([0.0] * 24), BEFORE[name])
    assert storm.level is not None
    assert storm.level >= Level.YELLOW
    assert quiet.level is Level.NONE
    assert not storm.lower_bound
    assert storm.evidence["model"] == name
    json.dumps(dict(storm.evidence), allow_nan=False)


@pytest.mark.parametrize("name", NAMES)
def test_every_area_has_the_same_keys(name: str) -> None:
    storm = one(name, hourly(STORM), BEFORE[name])
    broken = one(name, hourly(STORM[:-1]), BEFORE[name])
    assert set(storm.evidence) == set(broken.evidence)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(rain=HOURS, gaps=st.sets(st.integers(0, 23), min_size=1), as_nan=st.booleans())
def test_no_pattern_of_forecast_gaps_gives_a_level(name: str, rain: list[float], gaps: set[int], as_nan: bool) -> None:
    fields = [f for at, f in enumerate(hourly([math.nan if at in gaps else mm for at, mm in enumerate(rain)]))
              if as_nan or at not in gaps]  # fmt: skip
    found = one(name, fields, BEFORE[name])
    assert found.level is None
    assert found.evidence["cannot_classify"]["hours"] == len(gaps)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=12, deadline=None)
@given(rain=HOURS, gaps=st.sets(st.integers(0, 23), min_size=1))
def test_observed_gaps_give_a_lower_bound_and_no_more_than_the_whole(
    name: str, rain: list[float], gaps: set[int]
) -> None:
    before = [seen(at - 24, at - 23, mm) for at, mm in enumerate(rain)]
    older = [f for f in BEFORE[name] if f.period.end <= before[0].period.start]
    whole = one(name, hourly(STORM), [*before, *older])
    partial = one(name, hourly(STORM), [*(f for at, f in enumerate(before) if at not in gaps), *older])
    assert not whole.lower_bound
    assert partial.lower_bound == (partial.evidence["missing_observed"] != [])
    if name in ("jma-swi", "id-threshold", "lhasa11", "logistic"):
        assert partial.lower_bound
    assert (partial.level or 0) <= (whole.level or 0)


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=15, deadline=None)
@given(
    values=st.lists(st.floats(0, 300), min_size=16, max_size=16),
    cell=st.integers(0, 15),
    extra=st.floats(0, 200),
    hour=st.integers(-12, 11),
)
def test_more_rain_anywhere_never_lowers(name: str, values: list[float], cell: int, extra: float, hour: int) -> None:
    """Before the window or inside it, in one cell, for any terrain."""
    flat: list[list[float]] = [[1.0] * 16 for _ in range(24)]
    flat[12] = values
    more = [list(row) for row in flat]
    more[12 + hour][cell] += extra
    place = [area(one.value, one, geometry=box(0.5, 0.25, 3.75, 4)) for one in Susceptibility]
    normal: dict[str, Any] = {"normal_mm": {a.code: 20.0 for a in place}} if name == "lhasa11" else {}
    before, after = (
        assess(name, hourly(rain[12:], 0, GRID), hourly(rain[:12], -12, GRID), place, hours=12, **normal)
        for rain in (flat, more)
    )
    for low, high in zip(before, after, strict=True):
        assert low.level is not None
        assert high.level is not None
        assert high.level >= low.level
    levels = [found.level or Level.NONE for found in after]
    assert levels == sorted(levels, reverse=True), "a worse terrain has never less"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_missing_to_the_next_level_reaches_it(name: str) -> None:
    found = one(name, hourly([0.0] * 23 + [8.0]), BEFORE[name]).evidence
    if "to_next_p" in found:
        return
    assert found["to_next_mm"] > 0
    assert found["next_level"] in ("blue", "yellow", "orange")
    if name in ("rolling-multi", "id-threshold"):
        level = one(name, hourly([0.0] * 23 + [8.0 + found["to_next_mm"] + 1e-9]), BEFORE[name]).level
        assert level is not None
        assert level.code == found["next_level"]


@pytest.mark.parametrize("name", NAMES)
def test_an_area_is_never_below_a_hazard_point_inside_it(name: str) -> None:
    wet = [[mm if cell == 0 else 0.0 for cell in range(16)] for mm in STORM]
    county = area("a", geometry=box(0, 0, 4, 4))
    point = area("b", kind=AreaKind.POINT, parent="a", lon=0.2, lat=0.3)
    before = dry_before(7, GRID)
    raised, spot = assess(name, hourly(wet, 0, GRID), before, [county, point])
    assert spot.level is not None
    assert raised.level == spot.level >= Level.YELLOW
    assert raised.evidence["raised_by"]["code"] == "b"
    assert raised.evidence["own_level"] == "none"
    alone, _ = assess(name, hourly(wet, 0, GRID), before, [county, point], points_raise_area=False)
    assert alone.level is Level.NONE


@pytest.mark.parametrize("name", NAMES)
def test_a_unit_without_place_takes_its_parents_level(name: str) -> None:
    county, zone = area("a", geometry=box(0, 0, 4, 4)), area("b", kind=AreaKind.ZONE, parent="a")
    found = assess(name, hourly(STORM, 0, GRID), dry_before(7, GRID), [zone, county])
    assert found[0].level == found[1].level
    assert found[0].evidence["from_parent"]["code"] == "a"
    assert one(name, hourly(STORM, 0, GRID), areas=[area("c")]).evidence["cannot_classify"]["reason"] == "no-place"
    far = one(name, hourly(STORM, 0, GRID), areas=[area("c", lon=50.0, lat=50.0)])
    assert far.evidence["cannot_classify"]["reason"] == "outside-grid"


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(("missing", "classified"), [(3, True), (4, False)])
def test_a_fifth_of_the_cells_may_be_missing(name: str, missing: int, classified: bool) -> None:
    rain = [[math.nan] * missing + [mm] * (16 - missing) for mm in STORM]
    found = one(name, hourly(rain, 0, GRID), dry_before(7, GRID), areas=[area(geometry=box(0, 0, 4, 4))])
    assert (found.level is not None) is classified
    assert found.lower_bound is classified


@pytest.mark.parametrize("name", NAMES)
def test_of_an_ensemble_only_the_control_is_used_and_that_is_said(name: str) -> None:
    control = hourly(STORM, member=0)
    wilder = hourly([mm * 9 for mm in STORM], member=1)
    found = one(name, [*wilder, *control], BEFORE[name])
    alone = one(name, hourly(STORM), BEFORE[name])
    assert found.level == alone.level
    assert (found.evidence["members"], found.evidence["control_only"]) == (2, True)
    assert "only the control is used" in evidence_sentence(JinjaTemplates(), with_age(found), "en")
    assert "只用控制成员" in evidence_sentence(JinjaTemplates(), with_age(found), "zh")
    with pytest.raises(Refused, match=r"models\.no-control"):
        one(name, [*wilder, *hourly(STORM, member=2)])


@pytest.mark.parametrize("name", NAMES)
def test_more_than_a_day_is_refused(name: str) -> None:
    with pytest.raises(Refused, match=r"assess\.window"):
        one(name, [field(0, 30, 1)], hours=30)


@pytest.mark.parametrize("name", NAMES)
def test_the_same_input_gives_the_same_bytes(name: str, tmp_path: Any) -> None:
    place = [area(geometry=box(0.3, 0.2, 3.7, 3.9))]
    rain = hourly([[mm * (cell + 1) / 7 for cell in range(16)] for mm in STORM], 0, GRID)
    found = {
        json.dumps([dict(one.evidence) for one in assess(name, rain, areas=place, cache=cache)])
        for cache in (None, tmp_path, tmp_path)
    }
    assert len(found) == 1


BAD: list[tuple[str, str, object]] = [
    *((name, "area_share", 0) for name in NAMES),
    *((name, "max_missing", 1.5) for name in NAMES),
    *((name, "points_raise_area", 1) for name in NAMES),
    *((name, "shifts", {"high": 2, "medium": 1, "low": 2, "very-low": 3}) for name in NAMES if name != "lhasa11"),
    *((name, "step_minutes", 50) for name in NAMES if name != "lhasa11"),
    *((name, "split_intervals", "yes") for name in NAMES if name != "lhasa11"),
    ("rolling-multi", "windows_hours", [1, 1]),
    ("rolling-multi", "windows_hours", [0.5]),
    ("rolling-multi", "classes_mm", [[1, 2, 3, 4, 5, 6, 7]]),
    ("rolling-multi", "classes_mm", [[75] * 7] * 4),
    ("id-threshold", "use", ["nowhere"]),
    ("id-threshold", "curves", []),
    ("id-threshold", "ratio_breaks", [1, 1.5, 2]),
    ("id-threshold", "longest_hours", 0.5),
    ("jma-swi", "levels_mm", [93, 124, 120, 186]),
    ("jma-swi", "dt_minutes", 7),
    ("jma-swi", "outlets_mm", [15, 60, 15]),
    ("jma-swi", "seepage_per_hour", [0.12, 0.05, 1.5]),
    ("jma-swi", "spin_up_hours", 12),
    ("lhasa11", "days", 0),
    ("lhasa11", "moderate_level", "purple"),
    ("lhasa11", "high_level", "blue"),
    ("lhasa11", "normal_sha256", 5),
    ("lhasa11", "susceptibility", {"high": 2, "medium": 3, "low": 2, "very-low": 1}),
    ("logistic", "coefficients", {}),
    ("logistic", "coefficients", {"class": 1.0}),
    ("logistic", "intercept", None),
    ("logistic", "probability_breaks", [0.1, 0.3, 0.5, 1.0]),
    ("logistic", "k", 0),
    ("logistic", "class_values", {"high": 0, "medium": 1, "low": 2, "very-low": 3}),
]


@pytest.mark.parametrize(("name", "parameter", "value"), BAD)
def test_a_bad_parameter_is_named(name: str, parameter: str, value: object) -> None:
    MODELS[name].check(rules(name))
    with pytest.raises(Refused) as refused:
        MODELS[name].check(rules(name, **{parameter: value}))
    assert refused.value.key == ("rules.parameter-missing" if value is None else "rules.parameter")
    assert str(refused.value.facts["parameter"]).startswith(parameter)


def test_a_bad_entry_is_named_with_its_place() -> None:
    with pytest.raises(Refused, match=r"normal_mm\.a"):
        MODELS["lhasa11"].check(rules("lhasa11", normal_mm={"a": -1}))
    with pytest.raises(Refused, match=r"coefficients\.r1h"):
        MODELS["logistic"].check(rules("logistic", coefficients={"r1h": -0.1}))
    curve = {"id": "own", "c": 0, "alpha": 10, "beta": "x", "from_hours": 1, "to_hours": 24}
    with pytest.raises(Refused, match=r"curves\.own\.beta"):
        MODELS["id-threshold"].check(rules("id-threshold", curves=[curve], use=["own"]))


def test_logistic_is_shipped_switched_off() -> None:
    shipped = load_rules(config_dir() / "rules" / "logistic.toml")
    with pytest.raises(Refused) as refused:
        MODELS["logistic"].check(shipped)
    assert refused.value.facts["parameter"] == "coefficients"


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_every_finding_has_a_sentence(name: str, language: str) -> None:
    templates = JinjaTemplates()
    county, point = area("a", geometry=box(0, 0, 4, 4)), area("b", kind=AreaKind.POINT, parent="a", lon=0.2, lat=0.3)
    wet = [[mm if cell < 3 else 0.0 for cell in range(16)] for mm in STORM]
    found = [
        one(name, hourly(STORM), BEFORE[name]),
        one(name, hourly(STORM)),
        one(name, hourly(STORM[:-1])),
        one(name, hourly([400.0] * 24), BEFORE[name]),
        *assess(name, hourly(wet, 0, GRID), [], [county, point, area("z", kind=AreaKind.ZONE, parent="a")]),
        one(name, hourly(STORM, 0, GRID), areas=[area("far", lon=50.0, lat=50.0)]),
    ]
    for finding in map(with_age, found):
        for text in (evidence_sentence(templates, finding, language), evidence_short(templates, finding, language)):
            assert len(text) > 10
            assert "None" not in text
            assert "  " not in text


@pytest.mark.parametrize("name", ["rolling-multi", "jma-swi"])
def test_points_in_one_cell_have_their_own_reports(name: str) -> None:
    """Two points share a cell, and one of them has a gauge that saw more."""
    spots = [area(code, kind=AreaKind.POINT, lon=0.2, lat=0.3) for code in ("a", "b", "c")]
    gauge = [seen(hour, hour + 1, 15.0, AreaUnits(("b",))) for hour in range(-24, 0)]
    found = assess(name, hourly([1.0] * 24, 0, GRID), [*gauge, *dry_before(2, GRID)], spots)
    levels = {one.area: one.level or Level.NONE for one in found}
    assert levels["a"] == levels["c"] < levels["b"]
