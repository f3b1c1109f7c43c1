"""What the officer sees of a change: what differs from the bulletin before, why levels are held, and what to decide."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

import pytest
from lxml.html import HtmlElement, document_fromstring
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock
from tests.integration.course_desk import GAP, HAIYANG, LAIYANG, QIXIA, CourseDesk, Officer

from geowarn.bootstrap import System
from geowarn.catalogue import LANGUAGES
from geowarn.cli.common import put_json
from geowarn.cli.warnings import show
from geowarn.demo.setting import password_of
from geowarn.domain.level import Level
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.review import edit
from geowarn.pipeline.view import warning_view
from geowarn.web.app import create_app

NONE, BLUE, YELLOW, ORANGE, RED = Level
OURS = {"Sec-Fetch-Site": "same-origin"}
Browser = Callable[[str], HtmlElement]


@pytest.fixture
def desk(demo_system: System, officer: Officer, settable_clock: SettableClock) -> CourseDesk:
    settable_clock.moment = settable_clock.moment.replace(minute=10, second=0, microsecond=0) + timedelta(hours=1)
    return CourseDesk(demo_system, officer, settable_clock)


@pytest.fixture
def changed(desk: CourseDesk) -> str:
    """Haiyang falls, Laiyang rises, Qixia is new and a run for it was incomplete; an officer has changed a text."""
    warning_id = desk.must_hear({HAIYANG: ORANGE, LAIYANG: YELLOW, QIXIA: YELLOW}).warning_id
    desk.signed_and_released(warning_id)
    for _ in range(2):
        desk.clock.advance(hours=5)
        desk.hears({HAIYANG: YELLOW, LAIYANG: YELLOW, QIXIA: GAP})
    desk.clock.advance(hours=2)
    desk.must_hear({HAIYANG: YELLOW, LAIYANG: RED, QIXIA: GAP}, "ecmwf")
    text = {"action.yellow.zh": "请远离陡坡和沟谷"}
    edit(desk.system.desk, warning_id, text, desk.officer("duty"))
    return warning_id


@pytest.fixture
def client(desk: CourseDesk) -> TestClient:
    return TestClient(create_app(desk.system))


def page(client: TestClient, warning_id: str, language: str) -> HtmlElement:
    form = {"name": "duty", "password": password_of("duty")}
    assert client.post("/console/login", data=form, headers=OURS).status_code == 200
    answer = client.get(f"/console/warnings/{warning_id}?lang={language}")
    assert answer.status_code == 200, answer.text
    tree: HtmlElement = document_fromstring(answer.text)
    return tree


def spoken(section: HtmlElement) -> str:
    return " ".join(section.text_content().split())


def test_the_section_marks_what_went_and_what_came(client: TestClient, changed: str) -> None:
    (section,) = page(client, changed, "zh").xpath("//section[@id='diff']")
    assert section.get("aria-labelledby") == section.xpath(".//h2/@id")[0]
    assert re.fullmatch(r"较 .+1号 的变化", section.xpath("string(.//h2)"))
    gone = [spoken(one) for one in section.xpath(".//del")]
    come = [spoken(one) for one in section.xpath(".//ins")]
    assert gone[:2] == ["原：黄色", "原：橙色"]  # the highest first: Laiyang rises, Haiyang falls
    assert come[:2] == ["改为：红色", "改为：黄色"]
    assert "改为：请远离陡坡和沟谷" in come
    assert "值班员" in spoken(section)
    assert section.xpath(".//del/span[@class='vh'] and .//ins/span[@class='vh']")


@pytest.mark.parametrize(
    ("language", "held", "fell", "rose"),
    [
        (
            "zh",
            "栖霞市：维持III级黄色，gfs",
            "海阳市：由II级橙色降至III级黄色",
            "莱阳市：由III级黄色升至I级红色，ecmwf",
        ),
        ("en", "Qixia City: stays III yellow; the run of", "Haiyang City: from II orange to III yellow", "from III"),
    ],
)
def test_every_area_says_why(client: TestClient, changed: str, language: str, held: str, fell: str, rose: str) -> None:
    tree = page(client, changed, language)
    (section,) = tree.xpath("//section[@id='why']")
    said = spoken(section)
    for sentence in (held, fell, rose):
        assert sentence in said
    if language == "en":
        assert not re.search(r"[\u4e00-\u9fff]", said)
    assert len(set(tree.xpath("//@id"))) == len(tree.xpath("//@id"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_rise_over_an_edited_version_is_loud_and_can_be_taken_over(
    client: TestClient, desk: CourseDesk, changed: str, language: str
) -> None:
    desk.clock.advance(hours=1)
    assert desk.hears({HAIYANG: RED, LAIYANG: RED, QIXIA: YELLOW}) is None
    tree = page(client, changed, language)
    (note,) = tree.xpath("//section[@class='todo']")
    assert {"zh": "海阳市红色", "en": "Haiyang City red"}[language] in spoken(note)
    action = f"/console/warnings/{changed}/adopt"
    form = next(form for form in tree.forms if form.action == action)
    assert client.post(action, data=dict(form.form_values()), headers=OURS).status_code == 200
    assert desk.newest(changed).edited_by == "duty"
    assert {area.code: area.level for area in desk.newest(changed).content.areas}[HAIYANG] is RED
    assert page(client, changed, language).xpath("//section[@class='todo']") == []
    assert client.get("/console/").text.count("levels-moved") == 0


def test_a_first_version_has_reasons_but_nothing_to_compare(client: TestClient, desk: CourseDesk) -> None:
    warning_id = desk.must_hear({HAIYANG: YELLOW}).warning_id
    tree = page(client, warning_id, "zh")
    assert tree.xpath("//section[@id='diff']") == []
    assert "海阳市：达到III级黄色" in spoken(tree.xpath("//section[@id='why']")[0])


def test_the_command_shows_the_same_reasons(desk: CourseDesk, changed: str, capsys: pytest.CaptureFixture[str]) -> None:
    show(changed, as_json=False, data=desk.system.data_dir)
    said = capsys.readouterr().out
    assert "Qixia City: stays III yellow" in said
    assert "Laiyang City: from III yellow to I red" in said
    with desk.system.store.read() as work:
        view = warning_view(work, find_warning(work, changed), desk.system.policy)
    put_json(view)
    assert view["decided"][0]["way"] == "rise"
    assert {fact["code"]: fact["because"] for fact in view["decided"][0]["areas"]}[QIXIA] == "incomplete"
