"""What `geowarn score` reads: a refusal names file, line or key, and what to do; nothing is guessed."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.score_season import AREAS, at

from geowarn.catalogue import LANGUAGES, explain
from geowarn.domain.area import AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.score_events import COLUMNS, read_events
from geowarn.pipeline.score_rules import load_score_rules
from geowarn.resources import config_dir

HEAD = ",".join(COLUMNS)
GOOD = "a1,2026-07-20T22:00+08:00,2026-07-20T23:30+08:00,landslide,small,warden"


def write(folder: Path, *lines: str) -> Path:
    path = folder / "events.csv"
    path.write_text("\n".join([HEAD, *lines]) + "\n", encoding="utf-8")
    return path


def test_reports_are_read_in_utc_with_an_open_end_as_a_moment(tmp_path: Path) -> None:
    body = write(tmp_path, GOOD, "", 'b,2026-07-20T15:00:00Z,,rockfall,2500.5,"county office, by phone"').read_text()
    path = tmp_path / "bom.csv"
    path.write_bytes(b"\xef\xbb\xbf" + body.replace("\n", "\r\n").encode())
    first, second = read_events(path, AREAS, at(100))
    assert (first.area, first.start, first.end) == ("a1", at(2), at(3.5))
    assert (second.start, second.end) == (at(3), at(3))
    assert (second.size, second.source) == ("2500.5", "county office, by phone")


@pytest.mark.parametrize(
    ("key", "line", "row"),
    [
        ("score.area", 3, "zz,2026-07-20T22:00+08:00,,landslide,small,x"),
        ("score.time", 3, "a,2026-07-20T22:00,,landslide,small,x"),
        ("score.time", 3, "a,yesterday,,landslide,small,x"),
        ("score.time", 3, "a,2026-07-20T22:00+08:00,later,landslide,small,x"),
        ("score.order", 3, "a,2026-07-20T22:00+08:00,2026-07-20T21:00+08:00,landslide,small,x"),
        ("score.future", 3, "a,2027-07-20T22:00+08:00,,landslide,small,x"),
        ("score.kind", 3, "a,2026-07-20T22:00+08:00,,avalanche,small,x"),
        ("score.size", 3, "a,2026-07-20T22:00+08:00,,landslide,-4,x"),
        ("score.size", 3, "a,2026-07-20T22:00+08:00,,landslide,1e5,x"),
        ("score.source", 3, "a,2026-07-20T22:00+08:00,,landslide,small,"),
        ("score.cells", 3, "a,2026-07-20T22:00+08:00,,landslide,small"),
        ("score.cells", 3, "a,2026-07-20T22:00+08:00,,landslide,small,x,y"),
        ("score.repeated", 3, GOOD),
    ],
)
def test_a_bad_row_is_refused_with_its_line(tmp_path: Path, key: str, line: int, row: str) -> None:
    with pytest.raises(Refused) as refused:
        read_events(write(tmp_path, GOOD, row), AREAS, at(100))
    assert (refused.value.key, refused.value.facts["line"]) == (key, line)
    for language in LANGUAGES:
        said = explain(refused.value, language)
        assert "events.csv" in said
        assert "3" in said


@pytest.mark.parametrize("body", [b"", b"area,time\n", b"\xff\xfe", b'"open\n'])
def test_what_is_no_such_table_is_refused(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "events.csv"
    path.write_bytes(body)
    with pytest.raises(Refused) as refused:
        read_events(path, AREAS, at(100))
    assert "events.csv" in explain(refused.value, "zh")


def test_the_shipped_table_is_square_and_says_public_from_yellow() -> None:
    rules = load_score_rules(config_dir() / "score.toml")
    assert rules.areas == (AreaKind.COUNTY, AreaKind.ZONE)
    assert rules.lead_from is Level.YELLOW
    assert {row[0] for row in rules.criteria.kinds[: Level.YELLOW]} == {"TN"}
    assert {row[0] for row in rules.criteria.kinds[Level.YELLOW :]} == {"FA"}
    assert rules.criteria.class_of(1) == 1
    assert rules.criteria.class_of(4) == 2
    assert rules.criteria.class_of(400) == 4


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ('areas = ["county", "zone"]', "areas = []", "areas"),
        ('"20:00"', "20", "day_begins"),
        ('lead_from = "yellow"', 'lead_from = "none"', "lead_from"),
        ("classes = [1, 2, 5, 10]", "classes = [1, 5, 2, 10]", "edumap.classes"),
        ("step_hours = 1", "step_hours = 0", "edumap.step_hours"),
        ("quiet_hours = 24", "quiet_hours = 0.5", "edumap.quiet_hours"),
        ('["TN", "MA", "MA", "MA", "MA"]', '["TN", "MA", "MA", "MA"]', "edumap.kinds.none"),
        ('["purple", "red", ', '["violet", "red", ', "edumap.grades.red"),
    ],
)
def test_a_wrong_setting_is_refused_with_its_key(tmp_path: Path, old: str, new: str, key: str) -> None:
    text = (config_dir() / "score.toml").read_text("utf-8")
    assert old in text
    path = tmp_path / "score.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(Refused) as refused:
        load_score_rules(path)
    assert refused.value.facts["key"] == key
    for language in LANGUAGES:
        assert key in explain(refused.value, language)
