"""A tree brought forward step by step is the tree that would be written anew: nothing that changed is left standing."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st
from lxml import html
from tests.unit.site_desk import SiteDesk, small_city

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, Series
from geowarn_channels import archive_shelves, area_pages, svg_draw, tree_writing
from geowarn_channels.files import write_all
from geowarn_channels.page_pattern import Pattern, slot
from geowarn_channels.tree_record import short
from geowarn_channels.tree_rest import Rest
from geowarn_channels.tree_writing import writing
from geowarn_channels.website import WebsiteChannel

PHASES = (Phase.explicit, Phase.generate)  # a smaller example would take minutes to find
LEVELS = st.dictionaries(
    st.sampled_from(["990101", "990102", "990103", "990104", "990101001", "990199"]),
    st.sampled_from([Level.YELLOW, Level.ORANGE, Level.RED]),
    min_size=1,
    max_size=4,
)


def everything(root: Path) -> dict[str, bytes]:
    files = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {p.relative_to(root).as_posix(): p.read_bytes() for p in files}


def text_of(page: str) -> str:
    return "".join("".join(map(str, html.fromstring(page).itertext())).split())


def written_anew(site: SiteDesk, folder: Path) -> dict[str, bytes]:
    """The same state in an empty folder, by a channel that knows nothing of the last one."""
    context = replace(site.channel._context, data_dir=folder)
    sequence = site.sequence
    WebsiteChannel(context).publish(replace(site.state(), sequence=sequence))
    return everything(folder / "public")


Step = Callable[[SiteDesk], None]


def issue(levels: dict[str, Level]) -> Step:
    def act(site: SiteDesk) -> None:
        site.release(levels, warning=f"w-{len(site.bulletins)}", calibrated=len(levels) % 2 == 0)

    return act


def update(levels: dict[str, Level]) -> Step:
    def act(site: SiteDesk) -> None:
        if site.bulletins and site.bulletins[-1].series is Series.REAL:
            last = site.bulletins[-1]
            act = Act.LIFT if len(levels) == 1 else Act.UPDATE
            site.release(levels, act, warning=last.warning_id, reason="复核")

    return act


def pass_time(minutes: int) -> Step:
    def act(site: SiteDesk) -> None:
        site.now += timedelta(minutes=minutes)

    return act


def lift_last(site: SiteDesk) -> None:
    """The newest warning ends while an older one, of a higher level on the same place, goes on."""
    last = site.bulletins[-1]
    levels = {area.code: area.level for area in last.content.areas}
    site.release(levels, Act.LIFT, warning=last.warning_id, reason="雨停")


def rename(site: SiteDesk) -> None:
    renamed = replace(site.areas["990102001"], name_zh="柳<溪>&镇", name_en='Liuxi "Town"')
    site.areas = {**site.areas, "990102001": renamed}


def remove(site: SiteDesk) -> None:
    site.areas = {code: area for code, area in site.areas.items() if code != "990101001-1"}


STEPS = st.lists(
    st.one_of(
        LEVELS.map(issue),
        LEVELS.map(update),
        st.sampled_from([1, 61, 24 * 60, 49 * 60]).map(pass_time),
        st.sampled_from([rename, remove]),
    ),
    min_size=1,
    max_size=5,
)


@example([issue({"990101": Level.RED}), issue({"990101": Level.YELLOW}), lift_last])
@example([issue({"990101": Level.RED}), pass_time(49 * 60), issue({"990102": Level.RED, "990103": Level.RED})])
@settings(max_examples=6, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=PHASES, derandomize=True)
@given(STEPS)
def test_a_tree_brought_forward_is_the_tree_written_anew(steps: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as name:
        site = SiteDesk(Path(name) / "kept")
        site.publish()
        for step in steps:
            site.now += timedelta(minutes=2)
            step(site)
            site.publish()
        kept, anew = everything(site.root), written_anew(site, Path(name) / "anew")
    assert {path: kept.get(path) for path in anew} == anew
    left = {path for path in kept.keys() - anew.keys() if not path.startswith(("archive/", "en/archive/"))}
    assert left == set()


@pytest.fixture
def site(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def changed_times(root: Path) -> dict[str, int]:
    files = (p for p in root.rglob("*") if p.is_file() and not p.name.startswith("."))
    return {p.relative_to(root).as_posix(): p.stat().st_mtime_ns for p in files}


def test_a_release_touches_no_page_of_places_it_has_nothing_to_do_with(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(area_pages, "MOST_LINKS", 1)
    monkeypatch.setattr(area_pages, "MOST_OUTLINES", 0)
    site.release({"990101": Level.YELLOW}, calibrated=True)
    site.publish()
    before = changed_times(site.root)
    site.now += timedelta(minutes=3)
    site.release({"990101": Level.ORANGE}, Act.UPDATE)
    site.publish()
    touched = {path for path, time in changed_times(site.root).items() if before.get(path) != time}
    pages = {path.split("/")[-2] for path in touched if "areas/99" in path}
    assert pages == {"990000", "990101", "990101001", "990101001-1"}
    assert not any("about/" in path for path in touched)


def test_what_somebody_changed_in_the_tree_is_put_right(site: SiteDesk) -> None:
    site.publish()
    page = site.root / "areas/990101/index.html"
    right = page.read_bytes()
    page.write_bytes(right.replace("没有".encode(), "有".encode()))
    (site.root / "en/areas/990102/index.html").unlink()
    site.publish()
    assert page.read_bytes() == right
    assert (site.root / "en/areas/990102/index.html").is_file()


def test_a_damaged_record_only_costs_time(site: SiteDesk) -> None:
    site.release({"990101": Level.RED})
    site.publish()
    before = everything(site.root)
    for damaged in (b"{", b"[]", b'{"areas/990101/index.html": 3}', b'["areas/gone/index.html"]', b"\x00"):
        (site.root / ".tree.json").write_bytes(damaged)
        site.publish()
        after = everything(site.root)
        assert {path for path in after if after[path] != before.get(path)} <= {
            "current.json", "current.geojson", "feeds/index.html", "en/feeds/index.html",
        }  # fmt: skip


def begun(site: SiteDesk) -> Rest:
    """A state written as far as it presses; the rest is still to come."""
    rest = site.channel._write(site.state(), exercise=False)
    assert rest is not None
    return rest


def test_a_newer_state_takes_over_what_an_older_one_had_left_to_do(site: SiteDesk, tmp_path: Path) -> None:
    site.publish()
    site.now += timedelta(hours=1)
    older = begun(site)
    assert older.pages
    assert "20时" in site.read("areas/990102/index.html")  # only the hour has changed: it waits
    site.release({"990101": Level.RED})
    site.publish()
    assert older.write() is False
    kept, anew = everything(site.root), written_anew(site, tmp_path / "anew")
    assert {path: kept.get(path) for path in anew} == anew


def test_an_older_state_changes_nothing(site: SiteDesk) -> None:
    older = site.state()
    site.release({"990101": Level.RED})
    site.publish()
    before = everything(site.root)
    assert site.channel._write(older, exercise=False) is None
    assert everything(site.root) == before


def test_a_release_waits_for_no_page_that_only_tells_the_hour(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Broken off in the middle of the rest, killed or by a full disk, nothing of it is done before the next release."""
    monkeypatch.setattr(area_pages, "MOST_LINKS", 1)
    monkeypatch.setattr(area_pages, "MOST_OUTLINES", 0)
    site.publish()
    site.now += timedelta(hours=1)
    rest = begun(site)
    rest.record.write(rest.pages)  # and then the process died: the record was not kept
    site.release({"990101": Level.ORANGE})
    waiting = {page.path.split("/")[-2] for page in begun(site).pages}
    assert waiting == {"990102", "990102001", "990103", "990104", "990199"}
    for code in ("990101", "990101001"):
        assert "有，橙色预警" in text_of(site.read(f"areas/{code}/index.html"))


