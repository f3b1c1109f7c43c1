"""What partners do: propose, co-sign by a signed call, report; each act once, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.api_desk import HAIYANG, ApiDesk
from tests.integration.conftest import SettableClock, fresh_code

from geowarn.bootstrap import System
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.partner import Scope
from geowarn.domain.people import Role
from geowarn.pipeline import two_person
from geowarn.pipeline.one_transaction import OneTransaction
from geowarn.pipeline.partner_keys import issue_key
from geowarn.pipeline.people import add_user
from geowarn.security import hash_password
from geowarn.web.app import create_app

PROPOSAL = {"areas": [{"code": HAIYANG, "level": "yellow"}], "hours": 24, "reason": "裂缝扩大", "source": "监测点"}


@pytest.fixture
def desk(demo_system: System) -> Iterator[ApiDesk]:
    with TestClient(create_app(demo_system), follow_redirects=False) as client:
        yield ApiDesk(demo_system, client)


def digest_of(desk: ApiDesk, warning: str) -> str:
    with desk.system.store.read() as work:
        return work.proposals.of_warning(warning)[0].package_sha256


def signoffs(desk: ApiDesk, warning: str) -> list[Any]:
    with desk.system.store.read() as work:
        return list(work.signoffs.of_proposal(work.proposals.of_warning(warning)[0].id))


def warnings(desk: ApiDesk) -> int:
    with desk.system.store.read() as work:
        return len(work.warnings.all())


# --- propose


def test_a_proposal_waits_for_people(desk: ApiDesk) -> None:
    answer = desk.call(desk.key("observatory", Scope.PROPOSE), "POST", "/api/v1/proposals", PROPOSAL)
    assert answer.status_code == 201
    made = answer.json()
    assert answer.headers["location"] == f"/api/v1/warnings/{made['id']}"
    assert (made["status"], made["signoffs"]) == ("proposed", [])
    assert set(made["missing"]) == {"duty-officer", "leader", "observatory"}
    with desk.system.store.read() as work:
        opened = work.ledger.entries(subject=made["id"])[0]
        assert "review" in {task.kind for task in work.tasks.pending()}
    assert opened.actor.startswith("observatory (api, gwk_")


def test_proposing_takes_the_role_too(desk: ApiDesk) -> None:
    answer = desk.call(desk.key("admin", Scope.PROPOSE), "POST", "/api/v1/proposals", PROPOSAL)
    assert (answer.status_code, answer.json()["key"]) == (403, "people.role-missing")
    assert warnings(desk) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"areas": []}, "areas"),
        ({"areas": [{"code": HAIYANG, "level": "purple"}]}, "areas.0.level"),
        ({"areas": [{"code": HAIYANG, "level": "red"}, {"code": HAIYANG, "level": "blue"}]}, "areas"),
        ({"hours": 73}, "hours"),
        ({"sign": True}, "sign"),
    ],
)
def test_a_proposal_that_cannot_be_meant_names_the_field(desk: ApiDesk, change: dict[str, Any], field: str) -> None:
    key = desk.key("duty", Scope.PROPOSE)
    answer = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL | change)
    assert answer.status_code == 422
    assert field in [one["field"] for one in answer.json()["errors"]]
    assert warnings(desk) == 0


def test_an_area_that_is_none_and_a_late_field_are_refused(desk: ApiDesk) -> None:
    key = desk.key("duty", Scope.PROPOSE)
    unknown = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL | {"areas": [{"code": "x", "level": "red"}]})
    assert (unknown.status_code, unknown.json()["key"]) == (404, "propose.unknown-area")
    marked = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL | {"reason": "[[late:number]]"})
    assert (marked.status_code, marked.json()["key"]) == (422, "package.marker-in-text")


# --- repeats


def test_a_repeat_gets_the_answer_of_the_first_time(desk: ApiDesk) -> None:
    key = desk.key("duty", Scope.PROPOSE)
    first, again = (
        desk.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-1") for _ in range(2)
    )
    assert (first.headers["idempotency-replayed"], again.headers["idempotency-replayed"]) == ("false", "true")
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["location"] == first.headers["location"]
    assert warnings(desk) == 1
    other = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL | {"hours": 12}, Idempotency_Key="one-act-1")
    assert (other.status_code, other.json()["key"]) == (422, "partners.other-request")
    stranger = desk.call(
        desk.key("leader", Scope.PROPOSE), "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-1"
    )
    assert stranger.headers["idempotency-replayed"] == "false"
    assert warnings(desk) == 2


def test_a_repeat_is_known_after_a_restart_and_forgotten_in_time(desk: ApiDesk, settable_clock: SettableClock) -> None:
    key = desk.key("duty", Scope.PROPOSE)
    desk.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-2")
    restarted = ApiDesk(desk.system, TestClient(create_app(desk.system)), desk.keys)
    again = restarted.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-2")
    assert again.headers["idempotency-replayed"] == "true"
    settable_clock.advance(hours=desk.system.settings.partners.idempotency_hours, seconds=1)
    later = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-2")
    assert later.headers["idempotency-replayed"] == "false"


def test_a_fault_after_the_act_leaves_neither_act_nor_answer(desk: ApiDesk, monkeypatch: pytest.MonkeyPatch) -> None:
    key = desk.key("duty", Scope.PROPOSE)

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("power cut")

    with monkeypatch.context() as cut:
        cut.setattr("geowarn.web.api_acts.warning_view", broken)
        assert desk.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-3").status_code == 500
    assert warnings(desk) == 0
    again = desk.call(key, "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key="one-act-3")
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "false")
    assert warnings(desk) == 1


@pytest.mark.parametrize("given", ["", "short", "with blank 1", "x" * 129])
def test_a_post_needs_an_idempotency_key(desk: ApiDesk, given: str) -> None:
    answer = desk.call(desk.key("duty", Scope.PROPOSE), "POST", "/api/v1/proposals", PROPOSAL, Idempotency_Key=given)
    assert (answer.status_code, answer.json()["key"]) == (400, "partners.no-idempotency-key")


def test_parts_of_one_transaction_see_each_other_and_commit_together(demo_system: System) -> None:
    with demo_system.store.begin() as whole:
        joined = OneTransaction(whole)
        with joined.begin() as part:
            part.counters.next("probe")
            part.commit()
        with joined.read() as part:
            assert part.counters.next("probe") == 2
    with demo_system.store.begin() as work:
        assert work.counters.next("probe") == 1


# --- co-sign


def test_the_observatory_co_signs_exactly_these_bytes(desk: ApiDesk) -> None:
    warning = desk.proposed()
    key, body = desk.key("observatory", Scope.COSIGN), {"package_sha256": digest_of(desk, warning)}
    answer = desk.signed(key, f"/api/v1/warnings/{warning}/signoffs", body)
    assert answer.status_code == 201, answer.text
    assert answer.json()["role"] == "observatory"
    assert set(answer.json()["missing"]) == {"duty-officer", "leader"}
    (made,) = signoffs(desk, warning)
    assert (made.user, made.role, made.via) == ("observatory", Role.OBSERVATORY, "api")
    assert made.package_sha256 == body["package_sha256"]
    assert made.origin.startswith(key.key.prefix)


def test_an_outdated_digest_is_refused(desk: ApiDesk) -> None:
    warning = desk.proposed()
    path = f"/api/v1/warnings/{warning}/signoffs"
    answer = desk.signed(desk.key("observatory", Scope.COSIGN), path, {"package_sha256": "0" * 64})
    assert (answer.status_code, answer.json()["key"]) == (409, "signoff.moved-on")
    assert signoffs(desk, warning) == []


def test_a_call_that_is_not_signed_right_signs_nothing(desk: ApiDesk) -> None:
    warning = desk.proposed()
    key, body = desk.key("observatory", Scope.COSIGN), {"package_sha256": digest_of(desk, warning)}
    path, now = f"/api/v1/warnings/{warning}/signoffs", int(desk.system.clock.now().timestamp())
    for answer, why in (
        (desk.call(key, "POST", path, body), "partners.not-signed"),
        (desk.call(key, "POST", path, body, X_Geowarn_Signature="t=1,n=x,v1=0"), "partners.not-signed"),
        (desk.signed(key, path, body, secret="of somebody else"), "partners.bad-signature"),
        (desk.signed(key, path, body, at=now - 301), "partners.old-signature"),
        (desk.signed(key, path, body, at=now + 302), "partners.old-signature"),
    ):
        assert (answer.status_code, answer.json()["key"]) == (401, why)
    assert signoffs(desk, warning) == []


def test_a_signature_holds_for_its_path_body_and_once(desk: ApiDesk) -> None:
    first, second = desk.proposed(), desk.proposed()
    key, body = desk.key("observatory", Scope.COSIGN), {"package_sha256": digest_of(desk, first)}
    path = f"/api/v1/warnings/{first}/signoffs"
    taken = desk.signed(key, path, body, nonce="n" * 20).request
    headers = {**taken.headers, "idempotency-key": "another-act"}
    for url, content, why in (
        (path, taken.content, "partners.replayed"),
        (path.replace(first, second), taken.content, "partners.bad-signature"),
        (f"{path}?x=1", taken.content, "partners.bad-signature"),
        (path, taken.content + b" ", "partners.bad-signature"),
    ):
        answer = desk.client.post(url, content=content, headers={**headers, "content-length": str(len(content))})
        assert answer.json()["key"] == why
    assert len(signoffs(desk, first)) == 1
    assert signoffs(desk, second) == []


def test_a_repeat_signed_anew_is_the_same_signature(desk: ApiDesk) -> None:
    warning = desk.proposed()
    key, body = desk.key("observatory", Scope.COSIGN), {"package_sha256": digest_of(desk, warning)}
    path = f"/api/v1/warnings/{warning}/signoffs"
    first, again = (desk.signed(key, path, body, Idempotency_Key="sign-once") for _ in range(2))
    assert first.json() == again.json()
    assert len(signoffs(desk, warning)) == 1


def test_a_person_of_several_roles_signs_for_the_observatory_only(desk: ApiDesk) -> None:
    with desk.system.store.begin() as work:
        user = work.users.get("observatory")
        assert user is not None
        work.users.save(replace(user, roles=frozenset({Role.LEADER, Role.OBSERVATORY})))
        work.commit()
    warning = desk.proposed()
    path, body = f"/api/v1/warnings/{warning}/signoffs", {"package_sha256": digest_of(desk, warning)}
    key = desk.key("observatory", Scope.COSIGN)
    assert desk.signed(key, path, body).json()["role"] == "observatory"
    again = desk.signed(key, path, body)  # another act of the same content is the same signature, never the leader's
    assert (again.status_code, again.json()["role"]) == (201, "observatory")
    assert len(signoffs(desk, warning)) == 1


def test_a_key_is_no_second_factor(desk: ApiDesk) -> None:
    """At orange and red the officer's own code is asked for; a wrong one stays counted."""
    warning = desk.proposed(a370687=Level.RED)
    key, path = desk.key("observatory", Scope.COSIGN), f"/api/v1/warnings/{warning}/signoffs"
    body = {"package_sha256": digest_of(desk, warning)}
    without = desk.signed(key, path, body)
    assert (without.status_code, without.json()["key"]) == (403, "identity.code-needed")
    seen = [desk.signed(key, path, body | {"code": "000000"}).json()["key"] for _ in range(4)]
    assert seen == ["identity.code-wrong"] * 3 + ["identity.code-wait"]
    assert signoffs(desk, warning) == []
    desk.system.clock.advance(minutes=4)  # type: ignore[attr-defined]
    right = body | {"code": fresh_code(desk.system, "observatory")}
    assert desk.signed(key, path, right).status_code == 201
    (made,) = signoffs(desk, warning)
    assert made.second_factor == "totp"
    with desk.system.store.read() as work:
        assert right["code"] not in "".join(entry.payload for entry in work.ledger.entries())


