"""Published examples, to the printed digit: the table names each source."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import pytest

from geowarn.domain import ari, effrain, intensity_duration, rolling, soil_water
from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, RainField, RainKind
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir

TABLE: dict[str, Any] = tomllib.loads(
    (Path(__file__).parents[1] / "data" / "published" / "worked_examples.toml").read_text("utf-8")
)


def parameters(name: str) -> dict[str, Any]:
    return dict(load_rules(config_dir() / "rules" / f"{name}.toml").parameters)


def as_printed(value: float, printed: str) -> str:
    """The value with as many digits as were printed."""
    return str(Decimal(repr(value)).quantize(Decimal(printed), ROUND_HALF_UP))


def test_every_table_names_its_source() -> None:
    tables = [one for found in TABLE.values() for one in (found if isinstance(found, list) else [found])]
    tables += [
        one for found in TABLE["lhasa"].values() if isinstance(found, list) for one in found if isinstance(one, dict)
    ]
    assert len(tables) > 12
    assert all(len(one["source"]) > 20 for one in tables)


def test_the_breaks_of_jian() -> None:
    shipped = effrain.read_parameters(parameters("effrain-matrix")).breaks
    assert list(shipped) == TABLE["jian"]["breaks_mm"]
    for mm, expected in TABLE["jian"]["classes"]:
        assert effrain.rain_class(mm, shipped) == expected


@pytest.mark.parametrize("example", TABLE["effective_rain"], ids=lambda one: f"k={one['k']}")
def test_what_ten_days_at_ten_millimetres_add(example: dict[str, Any]) -> None:
    added = sum(10 * effrain.factor(example["k"], day) for day in range(1, example["days"] + 1))
    assert as_printed(added, example["antecedent_mm"]) == example["antecedent_mm"]


@pytest.mark.parametrize("example", TABLE["soil_water"], ids=lambda one: f"dt={one['dt_minutes']}")
def test_the_soil_water_index(example: dict[str, Any]) -> None:
    rules = soil_water.read_parameters(parameters("jma-swi") | {"dt_minutes": example["dt_minutes"]})
    last = soil_water.storages(example["rain_mm"], rules.tanks, rules.parts)[-1]
    assert as_printed(soil_water.index_of(last), example["index_mm"]) == example["index_mm"]


def test_the_hong_kong_windows() -> None:
    rules = rolling.read_parameters(parameters("rolling-multi"))
    assert list(rules.hours) == TABLE["hong_kong"]["hours"]
    assert [breaks[1] for breaks in rules.lines] == TABLE["hong_kong"]["mm"]
    for at, (count, mm) in enumerate(zip(rules.counts(), TABLE["hong_kong"]["mm"], strict=True)):
        steady = [mm / count] * count
        sums = [rolling.highest_sum([0.0] * 24 + steady, other, 24).mm for other in rules.counts()]
        assert sums[at] == pytest.approx(mm)
        just_under = [one * 0.999 for one in sums]
        at_line = [*just_under[:at], mm, *just_under[at + 1 :]]
        alone = rolling.standing([at_line[at]], [rules.lines[at]], 0)
        assert (alone.level, alone.over_own_mm) == (Level.YELLOW, 0.0)
        assert rolling.standing([mm - 0.001], [rules.lines[at]], 0).level is Level.BLUE


@pytest.mark.parametrize("example", TABLE["curve"], ids=lambda one: one["id"])
def test_the_world_curves_at_one_day(example: dict[str, Any]) -> None:
    read = intensity_duration.read_parameters(parameters("id-threshold") | {"use": [example["id"]]})
    (curve,) = read.curves
    assert as_printed(curve.intensity(example["hours"]), example["mm_per_hour"]) == example["mm_per_hour"]
    assert as_printed(curve.depth(example["hours"]), example["mm"]) == example["mm"]


def test_the_weights_of_lhasa() -> None:
    shares = ari.weights(7, 2)
    assert [as_printed(one, "0.0001") for one in shares] == TABLE["lhasa"]["weights"]
    assert as_printed(sum(shares), "0.0001") == TABLE["lhasa"]["weight_sum"]


@pytest.mark.parametrize("example", TABLE["lhasa"]["index"], ids=lambda one: one["ari_mm"])
def test_the_index_of_lhasa(example: dict[str, Any]) -> None:
    assert as_printed(ari.ari(example["days_mm"], 2), example["ari_mm"]) == example["ari_mm"]


@pytest.mark.parametrize("example", TABLE["lhasa"]["decision"], ids=lambda one: str(one["index_mm"]))
def test_the_decisions_of_lhasa(example: dict[str, Any]) -> None:
    found = [ari.decide(example["index_mm"], example["normal_mm"], scale) for scale in range(1, 6)]
    assert found == example["outcomes"]


def test_lekima_with_no_rain_before() -> None:
    end = datetime(2019, 8, 11, 12, tzinfo=UTC)
    window = Period.ending(end, TABLE["lekima"]["hours"])
    pairs = [(town, terrain) for town in TABLE["lekima"]["towns"] for terrain in Susceptibility]
    areas = [Area(f"{town}-{one.value}", AreaKind.COUNTY, town, town, susceptibility=one) for town, one in pairs]
    units = AreaUnits(tuple(area.code for area in areas))
    totals = [TABLE["lekima"]["towns"][town] for town, _ in pairs]
    fallen = RainField(window, units, totals, RainKind.OBSERVED, "report", end)
    dry = [
        RainField(Period(window.end - before[0], window.end - before[1]), units, [0.0] * len(areas),
                  RainKind.OBSERVED, "report", end)
        for before in [(timedelta(hours=24), timedelta(hours=20)),
                       *((timedelta(days=day + 1), timedelta(days=day)) for day in (1, 2, 3))]
    ]  # fmt: skip
    row = Forecast(
        id="f1",
        reader="none",
        source="report",
        file_name="f",
        payload_digest="0" * 64,
        received_at=end,
        run_time=end,
        coverage=window,
        fields=1,
        kinds=frozenset({RainKind.OBSERVED}),
        synthetic=False,
    )
    rules = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
    found = EffrainMatrix().assess(areas, Rain(row, (fallen,), tuple(dry)), window, rules, None)
    for (_, terrain), one in zip(pairs, found, strict=True):
        assert one.evidence["rain_class"] == TABLE["lekima"]["rain_class"]
        assert one.level is not None
        assert one.level.code == TABLE["lekima"]["levels"][terrain.value]
        assert not one.lower_bound
