"""What rings, at the console and on the command line: time left, who is next, one act to take it in hand."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta

import pytest
from tests.integration.clock_desk import ClockDesk
from tests.integration.conftest import SettableClock
from tests.integration.rights_clock import ROUTES
from tests.integration.test_console_pages import OURS, Desk, parsed
from typer.testing import CliRunner

from geowarn.bootstrap import System
from geowarn.cli import app
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.web.clock import router
from geowarn.web.guard import CONTENT_SECURITY_POLICY


@pytest.fixture
def clock_desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ClockDesk:
    return ClockDesk(demo_system, officer, settable_clock)


def test_the_first_page_rings_and_one_act_takes_it_in_hand(clock_desk: ClockDesk) -> None:
    proposal = clock_desk.proposed(Level.RED)
    clock_desk.tick(seconds=18)
    duty, chief = Desk(clock_desk.system, "duty"), Desk(clock_desk.system, "chief")
    home = duty.get("/console/")
    (line,) = ["".join(found.itertext()).strip() for found in parsed(home).xpath("//span[@class='ring']")]
    assert line.startswith("值班员核签：2分42秒，")
    assert line.endswith("正在呼叫值班员甲，逾时转值班员己。")
    assert "应答，由我处理" in home
    assert parsed(home).xpath(f"//a[@href='/console/warnings/{proposal.warning_id}']")
    assert "http-equiv" not in home
    page = duty.submit("/console/", f"/console/warnings/{proposal.warning_id}/acknowledge")
    assert "14分42秒" in page, "the review page shows the time until the decision"
    assert "值班员甲" in page
    assert "已应答" in page
    assert "应答，由我处理" not in page
    assert "逾时转值班员己" in page
    assert "应答，由我处理" in chief.get("/console/"), "somebody else of the chain may take it over"


def test_the_review_page_names_the_chain_and_who_was_left_out(clock_desk: ClockDesk) -> None:
    proposal = clock_desk.proposed(Level.RED)
    clock_desk.tick(minutes=3, seconds=1)
    page = parsed(Desk(clock_desk.system, "duty").get(f"/console/warnings/{proposal.warning_id}"))
    chain = page.xpath("//details[@class='clock']//li")
    assert [li[-1].text for li in chain] == ["值班员甲", "值班员己", "分管领导乙", "主要领导丙"]
    assert chain[2].text_content().startswith("未到")
    assert ["已发短信" in li.text_content() for li in chain] == [True, True, False, False]
    english = Desk(clock_desk.system, "duty").get(f"/console/warnings/{proposal.warning_id}?lang=en")
    assert "Who is rung in turn" in english


def test_the_script_learns_what_rings_and_for_whom(clock_desk: ClockDesk) -> None:
    duty, leader = Desk(clock_desk.system, "duty"), Desk(clock_desk.system, "leader")
    assert json.loads(duty.get("/console/ring.json?quiet=1")) == []
    proposal = clock_desk.proposed(Level.RED)
    (ring,) = json.loads(duty.get("/console/ring.json?quiet=1"))
    assert (ring["rings"], ring["text"]) == (True, "红色预警提案待您处理")
    assert ring["page"] == f"/console/warnings/{proposal.warning_id}"
    (quiet,) = json.loads(leader.get("/console/ring.json?quiet=1"))
    assert not quiet["rings"], "not yet for the leader"
    clock_desk.tick(minutes=6, seconds=1)
    assert json.loads(leader.get("/console/ring.json"))[0]["rings"]
    duty.submit("/console/", f"/console/warnings/{proposal.warning_id}/acknowledge")
    assert not json.loads(leader.get("/console/ring.json"))[0]["rings"]


def test_scripts_are_our_own_and_only_the_console_has_them(clock_desk: ClockDesk) -> None:
    duty = Desk(clock_desk.system, "duty")
    answer = duty.client.get("/console/")
    assert "script-src 'self'; connect-src 'self'" in answer.headers["content-security-policy"]
    assert duty.client.get("/").headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    page = parsed(str(answer.text))
    assert page.xpath("//script/@src") == ["/console/static/ring.js"]
    assert not page.xpath("//script[not(@src)]")
    assert not page.xpath("//*[@onclick or @onload or @style]")
    script = duty.client.get("/console/static/ring.js")
    assert script.headers["content-type"].startswith("text/javascript")
    assert not Desk(clock_desk.system, "duty").client.get("/console/login").text.count("<script")


def test_the_owed_review_has_a_page_of_its_own(clock_desk: ClockDesk) -> None:
    clock_desk.release_first_at(Level.RED)
    proposal = clock_desk.proposed(Level.RED)
    clock_desk.run(minutes=13)
    path = f"/console/warnings/{proposal.warning_id}/after-review"
    leader = Desk(clock_desk.system, "leader")
    assert path in leader.get("/console/")
    board = leader.get(f"/console/warnings/{proposal.warning_id}/board")
    assert path in board
    assert "先发布后补签" in board
    page = leader.get(path)
    assert "已先行发布，还缺" in page
    assert "以分管领导身份补签" in page
    assert "以分管领导身份补签" not in Desk(clock_desk.system, "disclosure").get(path)
    leader.submit(path, path)
    assert "以分管领导身份补签" not in leader.get(path)
    for name in ("duty", "observatory", "chief"):
        Desk(clock_desk.system, name).submit(path, path)
    assert leader.client.get(path).status_code == 404
    assert path not in leader.get(f"/console/warnings/{proposal.warning_id}/board")


def test_every_route_of_the_clock_is_in_its_table(clock_desk: ClockDesk) -> None:
    """A role that is not asked gets the refusal, whatever form it sends."""
    routes = {
        (method, str(getattr(route, "path", "")))
        for route in router.routes
        for method in getattr(route, "methods", ()) or ()
    }
    assert routes == set(ROUTES)
    proposal = clock_desk.proposed(Level.RED)
    outsider = Desk(clock_desk.system, "disclosure")
    form = {"form_token": parsed(outsider.get("/console/")).xpath("//input[@name='form_token']/@value")[0]}
    task = clock_desk.must_task(proposal.warning_id)
    for path in (f"/console/warnings/{proposal.warning_id}/acknowledge", f"/console/tasks/{task.id}/acknowledge"):
        answer = outsider.client.post(path, data=form, headers=OURS)
        assert answer.status_code == 403
    assert Role.DISCLOSURE not in ROUTES["POST", "/console/tasks/{task_id}/acknowledge"]


@pytest.mark.usefixtures("machine_time")
def test_the_command_line_answers_and_names_owner_and_deadline(clock_desk: ClockDesk) -> None:
    proposal = clock_desk.proposed(Level.RED)
    folder, run = str(clock_desk.system.data_dir), CliRunner()
    shown = json.loads(run.invoke(app, ["warnings", "show", proposal.warning_id, "--json", "--data", folder]).output)
    assert shown["clock"]["owner"] == "duty"
    assert shown["clock"]["due_at"] == (proposal.edited_at + timedelta(minutes=15)).isoformat()
    done = run.invoke(app, ["warnings", "acknowledge", proposal.warning_id, "--as", "duty", "--data", folder])
    assert done.exit_code == 0, done.output
    (task,) = json.loads(run.invoke(app, ["tasks", "list", "--json", "--data", folder]).output)
    assert (task["kind"], task["acknowledged_by"], task["owner"]) == ("review", "duty", "duty")
    assert "duty" in run.invoke(app, ["tasks", "list", "--data", folder]).output
    assert "duty" in run.invoke(app, ["warnings", "show", proposal.warning_id, "--data", folder]).output