def test_a_role_taken_away_takes_the_key_along(desk: ApiDesk) -> None:
    warning, key = desk.proposed(), desk.key("observatory", Scope.COSIGN)
    with desk.system.store.begin() as work:
        user = work.users.get("observatory")
        assert user is not None
        work.users.save(replace(user, roles=frozenset({Role.AUDITOR})))
        work.commit()
    answer = desk.signed(key, f"/api/v1/warnings/{warning}/signoffs", {"package_sha256": digest_of(desk, warning)})
    assert (answer.status_code, answer.json()["key"]) == (403, "people.role-missing")
    assert signoffs(desk, warning) == []


# --- receipts


def handed_over(desk: ApiDesk, slug: str, state: DispatchState) -> None:
    with desk.system.store.begin() as work:
        bulletin = work.bulletins.by_slug(slug)
        assert bulletin is not None
        rows = [r for r in work.dispatches.of_bulletin(bulletin.id, "broadcast") if r.target_key == desk.station]
        now = desk.system.clock.now()
        for row in rows:
            for taken in work.dispatches.claim(row.shard, "w", now + timedelta(seconds=1), now, 10):
                from geowarn.domain.dispatch import Attempt, Outcome

                after = replace(taken, state=state, lease_until=None)
                work.dispatches.record([(after, Attempt(taken.id, now, now, Outcome.ACCEPTED, ""))])
        work.commit()


