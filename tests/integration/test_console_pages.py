"""The officer's way through the console without any script: review, edit, sign, release, board, follow up, retract."""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Any

import pytest
from lxml import etree
from lxml.html import HtmlElement, document_fromstring
from starlette.testclient import TestClient
from tests.integration.conftest import fresh_code

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.web.app import create_app

OURS = {"Sec-Fetch-Site": "same-origin"}
HAIYANG, MUPING = "370687", "370612"
Officer = Callable[[str], Actor]


def parsed(text: str) -> Any:
    """The page as a tree."""
    tree: HtmlElement = document_fromstring(text)
    return tree


class Desk:
    """One person's browser."""

    def __init__(self, system: System, name: str) -> None:
        self.system, self.name = system, name
        self.client = TestClient(create_app(system))
        form = {"name": name, "password": password_of(name)}
        assert self.client.post("/console/login", data=form, headers=OURS).status_code == 200

    def get(self, path: str) -> str:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return str(answer.text)

    def submit(self, path: str, action: str, status: int = 200, /, **changes: str) -> str:
        """Send the form of a page as a browser would, with these fields changed."""
        return self.send(self.get(path), action, status, **changes)

    def propose(self, path: str, **changes: str) -> str:
        """An act: its form, then the preview, then the proposal."""
        seen = self.submit(path, f"{path}/preview", **changes)
        assert "各渠道将这样说" in seen
        return self.send(seen, path)

    def send(self, text: str, action: str, status: int = 200, /, **changes: str) -> str:
        page = parsed(text)
        form = next(form for form in page.forms if form.action == action)
        fields = {name: value or "" for name, value in form.form_values()}
        if "code" in form.fields:
            fields["code"] = fresh_code(self.system, self.name)
        answer = self.client.post(action, data={**fields, **changes}, headers=OURS)
        assert answer.status_code == status, answer.text
        return str(answer.text)


@pytest.fixture
def desk(demo_system: System) -> Callable[[str], Desk]:
    return lambda name: Desk(demo_system, name)


@pytest.fixture
def proposed(demo_system: System, officer: Officer) -> str:
    levels = {HAIYANG: Level.RED, MUPING: Level.BLUE}
    return propose_by_hand(demo_system.desk, levels, 24, "后山 <裂缝>", "网格员", officer("duty")).warning_id


def sign_by_all(desk: Callable[[str], Desk], warning: str) -> None:
    page = f"/console/warnings/{warning}"
    for name in ("duty", "leader", "chief", "observatory"):
        desk(name).submit(page, f"{page}/sign")


def released(desk: Callable[[str], Desk], warning: str) -> str:
    page = f"/console/warnings/{warning}"
    sign_by_all(desk, warning)
    return desk("duty").submit(page, f"{page}/release")


def test_home_is_calm_and_says_what_is_not_well(desk: Callable[[str], Desk]) -> None:
    text = desk("duty").get("/console/")
    assert "<h1>当前无生效预警</h1>" in text
    assert "合成演示降雨（非真实预报）" in text
    assert "没有发送进程在线" in text


def test_review_shows_internal_blue_and_every_text(desk: Callable[[str], Desk], proposed: str) -> None:
    text = desk("duty").get(f"/console/warnings/{proposed}")
    assert "海阳市升至红色" in text
    assert "牟平区 蓝色，仅内部" in text
    assert "后山 &lt;裂缝&gt;" in text
    assert "【烟台地灾预警】" in text
    assert "轮到您核签" in text
    package = re.search(r'name="package_sha256" value="([0-9a-f]{64})"', text)
    assert package is not None
    assert f"{package[1][:4]} {package[1][4:8]}" in text


