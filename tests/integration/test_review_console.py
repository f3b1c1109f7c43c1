"""The review's acts at the console, without any script; and that every role meets the right it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from tests.integration.rights_review import PUBLIC, ROUTES
from tests.integration.test_console_pages import OURS, Desk, parsed

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.web import review_acts, sign_page

Officer = Callable[[str], Actor]
Named = Callable[[str], Desk]
HAIYANG, QIXIA = "370687", "370686"


@pytest.fixture
def desk(demo_system: System) -> Named:
    known: dict[str, Desk] = {}
    return lambda name: known.setdefault(name, Desk(demo_system, name))


@pytest.fixture
def warning(demo_system: System, officer: Officer) -> str:
    levels = {HAIYANG: Level.YELLOW}
    return propose_by_hand(demo_system.desk, levels, 24, "后山出现裂缝", "网格员", officer("duty")).warning_id


@pytest.mark.usefixtures("shipped_policy")
def test_the_secrecy_check_stands_before_the_leader(desk: Named, warning: str) -> None:
    page = f"/console/warnings/{warning}"
    text = desk("leader").get(page)
    assert "还没有保密审查" in text
    assert f"{page}/secrecy" not in text
    assert "没有保密审查" in desk("leader").submit(page, f"{page}/sign", 409)
    assert "保密审查：信息公开员戊" in desk("disclosure").submit(page, f"{page}/secrecy")
    assert "等待签名" in desk("leader").submit(page, f"{page}/sign")


def test_talks_and_remarks_are_shown_as_what_they_are(desk: Named, warning: str) -> None:
    page = f"/console/warnings/{warning}"
    desk("observatory").submit(page, f"{page}/comment", text="<b>请核对地名</b>")
    talk = {"spoke_with": "会商员丁", "agreed": "yes", "words": "同意黄色"}
    text = desk("duty").submit(page, f"{page}/consult", **talk)
    for shown in ("&lt;b&gt;请核对地名", "会商，会商员丁：同意。", "不是签名", "已会商"):
        assert shown in text
    chain = parsed(text).xpath("//ol[@class='chain']")[0].text_content()
    assert chain.count("待签") == 2
    assert f"{page}/consult" not in desk("leader").get(page)
    old = desk("duty").submit(page, f"{page}/edit", **{"slot.action.yellow.zh": "请远离沟谷"})
    assert "此前版本，现已不算数" in old


def test_levels_are_changed_with_a_reason(desk: Named, warning: str) -> None:
    page = f"/console/warnings/{warning}"
    changes = {f"level.{HAIYANG}": "orange", "add_area": QIXIA, "add_level": "yellow"}
    assert "须写明理由" in desk("duty").submit(page, f"{page}/adjust", 409, **changes, reason=" ")
    text = desk("duty").submit(page, f"{page}/adjust", **changes, reason="隐患点变形")
    assert "海阳市升至橙色" in text
    assert "栖霞市 新发黄色" in text
    assert "隐患点变形" in text
    assert "已是版本 2" in desk("leader").submit(page, f"{page}/adjust", 409, version="1", reason="复核")


def test_whoever_comes_second_sees_both_texts(desk: Named, warning: str) -> None:
    page, slot = f"/console/warnings/{warning}", "slot.action.yellow.zh"
    desk("leader").submit(page, f"{page}/edit", **{slot: "请远离陡坡"})
    text = desk("duty").submit(page, f"{page}/edit", 409, **{slot: "请远离沟谷", "version": "1"})
    assert "分管领导乙已先存成版本 2" in text
    form = next(form for form in parsed(text).forms if form.action == f"{page}/edit")
    fields = dict(form.form_values())
    assert (fields[slot], fields["version"]) == ("请远离陡坡", "2")
    assert "请远离沟谷" in text
    answer = desk("duty").client.post(f"{page}/edit", data={**fields, slot: "请远离陡坡沟谷"}, headers=OURS)
    assert "版本 3" in answer.text


def test_nobody_releases_what_they_did_not_see(desk: Named, warning: str, demo_system: System) -> None:
    page = f"/console/warnings/{warning}"
    for name in ("duty", "leader", "observatory"):
        desk(name).submit(page, f"{page}/sign")
    stale = "0" * 64
    assert "您看到的已过时" in desk("duty").submit(page, f"{page}/release", 409, package_sha256=stale)
    assert "您看到的已过时" in desk("duty").submit(page, f"{page}/release", 409, package_sha256="")
    assert "已发布" in desk("duty").submit(page, f"{page}/release")


def test_signing_can_ask_the_next_one(desk: Named, warning: str, demo_system: System) -> None:
    page = f"/console/warnings/{warning}"
    assert "已向分管领导乙发口令" in desk("duty").submit(page, f"{page}/sign", ask_next="leader")
    with demo_system.store.read() as work:
        (code,) = work.sign_codes.of_warning(warning)
    assert (code.user, code.used_at) == ("leader", None)
    assert "已向" in desk("duty").submit(page, f"{page}/ask-code", person="observatory")


def test_findings_stand_beside_the_text(desk: Named, warning: str) -> None:
    page = f"/console/warnings/{warning}"
    text = desk("duty").submit(page, f"{page}/edit", **{"slot.action.yellow.zh": "有效雨量大"})
    assert "须改： " in text
    assert "“有效雨量”是行话" in text
    assert "没有说要做什么" in desk("duty").submit(page, f"{page}/sign", 409)


# --- every role against every route of this part ---------------------------------------------------------------------


def _given_only(system: System, name: str, role: Role) -> None:
    with system.store.begin() as work:
        user = work.users.get(name)
        assert user is not None
        work.users.save(replace(user, roles=frozenset({role})))
        work.commit()


@pytest.mark.parametrize("role", Role)
@pytest.mark.usefixtures("shipped_policy")
def test_every_role_against_every_route(demo_system: System, desk: Named, warning: str, role: Role) -> None:
    visitor = desk("duty")  # on shift; the account is given the one role
    token = parsed(visitor.get("/console/propose")).xpath("//input[@name='form_token']/@value")[0]
    _given_only(demo_system, "duty", role)
    with demo_system.store.read() as work:
        digest = work.proposals.of_warning(warning)[0].package_sha256
    form = {"form_token": token, "package_sha256": digest, "text": "x", "reason": "复核", "version": "1"}
    form |= {"spoke_with": "丁", "words": "同意", "agreed": "yes", "person": "leader", f"level.{HAIYANG}": "orange"}
    form["spoken_at"] = f"{demo_system.clock.now().astimezone(demo_system.desk.zone):%Y-%m-%dT%H:%M}"
    for (method, path), allowed in ROUTES.items():
        assert method == "POST"
        answer = visitor.client.post(path.format(name=warning), data=form, headers=OURS)
        denied = "无权办理" in answer.text
        assert denied == (role not in allowed), (path, role, answer.text[-400:])


def test_the_table_names_every_route_of_this_part() -> None:
    console = {(method, route.path) for route in review_acts.router.routes for method in route.methods}  # type: ignore[attr-defined]
    assert console == set(ROUTES)
    public = {(m, r.path) for r in sign_page.router.routes for m in r.methods if m != "HEAD"}  # type: ignore[attr-defined]
    assert public == PUBLIC


def test_the_public_page_needs_a_reference_and_the_console_a_session(demo_system: System, warning: str) -> None:
    stranger = TestClient(Desk(demo_system, "duty").client.app, follow_redirects=False)
    for method, path in ROUTES:
        answer = stranger.request(method, path.format(name=warning), headers=OURS)
        assert answer.headers["location"].startswith("/console/login")
    for method, path in PUBLIC - {("GET", "/sign")}:
        answer = stranger.request(method, path.format(reference="NOSUCHCODE"), headers=OURS)
        assert answer.status_code == 404
