"""`/api/v1`: every route against every scope, what each key sees, and how a refusal reads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.api_desk import FUSHAN, HAIYANG, ApiDesk
from tests.integration.conftest import SettableClock
from tests.integration.rights_partners import OPEN, SCOPES
from tests.integration.schema_check import faults

from geowarn.bootstrap import System
from geowarn.domain.level import Level
from geowarn.domain.partner import Scope
from geowarn.pipeline.partner_keys import revoke_key
from geowarn.web.app import create_app


@pytest.fixture
def desk(demo_system: System) -> Iterator[ApiDesk]:
    with TestClient(create_app(demo_system), follow_redirects=False) as client:
        yield ApiDesk(demo_system, client)


def filled(path: str) -> str:
    values = {"name": "w-none", "slug": "2026-999", "path": "sms/none", "code": HAIYANG, "hook": "h-none", "key": "x"}
    return path.format(**values)


@pytest.mark.parametrize("scope", list(Scope))
def test_every_route_against_every_scope(desk: ApiDesk, scope: Scope) -> None:
    key = desk.with_scope(scope)
    wrong = []
    for (method, path), scopes in SCOPES.items():
        answer = desk.call(key, method, filled(path), {})
        refused = answer.status_code == 403 and answer.json()["key"] == "partners.scope-missing"
        if refused is (scope in scopes):
            wrong.append((method, path, answer.status_code, answer.text))
    assert not wrong


def test_without_a_key_nothing_but_the_description_answers(desk: ApiDesk) -> None:
    for method, path in SCOPES:
        answer = desk.call(None, method, filled(path), {})
        assert (answer.status_code, answer.json()["key"]) == (401, "partners.no-key"), path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    stranger = {"Authorization": "Bearer gwk_" + "A" * 43}
    assert desk.client.get("/api/v1/warnings", headers=stranger).status_code == 401
    assert desk.client.get("/api/v1/openapi.json").status_code == 200
    assert desk.client.get("/api/v1/problems/partners.no-key").json()["zh"]


def test_the_table_names_every_route_of_the_document(desk: ApiDesk) -> None:
    document = desk.client.get("/api/v1/openapi.json").json()
    described = {
        (method.upper(), path): operation
        for path, methods in document["paths"].items()
        if path.startswith("/api/v1/")
        for method, operation in methods.items()
    }
    assert set(described) == set(SCOPES) | {route for route in OPEN if route[1] != "/api/{path}"}
    for route, scopes in SCOPES.items():
        named = described[route]["security"][0]["key"]
        assert named == ([] if scopes == frozenset(Scope) else [scope.value for scope in scopes]), route


def test_a_key_that_has_ended_opens_nothing(desk: ApiDesk, settable_clock: SettableClock) -> None:
    system = desk.system
    short, gone = desk.key("duty", Scope.READ, days=1), desk.key("leader", Scope.READ)
    assert desk.call(short, "GET", "/api/v1/key").status_code == 200
    revoke_key(system.store, system.clock, "test", gone.key.prefix)
    assert desk.call(gone, "GET", "/api/v1/key").json()["key"] == "partners.key-ended"
    settable_clock.advance(days=1)
    assert desk.call(short, "GET", "/api/v1/key").json()["key"] == "partners.key-ended"


def test_a_closed_account_closes_its_keys(desk: ApiDesk) -> None:
    from dataclasses import replace

    key = desk.key("duty", Scope.READ)
    with desk.system.store.begin() as work:
        user = work.users.get("duty")
        assert user is not None
        work.users.save(replace(user, active=False))
        work.commit()
    assert desk.call(key, "GET", "/api/v1/key").status_code == 401


def test_a_key_is_counted_by_the_minute_and_shared_between_processes(
    desk: ApiDesk, settable_clock: SettableClock
) -> None:
    settable_clock.moment = settable_clock.moment.replace(second=10, microsecond=0)
    key = desk.key("duty", Scope.READ, per_minute=3)
    other = TestClient(create_app(desk.system))  # a second process counts in the same table
    for left in (2, 1, 0):
        answer = desk.call(key, "GET", "/api/v1/areas") if left else other.get(
            "/api/v1/areas", headers={"Authorization": f"Bearer {key.token}"}
        )  # fmt: skip
        assert answer.status_code == 200
        assert answer.headers["ratelimit"] == f'"minute";r={left};t=50'
        assert answer.headers["ratelimit-policy"] == '"minute";q=3;w=60'
    refused = desk.call(key, "GET", "/api/v1/areas")
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "50")
    assert desk.call(desk.key("leader", Scope.READ), "GET", "/api/v1/areas").status_code == 200
    settable_clock.advance(seconds=50)
    assert desk.call(key, "GET", "/api/v1/areas").status_code == 200


def test_what_is_not_public_is_for_keys_that_may(desk: ApiDesk) -> None:
    slug = desk.released()
    internal_note, proposal = desk.released(a370612=Level.BLUE), desk.proposed()
    outside, inside = desk.key("duty", Scope.READ), desk.key("duty", Scope.READ, Scope.INTERNAL)
    listed = desk.call(outside, "GET", "/api/v1/warnings").json()["items"]
    assert [one["slug"] for one in listed] == [slug]
    assert [area["code"] for area in listed[0]["areas"]] == [HAIYANG]
    assert not {"signoffs", "slots", "reason", "decided", "version"} & set(listed[0])
    assert desk.call(outside, "GET", f"/api/v1/bulletins/{internal_note}").status_code == 404
    assert desk.call(outside, "GET", f"/api/v1/warnings/{proposal}").status_code == 404
    assert desk.call(outside, "GET", f"/api/v1/areas/{FUSHAN}").json()["level"] == "none"
    assert len(desk.call(inside, "GET", "/api/v1/warnings").json()["items"]) == 3
    whole = desk.call(inside, "GET", f"/api/v1/warnings/{slug}").json()
    assert {area["code"] for area in whole["areas"]} == {HAIYANG, FUSHAN}
    assert len(whole["signoffs"]) == 3
    assert desk.call(inside, "GET", f"/api/v1/areas/{FUSHAN}").json()["level"] == "blue"
    assert desk.call(outside, "GET", f"/api/v1/areas/{HAIYANG}").json()["bulletin"] == slug


def test_bulletins_come_with_the_frozen_bytes(desk: ApiDesk) -> None:
    slug, key = desk.released(), desk.key("duty", Scope.READ)
    bulletin = desk.call(key, "GET", f"/api/v1/bulletins/{slug}").json()
    assert bulletin["standing"] == "in-force"
    assert bulletin["sent"].endswith("+08:00")
    for file in bulletin["artefacts"]:
        answer = desk.call(key, "GET", f"/api/v1/bulletins/{slug}/artefacts/{file['path']}")
        assert hashlib.sha256(answer.content).hexdigest() == file["sha256"]
        assert answer.headers["etag"] == f'"{file["sha256"]}"'
    counted = desk.call(key, "GET", f"/api/v1/bulletins/{slug}/dispatches").json()
    assert counted["dispatches"]["sms"]["new"] > 0
    assert counted["settled"] is False


def test_nothing_read_holds_a_number(desk: ApiDesk) -> None:
    slug = desk.released()
    key = desk.key("duty", Scope.READ, Scope.INTERNAL)
    texts = [
        desk.call(key, "GET", path).text
        for path in ("/api/v1/warnings", "/api/v1/bulletins", f"/api/v1/bulletins/{slug}", "/api/v1/areas")
    ]
    assert "55501" not in "".join(texts)
    assert key.token not in "".join(texts)


def test_pages_by_cursor_miss_and_repeat_nothing(desk: ApiDesk) -> None:
    key = desk.key("duty", Scope.READ, per_minute=600)
    seen, cursor = [], ""
    while True:
        answer = desk.call(key, "GET", f"/api/v1/areas?limit=50&cursor={cursor}").json()
        seen += [area["code"] for area in answer["items"]]
        cursor = answer["next"]
        if cursor is None:
            break
    with desk.system.store.read() as work:
        assert seen == [area.code for area in work.areas.all()]
    for wrong in ("nonsense", "%25", "MjAyNi05OTk"):
        refused = desk.call(key, "GET", f"/api/v1/areas?cursor={wrong}")
        assert (refused.status_code, refused.json()["key"]) == (400, "partners.cursor")


def test_a_cursor_holds_while_new_ones_come_in_front(desk: ApiDesk) -> None:
    key = desk.key("duty", Scope.READ)
    slugs = [desk.released() for _ in range(3)]
    first = desk.call(key, "GET", "/api/v1/bulletins?limit=1").json()
    desk.released()
    second = desk.call(key, "GET", f"/api/v1/bulletins?limit=2&cursor={first['next']}").json()
    assert [one["slug"] for one in (*first["items"], *second["items"])] == slugs[::-1]


def test_a_read_has_a_validator(desk: ApiDesk) -> None:
    key = desk.key("duty", Scope.READ)
    answer = desk.call(key, "GET", "/api/v1/warnings")
    tag = answer.headers["etag"]
    again = desk.call(key, "GET", "/api/v1/warnings", If_None_Match=f'W/{tag}, "other"')
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == tag
    desk.released()
    assert desk.call(key, "GET", "/api/v1/warnings", If_None_Match=tag).status_code == 200


REFUSALS: list[tuple[str, str, Any, dict[str, str], int]] = [
    ("GET", "/api/v1/nothing", None, {}, 404),
    ("GET", "/api/other", None, {}, 404),
    ("GET", "/api/v1/warnings/w-none", None, {}, 404),
    ("GET", "/api/v1/problems/none.such", None, {}, 404),
    ("PUT", "/api/v1/warnings", None, {}, 405),
    ("POST", "/api/v1/areas", {}, {}, 405),
    ("POST", "/api/v1/proposals", b"x" * 70_000, {}, 413),
    ("POST", "/api/v1/proposals", {}, {"Content_Type": "text/plain"}, 415),
    ("POST", "/api/v1/proposals", {}, {}, 422),
    ("POST", "/api/v1/proposals", b"{nothing", {}, 422),
    ("GET", "/api/v1/areas?limit=0", None, {}, 422),
    ("GET", f"/api/v1/areas/{'9' * 60}", None, {}, 422),
]


@pytest.mark.parametrize(("method", "path", "body", "headers", "status"), REFUSALS)
def test_every_refusal_is_problem_details_in_both_languages(
    desk: ApiDesk, method: str, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    key = desk.key("duty", Scope.READ, Scope.PROPOSE)
    document = desk.client.get("/api/v1/openapi.json").json()
    said = {}
    for asked, language in (("zh-CN,en;q=0.5", "zh-CN"), ("en-GB,zh;q=0.2", "en"), ("fr", "zh-CN")):
        answer = desk.call(key, method, path, body, Accept_Language=asked, **headers)
        assert answer.status_code == status, answer.text
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.headers["content-language"] == language
        found = answer.json()
        assert faults(document, {"$ref": "#/components/schemas/Problem"}, found) == []
        assert found["status"] == status
        assert found["type"].endswith(f"/api/v1/problems/{found['key']}")
        if status == 405:
            assert answer.headers["allow"]
        said[language] = (found["title"], found["detail"])
    assert said["zh-CN"][0] != said["en"][0]
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said["zh-CN"][1])


def test_a_database_that_is_away_is_503_and_says_when_to_come_again(
    desk: ApiDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    from geowarn.domain.errors import Refused

    def away(*_: object, **__: object) -> None:
        raise Refused("store.unreachable", database="sqlite://", reason="gone")

    monkeypatch.setattr("geowarn.web.api_call.admit", away)
    answer = desk.call(None, "GET", "/api/v1/warnings")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "30")
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_fault_of_ours_shows_no_trace(desk: ApiDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("secret detail")

    monkeypatch.setattr("geowarn.web.api_read.views.levels_now", broken)
    answer = desk.call(desk.key("duty", Scope.READ), "GET", "/api/v1/areas")
    assert (answer.status_code, answer.json()["key"]) == (500, "web.fault")
    assert "secret detail" not in answer.text


def test_a_console_session_is_no_key(desk: ApiDesk) -> None:
    from geowarn.demo.setting import password_of

    form = {"name": "duty", "password": password_of("duty")}
    desk.client.post("/console/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    assert desk.client.get("/api/v1/warnings").status_code == 401


def test_keys_are_stored_hashed_and_in_the_ledger_by_prefix_only(desk: ApiDesk) -> None:
    made = desk.key("observatory", Scope.COSIGN)
    assert made.signing
    with desk.system.store.read() as work:
        (entry,) = [one for one in work.ledger.entries() if one.kind == "key.issued"]
        kept = work.api_keys.get(made.key.id)
    assert kept is not None
    assert kept.token_sha256 == hashlib.sha256(made.token.encode()).hexdigest()
    facts = json.loads(entry.payload)
    assert facts["prefix"] == made.token[:10]
    database = (desk.system.data_dir / "geowarn.db").read_bytes()
    log = desk.system.data_dir / "geowarn.db-wal"
    stored = database + (log.read_bytes() if log.exists() else b"")
    assert made.token.encode() not in stored
    assert made.signing.encode() not in stored
