"""The public search over a real installation: what is released is found soon, what is not public never is."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock, signed
from tests.integration.exercise_desk import ExerciseDesk
from tests.integration.test_incidents import bring_out, published, table

from geowarn.bootstrap import System, open_system
from geowarn.cli.search import catch_up_ as catch_up_command
from geowarn.cli.search import rebuild_ as rebuild_command
from geowarn.domain.level import Level
from geowarn.pipeline import incidents
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release, retract
from geowarn.pipeline.search_index import NEW, catch_up, rebuild
from geowarn.pipeline.voices import from_key
from geowarn.scheduler import Scheduler, publish_all
from geowarn.store.repositories.search import SqlSearch
from geowarn.web.app import create_app
from geowarn.web.search import PACE

QIXIA, HAIYANG, MUPING, LAIYANG = "370686", "370687", "370612", "370682"
REASON = "网格员报告后山开裂"


def officer_of(system: System) -> Callable[[str], Actor]:
    def named(name: str) -> Actor:
        with system.store.read() as work:
            return Actor(find_user(work, name), "command line", "test")

    return named


def released(system: System, levels: dict[str, Level]) -> str:
    """Two people stand behind a warning that nobody outside sees, four behind any other."""
    officer, public = officer_of(system), max(levels.values()) > Level.BLUE
    made = propose_by_hand(system.desk, levels, 24, REASON, "网格员", officer("leader"))
    for name in ("duty", "leader", "observatory") if public else ("duty",):
        signed(system, made.warning_id, officer(name))
    release(system.desk, made.warning_id, officer("duty"))
    return made.warning_id


@pytest.fixture(scope="module")
def story(demo_now: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, datetime]:
    """A folder in which two warnings, an internal one, an exercise and an incident were released after one another."""
    folder = Path(shutil.copytree(demo_now, tmp_path_factory.mktemp("search") / "data"))
    clock = SettableClock(datetime.now(UTC))
    system = open_system(folder, clock)
    desk = ExerciseDesk(system, officer_of(system), clock)
    desk.until_middle_of_shift()
    assert desk.released(desk.begin()).slug.startswith("ex-")
    for levels in ({LAIYANG: Level.BLUE}, {QIXIA: Level.YELLOW, HAIYANG: Level.BLUE}, {MUPING: Level.YELLOW}):
        released(system, levels)
    published(system, officer_of(system))
    publish_all(system)
    catch_up(system.search_sources)
    system.store.dispose()
    return folder, clock.now()


@pytest.fixture
def system(story: tuple[Path, datetime], tmp_path: Path) -> Iterator[System]:
    """That installation, the test's own."""
    found = open_system(Path(shutil.copytree(story[0], tmp_path / "data")), SettableClock(story[1]))
    yield found
    found.store.dispose()


@pytest.fixture
def client(system: System) -> TestClient:
    return TestClient(create_app(system), follow_redirects=False)


@pytest.fixture(scope="module")
def reader(story: tuple[Path, datetime]) -> Iterator[TestClient]:
    """A browser at that installation, for tests that only look."""
    system = open_system(story[0], SettableClock(story[1]))
    yield TestClient(create_app(system), follow_redirects=False)
    system.store.dispose()


def page(client: TestClient, query: str, path: str = "/search", **more: str) -> Any:
    answer = client.get(path, params={"q": query, **more})
    assert answer.status_code == 200, (query, answer.status_code)
    assert answer.headers["x-robots-tag"] == "noindex"
    return html.fromstring(answer.text)


def hits(tree: Any) -> list[str]:
    return [link.get("href") for link in tree.xpath("//ol[@class='hits']//h3/a")]


def said(tree: Any, path: str) -> str:
    return " ".join("".join(found.text_content() for found in tree.xpath(path)).split())


