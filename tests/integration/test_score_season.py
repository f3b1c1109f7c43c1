"""`geowarn score` as a person types it, over a season that was really played; its page in a real browser."""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from tests.integration.season import (
    HAIYANG,
    LAIZHOU,
    RELEASED,
    STORM,
    ZHIFU,
    deciding_runs,
    play_season,
    reports,
)
from tests.integration.test_command_line import good, refused
from tests.windows import opened, sized

from geowarn.domain.level import Level

AXE = Path(__file__).parents[1] / "data" / "axe-core" / "axe.min.js"


@pytest.fixture(scope="module")
def season(demo_now: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play_season(demo_now, tmp_path_factory.mktemp("season") / "data")


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> Path:
    rows = ((HAIYANG, 6, 8), (HAIYANG, 7, None), (ZHIFU, 9, None), (LAIZHOU, 0.3, None), (HAIYANG, -200, None))
    return reports(tmp_path_factory.mktemp("events") / "events.csv", *rows)


def scored(season: Path, events: Path, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(good("score", "--events", str(events), "--json", *more, data=season))
    return found


def test_counts_agree_with_a_recount_from_what_the_runs_say(season: Path, events: Path) -> None:
    found = scored(season, events, "--unit", "area-window")
    areas = [one["code"] for one in found["areas"]]
    assert len(areas) == 15
    units = []
    first, second = deciding_runs(season)
    for run, hit in ((first, {HAIYANG, ZHIFU, LAIZHOU}), (second, set())):
        whole = json.loads(good("replay", run, "--json", data=season))["stored"]["areas"]
        units += [(one["level"], one["code"] in hit) for one in whole if one["code"] in areas]
    known = [(Level.parse(level), hit) for level, hit in units if level]
    assert found["counts"]["units"] == len(units)
    assert found["counts"]["classified"] == len(known)
    for level in list(Level)[1:]:
        table = found["assessed"]["at_least"][level.code]
        assert table["hits"] == sum(one >= level and hit for one, hit in known)
        assert table["false_alarms"] == sum(one >= level and not hit for one, hit in known)
        assert table["misses"] == sum(one < level and hit for one, hit in known)
        assert table["correct_negatives"] == sum(one < level and not hit for one, hit in known)
    assert found["synthetic"] is True
    assert found["calibrated"] is False


def test_issued_levels_leads_and_hours(season: Path, events: Path) -> None:
    found = scored(season, events, "--unit", "area-window")
    issued = found["issued"]["at_least"]
    # Haiyang was red at its first landslide; Laizhou's came before the release, Zhifu was never warned
    assert (issued["red"]["hits"], issued["yellow"]["hits"], issued["yellow"]["misses"]) == (1, 1, 2)
    leads = {(one["area"], one["time"]): (one["least"], one["most"]) for one in found["leads"]["each"]}
    assert found["leads"]["events"] == 4
    hours = (RELEASED - STORM).total_seconds() / 3600
    assert leads[HAIYANG, found["leads"]["each"][0]["time"]] == pytest.approx((6 - hours, 8 - hours))
    assert found["leads"]["negative"] == 1
    assert found["leads"]["warned"] == 3
    assert found["area_hours"]["by_level"]["red"] == pytest.approx(24 - hours)
    assert sum(map(sum, found["edumap"]["hours"].values())) == pytest.approx(
        found["area_hours"]["total"], abs=15 * found["edumap"]["step_hours"]
    )
    assert found["human"] == {"bulletins": 1, "dismissed": 0, "by_hand": 0}
    crossed = found["assessed_by_issued"]
    assert sum(sum(row.values()) for row in crossed.values()) == found["counts"]["units"]
    assert crossed["red"]["red"] == 1
    assert found["counts"]["beyond"] == 1


def test_the_csv_holds_the_same_numbers(season: Path, events: Path, tmp_path: Path) -> None:
    file = tmp_path / "score.csv"
    found = scored(season, events, "--csv", str(file))
    with file.open(encoding="utf-8-sig", newline="") as lines:
        rows = list(csv.DictReader(lines))
    cells = {(r["section"], r["series"], r["level"], r["measure"]): r for r in rows}
    for level in ("blue", "red"):
        table = found["issued"]["at_least"][level]
        pod = cells["at_least", "issued", level, "pod"]
        assert float(pod["value"]) == table["pod"]
        assert [float(pod["low"]), float(pod["high"])] == table["wilson"]["pod"]
        assert int(cells["at_least", "issued", level, "hits"]["value"]) == table["hits"]
    assert cells["at_least", "issued", "red", "sedi"]["value"] == ""
    assert float(cells["edumap", "MA", "none", "class_1_hours"]["value"]) == found["edumap"]["hours"]["none"][1]


def test_the_terminal_says_what_is_counted_and_labels_synthetic_rain(season: Path, events: Path) -> None:
    said = good("score", "--events", str(events), "--from", STORM.isoformat(), data=season)
    assert "area-day (24 h from 20:00 local time)" in said
    assert "SYNTHETIC" in said
    assert "uncalibrated" in said
    assert "undefined" in said


def test_a_season_without_runs_and_other_mistakes_are_refused(season: Path, events: Path, tmp_path: Path) -> None:
    command = ("score", "--events", str(events))
    assert "2031" in refused(*command, "--from", "2031-01-01T00:00Z", data=season)
    assert "--to" in refused(*command, "--from", "2026-02-02T00:00Z", "--to", "2026-02-01T00:00Z", data=season)
    assert "area-week" in refused(*command, "--unit", "area-week", data=season)
    assert "nowhere" in refused(*command, "--areas", "county,nowhere", data=season)
    assert "none.csv" in refused("score", "--events", str(tmp_path / "none.csv"), data=season)
    bad = reports(tmp_path / "bad.csv", ("999999", 1, None))
    assert "bad.csv, line 2" in refused("score", "--events", str(bad), data=season)


@pytest.fixture(scope="module")
def page(season: Path, events: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("page") / "score.html"
    good("score", "--events", str(events), "--page", str(file), data=season)
    return file


def test_the_page_is_whole_in_itself_and_names_its_style(page: Path) -> None:
    text = page.read_text("utf-8")
    style = re.search(r"<style>(.*?)</style>", text, re.DOTALL)
    assert style is not None
    digest = base64.b64encode(hashlib.sha256(style[1].encode()).digest()).decode()
    assert f"default-src 'none'; style-src 'sha256-{digest}'" in text
    assert not re.search(r"<script|<link|<img|\sstyle=|\son\w+=|url\(|https?://", text)
    assert text.count("合成演示降雨（非真实预报）") >= 1
    assert text.count("SYNTHETIC DEMO RAINFALL - NOT A REAL FORECAST") >= 1
    assert "未率定默认值" in text
    assert "海阳市" in text
    assert "Haiyang" in text


@pytest.fixture
def driver(tmp_path: Path) -> Iterator[webdriver.Chrome]:
    found = opened(tmp_path / "profile")
    yield found
    found.quit()


@pytest.mark.browser
@pytest.mark.parametrize("width", [1200, 360])
@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_page_is_accessible_and_fits(driver: Any, page: Path, width: int, language: str) -> None:
    sized(driver, width, 900)
    driver.get(f"{page.as_uri()}#{language}")
    shown = "return ['zh', 'en'].filter(id => document.getElementById(id).offsetHeight > 0)"
    assert driver.execute_script(shown) == [language]
    sideways = "return document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert driver.execute_script(sideways) <= 0
    beyond = """return [...document.querySelectorAll('svg text')].filter(t => t.getClientRects().length).filter(t => {
      const a = t.getBoundingClientRect(), b = t.ownerSVGElement.getBoundingClientRect();
      return a.left < b.left - 1 || a.right > b.right + 1 || a.top < b.top - 1 || a.bottom > b.bottom + 1;
    }).map(t => t.textContent)"""
    assert driver.execute_script(beyond) == []
    driver.execute_script(AXE.read_text("utf-8"))
    look = "axe.run(document).then(r => arguments[0](r.violations.map(v => v.id + ' ' + v.nodes[0].html)))"
    assert driver.execute_async_script(look) == []
    assert [line["message"] for line in driver.get_log("browser")] == []