def test_every_page_is_well_formed_and_without_script_of_its_own(desk: Callable[[str], Desk], proposed: str) -> None:
    duty = desk("duty")
    released(desk, proposed)
    pages = [
        "/console/", "/console/warnings", f"/console/warnings/{proposed}/board", "/console/ledger", "/console/propose",
        "/console/inputs", f"/console/warnings/{proposed}/act/update", f"/console/warnings/{proposed}/act/extend",
        f"/console/warnings/{proposed}/retract",
    ]  # fmt: skip
    for path in pages:
        for language in ("zh", "en"):
            text = duty.get(f"{path}?lang={language}")
            page = parsed(text)
            assert page.xpath("//script[not(@src) or text()] | //@style | //@onclick | //style") == [], path
            assert all(src.startswith("/console/static/") for src in page.xpath("//script/@src")), path
            assert len(page.xpath("//h1")) == 1, path
            ids = page.xpath("//@id")
            assert len(ids) == len(set(ids)), path
            assert etree.tostring(page)
            if language == "en":
                spoken = " ".join(page.xpath("//main//h2//text() | //main//label/text()"))
                assert not re.search(r"[\u4e00-\u9fff]", spoken), path


def test_an_edit_makes_a_version_and_voids_signatures(desk: Callable[[str], Desk], proposed: str) -> None:
    page = f"/console/warnings/{proposed}"
    desk("duty").submit(page, f"{page}/sign")
    assert f'action="{page}/edit"' not in desk("leader").get(page)  # while another's signature stands
    desk("leader").submit(page, f"{page}/return", reason="请写得更急")
    text = desk("leader").submit(page, f"{page}/edit", **{"slot.action.red.zh": "请立即\r\n撤到安置点"})
    assert "版本 2" in text
    assert "请立即 撤到安置点" in text
    assert "轮到您核签" in desk("duty").get(page)


def test_a_stale_page_cannot_sign_or_edit(desk: Callable[[str], Desk], proposed: str) -> None:
    page = f"/console/warnings/{proposed}"
    duty = desk("duty")
    stale = parsed(duty.get(page))
    desk("leader").submit(page, f"{page}/edit", **{"slot.action.red.zh": "请撤离"})
    for form in stale.forms:
        if form.action in (f"{page}/sign", f"{page}/edit"):
            answer = duty.client.post(form.action, data=dict(form.form_values()), headers=OURS)
            assert answer.status_code == 409
    answer = duty.client.post(
        f"{page}/sign", data={"form_token": stale.xpath("//input[@name='form_token']/@value")[0]}, headers=OURS
    )
    assert answer.status_code == 409  # a form without a digest signs nothing


def test_return_and_dismiss_need_reasons(desk: Callable[[str], Desk], proposed: str) -> None:
    page = f"/console/warnings/{proposed}"
    duty = desk("duty")
    assert "理由" in duty.submit(page, f"{page}/return", 409, reason=" ")
    assert "地名有误" in duty.submit(page, f"{page}/return", reason="地名有误")
    assert "已退回修改" in duty.get(page)
    assert "不予发布" in duty.submit(page, f"{page}/dismiss", reason="误报")
    assert "误报" in duty.get(page)


def test_the_last_editor_alone_and_a_missing_signature_keep_release_away(
    desk: Callable[[str], Desk], proposed: str
) -> None:
    page = f"/console/warnings/{proposed}"
    duty = desk("duty")
    text = duty.submit(page, f"{page}/sign")
    assert f"{page}/release" not in text
    token = parsed(text).xpath("//input[@name='form_token']/@value")[0]
    answer = duty.client.post(f"{page}/release", data={"form_token": token}, headers=OURS)
    assert answer.status_code == 409


def test_release_opens_the_board(desk: Callable[[str], Desk], proposed: str, demo_system: System) -> None:
    text = html.unescape(released(desk, proposed))
    assert "已发布" in text
    assert 'http-equiv="refresh" content="15' in text
    assert "短信送达 0 / " in text
    assert "演示电视台" in text
    assert f"/console/warnings/{proposed}/act/lift" in text
    assert desk("leader").client.get(f"/console/warnings/{proposed}").url.path.endswith("/board")
    with demo_system.store.read() as work:
        recipients = work.recipients.all()
    assert all(r.phone_key not in text for r in recipients)


