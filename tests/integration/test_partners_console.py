"""The page of partners: every role against every route, secrets shown once, in both languages and without script."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient
from tests.integration.rights_partners import ROUTES

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.people import Role, User
from geowarn.pipeline.actor import Actor, find_user
from geowarn.pipeline.people import add_user
from geowarn.pipeline.two_person import decide
from geowarn.security import hash_password
from geowarn.web.app import create_app

OURS = {"Sec-Fetch-Site": "same-origin"}
PASSWORD = "a password of the test"


@pytest.fixture
def client(demo_system: System) -> Iterator[TestClient]:
    with TestClient(create_app(demo_system), follow_redirects=False) as found:
        yield found


def log_in(client: TestClient, name: str, password: str) -> str:
    form = {"name": name, "password": password, "next": "/console/"}
    assert client.post("/console/login", data=form, headers=OURS).status_code == 303
    text = client.get("/console/").text
    return text.split('name="form_token" value="')[1].split('"')[0]


def person(system: System, role: Role) -> User:
    return add_user(
        system.store, system.clock, hash_password, f"test-{role.value}", "测试", "Test", [role.value], PASSWORD, "test"
    )


@pytest.fixture
def admin(client: TestClient, demo_system: System) -> str:
    return log_in(client, person(demo_system, Role.ADMINISTRATOR).name, PASSWORD)


@pytest.mark.parametrize("role", list(Role))
def test_every_role_against_every_route(client: TestClient, demo_system: System, role: Role) -> None:
    token = log_in(client, person(demo_system, role).name, PASSWORD)
    wrong = []
    for (method, path), roles in ROUTES.items():
        where = path.format(hook="h-none", key="k-none")
        form = {"form_token": token, "account": "duty", "scope.read": "on"}
        answer = client.get(where) if method == "GET" else client.post(where, data=form, headers=OURS)
        refused = answer.status_code == 403 and "无权办理" in answer.text
        if refused is (role in roles):
            wrong.append((method, path, answer.status_code))
    assert not wrong
    shown = '"/console/partners"' in client.get("/console/").text
    assert shown is (role in (Role.ADMINISTRATOR, Role.AUDITOR))


def test_nobody_comes_in_from_outside(client: TestClient) -> None:
    for method, path in ROUTES:
        where = path.format(hook="h-none", key="k-none")
        answer = client.get(where) if method == "GET" else client.post(where, headers=OURS)
        assert answer.status_code == 303, path
        assert answer.headers["location"].startswith("/console/login")


def test_a_key_is_shown_once_works_and_is_revoked(client: TestClient, admin: str, demo_system: System) -> None:
    form = {"form_token": admin, "account": "observatory", "scope.read": "on", "scope.cosign": "on", "per_minute": "60"}
    page = client.post("/console/partners/keys", data=form, headers=OURS)
    assert page.status_code == 200
    assert "只显示这一次" in page.text
    token = page.text.split('<dd class="mono facts">')[1].split("<")[0]
    assert "待另一位管理员确认" in page.text
    with demo_system.store.read() as work:
        (change,) = work.pending_changes.waiting()
        second = Actor(find_user(work, "admin"), "console", "test")
    decide(demo_system.store, demo_system.clock, change.id, True, second)
    assert client.get("/api/v1/key", headers={"Authorization": f"Bearer {token}"}).json()["owner"] == "observatory"
    again = client.get("/console/partners?lang=en").text
    assert token not in again
    assert f"{token[:10]}…" in again
    assert "1 keys work" in again
    with demo_system.store.read() as work:
        (key,) = work.api_keys.all()
    client.post(f"/console/partners/keys/{key.id}/revoke", data={"form_token": admin}, headers=OURS)
    assert client.get("/api/v1/key", headers={"Authorization": f"Bearer {token}"}).status_code == 401


def test_a_subscription_is_added_tested_and_removed(client: TestClient, admin: str, demo_system: System) -> None:
    form = {"form_token": admin, "partner": "city-site", "url": "http://127.0.0.1:9/x", "event.bulletin.released": "on"}
    page = client.post("/console/partners/hooks", data=form, headers=OURS)
    assert "只显示这一次" in page.text
    with demo_system.store.read() as work:
        (hook,) = work.hooks.all()
    where = f"/console/partners/hooks/{hook.id}"
    assert client.post(f"{where}/test", data={"form_token": admin}, headers=OURS).headers["location"] == where
    log = client.get(where).text
    assert "对方没有及时回应" in log
    assert "收不到推送" in log
    assert client.post(f"{where}/remove", data={"form_token": admin}, headers=OURS).status_code == 303
    assert client.get(where).status_code == 404


def test_a_form_with_two_owners_or_none_is_refused(client: TestClient, admin: str) -> None:
    for owners in ({}, {"account": "duty", "partner": "x"}):
        form = {"form_token": admin, "scope.read": "on", **owners}
        assert "只能有一个持有方" in client.post("/console/partners/keys", data=form, headers=OURS).text


def test_both_languages(client: TestClient, admin: str) -> None:
    assert "合作单位" in client.get("/console/partners?lang=zh").text
    assert "Issue a key" in client.get("/console/partners?lang=en").text
    assert client.get("/console/partners").text.count("<script") == 1  # the layout's own, which rings
    assert password_of("duty") not in client.get("/console/partners").text
