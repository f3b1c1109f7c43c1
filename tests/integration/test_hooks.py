"""Provider callbacks and stations: believed only with signature or key, repeats are harmless."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient
from twilio.request_validator import RequestValidator

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.errors import Collided
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.web import hooks
from geowarn.web.app import create_app

pytestmark = pytest.mark.usefixtures("machine_time")

Officer = Callable[[str], Actor]
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def client(demo_system: System) -> Iterator[TestClient]:
    with TestClient(create_app(demo_system)) as found:
        yield found


@pytest.fixture
def slug(demo_system: System, officer: Officer) -> str:
    made = propose_by_hand(demo_system.desk, {"370687": Level.YELLOW}, 24, "裂缝", "网格员", officer("duty"))
    for name in ("duty", "leader", "observatory"):
        sign(demo_system.desk, made.warning_id, officer(name))
    return release(demo_system.desk, made.warning_id, officer("duty")).slug


def call(client: TestClient, system: System, path: str, signed_for: str | None = None, **fields: str) -> int:
    url = f"{system.settings.site.public_url}{signed_for or path}"
    signature = RequestValidator(system.settings.sms.auth_token).compute_signature(url, fields)
    headers = {"X-Twilio-Signature": signature, "Content-Type": FORM}
    return client.post(path, content=urlencode(fields), headers=headers).status_code


def test_a_signed_report_is_taken_with_blank_fields_and_query(client: TestClient, demo_system: System) -> None:
    path = "/hooks/twilio/status?dispatch=abc"
    assert call(client, demo_system, path, MessageSid="SM1", MessageStatus="sent", ErrorCode="") == 204


@pytest.mark.parametrize("signed_for", ["/hooks/twilio/status", "/hooks/twilio/status?dispatch=other", "/"])
def test_a_signature_for_another_address_is_refused(client: TestClient, demo_system: System, signed_for: str) -> None:
    path = "/hooks/twilio/status?dispatch=abc"
    assert call(client, demo_system, path, signed_for, MessageSid="SM1", MessageStatus="sent") == 403


@pytest.mark.parametrize(
    ("act", "path", "status"),
    [
        ("record_status", "/hooks/twilio/status?dispatch=abc", 204),
        ("reported", "/hooks/twilio/status?notice=abc", 204),
        ("opt_out", "/hooks/twilio/inbound", 200),
        ("answered", "/hooks/twilio/inbound", 200),
    ],
)
def test_what_a_provider_tells_once_is_stored_though_it_met_another_transaction(
    client: TestClient, demo_system: System, monkeypatch: pytest.MonkeyPatch, act: str, path: str, status: int
) -> None:
    done: list[bool] = []

    def collide_first(*given: object) -> bool:
        done.append(True)
        if len(done) == 1:
            raise Collided
        return True

    monkeypatch.setattr(hooks, act, collide_first)
    assert call(client, demo_system, path, From="+12025550100", Body="1", MessageStatus="delivered") == status
    assert len(done) == 2


def test_unsigned_and_changed_reports_are_refused(client: TestClient, demo_system: System) -> None:
    path = "/hooks/twilio/status"
    assert client.post(path, content="MessageStatus=delivered", headers={"Content-Type": FORM}).status_code == 403
    url = f"{demo_system.settings.site.public_url}{path}"
    made = RequestValidator(demo_system.settings.sms.auth_token).compute_signature(url, {"MessageStatus": "sent"})
    headers = {"X-Twilio-Signature": made, "Content-Type": FORM}
    assert client.post(path, content="MessageStatus=delivered", headers=headers).status_code == 403
    assert client.post("/hooks/twilio/inbound", content="", headers={"Content-Type": FORM}).status_code == 403


def test_the_host_header_does_not_matter(client: TestClient, demo_system: System) -> None:
    path, fields = "/hooks/twilio/status", {"MessageSid": "SM1", "MessageStatus": "sent"}
    forged = RequestValidator(demo_system.settings.sms.auth_token).compute_signature(f"http://evil.test{path}", fields)
    headers = {"X-Twilio-Signature": forged, "Content-Type": FORM, "Host": "evil.test"}
    assert client.post(path, content=urlencode(fields), headers=headers).status_code == 403


def test_no_secret_no_hook(demo_system: System) -> None:
    from dataclasses import replace

    sms = demo_system.settings.sms.model_copy(update={"auth_token": ""})
    open_door = replace(demo_system, settings=demo_system.settings.model_copy(update={"sms": sms}))
    client = TestClient(create_app(open_door))
    url = f"{demo_system.settings.site.public_url}/hooks/twilio/status"
    headers = {"X-Twilio-Signature": RequestValidator("").compute_signature(url, {}), "Content-Type": FORM}
    assert client.post("/hooks/twilio/status", content="", headers=headers).status_code == 403


def test_a_report_reaches_its_dispatch(client: TestClient, demo_system: System, slug: str) -> None:
    with demo_system.store.read() as work:
        bulletin = work.bulletins.by_slug(slug)
        assert bulletin is not None
        row = work.dispatches.of_bulletin(bulletin.id, "sms")[0]
    path = f"/hooks/twilio/status?dispatch={row.id}"
    assert call(client, demo_system, path, MessageSid="SM9", MessageStatus="delivered") == 204
    assert call(client, demo_system, path, MessageSid="SM9", MessageStatus="sent") == 204  # late news changes nothing
    with demo_system.store.read() as work:
        after = work.dispatches.get(row.id)
    assert after is not None
    assert after.state.value == "delivered"


def test_stop_ends_the_registration(client: TestClient, demo_system: System) -> None:
    with demo_system.store.read() as work:
        one = work.recipients.all()[0]
    number = demo_system.vault.open(one.phone_sealed)
    assert call(client, demo_system, "/hooks/twilio/inbound", From=number, Body="退订") == 200
    with demo_system.store.read() as work:
        assert all(found.opted_out_at for found in work.recipients.by_phone_key(one.phone_key))
    assert call(client, demo_system, "/hooks/twilio/inbound", From="nobody", Body="STOP") == 400


KEY = {"Authorization": f"Bearer {password_of('demo-tv')}"}


def publish(system: System) -> None:
    for channel in system.channels.values():
        if hasattr(channel, "publish"):
            channel.publish(system.site_state())


@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}, {"Authorization": "Bearer "},
                                     {"Authorization": f"Basic {password_of('demo-tv')}"}])  # fmt: skip
def test_stations_need_their_key(client: TestClient, headers: dict[str, str]) -> None:
    for path in ("/broadcast/v1/items", "/broadcast/v1/feed.atom"):
        answer = client.get(path, headers=headers)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_before_anything_is_published_a_station_is_told_to_wait(client: TestClient) -> None:
    answer = client.get("/broadcast/v1/items", headers=KEY)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]


def test_a_poll_is_noted_and_unchanged_state_costs_nothing(client: TestClient, demo_system: System, slug: str) -> None:
    publish(demo_system)
    first = client.get("/broadcast/v1/items", headers=KEY)
    assert [item["slug"] for item in first.json()["items"]] == [slug]
    again = client.get("/broadcast/v1/items", headers={**KEY, "If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert client.get("/broadcast/v1/feed.atom", headers=KEY).headers["content-type"].startswith("application/atom+xml")
    with demo_system.store.read() as work:
        poll = work.stations.last_poll("demo-tv")
    assert poll is not None
    assert poll.sequence == first.json()["sequence"]


def test_aired_is_noted_once_and_stands_in_the_ledger(client: TestClient, demo_system: System, slug: str) -> None:
    path = f"/broadcast/v1/items/{slug}/aired"
    report = {"aired_at": datetime.now(UTC).isoformat(), "medium": "tv-crawl"}
    assert client.post(path, json=report).status_code == 401
    assert client.post(path, json=report, headers=KEY).status_code == 201
    again = client.post(path, json=report, headers=KEY)
    assert (again.status_code, again.json()["noted"]) == (200, False)
    with demo_system.store.read() as work:
        kinds = [entry.kind for entry in work.ledger.entries()]
        assert [medium for _, _, medium in work.stations.airings(slug)] == ["tv-crawl"]
    assert kinds.count("bulletin.aired") == 1


@pytest.mark.parametrize(
    "report",
    [
        {},
        {"aired_at": "yesterday", "medium": "tv"},
        {"aired_at": "2026-07-23T02:00:00", "medium": "tv"},
        {"aired_at": "2020-07-23T02:00:00+08:00", "medium": "tv"},
        {"aired_at": (datetime.now(UTC) + timedelta(days=1)).isoformat(), "medium": "tv"},
        {"aired_at": datetime.now(UTC).isoformat(), "medium": "<b>"},
        {"aired_at": datetime.now(UTC).isoformat(), "medium": "tv", "phone": "1"},
    ],
)
def test_a_wrong_report_is_refused_with_its_field(client: TestClient, slug: str, report: dict[str, str]) -> None:
    answer = client.post(f"/broadcast/v1/items/{slug}/aired", content=json.dumps(report), headers=KEY)
    assert answer.status_code == 409
    assert answer.json()["message"]


def test_an_unknown_item_is_not_found(client: TestClient) -> None:
    report = {"aired_at": datetime.now(UTC).isoformat(), "medium": "tv"}
    assert client.post("/broadcast/v1/items/2026-999/aired", json=report, headers=KEY).status_code == 404
