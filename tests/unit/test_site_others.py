"""Warnings of other offices in the public tree: apart from ours, bounded, and only where they belong."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.site_desk import START, SiteDesk

from geowarn.domain.level import Level
from geowarn.domain.warning import Series
from geowarn.ports import OtherWarning


def other(number: int = 1, **changes: Any) -> OtherWarning:
    said = {"language": "zh-CN", "event": "暴雨", "headline": f"暴雨橙色预警信号{number}", "description": "长" * 1200}
    values: dict[str, Any] = {
        "id": f"x-{number}", "issuer": {"zh": "省气象台", "en": "Provincial Observatory"}, "page": "",
        "texts": {key: {**said, "instruction": "避雨"} for key in ("zh", "en")}, "severity": "Severe",
        "sender": "weather@example.invalid", "identifier": f"rain-{number}", "places": ("东山市",) * 60,
        "codes": frozenset({"990101", "990000"}), "sent": START, "expires": START + timedelta(hours=9),
        "heard_at": START, "silent": False, "held": False, "checked": True,
    } | changes  # fmt: skip
    return OtherWarning(**values)


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def test_they_stand_apart_on_home_and_on_the_pages_they_reach(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish(others=(other(),))
    for path in ("index.html", "en/index.html", "areas/990101/index.html"):
        page = site.read(path)
        assert page.index("<h1") < page.index('class="sec others"') < page.index("暴雨橙色预警信号1"), path
        assert page.count("<h1") == 1
    for path in ("areas/990103/index.html", "archive/index.html", "w/2026-001/index.html", "feeds/warnings.atom"):
        assert "暴雨橙色预警信号1" not in site.read(path), path
    assert "暴雨橙色" not in site.read("current.json")
    assert "长" * 1200 in site.read("others/index.html")


def test_many_of_them_keep_the_home_page_small(site: SiteDesk) -> None:
    site.publish(others=tuple(other(number) for number in range(300)))
    assert len(site.read("index.html").encode()) < 50_000
    assert "全文（300 条）" in site.read("index.html")
    assert site.read("others/index.html").count("省气象台发布") == 300


def test_only_the_pages_that_they_reach_are_written_anew(site: SiteDesk) -> None:
    site.publish()
    far, near = site.root / "areas/990103/index.html", site.root / "areas/990101/index.html"
    before = far.stat().st_mtime_ns, near.read_text("utf-8")
    site.publish(others=(other(),))
    assert far.stat().st_mtime_ns == before[0]
    assert "暴雨橙色预警信号1" in near.read_text("utf-8")
    site.publish()
    assert near.read_text("utf-8") == before[1]


def test_no_release_waits_for_the_pages_of_areas_that_they_reach(site: SiteDesk) -> None:
    site.publish()
    everywhere = other(codes=frozenset(site.areas))
    rest = site.channel._write(site.state(others=(everywhere,)), exercise=False)
    assert rest is not None
    assert len([page for page in rest.pages if page.path.rpartition("areas/")[2][0].isdigit()]) == 2 * len(site.areas)
    for path in ("index.html", "en/index.html", "others/index.html"):
        assert "暴雨橙色预警信号1" in site.read(path)
    assert rest.write()
    assert "暴雨橙色预警信号1" in site.read("areas/990104/index.html")


def test_exercises_show_none_of_them(site: SiteDesk) -> None:
    site.release({"990101": Level.RED}, series=Series.EXERCISE)
    site.publish(others=(other(),))
    tree = site.data_dir / "exercise" / "public"
    assert all("暴雨橙色" not in file.read_text("utf-8") for file in tree.rglob("*.html"))
    assert "没有收到其他机关" in (tree / "others/index.html").read_text("utf-8")
