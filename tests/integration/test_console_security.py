"""The console's door: sessions, cross-site acts, framing, redirects, guessing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.web.access import safe_next
from geowarn.web.app import create_app
from geowarn.web.guard import LARGEST_BODY

OURS = {"Sec-Fetch-Site": "same-origin"}


@pytest.fixture
def client(demo_system: System) -> Iterator[TestClient]:
    with TestClient(create_app(demo_system), follow_redirects=False) as found:
        yield found


def log_in(client: TestClient, name: str = "duty", password: str | None = None) -> int:
    form = {"name": name, "password": password or password_of(name), "next": "/console/"}
    return client.post("/console/login", data=form, headers=OURS).status_code


def form_token(client: TestClient) -> str:
    text = client.get("/console/propose").text
    return text.split('name="form_token" value="')[1].split('"')[0]


def test_pages_are_for_people_who_have_logged_in(client: TestClient) -> None:
    for path in ("/console/", "/console/warnings", "/console/warnings/w-1", "/console/ledger", "/console/propose"):
        answer = client.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/console/login?next=")
    assert client.get("/console").headers["location"] == "/console/"


def test_log_in_and_out(client: TestClient) -> None:
    assert log_in(client) == 303
    assert "值班员甲" in client.get("/console/").text
    token = form_token(client)
    cookie = client.cookies["geowarn"]
    assert client.post("/console/logout", data={"form_token": token}, headers=OURS).status_code == 303
    client.cookies.set("geowarn", cookie)
    assert client.get("/console/").status_code == 303


def test_the_cookie_is_closed_to_scripts_and_other_sites(client: TestClient) -> None:
    form = {"name": "duty", "password": password_of("duty")}
    cookie = client.post("/console/login", data=form, headers=OURS).headers["set-cookie"].lower()
    for attribute in ("httponly", "samesite=lax", "path=/", "max-age=43200"):
        assert attribute in cookie
    assert "domain" not in cookie


def test_a_token_planted_before_log_in_is_worthless(client: TestClient) -> None:
    client.cookies.set("geowarn", "planted", domain="testserver.local", path="/")
    assert log_in(client) == 303
    first = client.cookies["geowarn"]
    assert log_in(client) == 303
    assert len({"planted", first, client.cookies["geowarn"]}) == 3
    client.cookies.clear()
    client.cookies.set("geowarn", first)
    assert client.get("/console/").status_code == 303


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://testserver"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://evil.test"},
        {"Origin": "null"},
        {},
    ],
)
def test_another_site_cannot_act(client: TestClient, headers: dict[str, str]) -> None:
    log_in(client)
    data = {"form_token": form_token(client), "reason": "x"}
    assert client.post("/console/warnings/w-1/dismiss", data=data, headers=headers).status_code == 403
    assert client.post("/console/login", data=data, headers=headers).status_code == 403


def test_origin_is_enough_for_an_old_browser(client: TestClient) -> None:
    form = {"name": "duty", "password": password_of("duty")}
    assert client.post("/console/login", data=form, headers={"Origin": "http://testserver"}).status_code == 303


def test_a_form_without_its_token_is_refused(client: TestClient) -> None:
    log_in(client)
    for token in ("", "x", "口令"):
        answer = client.post("/console/propose", data={"form_token": token}, headers=OURS)
        assert answer.status_code == 409
        assert "表单已失效" in answer.text


def test_guessing_is_slowed_and_then_stopped(client: TestClient, settable_clock: object) -> None:
    codes = []
    for _ in range(12):
        codes.append(log_in(client, password="wrong"))
        settable_clock.advance(seconds=1)  # type: ignore[attr-defined]
    assert codes[:3] == [401, 401, 401]
    assert 429 in codes[3:6]
    for _ in range(12):
        settable_clock.advance(seconds=260)  # type: ignore[attr-defined]
        for _ in range(4):
            log_in(client, password="wrong")
            settable_clock.advance(seconds=40)  # type: ignore[attr-defined]
    settable_clock.advance(minutes=16)  # type: ignore[attr-defined]
    assert log_in(client) == 303


def test_ten_failures_lock_this_place_out(client: TestClient, settable_clock: object) -> None:
    for _ in range(10):
        assert log_in(client, password="wrong") == 401
        settable_clock.advance(seconds=60)  # type: ignore[attr-defined]
    answer = client.post("/console/login", data={"name": "duty", "password": password_of("duty")}, headers={**OURS})
    assert answer.status_code == 429
    assert int(answer.headers["retry-after"]) > 0
    assert log_in(client, "leader") == 303


def test_a_stranger_and_a_wrong_password_get_the_same_answer(client: TestClient) -> None:
    def answer(name: str) -> str:
        page = client.post("/console/login", data={"name": name, "password": "x"}, headers=OURS).text
        return page.split('id="fault"')[1].split("</p>")[0]

    assert answer("nobody-of-this-name") == answer("duty")


def test_sessions_end_when_idle_and_absolutely(client: TestClient, settable_clock: object) -> None:
    log_in(client)
    settable_clock.advance(minutes=59)  # type: ignore[attr-defined]
    assert client.get("/console/").status_code == 200
    settable_clock.advance(minutes=59)  # type: ignore[attr-defined]
    assert client.get("/console/?quiet=1").status_code == 200  # a page that renews itself keeps nobody logged in
    settable_clock.advance(minutes=2)  # type: ignore[attr-defined]
    assert client.get("/console/").status_code == 303
    log_in(client)
    for _ in range(24):
        settable_clock.advance(minutes=30)  # type: ignore[attr-defined]
        last = client.get("/console/").status_code
    assert last == 303


@pytest.mark.parametrize("path", ["/", "/console/login", "/console/", "/nothing", "/api/v1/warnings", "/feeds/cap.rss"])
def test_every_answer_forbids_framing_and_guessing_types(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


def test_console_pages_are_not_kept(client: TestClient) -> None:
    log_in(client)
    assert client.get("/console/").headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "wanted",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "/console/..//evil",
        "/console/\\x",
        "/console/\nx",
        "",
        "/",
    ],
)
def test_no_way_out_of_the_site(client: TestClient, wanted: str) -> None:
    assert safe_next(wanted) == "/console/"
    form = {"name": "duty", "password": password_of("duty"), "next": wanted}
    assert client.post("/console/login", data=form, headers=OURS).headers["location"] == "/console/"


def test_bodies_are_bounded(client: TestClient) -> None:
    big = b"a=" + b"x" * LARGEST_BODY
    plain = {**OURS, "Content-Type": "application/x-www-form-urlencoded"}
    assert client.post("/console/login", content=big, headers=plain).status_code == 413

    def chunks() -> Iterator[bytes]:
        for _ in range(20):
            yield b"x" * 8192

    assert client.post("/console/login", content=chunks(), headers=plain).status_code == 413
    assert client.post("/hooks/twilio/status", content=big).status_code == 413
    multipart = {**OURS, "Content-Type": "multipart/form-data; boundary=x"}
    assert client.post("/console/login", content=b"x", headers=multipart).status_code == 409


def test_a_fault_of_ours_shows_no_trace(
    client: TestClient, demo_system: System, monkeypatch: pytest.MonkeyPatch
) -> None:
    log_in(client)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("geowarn.web.ledger_page.verify", broken)
    answer = client.get("/console/ledger?check=1")
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    assert "default-src 'none'" in answer.headers["content-security-policy"]


def test_both_languages(client: TestClient) -> None:
    assert 'lang="zh-CN"' in client.get("/console/login").text
    english = client.get("/console/login?lang=en")
    assert "Log in to the duty desk" in english.text
    assert "Log in to the duty desk" in client.get("/console/login").text
    assert "登录值班台" in client.get("/console/login?lang=zh").text


def test_a_production_cookie_is_bound_to_the_host(demo_system: System) -> None:
    from dataclasses import replace

    from geowarn.web.access import cookie_name

    settings = demo_system.settings
    web = settings.web.model_copy(update={"secure_cookie": True})
    secure = replace(demo_system, settings=settings.model_copy(update={"web": web}))
    assert cookie_name(secure) == "__Host-geowarn"
    with TestClient(create_app(secure), follow_redirects=False, base_url="https://testserver") as client:
        form = {"name": "duty", "password": password_of("duty")}
        cookie = client.post("/console/login", data=form, headers=OURS).headers["set-cookie"]
        assert cookie.startswith("__Host-geowarn=")
        assert "Secure" in cookie