@pytest.mark.parametrize("act", ["lift", "cancel"])
def test_endings_are_proposals(desk: Callable[[str], Desk], proposed: str, act: str) -> None:
    released(desk, proposed)
    path = f"/console/warnings/{proposed}/act/{act}"
    text = desk("duty").propose(path, reason="雨已停")
    assert "雨已停" in text
    assert "核签" in text


def test_update_and_extend_are_proposals(desk: Callable[[str], Desk], proposed: str) -> None:
    released(desk, proposed)
    path = f"/console/warnings/{proposed}/act/update"
    text = desk("duty").propose(path, reason="复核", **{f"level.{HAIYANG}": "orange"})
    assert "海阳市降至橙色" in text
    path = f"/console/warnings/{proposed}/act/extend"
    assert desk("duty").submit(path, f"{path}/preview", 409, reason="再下", until="2031-01-01T00:00")


def test_a_downgrade_only_goes_down_and_a_preview_stores_nothing(
    desk: Callable[[str], Desk], proposed: str, demo_system: System
) -> None:
    released(desk, proposed)
    path = f"/console/warnings/{proposed}/act/downgrade"
    duty = desk("duty")
    with demo_system.store.read() as work:
        before = work.ledger.head()
    seen = duty.submit(path, f"{path}/preview", reason="复核", **{f"level.{HAIYANG}": "yellow"})
    assert "sms/yellow.zh.txt" in seen
    with demo_system.store.read() as work:
        assert work.ledger.head() == before
    assert "海阳市降至黄色" in duty.send(seen, path)


def test_a_downgrade_that_raises_is_refused(desk: Callable[[str], Desk], proposed: str) -> None:
    released(desk, proposed)
    path = f"/console/warnings/{proposed}/act/downgrade"
    desk("duty").submit(path, f"{path}/preview", 409, reason="复核", **{f"level.{MUPING}": "red"})


def test_retraction_takes_the_typed_words(desk: Callable[[str], Desk], proposed: str) -> None:
    released(desk, proposed)
    path = f"/console/warnings/{proposed}/retract"
    duty = desk("duty")
    page = duty.get(path)
    words = re.search(r"“(撤回\d+号)”", page)
    assert words is not None
    duty.submit(path, path, 409, typed="撤回")
    assert "撤回" in duty.submit(path, path, typed=words[1])


def test_proposing_by_hand(desk: Callable[[str], Desk]) -> None:
    text = desk("duty").submit(
        "/console/propose", "/console/propose", area=HAIYANG, level="yellow", hours="12", reason="裂缝", source="电话"
    )
    assert "海阳市升至黄色" in text
    assert desk("duty").submit("/console/propose", "/console/propose", 409, area=HAIYANG, level="pink", hours="1")


def test_files_of_the_package_are_shown_but_cannot_act(desk: Callable[[str], Desk], proposed: str) -> None:
    duty = desk("duty")
    paths = set(
        re.findall(rf'href="(/console/warnings/{proposed}/files/[^"]+)"', duty.get(f"/console/warnings/{proposed}"))
    )
    assert len(paths) >= 4
    for path in paths:
        answer = duty.client.get(path)
        assert answer.status_code == 200
        assert "sandbox" in answer.headers["content-security-policy"]
    assert duty.client.get(f"/console/warnings/{proposed}/files/../../geowarn.toml").status_code == 404


def test_the_ledger_says_whether_it_holds(desk: Callable[[str], Desk], proposed: str, demo_system: System) -> None:
    duty = desk("duty")
    assert "链完整" in duty.get("/console/ledger")
    assert proposed in duty.get(f"/console/ledger?subject={proposed}")
    assert "值守" in duty.get("/console/ledger?before=3")