def state_of(desk: ApiDesk, slug: str) -> DispatchState:
    with desk.system.store.read() as work:
        bulletin = work.bulletins.by_slug(slug)
        assert bulletin is not None
        rows = work.dispatches.of_bulletin(bulletin.id, "broadcast")
        return next(row.state for row in rows if row.target_key == desk.station)


@pytest.mark.parametrize("state", [DispatchState.ACCEPTED, DispatchState.FAILED, DispatchState.IN_DOUBT])
def test_a_receipt_raises_a_state(desk: ApiDesk, state: DispatchState) -> None:
    slug = desk.released()
    handed_over(desk, slug, state)
    key = desk.with_scope(Scope.RECEIPTS)
    answer = desk.call(key, "POST", f"/api/v1/bulletins/{slug}/receipts", {"state": "delivered"})
    assert answer.status_code == 200, answer.text
    assert answer.json()["targets"] == [{"channel": "broadcast", "state": "delivered"}]
    assert state_of(desk, slug) is DispatchState.DELIVERED
    with desk.system.store.read() as work:
        kinds = [entry.kind for entry in work.ledger.entries()]
    assert kinds.count("bulletin.receipt") == 1
    desk.call(key, "POST", f"/api/v1/bulletins/{slug}/receipts", {"state": "delivered"})
    with desk.system.store.read() as work:
        assert [entry.kind for entry in work.ledger.entries()].count("bulletin.receipt") == 1


