"""The labelled demo storm gives the figures that were drawn, and sentences a pencil can check."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

import numpy as np
import pytest

from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Grid, RainField, RainKind
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.areas import read_areas
from geowarn.pipeline.assess import evidence_sentence, evidence_short
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain
from geowarn.resources import config_dir
from geowarn.templating import JinjaTemplates

START = datetime(2026, 7, 22, 16, tzinfo=UTC)  # storm hour 0
HOUR = timedelta(hours=1)
GRID = Grid(lon0=119.0, lat0=36.4, dlon=0.05, dlat=0.05, nx=71, ny=45)
ANTECEDENT = {  # mm one, two and three days before the window
    "370687": (18, 6, 0),
    "370682": (22, 9, 2),
    "370686": (12, 4, 0),
    "370685": (10, 3, 0),
    "370683": (8, 0, 0),
    "370612": (6, 5, 0),
    "370611": (5, 0, 0),
    "370681": (4, 0, 0),
    "370614": (3, 0, 0),
    "370613": (2, 0, 0),
    "370602": (2, 0, 0),
}


def storm_hour(storm: Mapping[str, Any], hour: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    lon, lat = np.meshgrid(119.0 + 0.05 * np.arange(71), 36.4 + 0.05 * np.arange(45))
    rain = np.zeros_like(lon)
    for burst in storm["bursts"]:
        count, at = burst["hours"], hour - burst["start_hour"]
        if not 0 <= at < count:
            continue
        shares = np.sin(np.pi * (np.arange(count) + 0.5) / count) ** 2
        total = np.full_like(lon, burst["base_mm"])
        for cell in burst["cells"]:
            turn = math.radians(cell["theta_deg"])
            dx, dy = (lon - cell["lon"]) * 0.799, lat - cell["lat"]
            u, v = math.cos(turn) * dx + math.sin(turn) * dy, -math.sin(turn) * dx + math.cos(turn) * dy
            total += cell["A_mm"] * np.exp(-0.5 * ((u / cell["sx_deg"]) ** 2 + (v / cell["sy_deg"]) ** 2))
        rain += total * shares[at] / shares.sum()
    return np.asarray(rain.ravel(), dtype=np.float64)


@cache
def found() -> dict[str, Assessment]:
    storm = json.loads((config_dir() / "demo" / "demo_storm.json").read_text("utf-8"))
    folder = config_dir() / "areas" / "yantai"
    areas = read_areas(sorted([*folder.glob("areas*.csv"), *folder.glob("areas*.geojson")]), [])
    window = Period(START + 2 * HOUR, START + 26 * HOUR)
    fields = tuple(
        RainField(
            Period(START + hour * HOUR, START + (hour + 1) * HOUR),
            GRID,
            storm_hour(storm, hour).tolist(),
            RainKind.FORECAST,
            "demo storm",
            START,
        )
        for hour in range(2, 26)
    )
    observed = tuple(
        RainField(
            Period(window.start - day * 24 * HOUR, window.start - (day - 1) * 24 * HOUR),
            AreaUnits(tuple(ANTECEDENT)),
            [float(days[day - 1]) for days in ANTECEDENT.values()],
            RainKind.OBSERVED,
            "gauges",
            START,
        )
        for day in (1, 2, 3)
    )
    row = Forecast(
        id="f1",
        reader="none",
        source="demo storm",
        file_name="f",
        payload_digest="0" * 64,
        received_at=START,
        run_time=START,
        coverage=window,
        fields=24,
        kinds=frozenset({RainKind.FORECAST}),
        synthetic=True,
    )
    rules = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
    assessed = EffrainMatrix().assess(areas, Rain(row, fields, observed), window, rules, None)
    dated = {"age_hours": 6.1, "stale": False}
    return {one.area: Assessment(one.area, one.level, one.lower_bound, {**one.evidence, **dated}) for one in assessed}


@pytest.mark.parametrize(
    ("code", "r0", "antecedent", "effective", "level"),
    [
        ("370687", 307.38, 17.96, 325.34, Level.RED),
        ("370682", 200.87, 23.98, 224.85, Level.ORANGE),
        ("370686", 128.59, 11.98, 140.57, Level.YELLOW),
        ("370685", 117.62, 9.77, 127.39, Level.YELLOW),
        ("370683", 109.72, 6.32, 116.04, Level.YELLOW),
        ("370612", 111.23, 7.86, 119.09, Level.BLUE),
        ("370611", 66.69, 3.95, 70.64, Level.BLUE),
        ("370681", 59.87, 3.16, 63.03, Level.NONE),
        ("370614", 48.61, 2.37, 50.98, Level.NONE),
        ("370613", 47.48, 1.58, 49.06, Level.NONE),
        ("370602", 43.38, 1.58, 44.96, Level.NONE),
    ],
)
def test_the_demo_storm_gives_the_drawn_figures(
    code: str, r0: float, antecedent: float, effective: float, level: Level
) -> None:
    one = found()[code]
    assert one.level is level
    assert not one.lower_bound
    for key, expected in (("r0_mm", r0), ("antecedent_mm", antecedent), ("re_mm", effective)):
        assert one.evidence[key] == pytest.approx(expected, abs=0.0101), key  # drawn from parts already rounded


@pytest.mark.parametrize(("code", "up", "over"), [("370687", None, 75.34), ("370682", 25.15, 64.85)])
def test_the_margins_are_the_drawn_ones(code: str, up: float | None, over: float) -> None:
    evidence = found()[code].evidence
    assert evidence["over_own_mm"] == pytest.approx(over, abs=0.0101)
    assert evidence["to_next_mm"] == (None if up is None else pytest.approx(up, abs=0.0101))


def test_the_short_form_is_the_drawn_one() -> None:
    templates = JinjaTemplates()
    assert evidence_short(templates, found()["370687"], "zh") == (
        "307.38 + 前期 17.96（18.0×0.79 + 6.0×0.6241），雨量5类 ≥250，中易发 −1"
    )
    assert evidence_short(templates, found()["370682"], "zh") == (
        "200.87 + 前期 23.98（22.0×0.79 + 9.0×0.6241 + 2.0×0.4930），雨量4类 160–250，中易发 −1"
    )
    assert evidence_short(templates, found()["370612"], "en") == (
        "111.23 + antecedent 7.86 (6.0×0.79 + 5.0×0.6241), rain class 3 110–160, low susceptibility −2"
    )


def test_the_sentence_says_level_sum_margins_and_what_is_assumed() -> None:
    templates = JinjaTemplates()
    english = evidence_sentence(templates, found()["370682"], "en", "Asia/Shanghai")
    for part in (
        "II orange: RE 224.856 mm = 200.873 + antecedent 23.983 (22.0×0.79 + 9.0×0.6241 + 2.0×0.493039)",
        "25.144 mm below I red; 64.856 mm above the line to III yellow.",
        "6.1 h old when assessed",
        "10% of the area reach this value: 85 cells, 0 missing (0% of the area)",
        "class assumed, not surveyed",
        "uncalibrated default",
        "run 2026-07-23 00:00",
        "k=0.79, n=3",
    ):
        assert part in english
    chinese = evidence_sentence(templates, found()["370682"], "zh", "Asia/Shanghai")
    assert chinese.startswith("II级（橙色）：有效雨量 224.856 mm = 200.873 + 前期 23.983")
    assert "距I级（红色）还差 25.144 mm；超出本级下限 64.856 mm，低于此线为III级（黄色）。" in chinese
    assert "未率定默认值" in chinese


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_printed_numbers_add_up_on_paper(language: str) -> None:
    templates = JinjaTemplates()
    summed = 0
    for one in found().values():
        if one.level is None:
            continue
        sentence = evidence_sentence(templates, one, language)
        plain = re.search(r"([\d.]+) mm = ([\d.]+) \+ \D+([\d.]+)", sentence)
        assert plain
        whole, r0, decayed = (Decimal(part) for part in plain.groups())
        assert r0 + decayed == whole
        terms = [Decimal(mm) * Decimal(k) for mm, k in re.findall(r"([\d.]+)×([\d.]+)", sentence)]
        assert sum(terms, Decimal(0)).quantize(decayed) == decayed
        below = re.search(r"([\d.]+) mm below|还差 ([\d.]+) mm", sentence)
        if below:
            assert Decimal(below[1] or below[2]) + whole in {Decimal(line) for line in one.evidence["breaks_mm"]}
        summed += len(terms)
    assert summed > 20


def test_a_unit_without_place_says_whose_level_it_has() -> None:
    town = found()["own-kunyu"]
    assert town.level is Level.BLUE
    assert "牟平区" in evidence_sentence(JinjaTemplates(), town, "zh")
    assert "Muping" in evidence_sentence(JinjaTemplates(), town, "en")


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_area_has_a_sentence(language: str) -> None:
    templates = JinjaTemplates()
    for one in found().values():
        for text in (evidence_sentence(templates, one, language), evidence_short(templates, one, language)):
            assert text
            assert "None" not in text
            assert "  " not in text