def test_no_fault_of_the_search_holds_a_release_or_its_pages_up(
    demo_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> int:
        raise RuntimeError("index")

    with monkeypatch.context() as patched:
        patched.setattr(SqlSearch, "put", broken)
        released(demo_system, {QIXIA: Level.YELLOW})
        Scheduler(demo_system).publish()
    assert (demo_system.data_dir / "public" / "w" / "2026-001" / "index.html").is_file()
    with demo_system.store.read() as work:
        assert not work.search.keys("bulletin")
    Scheduler(demo_system).publish()
    with demo_system.store.read() as work:
        assert work.search.keys("bulletin") == {"bulletin/2026-001"}


def test_what_is_released_is_found_in_both_languages(reader: TestClient) -> None:
    for query in ("栖霞", "栖霞黄色", "烟地灾预警〔2026〕1号", "qixia warnings", "栖霞 landslide"):
        assert hits(page(reader, query))[0] == "w/2026-001/index.html", query
        assert hits(page(reader, query, "/en/search"))[0] == "../en/w/2026-001/index.html", query
    assert {"w/2026-001/index.html", "w/2026-002/index.html"} <= set(hits(page(reader, "黄色")))
    chinese = page(reader, "栖霞")
    assert said(chinese, "//ol[@class='hits']//mark").startswith("栖霞")
    line = said(chinese, "//ol[@class='hits']/li[1]")
    assert "生效中" in line
    assert "合成演示降雨" in line
    assert chinese.xpath("//div[contains(@class,'rows-2')]/a/@href") == [f"areas/{QIXIA}/index.html"]
    assert chinese.xpath("//meta[@name='robots']/@content") == ["noindex"]
    assert chinese.xpath("//a[@class='lang']/@href") == ["en/search?q=%E6%A0%96%E9%9C%9E"]
    english = page(reader, "栖霞", "/en/search")
    assert english.xpath("//ol[@class='hits']//*[@lang='zh-CN']/mark/text()")[0].startswith("栖霞")


def test_what_is_not_public_is_never_found(reader: TestClient) -> None:
    """Exercises, internal warnings, areas below the public level, and what officers write for each other."""
    hidden = ("演练", "exercise", "海阳", "莱阳", "蓝色", REASON, "网格员", "leader")
    for query in hidden:
        assert not [hit for hit in hits(page(reader, query)) if "w/" in hit], query
    for slug in ("ex-2026-001", "in-2026-001"):
        assert not [hit for hit in hits(page(reader, slug)) if slug in hit]
    assert "找不到不等于没有预警" in said(page(reader, "泥塘"), "//main")
    system = reader.app.state.system  # type: ignore[attr-defined]
    with system.store.read() as work:
        assert work.search.keys("bulletin") == {"bulletin/2026-001", "bulletin/2026-002"}
    exercises = (system.data_dir / "exercise" / "public" / "index.html").read_text("utf-8")
    assert 'search"' not in exercises


def test_lists_are_narrowed_and_the_archive_has_the_same_form(reader: TestClient) -> None:
    both = ["w/2026-002/index.html", "w/2026-001/index.html"]
    system = reader.app.state.system  # type: ignore[attr-defined]
    year = str(system.clock.now().year)
    assert sorted(hits(page(reader, "", year=year, level="yellow"))) == sorted(both)
    assert hits(page(reader, "", area=QIXIA)) == both[1:]
    assert hits(page(reader, "预警", area=MUPING)) == both[:1]
    assert hits(page(reader, "", level="red")) == []
    assert hits(page(reader, "栖霞", level="purple", year="x", area="'", page="-3")) == both[1:]
    archive: Any = html.fromstring((system.public_dir / "archive" / "index.html").read_text("utf-8"))
    form = archive.xpath("//form[@role='search']")[0]
    assert (form.get("method"), form.get("action")) == ("get", "../search")
    assert form.xpath(".//select[@name='level']/option/@value") == ["", "red", "orange", "yellow"]


@given(
    text=st.text(st.characters(exclude_categories=["Cs"]), max_size=120),
    others=st.dictionaries(st.sampled_from(["year", "level", "area", "page", "lang"]), st.text(max_size=8)),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_address_is_answered_and_nothing_typed_becomes_markup(
    reader: TestClient, text: str, others: dict[str, str]
) -> None:
    tree = page(reader, f"<script>alert(1)</script>\"'><i>{text}", **others)
    assert tree.xpath("//script | //main//i") == []
    hostile = "/search?q=%00%ff%27%22%25_&page=99999999999999999999&year=%00"
    assert reader.get(hostile).status_code == 200


def test_a_retraction_leads_and_a_correction_leaves_the_old_version_named(client: TestClient, system: System) -> None:
    officer = officer_of(system)
    with system.store.read() as work:
        first = work.bulletins.by_slug("2026-001")
    assert first is not None
    retract(system.desk, first.warning_id, "撤回1号", officer("duty"))
    catch_up(system.search_sources, NEW)
    found = page(client, "栖霞")
    assert hits(found) == ["w/2026-003/index.html"]
    assert "撤回通知" in said(found, "//ol[@class='hits']")
    assert "w/2026-001/index.html" in found.xpath("//ol[@class='hits']//a/@href")
    with system.store.read() as work:
        incident = work.incidents.all()[0].id
    assert hits(page(client, "公路滑坡"))[0] == f"incidents/{incident}/index.html"
    corrected = table(
        situation={"zh": "撤离五十七人。", "en": "57 people moved."}, note={"zh": "人数更正", "en": "Figures corrected"}
    )
    incidents.edit(system.desk, incident, corrected, officer("duty"))
    bring_out(system, officer, incident)
    catch_up(system.search_sources, NEW)
    found = page(client, "滑坡")
    assert hits(found)[0] == f"incidents/{incident}/index.html"
    assert f"incidents/{incident}/v1/index.html" in found.xpath("//ol[@class='hits']//a/@href")
    old = page(client, "半幅路面")  # only the first version said so
    assert hits(old) == [f"incidents/{incident}/v1/index.html"]
    assert "已有新版" in said(old, "//ol[@class='hits']")


def test_a_rebuild_finds_what_was_there_before_and_drops_what_is_gone(
    client: TestClient, system: System, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GEOWARN_LANG", "zh")
    before = page(client, "栖霞").text_content()
    assert hits(page(client, "级别含义")) == ["about/index.html"]
    with system.store.begin() as work:
        kept = {kind: work.search.keys(kind) for kind in ("bulletin", "area", "page")}
        work.search.drop(key for keys in kept.values() for key in keys)
        work.commit()
    assert hits(page(client, "栖霞")) == []
    shutil.rmtree(system.public_dir / "feeds")
    told: list[tuple[int, int]] = []
    rebuild_command(data=system.data_dir)
    count = rebuild(system.search_sources, lambda done, of: told.append((done, of)))
    assert f"重建：{count} 页" in capsys.readouterr().out
    assert told[-1] == (count, count)
    assert len(told) > 1
    assert page(client, "栖霞").text_content() == before
    with system.store.read() as work:
        assert {kind: work.search.keys(kind) for kind in kept} == {**kept, "page": kept["page"] - {"page/feeds/"}}
    catch_up_command(data=system.data_dir)
    assert "补录或更正 0 页" in capsys.readouterr().out


def test_without_a_tree_or_where_the_pages_name_no_search_there_is_none(client: TestClient, system: System) -> None:
    assert client.head("/search").status_code == 200
    assert "没有答复" in (system.public_dir / "search.html").read_text("utf-8")
    assert "没有答复" not in client.get("/search?q=栖霞").text
    (system.public_dir / "search.html").unlink()
    assert client.get("/search").status_code == 404
    (system.public_dir / "index.html").unlink()
    assert client.get("/en/search").status_code == 503


def test_who_asks_too_often_is_told_until_when_to_wait(client: TestClient, system: System) -> None:
    now = system.clock.now()
    haste, me = client.app.state.haste, from_key(system.vault, "testclient", now)  # type: ignore[attr-defined]
    for _ in range(PACE.mine - 1):
        haste.count(PACE, me, now.timestamp())
    page(client, "栖霞")
    refused = client.get("/en/search", params={"q": "Qixia"})
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
    assert "60" in refused.text
