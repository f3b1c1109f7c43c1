"""`lhasa11`: the climate it needs, from the rule set or a file that must stay what it was."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from tests.unit.model_bench import MODELS, area, assess, dry_before, hourly, one, rules, with_age

from geowarn.domain.area import Susceptibility
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.rain import AreaUnits
from geowarn.pipeline.assess import evidence_sentence
from geowarn.templating import JinjaTemplates

RAIN = hourly([5.0] * 24)  # 120 mm: index 79.38 mm with six dry days before
DRY = dry_before(6)


def file_of(folder: Path, text: str) -> dict[str, Any]:
    """The two parameters that name a file with this text."""
    path = folder / "ari95.csv"
    path.write_text(text, "utf-8")
    return {"normal_file": str(path), "normal_sha256": hashlib.sha256(path.read_bytes()).hexdigest()}


def test_without_a_climate_nothing_is_classified_and_the_file_is_named() -> None:
    found = with_age(one("lhasa11", RAIN, DRY, normal_mm={}))
    assert found.level is None
    assert found.evidence["cannot_classify"]["reason"] == "no-climatology"
    for language in ("zh", "en"):
        said = evidence_sentence(JinjaTemplates(), found, language)
        assert "normal_mm" in said
        assert "area,mm" in said


@pytest.mark.parametrize(
    ("terrain", "level"),
    list(zip(Susceptibility, [Level.ORANGE, Level.YELLOW, Level.NONE, Level.NONE], strict=True)),
)
def test_wet_ground_is_moderate_or_high_by_terrain(terrain: Susceptibility, level: Level) -> None:
    found = one("lhasa11", RAIN, DRY, areas=[area(terrain=terrain)], normal_mm={"a": 79.0})
    assert found.level is level
    assert found.evidence["ari_mm"] == pytest.approx(79.376, abs=0.001)
    dry = one("lhasa11", RAIN, DRY, areas=[area(terrain=terrain)], normal_mm={"a": 80.0})
    assert dry.level is Level.NONE
    assert (dry.evidence["to_next_mm"] is None) is (level is Level.NONE), "gentle terrain has no next level"


def test_the_file_serves_areas_and_what_lies_in_them_and_the_table_comes_first(tmp_path: Path) -> None:
    given = file_of(tmp_path, "area,mm\na,80\nb,79\n")
    town = area("town", parent="b")
    units = [*RAIN, *hourly([5.0] * 24, support=AreaUnits(("b", "town")))]
    own, of_parent = assess("lhasa11", units, DRY, [area("a"), town, area("b")], normal_mm={}, **given)[:2]
    assert (own.level, own.evidence["normal_of"]) == (Level.NONE, "a")
    assert (of_parent.level, of_parent.evidence["normal_of"]) == (Level.ORANGE, "b")
    first = one("lhasa11", RAIN, DRY, normal_mm={"a": 10.0}, **given)
    assert first.evidence["normal_mm"] == 10


def test_another_file_is_refused_by_its_digest(tmp_path: Path) -> None:
    given = file_of(tmp_path, "area,mm\na,80\n")
    MODELS["lhasa11"].check(rules("lhasa11", **given))
    Path(given["normal_file"]).write_text("area,mm\na,8\n", "utf-8")
    with pytest.raises(Refused, match=r"models\.normal-changed"):
        one("lhasa11", RAIN, DRY, **given)
    Path(given["normal_file"]).unlink()
    with pytest.raises(Refused, match=r"models\.normal-unreadable"):
        MODELS["lhasa11"].check(rules("lhasa11", **given))


@pytest.mark.parametrize("row", ["a,", "a,-3", "a,much", ",5", "a,nan", "a,1e9"])
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, row: str) -> None:
    given = file_of(tmp_path, f"area,mm\nb,80\n{row}\n")
    with pytest.raises(Refused) as refused:
        MODELS["lhasa11"].check(rules("lhasa11", **given))
    assert (refused.value.key, refused.value.facts["line"]) == ("models.normal-value", 3)
