"""Call and answer from the release to the list of doors: over the provider's hook, the board, the list, the ledger."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace

import pytest
from starlette.testclient import TestClient
from tests.command_line import called
from tests.integration.conftest import SettableClock, fresh_code
from tests.integration.test_hooks import call as hook
from tests.integration.test_rights import OURS, logged_in

from geowarn.bootstrap import System
from geowarn.domain.calls import CallKind, CallState
from geowarn.domain.ledger import first_fault
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.calls_advance import advance_calls
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign

HAIYANG, QIXIA = "370687", "370686"


@pytest.fixture
def warning(demo_system: System, officer: Callable[[str], Actor]) -> str:
    """A red warning that is out."""
    desk = demo_system.desk
    levels = {HAIYANG: Level.RED, QIXIA: Level.YELLOW}
    name = propose_by_hand(desk, levels, 24, "裂缝", "村干部来电", officer("duty")).warning_id
    for who in ("duty", "leader", "observatory", "chief"):
        sign(desk, name, officer(who), code=fresh_code(demo_system, who))
    release(desk, name, officer("leader"))
    return name


def number_of(system: System, warning: str, kind: CallKind) -> str:
    """The number of the first contact of a place that was called."""
    with system.store.read() as work:
        one = next(call for call in work.calls.of_warning(warning) if call.kind is kind)
        contact = work.contacts.get(one.place, 1)
    assert contact is not None
    return system.vault.open(contact.phone_sealed)


def cells(page: str) -> dict[str, list[str]]:
    """The table of calls: by county, the cells of its row as text."""
    table = page.partition('class="calls"')[2].partition("</table>")[0]
    rows = [re.sub(r"<svg.*?</svg>|<span class=\"vh\">.*?</span>", "", row) for row in table.split("<tr>")[2:]]
    found = [[re.sub(r"<.*?>", "", cell).strip() for cell in re.split(r"</t[hd]>", row)][:-1] for row in rows]
    return {row[0]: row[1:] for row in found}


def test_from_the_release_to_the_list_of_doors(
    demo_system: System, settable_clock: SettableClock, warning: str
) -> None:
    client, token = logged_in(demo_system, "duty")
    board = f"/console/warnings/{warning}/board"
    page = client.get(board).text
    assert cells(page)["海阳市"][:5] == ["0/2", "0/4", "0/1", "0/3", "10"]
    assert cells(page)["栖霞市"][:5] == ["0/2", "—", "—", "—", "2"]
    assert "叫应 12 处未应" in page
    assert "看未应名单，12 处" in page

    room = number_of(demo_system, warning, CallKind.COUNTY)
    with TestClient(client.app) as outside:
        assert hook(outside, demo_system, "/hooks/twilio/inbound", From=room, Body="收到") == 200
    assert cells(client.get(board).text)["海阳市"][0] == "1/2"

    settable_clock.advance(minutes=11)
    advance_calls(demo_system.desk)
    advance(demo_system.desk)
    page = client.get(board).text
    assert "已转人工上门" in page
    assert re.search(
        r"海阳市 1 个县级值班室、4 个乡镇、街道值班室、1 名隐患点责任人、3 处学校、医院、景区无人应答", page
    )
    assert cells(page)["海阳市"][5] == "9 处已转"
    assert "叫应不应" in client.get("/console/").text

    listed = client.get(f"/console/warnings/{warning}/calls?county={HAIYANG}").text
    assert listed.count('name="said_by"') == 9
    assert "栖霞市自然资源值班室" not in listed
    assert "555" not in listed
    doors = client.get(f"/console/warnings/{warning}/doors").text
    assert doors.index("海阳市，9 处") < doors.index("栖霞市，2 处")
    assert "555" not in doors

    for call_id in re.findall(rf"/console/warnings/{warning}/calls/([^/]+)/answer", listed):
        form = {"form_token": token, "via": "telephone", "said_by": "值班员张某"}
        answer = client.post(f"/console/warnings/{warning}/calls/{call_id}/answer", data=form, headers=OURS)
        assert answer.status_code == 303
    again = client.post(f"/console/warnings/{warning}/calls/{call_id}/answer", data=form, headers=OURS)
    assert again.status_code == 409
    assert "已应答，不用再记" in again.text
    page = client.get(board).text
    assert cells(page)["海阳市"] == ["2/2", "4/4", "1/1", "3/3", "0", "不要求"]
    assert "值班员张某" in client.get(f"/console/warnings/{warning}/calls").text

    with demo_system.store.read() as work:
        entries = work.ledger.entries()
        assert first_fault(entries) is None
        (task,) = [task for task in work.tasks.pending() if task.kind == "calls-unanswered"]
        passes = work.escalations.of_task(task.id)
    assert passes, "the task rings as the policy says"
    said = [entry for entry in entries if entry.kind.startswith("call.")]
    assert not [e for e in said if "张某" in e.payload or "555" in e.payload]
    assert {entry.actor.partition(" ")[0] for entry in said if entry.kind == "call.answered"} == {"contact", "duty"}
    case = client.get(f"/console/ledger?subject={warning}&lang=en").text
    assert "Places called that must answer" in case
    assert "noted in 10 entries" in case


def test_an_answer_is_written_down_for_ones_own_county_only(
    demo_system: System, warning: str, settable_clock: SettableClock
) -> None:
    client, token = logged_in(demo_system, "duty")
    with demo_system.store.begin() as work:
        duty = work.users.get("duty")
        assert duty is not None
        work.users.save(replace(duty, areas={Role.DUTY_OFFICER: frozenset({QIXIA})}))
        calls = work.calls.of_warning(warning)
        work.commit()
    theirs = next(call for call in calls if call.county == HAIYANG)
    ours = next(call for call in calls if call.county == QIXIA)
    page = client.get(f"/console/warnings/{warning}/calls").text
    assert f"/calls/{theirs.id}/answer" not in page
    assert f"/calls/{ours.id}/answer" in page
    form = {"form_token": token, "via": "door", "said_by": "值班员"}
    for call, status in ((theirs, 403), (ours, 303)):
        path = f"/console/warnings/{warning}/calls/{call.id}/answer"
        assert client.post(path, data=form, headers=OURS).status_code == status
    for wrong in ({"via": "SMS"}, {"said_by": " "}, {"said_by": "长" * 41}):
        path = f"/console/warnings/{warning}/calls/{ours.id}/answer"
        assert client.post(path, data=form | wrong, headers=OURS).status_code == 409
    with demo_system.store.read() as work:
        assert {c.state for c in work.calls.of_warning(warning) if c.county == HAIYANG} == {CallState.CALLING}


def test_the_register_is_shown_masked(demo_system: System) -> None:
    data = str(demo_system.data_dir)
    shown = json.loads(called("contacts", "show", "--county", HAIYANG, "--json", "--data", data).stdout)
    assert {one["kind"] for one in shown} == {kind.value for kind in CallKind}
    assert all(one["phone"].startswith("+1 ***") for one in shown)
    assert "*" in called("contacts", "show", "--data", data).stdout
    done = called("contacts", "import", str(demo_system.data_dir / "demo" / "contacts.csv"), "--data", data)
    assert (done.returncode, done.stderr) == (0, "")