def test_nothing_arrives_that_was_never_sent(desk: ApiDesk) -> None:
    slug = desk.released()
    answer = desk.call(
        desk.with_scope(Scope.RECEIPTS), "POST", f"/api/v1/bulletins/{slug}/receipts", {"state": "delivered"}
    )
    assert (answer.status_code, answer.json()["key"]) == (409, "partners.never-sent")
    assert state_of(desk, slug) is DispatchState.NEW


def test_a_partner_speaks_for_its_own_targets_only(desk: ApiDesk) -> None:
    slug = desk.released()
    key = desk.key("somebody-else", Scope.RECEIPTS, account=False)
    answer = desk.call(key, "POST", f"/api/v1/bulletins/{slug}/receipts", {"state": "delivered"})
    assert (answer.status_code, answer.json()["key"]) == (404, "partners.not-yours")


def test_aired_is_noted_once_and_checked(desk: ApiDesk, settable_clock: SettableClock) -> None:
    slug, key = desk.released(), desk.with_scope(Scope.RECEIPTS)
    path = f"/api/v1/bulletins/{slug}/receipts"
    at = settable_clock.now()
    aired = {"state": "aired", "at": at.isoformat(), "medium": "tv-crawl"}
    assert desk.call(key, "POST", path, aired).status_code == 200
    assert desk.call(key, "POST", path, aired).status_code == 200
    with desk.system.store.read() as work:
        assert work.stations.airings(slug) == ((desk.station, at, "tv-crawl"),)
    early = desk.call(key, "POST", path, aired | {"at": (at - timedelta(days=1)).isoformat()})
    assert (early.status_code, early.json()["key"]) == (422, "web.aired-moment")
    assert desk.call(key, "POST", path, {"state": "aired"}).json()["errors"][0]["field"] == "at"
    assert desk.call(key, "POST", path, {"state": "failed"}).status_code == 422


