"""A long archive costs a release nothing: what ended long ago is written once, and pages that are full stay."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.unit.site_desk import SiteDesk
from tests.unit.test_tree_kept import changed_times, everything, written_anew

from geowarn.domain.level import Level
from geowarn.domain.warning import Act
from geowarn_channels import archive_shelves, files, tree_record


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> SiteDesk:
    monkeypatch.setattr(archive_shelves, "WARNINGS", 3)
    return SiteDesk(tmp_path)


def archive(site: SiteDesk, count: int) -> None:
    """So many warnings that ended by time; all but the first are copies of it under numbers of their own."""
    first = site.release({"990103": Level.YELLOW}, warning=f"w-{len(site.bulletins)}", calibrated=True)
    for _ in range(count - 1):
        site.now += timedelta(minutes=1)
        at = len(site.bulletins)
        slug = f"2026-{at + 1:03d}"
        made = replace(first, id=f"b-{at + 1}", warning_id=f"w-{at}", serial=at + 1, slug=slug, released_at=site.now)
        site.bulletins.append(made)
        given, own = first.slug.encode(), slug.encode()
        site.bodies[f"b-{at + 1}"] = {path: body.replace(given, own) for path, body in site.bodies[first.id].items()}
    site.now += timedelta(days=9)


class Work:
    """What writing a tree does: files looked at, read to be compared, written, pages drawn."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, site: SiteDesk) -> None:
        self.done: Counter[str] = Counter()
        for where, name in ((tree_record, "_stat"), (files, "holds"), (files, "_put_beside")):
            monkeypatch.setattr(where, name, self._counted(name, getattr(where, name)))
        monkeypatch.setattr(site.templates, "render", self._counted("render", site.templates.render), raising=False)

    def _counted(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*given: Any, **named: Any) -> Any:
            self.done[name] += 1
            return act(*given, **named)

        return counted


def released_after(site: SiteDesk, work: Work, count: int) -> Counter[str]:
    """What one release does to a tree in which so many more warnings have ended long ago."""
    archive(site, count)
    site.publish()
    site.publish()
    site.now += timedelta(minutes=2)
    site.release({"990101": Level.RED}, warning=f"w-{len(site.bulletins)}")
    work.done.clear()
    assert site.channel._write(site.state(), exercise=False) is not None
    done = Counter(work.done)
    site.release({"990101": Level.RED}, Act.LIFT, warning=site.bulletins[-1].warning_id, reason="雨停")
    site.now += timedelta(days=9)
    return done


