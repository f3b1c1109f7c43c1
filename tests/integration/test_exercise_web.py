"""Exercises at the console: who may do what, what pages say, and that nothing public shows anything of one."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lxml.html import document_fromstring
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock
from tests.integration.exercise_desk import WORD, ExerciseDesk
from tests.integration.rights_exercise import EVERYONE, ROUTES

from geowarn.bootstrap import System
from geowarn.catalogue import sentences
from geowarn.demo.setting import password_of
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.deliver import run_due
from geowarn.pipeline.exercise_end import finish
from geowarn.pipeline.people import add_user
from geowarn.security import hash_password
from geowarn.web.app import create_app
from geowarn.web.guard import CONSOLE_POLICY

OURS = {"Sec-Fetch-Site": "same-origin"}
ACTS = ("update", "downgrade", "extend", "lift", "cancel")


class Browser:
    """One person at the console."""

    def __init__(self, system: System, name: str) -> None:
        self.client = TestClient(create_app(system))
        form = {"name": name, "password": password_of(name)}
        assert self.client.post("/console/login", data=form, headers=OURS).status_code == 200
        page: Any = document_fromstring(self.client.get("/console/").text)
        self.token = page.xpath("//input[@name='form_token']/@value")[0]

    def get(self, path: str) -> Any:
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer

    def post(self, path: str, status: int = 200, **fields: str) -> str:
        answer = self.client.post(path, data={"form_token": self.token, **fields}, headers=OURS)
        assert answer.status_code == status, answer.text
        return str(answer.text)


@pytest.fixture
def desk(demo_system: System, officer: Callable[[str], Actor], settable_clock: SettableClock) -> ExerciseDesk:
    made = ExerciseDesk(demo_system, officer, settable_clock)
    made.until_middle_of_shift()
    return made


@pytest.fixture
def browser(demo_system: System, desk: ExerciseDesk) -> Callable[[str], Browser]:
    return lambda name: Browser(demo_system, name)


def code_on(text: str) -> str:
    page: Any = document_fromstring(text)
    return str(page.get_element_by_id("codeh").text_content().split()[-1])


def test_the_whole_exercise_at_the_console(browser: Callable[[str], Browser], desk: ExerciseDesk) -> None:
    duty = browser("duty")
    assert "现在可以开始" in duty.get("/console/exercise").text
    refused = duty.post("/console/exercise/start", 409, scenario="storm", minutes="60", typed="yes")
    assert "输入“演练" in refused
    text = duty.post("/console/exercise/start", scenario="storm", minutes="60", typed=WORD)
    code = code_on(text)
    assert "海阳市升至红色" in text
    assert text.count("【演练】") > 3
    assert 'class="ex"' in text
    assert code not in duty.get("/console/exercise").text  # shown once
    for name in ("duty", "leader", "chief", "observatory"):
        someone = browser(name)
        page: Any = document_fromstring(someone.get("/console/exercise").text)
        (digest,) = page.xpath("//input[@name='package_sha256']/@value")
        someone.post("/console/exercise/sign", 409, package_sha256=digest, typed=WORD, code="x")
        someone.post("/console/exercise/sign", package_sha256=digest, typed=WORD, code=code)
    duty.post("/console/exercise/release", 409, typed="发布")
    board = duty.post("/console/exercise/release", typed=WORD)
    assert "【演练】" in board
    assert 'class="ex"' in board
    report = duty.post("/console/exercise/end")
    assert "发布 ex-" in report
    with desk.system.store.read() as work:
        (held,) = work.exercises.all()
        assert all(code not in entry.payload for entry in work.ledger.entries())
    told = duty.get(f"/console/exercise/{held.id}/report.json").json()
    assert [step["step"] for step in told["steps"]].count("signed") == 4
    assert (told["complete"], told["status"]) == (False, "ended")  # nothing was sent: no worker ran


def test_where_an_exercise_may_not_begin_the_page_says_why(
    browser: Callable[[str], Browser], desk: ExerciseDesk
) -> None:
    from geowarn.domain.level import Level
    from geowarn.pipeline.propose import propose_by_hand

    propose_by_hand(desk.system.desk, {"370682": Level.YELLOW}, 24, "裂缝", "电话", desk.officer("duty"))
    assert "有真实提案在审" in browser("duty").get("/console/exercise").text
    leader = browser("leader")
    assert "已准许" in leader.post("/console/exercise/permit", reason="年度演练")
    text = browser("duty").post("/console/exercise/start", scenario="storm", minutes="30", typed=WORD)
    assert "演练口令" in text


def test_an_exercise_is_nowhere_in_public(browser: Callable[[str], Browser], desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    bulletin = desk.released(exercise)
    system = desk.system
    website = system.channels["website"]
    website.publish(system.site_state())  # type: ignore[attr-defined]
    client = TestClient(create_app(system))
    for path in ("/", "/archive/", "/current.json", "/feeds/warnings.rss", "/feeds/cap.atom", "/map.svg", "/en/"):
        answer = client.get(path)
        assert answer.status_code == 200, path
        assert bulletin.slug not in answer.text, path
        assert "【演练】" not in answer.text, path
    assert client.get(f"/w/{bulletin.slug}/").status_code == 404
    assert json.loads(client.get("/current.json").text)["none_in_force"] is True
    assert "当前无生效预警" in browser("duty").get("/console/").text
    shown = client.get(f"/exercise/w/{bulletin.slug}/")
    assert shown.status_code == 200
    assert shown.headers["x-robots-tag"] == "noindex"
    assert "【演练】" in shown.text
    assert client.get("/exercise/w/../../keys/").status_code == 404
    assert client.get("/api/v1/warnings").text.count(bulletin.slug) == 0


def test_a_worker_that_is_not_told_of_tests_sends_nothing_of_an_exercise(desk: ExerciseDesk) -> None:
    bulletin = desk.released(desk.begin())
    system = desk.system
    stations = [system.channels["broadcast"]]
    run_due(system.store, stations, system.vault, system.clock, "me")
    rows = [row for row in desk.dispatches(bulletin) if row.channel == "broadcast"]
    assert {row.reason for row in rows} == {"deliver.exercise-live-target"}
    assert not (system.data_dir / "broadcast" / "demo-tv" / "items" / f"{bulletin.slug}.json").exists()


def test_scripts_are_allowed_on_the_console_and_in_the_tree_only(
    browser: Callable[[str], Browser], desk: ExerciseDesk
) -> None:
    duty = browser("duty")
    assert duty.get("/console/").headers["content-security-policy"] == CONSOLE_POLICY
    for path in ("/", "/nowhere", "/search?q=a"):  # there is no tree yet
        assert "script-src" not in duty.client.get(path).headers["content-security-policy"]
    script = duty.get("/console/static/vendor/htmx-4.0.1.min.js")
    assert script.headers["content-type"].startswith("text/javascript")


@pytest.fixture
def by_role(demo_system: System, desk: ExerciseDesk) -> Callable[[Role], Browser]:
    def signed_in(role: Role) -> Browser:
        name = f"only-{role.value}"
        add_user(
            demo_system.store, demo_system.clock, hash_password, name, name, name, [role.value], password_of(name), "t"
        )
        return Browser(demo_system, name)

    return signed_in


@pytest.mark.parametrize("role", list(Role), ids=lambda role: role.value)
def test_every_role_against_every_route(role: Role, by_role: Callable[[Role], Browser], desk: ExerciseDesk) -> None:
    """A role outside the table is refused for its role, whatever else speaks against the act; one inside never is."""
    exercise = desk.begin(minutes=240)
    desk.released(exercise)
    person, name = by_role(role), exercise.warning_id
    for (method, route), allowed in ROUTES.items():
        if method == "GET":
            if "events" not in route:
                path = route.replace("{act}", "lift").replace("/exercise/{name}", f"/exercise/{exercise.id}")
                assert person.get(path.replace("{name}", name))
            assert allowed == EVERYONE
            continue
        for act in ACTS if "{act}" in route else ("",):
            path = route.replace("{name}", name).replace("{act}", act)
            fields = {"reason": "x", "until": "2031-01-01T00:00", "minutes": "60", "scenario": "storm", "typed": "-"}
            answer = person.client.post(path, data={"form_token": person.token, **fields}, headers=OURS)
            refused = refused_for_role(answer.text, person)
            may_sign = route.endswith(("/sign", "/end"))
            if may_sign and role in allowed:
                assert not refused, (path, role)
            elif route.endswith("/sign"):
                assert answer.status_code in (403, 404, 409), (path, role)  # released already: refused whoever asks
            else:
                assert refused is (role not in allowed), (path, role, answer.text[-400:])
            if route.endswith("/end"):
                assert (desk.now_held(exercise).ended_at is not None) is (role in allowed)


def refused_for_role(text: str, person: Browser) -> bool:
    """Whether the page says that the person lacks the role."""
    tail = sentences("zh")["people.role-missing"].split("}")[-1]
    return tail in text


def test_the_end_tells_the_test_stations(desk: ExerciseDesk) -> None:
    exercise = desk.begin()
    desk.released(exercise)
    finish(desk.system.desk, desk.officer("duty"))
    notice = desk.bulletins(exercise)[-1]
    assert {row.channel for row in desk.dispatches(notice)} >= {"website", "broadcast"}
