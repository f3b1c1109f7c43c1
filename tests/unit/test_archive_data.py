"""The archive as CSV and JSON: every bulletin once, with its terms of use, in files whose addresses stay."""

from __future__ import annotations

import csv
import io
import json
from datetime import timedelta
from pathlib import Path

import pytest
from tests.unit.site_desk import SiteDesk

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn_channels import archive_shelves


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def rows(site: SiteDesk, path: str) -> list[dict[str, str]]:
    body = (site.root / path).read_bytes()
    assert body.startswith(b"\xef\xbb\xbf")
    assert body.count(b"\r\n") == body.count(b"\n")
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))


def test_every_bulletin_level_and_area_is_a_row_and_says_how_it_ended(site: SiteDesk) -> None:
    site.facts["archive"] = {"licence_zh": "注明出处", "licence_en": "Name the source", "licence_url": ""}
    site.release({"990101": Level.YELLOW, "990103": Level.BLUE})
    site.now += timedelta(minutes=61)
    site.release({"990101": Level.RED, "990104": Level.ORANGE}, Act.UPDATE, synthetic=True)
    site.now += timedelta(hours=2)
    site.release({"990101": Level.RED, "990104": Level.ORANGE}, Act.LIFT, reason="雨停")
    site.publish()
    found = rows(site, "archive/2026/1/warnings.csv")
    assert [(r["bulletin"], r["act"], r["state"], r["level"], r["area"]) for r in found] == [
        ("2026-001", "issue", "superseded", "yellow", "990101"),  # nothing of what is internal
        ("2026-002", "update", "lifted", "red", "990101"),
        ("2026-002", "update", "lifted", "orange", "990104"),
        ("2026-003", "lift", "closing", "red", "990101"),
        ("2026-003", "lift", "closing", "orange", "990104"),
    ]
    assert {r["warning"] for r in found} == {"2026-001"}
    assert (found[0]["sent"], found[0]["ended"]) == ("2026-07-22T20:00:00+08:00", "2026-07-22T21:01:00+08:00")
    assert [r["synthetic"] for r in found] == ["no", "yes", "yes", "no", "no"]
    assert {r["licence"] for r in found} == {"Name the source"}
    whole = json.loads(site.read("archive/2026/1/warnings.json"))
    assert whole["licence"]["zh"] == "注明出处"
    bulletins = whole["warnings"][0]["bulletins"]
    assert [(b["bulletin"], b["number"], b["state"]) for b in bulletins] == [
        (b.slug, b.number, state) for b, state in zip(site.bulletins, ("superseded", "lifted", "closing"), strict=True)
    ]
    assert bulletins[0]["sha256"] == site.bulletins[0].package_sha256
    assert bulletins[1]["levels"][1]["areas"] == [{"code": "990104", "name_zh": "北屿县", "name_en": "Beiyu County"}]
    assert "注明出处" in site.read("archive/index.html")


def test_terms_that_nobody_stated_are_said_to_be_open(site: SiteDesk) -> None:
    site.publish()
    assert "待填" in site.read("archive/index.html")
    assert "not stated yet" in site.read("en/archive/index.html")
    listed = json.loads(site.read("archive/files.json"))
    assert (listed["files"], listed["licence"]["url"]) == ([], "")


def test_no_name_becomes_a_formula(site: SiteDesk) -> None:
    site.areas = {**site.areas, "9": Area("9", AreaKind.COUNTY, "=1+1", '@sum("a",b)', "990000")}
    site.release({"9": Level.YELLOW})
    site.publish()
    found = rows(site, "archive/2026/1/warnings.csv")[0]
    assert (found["area_zh"], found["area_en"]) == ("'=1+1", '\'@sum("a",b)')


def test_files_grow_at_their_end_and_a_full_one_never_changes(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_shelves, "WARNINGS", 2)

    def more(count: int) -> None:
        for _ in range(count):
            site.now += timedelta(minutes=5)
            site.release({"990102": Level.YELLOW}, warning=f"w-{len(site.bulletins)}")
        site.publish()

    more(3)
    first, second = (rows(site, f"archive/2026/{part}/warnings.csv") for part in (1, 2))
    assert [r["bulletin"] for r in (*first, *second)] == ["2026-001", "2026-002", "2026-003"]
    before = (site.root / "archive/2026/1/warnings.csv").stat().st_mtime_ns
    for number in (4, 5, 6):  # past the point where the archive's first page is divided
        more(1)
        listed = json.loads(site.read("archive/files.json"))["files"]
        assert [one["warnings"] for one in listed] == [2 - number % 2, *[2] * (number // 2 - 1 + number % 2)]
        named = [one["csv"].removeprefix(site.facts["site"]["public_url"] + "/") for one in reversed(listed)]
        every = [r["bulletin"] for path in named for r in rows(site, path)]
        assert every == [b.slug for b in site.bulletins]
    assert (site.root / "archive/2026/1/warnings.csv").stat().st_mtime_ns == before
    pages = [path.read_text("utf-8") for path in (site.root / "archive").rglob("index.html")]
    for path in named:
        assert sum(f'"{path}"' in page.replace("../", "") for page in pages) == 1, path


def test_an_hour_that_passes_touches_no_file_of_the_archive(site: SiteDesk) -> None:
    site.release({"990101": Level.YELLOW})
    site.publish()
    data = [p for p in (site.root / "archive").rglob("*") if p.suffix in (".csv", ".json")]
    assert len(data) == 3
    before = {path: path.stat().st_mtime_ns for path in data}
    site.now += timedelta(hours=3)
    site.publish()
    assert {path: path.stat().st_mtime_ns for path in data} == before
    site.now += timedelta(hours=30)
    site.publish()
    assert rows(site, "archive/2026/1/warnings.csv")[0]["state"] == "validity-ended"
