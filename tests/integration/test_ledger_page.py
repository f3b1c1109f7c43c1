"""The ledger's page answers an inquiry's four questions, and gives the pack to those who may have it."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.integration.conftest import SettableClock, signed
from tests.integration.test_console_pages import OURS, Desk, parsed

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.change import update
from geowarn.pipeline.escalation_acts import acknowledge
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.verify_pack import verify_pack
from geowarn.security import verify_text

Officer = Callable[[str], Actor]
QUESTIONS = ["何以知道", "谁在何时被告知", "谁决定", "发给谁，到了没有"]


@pytest.fixture
def course(demo_system: System, officer: Officer, settable_clock: SettableClock) -> str:
    """A warning with two bulletins."""
    desk = demo_system.desk
    warning = propose_by_hand(desk, {"370687": Level.YELLOW}, 24, "后山 <裂缝>", "巡查", officer("duty")).warning_id
    signed(demo_system, warning, officer("duty"))
    settable_clock.advance(seconds=90)
    acknowledge(desk, warning, officer("leader"))
    for step in range(2):
        for name in ("duty", "leader", "observatory")[not step :]:
            signed(demo_system, warning, officer(name))
        release(desk, warning, officer("duty"))
        if not step:
            settable_clock.advance(minutes=5)
            update(desk, warning, {"370687": Level.YELLOW, "370686": Level.YELLOW}, "扩大范围", officer("duty"))
    return warning


def text_of(page: str) -> str:
    return " ".join(str(parsed(page).text_content()).split())


def test_a_course_is_told_by_question(demo_system: System, course: str) -> None:
    page = Desk(demo_system, "duty").get(f"/console/ledger?subject={course}")
    said = text_of(page)
    assert [heading.text_content() for heading in parsed(page).xpath("//tr[@class='ph']/th")] == QUESTIONS
    assert "开始一次过程，依据巡查；理由：后山 <裂缝>" in said
    assert "&lt;裂缝&gt;" in page
    assert "响铃：值班员甲，值班台、短信值班员甲" in said  # the last is who learnt of it
    assert "应答：分管领导签批，响铃后 1分30秒" in said
    assert "首次响铃后 1分30秒 应答。" in said
    assert "签批版本 1" in said
    assert re.search(r"发布 烟地灾预警〔\d+〕1号；\d+ 个对象入发送表，同一事务公众", said)
    assert "=" not in re.sub(r"\?[^ ]*", "", said), "facts by their keys"
    assert "链完整" in said


def test_one_bulletin_of_a_course_by_itself(demo_system: System, course: str) -> None:
    with demo_system.store.read() as work:
        first, second = work.bulletins.of_warning(course)
    duty = Desk(demo_system, "duty")
    one = text_of(duty.get(f"/console/ledger?subject={course}&bulletin={first.slug}"))
    assert f"发布 {first.number}" in one
    assert f"发布 {second.number}" not in one
    other = text_of(duty.get(f"/console/ledger?subject={course}&bulletin={second.slug}"))
    assert f"发布 {second.number}" in other
    assert "开始一次过程" not in other


def test_the_short_list_says_what_it_leaves_out(demo_system: System, course: str) -> None:
    duty = Desk(demo_system, "duty")
    short = duty.get(f"/console/ledger?subject={course}")
    found = re.search(r"略去 (\d+) 条", text_of(short))
    assert found
    assert int(found[1]) > 0
    whole = duty.get(f"/console/ledger?subject={course}&whole=1")
    rows = len(parsed(whole).xpath("//tbody/tr[not(@class='ph')]"))
    assert rows == len(parsed(short).xpath("//tbody/tr[not(@class='ph')]")) + int(found[1])


def test_every_entry_of_an_installation_is_a_sentence(demo_system: System, course: str) -> None:
    for language in ("zh", "en"):
        page = Desk(demo_system, "admin").get(f"/console/ledger?lang={language}")
        for cell in parsed(page).xpath("//td[@class='said']"):
            said = str(cell.text_content())
            assert not re.search(r"\bNone\b|\{|\}|\[\]", said), said


@pytest.mark.parametrize("name", ["disclosure", "leader"])
def test_a_pack_is_exported_and_holds(demo_system: System, course: str, name: str, tmp_path: Path) -> None:
    reader = Desk(demo_system, name)
    form = next(
        form
        for form in parsed(reader.get(f"/console/ledger?subject={course}")).forms
        if form.action == "/console/ledger/export"
    )
    answer = reader.client.post(form.action, data=dict(form.form_values()), headers=OURS)
    assert answer.status_code == 200
    assert answer.headers["content-disposition"] == f'attachment; filename="disclosure-{course}.zip"'
    pack = tmp_path / "pack.zip"
    pack.write_bytes(answer.content)
    assert verify_pack(pack, verify_text).bulletins == 2
    assert "导出材料包" in text_of(reader.get("/console/ledger"))


def test_a_pack_of_a_period(demo_system: System, course: str, settable_clock: SettableClock, tmp_path: Path) -> None:
    reader = Desk(demo_system, "disclosure")
    day = settable_clock.now().astimezone().date().isoformat()
    page = reader.get("/console/ledger")
    form = next(form for form in parsed(page).forms if form.action == "/console/ledger/export")
    fields = dict(form.form_values())
    answer = reader.client.post(form.action, data=fields, headers=OURS)
    (tmp_path / "pack.zip").write_bytes(answer.content)
    assert verify_pack(tmp_path / "pack.zip", verify_text).bulletins == 2
    empty = reader.client.post(form.action, data={**fields, "from": "2001-01-01", "to": "2001-01-02"}, headers=OURS)
    assert empty.status_code == 404
    wrong = reader.client.post(form.action, data={**fields, "from": day, "to": "gestern"}, headers=OURS)
    assert wrong.status_code == 409


def test_who_may_not_export_sees_no_form(demo_system: System, course: str) -> None:
    assert "/console/ledger/export" not in Desk(demo_system, "duty").get(f"/console/ledger?subject={course}")