def test_only_a_writer_that_died_leaves_something_to_sweep(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    site.publish()
    swept: list[Path] = []
    monkeypatch.setattr(tree_writing, "sweep", swept.append)
    site.now += timedelta(hours=1)
    rest = begun(site)
    site.release({"990101": Level.RED})
    site.publish()
    assert swept == []
    with pytest.raises(OSError, match="full"), writing(site.root):
        raise OSError("full")
    site.publish()
    assert swept == [site.root]
    assert rest.write() is False


def test_history_bears_no_hour_and_says_so(site: SiteDesk) -> None:
    made = site.release({"990101": Level.ORANGE})
    site.now += timedelta(hours=2)
    site.release({"990101": Level.ORANGE}, Act.LIFT, reason="雨停")
    site.publish()
    page = f"w/{made.slug}/index.html"
    assert "资料截至" in site.read(page)
    site.now += timedelta(hours=60)
    site.publish()
    assert "资料截至" not in site.read(page)
    assert "历史记录" in site.read(page)
    assert "history" in site.read(f"en/{page}")
    before = (site.root / page).stat().st_mtime_ns
    site.now += timedelta(hours=5)
    site.publish()
    assert (site.root / page).stat().st_mtime_ns == before


def test_the_archive_has_pages_and_every_warning_is_on_one(site: SiteDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archive_shelves, "WARNINGS", 3)
    for number in range(11):
        site.now += timedelta(minutes=5)
        site.release({"990102": Level.YELLOW}, warning=f"w-{number}")
    site.publish()
    first = site.read("archive/index.html")
    older = [site.read(f"archive/2026/{part}/index.html") for part in (1, 2)]
    for bulletin in site.bulletins:
        assert sum(f"/w/{bulletin.slug}/" in page for page in (first, *older)) == 1
    assert "archive/2026/1/index.html" in first
    before = {part: (site.root / f"archive/2026/{part}/index.html").read_text() for part in (1,)}
    site.now += timedelta(hours=3)
    site.publish()
    assert {part: (site.root / f"archive/2026/{part}/index.html").read_text() for part in (1,)} == before


def test_a_dense_map_is_shown_as_a_picture_and_leaves_out_what_adds_nothing(
    site: SiteDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(area_pages, "MOST_OUTLINES", 2)
    monkeypatch.setattr(svg_draw, "DENSE", 2)
    inside = replace(site.areas["990101001"], geometry=small_city()["990101"].geometry)
    site.areas = {**site.areas, "990101001": inside}
    site.release({"990102": Level.RED})
    site.publish()
    for path in ("index.html", "en/index.html", "areas/990101/index.html", "en/areas/990101/index.html"):
        page = site.read(path)
        assert '<img class="map"' in page
        source = page.split('<img class="map" src="')[1].split('"')[0]
        assert ((site.root / path).parent / source).resolve() == (site.root / "map.svg").resolve()
    calm = site.read("map.svg").count("<path")
    site.release({"990101001": Level.RED}, warning="w-2")
    site.publish()
    assert site.read("map.svg").count("<path") > calm


@given(st.dictionaries(st.sampled_from(["a", "b"]), st.text("<&\"'x中", max_size=5), min_size=2, max_size=2))
def test_a_pattern_is_filled_with_exactly_what_is_given(values: dict[str, str]) -> None:
    assert Pattern(f"1{slot('a')}2{slot('b')}3{slot('a')}").fill(values) == (
        f"1{values['a']}2{values['b']}3{values['a']}"
    )


def test_a_slot_without_a_value_is_a_mistake() -> None:
    with pytest.raises(KeyError):
        Pattern(str(slot("a"))).fill({})


def test_digests_tell_values_apart() -> None:
    assert short("a", 1) == short("a", 1)
    assert short("a", 1) != short("a", "1")


def test_templates_the_operator_changes_change_every_page(site: SiteDesk, tmp_path: Path) -> None:
    own = tmp_path / "templates" / "website"
    own.mkdir(parents=True)
    from geowarn.templating import JinjaTemplates

    before = JinjaTemplates(tmp_path / "templates").digest("website")
    (own / "words.zh.html.j2").write_text("x")
    assert JinjaTemplates(tmp_path / "templates").digest("website") != before
    assert site.templates.digest("sms") != site.templates.digest("website")


def test_many_files_are_written_whole_too(tmp_path: Path) -> None:
    files = {f"d{number}/index.html": os.urandom(10) for number in range(70)}
    assert set(write_all(tmp_path, files)) == set(files)
    assert write_all(tmp_path, files) == ()
    assert all((tmp_path / path).read_bytes() == body for path, body in files.items())
    assert not list(tmp_path.rglob(".part-*"))


def test_areas_of_the_same_values_have_the_same_fingerprint() -> None:
    from geowarn_channels.svg_map import fingerprint

    assert fingerprint(small_city()) == fingerprint(small_city())
    other = {**small_city(), "9": Area("9", AreaKind.COUNTY, "甲", "A")}
    assert fingerprint(other) != fingerprint(small_city())