# --- who gets which key


@pytest.mark.parametrize(
    ("owner", "account", "scopes", "why"),
    [
        ("city-site", False, ["propose"], "partners.scope-of-other"),
        ("city-site", False, ["internal"], "partners.scope-of-other"),
        ("city-site", False, ["cosign"], "partners.scope-of-other"),
        ("duty", True, ["receipts"], "partners.scope-of-other"),
        ("duty", True, ["cosign"], "partners.cosign-role"),
        ("nobody", True, ["read"], "people.unknown-user"),
        ("City Site", False, ["read"], "partners.bad-name"),
        ("duty", True, ["write"], "partners.bad-scope"),
        ("duty", True, [], "partners.no-scope"),
    ],
)
def test_a_key_that_may_not_be(demo_system: System, owner: str, account: bool, scopes: list[str], why: str) -> None:
    system = demo_system
    with pytest.raises(Refused) as refused:
        issue_key(system.store, system.clock, system.vault, "test", owner, account, scopes)
    assert refused.value.key == why


@pytest.mark.parametrize("name", ["duty", "leader", "chief", "observatory"])
def test_only_an_administrator_issues_keys(desk: ApiDesk, name: str) -> None:
    system = desk.system
    assert issue_key(system.store, system.clock, system.vault, desk.actor("admin"), "duty", True, ["read"])
    with pytest.raises(Refused) as refused:
        issue_key(system.store, system.clock, system.vault, desk.actor(name), "duty", True, ["read"])
    assert refused.value.key == "people.role-missing"


def test_an_administrators_key_works_once_a_second_one_has_confirmed_it(desk: ApiDesk) -> None:
    system = desk.system
    kit = (system.store, system.clock, system.vault)
    add_user(system.store, system.clock, hash_password, "second", "乙", "B", ["administrator"], "correct horse", "test")
    made = issue_key(*kit, desk.actor("admin"), "duty", True, ["read"])
    answer = desk.call(made, "GET", "/api/v1/warnings")
    assert (answer.status_code, answer.json()["key"]) == (401, "partners.key-waits")
    with system.store.read() as work:
        (change,) = work.pending_changes.waiting()
        (task,) = (task for task in work.tasks.pending() if task.kind == two_person.TASK)
    assert (change.kind, change.subject, task.subject) == ("key", "duty", change.id)
    assert made.token not in str(change.wanted)
    with pytest.raises(Refused) as refused:
        two_person.decide(system.store, system.clock, change.id, True, desk.actor("admin"))
    assert refused.value.key == "identity.second-person"
    two_person.decide(system.store, system.clock, change.id, True, desk.actor("second"))
    assert desk.call(made, "GET", "/api/v1/warnings").status_code == 200
    other = issue_key(*kit, desk.actor("admin"), "duty", True, ["read"])
    with system.store.read() as work:
        (change,) = work.pending_changes.waiting()
    two_person.decide(system.store, system.clock, change.id, False, desk.actor("second"))
    assert desk.call(other, "GET", "/api/v1/warnings").json()["key"] == "partners.key-ended"