def test_a_release_does_the_same_however_long_the_archive_is(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    work = Work(monkeypatch, site)
    short = released_after(site, work, 6)
    longer = released_after(site, work, 29)  # both times the newest page holds as many: what is compared is the archive
    assert short["_put_beside"] > 10
    assert longer == short


def test_full_pages_stay_as_they_are_and_lead_to_the_next_and_the_previous(site: SiteDesk) -> None:
    archive(site, 11)
    site.publish()
    old = {path: time for path, time in changed_times(site.root).items() if "archive/2026/" in path}
    pages = [f"{start}archive/2026/{part}/index.html" for start in ("", "en/") for part in (1, 2)]
    assert set(pages) < set(old)
    first, second = site.read("archive/2026/1/index.html"), site.read("archive/2026/2/index.html")
    assert 'rel="prev" href="../../../archive/2026/2/index.html"' in first
    assert 'rel="next"' not in first
    assert 'rel="next" href="../../../archive/2026/1/index.html"' in second
    assert 'rel="prev" href="../../../archive/index.html"' in second
    newest = site.read("archive/index.html")
    assert 'rel="next" href="../archive/2026/2/index.html"' in newest
    assert all(f'href="../archive/2026/{part}/index.html"' in newest for part in (1, 2))
    archive(site, 1)
    site.publish()  # now the first page is divided: of the old ones the one before the new page leads on to it
    after = changed_times(site.root)
    assert 'rel="prev" href="../../../archive/2026/3/index.html"' in site.read("archive/2026/2/index.html")
    moved = {path for path in old if after[path] != old[path]}
    assert {path for path in moved if path.endswith(".html")} == {pages[1], pages[3]}
    for part in (1, 2, 3):
        assert f'href="../archive/2026/{part}/index.html"' in site.read("archive/index.html")


def test_what_ended_long_ago_is_one_line_until_it_moves_again(site: SiteDesk, tmp_path: Path) -> None:
    archive(site, 7)
    site.publish()
    record = json.loads((site.root / ".tree.json").read_text())
    assert not any(path.startswith(("w/2026-001/", "cap/")) for path in record if "2026-001" in path)
    assert ".archive-2026-1.json" in record
    woken = site.bulletins[1]
    site.release({"990103": Level.RED}, Act.UPDATE, warning=woken.warning_id)
    site.publish()
    record = json.loads((site.root / ".tree.json").read_text())
    assert "w/2026-001/index.html" in record
    assert not (site.root / ".archive-2026-1.json").exists()
    kept, anew = everything(site.root), written_anew(site, tmp_path / "anew")
    assert {path: kept.get(path) for path in anew} == anew


def test_other_words_reach_the_archive_without_a_release_waiting_for_it(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive(site, 7)
    site.publish()
    page = site.root / "w/2026-002/index.html"
    site.facts["press"]["phone"] = "0535-7654321"
    site.now += timedelta(minutes=2)
    rest = site.channel._write(site.state(), exercise=False)
    assert rest is not None
    assert "7654321" not in page.read_text("utf-8")
    assert "7654321" in site.read("index.html")
    assert rest.write()
    assert "7654321" in page.read_text("utf-8")


def test_a_damaged_file_of_the_archive_is_put_right_in_its_turn(site: SiteDesk) -> None:
    archive(site, 7)
    site.publish()
    damaged = [site.root / path for path in ("w/2026-001/index.html", "w/2026-005/map.svg")]
    right = [path.read_bytes() for path in damaged]
    damaged[0].write_bytes(b"gone")
    damaged[1].unlink()
    for _ in range(2):  # as many groups as are closed
        site.publish()
    assert [path.read_bytes() for path in damaged] == right


class Stopped(Exception):
    """The process ends here."""


def test_a_rebuilding_is_told_broken_off_and_goes_on_where_it_stopped(site: SiteDesk) -> None:
    archive(site, 30)
    site.publish()
    before = everything(site.root)
    damaged = [site.root / f"w/2026-{number:03d}/index.html" for number in (1, 29)]
    for path in damaged:
        time = path.stat().st_mtime_ns
        path.write_bytes(path.read_bytes().replace(b"<title>", b"<Title>"))
        os.utime(path, ns=(time, time))  # the record cannot see it: only drawing again can
    told: list[tuple[int, int]] = []

    def stop_half_way(done: int, of: int) -> None:
        told.append((done, of))
        if done > of // 2:
            raise Stopped

    with pytest.raises(Stopped):
        site.channel.rebuild(stop_half_way)
    assert (site.root / ".rebuilding").exists()
    assert [path for path in before if not (site.root / path).exists()] == []
    first, told = told, []
    site.channel.rebuild(lambda done, of: told.append((done, of)))
    assert told[-1][0] == told[-1][1]
    assert told[-1][1] < first[-1][1]  # what was done is not done again
    assert not (site.root / ".rebuilding").exists()
    after = everything(site.root)
    changing = {"current.json", "feeds/index.html", "en/feeds/index.html"}  # they carry the sequence number
    assert {path for path in before if before[path] != after[path]} <= changing


def test_a_tree_that_is_gone_is_made_again_and_the_home_page_comes_last(site: SiteDesk) -> None:
    archive(site, 30)

    def stop_half_way(done: int, of: int) -> None:
        if done > of // 2:
            raise Stopped

    with pytest.raises(Stopped):
        site.channel.rebuild(stop_half_way)
    assert not (site.root / "index.html").exists()
    assert (site.root / "w/2026-001/index.html").exists() or (site.root / "w/2026-030/index.html").exists()
    site.channel.rebuild(lambda _done, _of: None)
    assert (site.root / "index.html").exists()
    assert len(list((site.root / "w").iterdir())) == 30
