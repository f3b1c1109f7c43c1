"""The second trigger through the real store and models: nowcast windows only, kept with its runs, replayed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.integration.test_alternates import ALL, Desk, shipped

from geowarn.domain.level import Level
from geowarn.pipeline.alternates import Alternate
from geowarn.pipeline.assess import evidence_sentence, replay
from geowarn.pipeline.rules import load_rules
from geowarn.pipeline.second_trigger import KEY
from geowarn.resources import config_dir
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates

BESIDE = [*ALL, shipped("rolling-nowcast")]


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    yield found
    found.store.dispose()


def test_a_short_burst_raises_a_nowcast_window_by_one_level(desk: Desk) -> None:
    forecast = desk.storm()
    plain, *_ = desk.assess_all(forecast, BESIDE, window_hours=5)
    raised, *others = desk.assess_all(forecast, BESIDE, window_hours=5, second_trigger=["id-threshold"])
    (before,), (after,) = plain.assessments, raised.assessments
    assert (before.level, after.level) == (Level.YELLOW, Level.ORANGE)  # 97 mm in 5 h; id-threshold says red
    assert KEY not in before.evidence
    assert after.evidence[KEY]["by"]["level"] == "red"
    assert "raised by one level" in evidence_sentence(JinjaTemplates(), after, "en")
    assert "上调一级" in evidence_sentence(JinjaTemplates(), after, "zh")
    assert len(others) == len(BESIDE)
    assert {run.beside for run in others} == {raised.id}
    assert replay(desk.store, desk.readers, desk.models, desk.folder / "raw", None, raised.id).equal


def test_the_day_window_has_no_second_trigger(desk: Desk) -> None:
    run, *_ = desk.assess_all(desk.storm(), BESIDE, second_trigger=["id-threshold", "rolling-nowcast"])
    assert not any(KEY in one.evidence for one in run.assessments)


def test_a_trigger_that_cannot_be_read_makes_the_level_a_lower_bound(desk: Desk) -> None:
    gone = Alternate("gone", lambda: load_rules(config_dir() / "rules" / "gone.toml"))
    run, *_ = desk.assess_all(desk.storm(), [gone], window_hours=5, second_trigger=["gone"])
    (found,) = run.assessments
    assert (found.level, found.lower_bound) == (Level.YELLOW, True)
    assert found.evidence[KEY]["silent"] == ["gone"]
    assert replay(desk.store, desk.readers, desk.models, desk.folder / "raw", None, run.id).equal


def test_it_is_off_unless_an_installation_names_one(tmp_path: Path) -> None:
    assert load_settings(None).hazard.second_trigger == ()
    (tmp_path / "geowarn.toml").write_text('[hazard]\nsecond_trigger = ["rolling-nowcast"]\n', "utf-8")
    hazard = load_settings(tmp_path).hazard
    assert hazard.beside == ("rolling-multi", "id-threshold", "rolling-nowcast")
