"""Answers and rumours put right on the public pages: every version at its address, in the feeds for people."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path

import feedparser  # type: ignore[import-untyped]
import pytest
from tests.unit.site_desk import START, SiteDesk

from geowarn.domain.incident import Incident, Part, Publication, Statement, Text
from geowarn.ports import PublishedIncident

RUMOUR, QUESTION = "rumour", "question"


def answer(number: int, sort: str, versions: int = 1) -> PublishedIncident:
    def version(at: int) -> Publication:
        parts = {
            sort: Part(Text("水库要垮了", "The dam is about to break")),
            "answer": Part(Text(f"没有这回事，第{at}次核实。\n请看水务局通报。", f"It is not so, checked {at} times.")),
        }
        title, note = Text("关于水库的传言", "About the dam"), Text("补充核实结果", "More was checked")
        statement = Statement(title, parts, note if at > 1 else Text("", ""))
        published = START - timedelta(days=20 - at)
        return Publication(f"2026-{number:02d}", at, statement, published, "sun", (("leader", "li"),))

    incident = Incident(f"2026-{number:02d}", 2026, number, START, synthetic=False)
    return PublishedIncident(incident, tuple(version(at) for at in range(1, versions + 1)), ())


@pytest.fixture
def desk(tmp_path: Path) -> SiteDesk:
    return SiteDesk(tmp_path)


def test_every_version_has_a_page_and_the_list_names_the_newest(desk: SiteDesk) -> None:
    desk.publish(answers=(answer(2, QUESTION), answer(1, RUMOUR, versions=2)))
    page = desk.read("answers/2026-01/index.html")
    assert "没有这回事，第2次核实" in page
    assert "传言（不实）" in page
    body = page.split("<main")[1]
    assert body.index("水库要垮了") < body.index("事实") < body.index("没有这回事")
    assert "补充核实结果" in page
    assert "分管领导签批" in page
    first = desk.read("answers/2026-01/v1/index.html")
    assert "第1次核实" in first
    assert "第2次核实" not in first
    assert "看后来的第2版" in first
    english = desk.read("en/answers/2026-01/index.html")
    assert "What is said, and is not so" in english
    assert "checked 2 times" in english
    listed = desk.read("answers/index.html")
    assert listed.index("2026-02") < listed.index("2026-01")
    assert "辟谣" in listed
    assert "What people ask" in desk.read("en/answers/2026-02/index.html")
    versions = json.loads(desk.read("answers/2026-01/answer.json"))["versions"]
    assert [one["version"] for one in versions] == [1, 2]
    assert "answers/2026-01/v2/" in desk.read("sitemap.xml")


def test_people_find_them_in_their_feeds_for_a_week_and_machines_never(desk: SiteDesk) -> None:
    desk.now = START - timedelta(days=14)
    desk.publish(answers=(answer(1, RUMOUR, versions=2),))
    for name in ("warnings.rss", "warnings.atom"):
        read = feedparser.parse(desk.read(f"feeds/{name}"))
        assert not read.bozo
        assert [entry.link.split("/answers/")[1] for entry in read.entries] == ["2026-01/v2/", "2026-01/v1/"]
        assert read.entries[0].title == "关于水库的传言"
    assert "answers" not in desk.read("feeds/cap.atom") + desk.read("feeds/cap.rss")
    desk.now = START
    desk.publish(answers=(answer(1, RUMOUR, versions=2),))
    assert "answers/" not in desk.read("feeds/warnings.atom")


def test_the_tree_leads_to_the_form_only_where_a_program_answers_it(desk: SiteDesk) -> None:
    desk.publish()
    assert 'href="say"' in desk.read("index.html")
    assert 'href="../say"' in desk.read("answers/index.html")
    shell = desk.read("say.html")
    assert "现在没有答复" in shell
    assert 'href="tel:119"' in shell
    assert "<form" not in shell
    desk.facts["say"]["open"] = False
    desk.publish()
    for page in ("index.html", "answers/index.html", "en/index.html"):
        assert 'say"' not in desk.read(page)
    assert not (desk.root / "say.html").exists()
    assert not (desk.root / "en/say.html").exists()
