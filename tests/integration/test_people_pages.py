"""Accounts at the console: invited, given rights by two, limited to areas, logged in with a code, thrown out again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pyotp
import pytest
from lxml.html import document_fromstring
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock, fresh_code, signed

from geowarn.bootstrap import System
from geowarn.demo.setting import password_of
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.pipeline import accounts, two_person
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.people import add_user, set_password
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.review import dismiss, edit
from geowarn.security import hash_password, token_sha256
from geowarn.web.app import create_app

OURS = {"Sec-Fetch-Site": "same-origin"}
HAIYANG, LAIYANG, CITY = "370687", "370682", "370600"
Officer = Callable[[str], Actor]


def refused(act: Callable[[], object]) -> str:
    with pytest.raises(Refused) as refusal:
        act()
    return refusal.value.key


def add(system: System, name: str, *roles: str) -> None:
    add_user(system.store, system.clock, hash_password, name, name, name, roles, password_of(name), "test")


def texts(page: str, path: str) -> list[str]:
    """What an XPath finds on a page, as plain texts."""
    tree: Any = document_fromstring(page)
    return [str(text) for text in tree.xpath(path)]


class Visitor:
    """One person's browser."""

    def __init__(self, system: System, name: str, password: str | None = None) -> None:
        self.client = TestClient(create_app(system), follow_redirects=False)
        form = {"name": name, "password": password or password_of(name)}
        self.entered = self.client.post("/console/login", data=form, headers=OURS)

    def token(self) -> str:
        return texts(self.client.get("/console/account").text, "//input[@name='form_token']/@value")[0]

    def post(self, path: str, token: str = "", **form: Any) -> Any:
        return self.client.post(path, data={"form_token": token or self.token(), **form}, headers=OURS)


@pytest.fixture
def strict(demo_system: System) -> System:
    """The demo, with the second factor asked for at log-in too."""
    return with_factor(demo_system, "when-enrolled")


def with_factor(system: System, when: str) -> System:
    web = system.settings.web.model_copy(update={"second_factor": when})
    return replace(system, settings=system.settings.model_copy(update={"web": web}))


@pytest.fixture
def two_admins(demo_system: System) -> System:
    add(demo_system, "second", "administrator")
    set_password(demo_system.store, demo_system.clock, hash_password, "admin", password_of("admin"), "test")
    return demo_system


# --- log-in with the second factor


def test_the_password_alone_opens_no_page(strict: System) -> None:
    duty = Visitor(strict, "duty")
    assert duty.entered.headers["location"].startswith("/console/login/code?next=")
    half = duty.client.cookies["geowarn"]
    for path in ("/console/", "/console/account", "/console/warnings"):
        assert duty.client.get(path).headers["location"].startswith("/console/login")
    assert "动态口令" in duty.client.get("/console/login/code").text
    wrong = duty.client.post("/console/login/code", data={"code": "000000"}, headers=OURS)
    assert wrong.status_code == 401
    assert duty.client.get("/console/").status_code == 303
    right = {"code": fresh_code(strict, "duty"), "next": "https://evil.test/"}
    entered = duty.client.post("/console/login/code", data=right, headers=OURS)
    assert (entered.status_code, entered.headers["location"]) == (303, "/console/")
    assert duty.client.get("/console/").status_code == 200
    assert duty.client.cookies["geowarn"] != half  # a new token: the half-open one opens nothing
    duty.client.cookies.clear()
    duty.client.cookies.set("geowarn", half)
    assert duty.client.get("/console/").status_code == 303
    assert (
        duty.client.post("/console/login/code", data=right, headers=OURS)
        .headers["location"]
        .startswith("/console/login?")
    )


def test_the_half_open_session_ends_soon_and_a_code_counts_once(strict: System, settable_clock: SettableClock) -> None:
    code = fresh_code(strict, "duty")
    first, second = Visitor(strict, "duty"), Visitor(strict, "duty")
    assert first.client.post("/console/login/code", data={"code": code}, headers=OURS).status_code == 303
    again = second.client.post("/console/login/code", data={"code": code}, headers=OURS)
    assert again.status_code == 401
    settable_clock.advance(minutes=6)
    late = second.client.post("/console/login/code", data={"code": fresh_code(strict, "duty")}, headers=OURS)
    assert late.headers["location"].startswith("/console/login?")


def test_where_everyone_needs_a_factor_the_first_page_is_the_enrolment(demo_system: System) -> None:
    add(demo_system, "newcomer", "leader")
    system = with_factor(demo_system, "required")
    person = Visitor(system, "newcomer")
    assert person.client.get("/console/").headers["location"] == "/console/account"
    assert person.client.get("/console/account").status_code == 200
    page = person.post("/console/account/factor").text
    secret = texts(page, "//b[contains(@class, 'digest')]/text()")[0]
    assert 'src="data:image/svg+xml' in page
    code = pyotp.TOTP(secret).at(system.clock.now())
    assert person.post("/console/account/factor/confirm", code="1").status_code == 409
    shown = person.post("/console/account/factor/confirm", code=code).text
    codes = re.findall(r'<li class="mono">([a-z0-9]{5}-[a-z0-9]{5})</li>', shown)
    assert len(codes) == 10
    assert person.client.get("/console/").headers["location"].startswith("/console/login")  # every session ended
    with demo_system.store.read() as work:
        kept = "\n".join(entry.payload for entry in work.ledger.entries())
    assert not [found for found in (secret, code, *codes) if found in kept]
    back = Visitor(system, "newcomer")
    assert back.client.post("/console/login/code", data={"code": codes[0]}, headers=OURS).status_code == 303
    assert back.client.get("/console/").status_code == 200


# --- guessing


def test_one_password_tried_on_a_list_of_names_is_slowed(demo_system: System, settable_clock: SettableClock) -> None:
    client = TestClient(create_app(demo_system), follow_redirects=False)

    def guess(name: str) -> int:
        form = {"name": name, "password": "Summer-2026"}
        return client.post("/console/login", data=form, headers=OURS).status_code

    first = [guess(f"person{n}") for n in range(40)]
    assert first[:15] == [401] * 15
    assert set(first[15:]) == {401, 429} - ({401} if first.count(401) == 15 else set())
    settable_clock.advance(minutes=1)
    codes = []
    for n in range(80):
        codes.append(guess(f"other{n}"))
        settable_clock.advance(seconds=31)
    window = [code for code in codes[:29] if code == 401]
    assert len(window) <= 60
    settable_clock.advance(minutes=16)
    right = {"name": "duty", "password": password_of("duty")}
    assert client.post("/console/login", data=right, headers=OURS).status_code == 303


def test_a_list_of_passwords_for_one_name_is_stopped(demo_system: System, settable_clock: SettableClock) -> None:
    client = TestClient(create_app(demo_system), follow_redirects=False)
    codes = []
    for n in range(200):
        form = {"name": "duty", "password": f"guess-{n}"}
        codes.append(client.post("/console/login", data=form, headers=OURS).status_code)
        settable_clock.advance(seconds=3)
    assert codes.count(401) <= 10


# --- sessions


def test_sessions_are_listed_and_ended(demo_system: System) -> None:
    one, other = Visitor(demo_system, "duty"), Visitor(demo_system, "duty")
    page = one.client.get("/console/account").text
    assert "登录 2 处" in page
    assert "testclient" in page
    handles = re.findall(r"/console/account/sessions/([0-9a-f]{16})/end", page)
    mine = one.client.cookies["geowarn"]
    assert mine not in page
    leader = Visitor(demo_system, "leader")
    assert leader.post(f"/console/account/sessions/{handles[0]}/end").status_code == 404  # nobody else's
    theirs = next(handle for handle in handles if handle != own_handle(mine))
    assert one.post(f"/console/account/sessions/{theirs}/end").status_code == 303
    assert other.client.get("/console/").status_code == 303
    assert one.client.get("/console/").status_code == 200
    assert one.post("/console/account/sessions/all/end").status_code == 303
    assert one.client.get("/console/").status_code == 303


def own_handle(token: str) -> str:
    return token_sha256(token)[:16]


def test_every_session_ends_when_the_password_changes(demo_system: System) -> None:
    one, other = Visitor(demo_system, "duty"), Visitor(demo_system, "duty")
    wrong = one.post("/console/account/password", old="wrong", new="a new password")
    assert wrong.status_code == 409
    assert one.post("/console/account/password", old=password_of("duty"), new="short").status_code == 409
    assert one.post("/console/account/password", old=password_of("duty"), new="a new password").status_code == 303
    for browser in (one, other):
        assert browser.client.get("/console/").status_code == 303
    assert Visitor(demo_system, "duty").entered.status_code == 401
    assert Visitor(demo_system, "duty", "a new password").entered.status_code == 303


# --- invitations, rights by two


def test_a_person_is_invited_and_given_a_role_by_two(two_admins: System, settable_clock: SettableClock) -> None:
    admin, second = Visitor(two_admins, "admin"), Visitor(two_admins, "second")
    shown = admin.post("/console/people/invite", name="li.wei", display_zh="李伟", display_en="Li Wei").text
    code = texts(shown, "//dd[contains(@class, 'digest')]/b/text()")[0]
    guest = TestClient(create_app(two_admins), follow_redirects=False)
    form = {"name": "li.wei", "code": "x" + code, "password": "a long password"}
    assert guest.post("/console/welcome", data=form, headers=OURS).status_code == 401
    assert guest.post("/console/welcome", data={**form, "code": code, "name": "duty"}, headers=OURS).status_code == 401
    assert guest.post("/console/welcome", data={**form, "code": code}, headers=OURS).status_code == 303
    assert guest.post("/console/welcome", data={**form, "code": code}, headers=OURS).status_code == 401  # used
    wanted: dict[str, Any] = {"role": ["duty-officer", "leader"], "area.duty-officer": [HAIYANG]}
    asked = admin.post("/console/people/li.wei/roles", **wanted)
    assert asked.status_code == 303
    with two_admins.store.read() as work:
        (change,) = work.pending_changes.waiting()
        assert [task.kind for task in work.tasks.pending()].count("rights-change") == 1
        user = work.users.get("li.wei")
    assert user is not None
    assert user.roles == frozenset()
    assert admin.post(f"/console/people/changes/{change.id}/confirm").status_code == 409  # not the one who asked
    assert Visitor(two_admins, "duty").post(f"/console/people/changes/{change.id}/confirm").status_code == 403
    assert "李伟" in second.client.get("/console/people").text
    assert second.post(f"/console/people/changes/{change.id}/confirm").status_code == 303
    assert second.post(f"/console/people/changes/{change.id}/refuse").status_code == 409  # decided
    with two_admins.store.read() as work:
        user = work.users.get("li.wei")
        assert not [task for task in work.tasks.pending() if task.kind == "rights-change"]
        entry = [e for e in work.ledger.entries(subject="li.wei") if e.kind == "rights.confirmed"][-1]
        everything = "\n".join(e.payload for e in work.ledger.entries())
    assert user is not None
    assert (user.roles, dict(user.areas)) == (
        frozenset({Role.DUTY_OFFICER, Role.LEADER}),
        {Role.DUTY_OFFICER: frozenset({HAIYANG})},
    )
    assert '"alone":false' in entry.payload.replace(" ", "")
    assert code not in everything


def test_an_invitation_is_over_after_three_days_and_ended_by_a_newer_one(
    demo_system: System, officer: Officer, settable_clock: SettableClock
) -> None:
    store, vault, clock, admin = demo_system.store, demo_system.vault, demo_system.clock, officer("admin")

    def invited() -> str:
        return accounts.invite(store, vault, clock, "wang", ("王", "Wang"), admin)[1]

    def enters(code: str) -> object:
        return accounts.accept(store, vault, clock, hash_password, "wang", code, "a long password", "test")

    first, newest = invited(), invited()
    assert refused(lambda: enters(first)) == "identity.no-invitation"
    settable_clock.advance(hours=72)
    assert refused(lambda: enters(newest)) == "identity.no-invitation"
    assert enters(invited())


def test_a_lone_administrator_decides_alone_and_the_ledger_says_so(demo_system: System, officer: Officer) -> None:
    change = accounts.change_roles(demo_system.store, demo_system.clock, "duty", ["leader"], {}, officer("admin"))
    assert change.outcome.value == "confirmed"
    with demo_system.store.read() as work:
        entry = [e for e in work.ledger.entries(subject="duty") if e.kind == "rights.confirmed"][-1]
    assert '"alone":true' in entry.payload.replace(" ", "")
    key = refused(
        lambda: accounts.change_roles(demo_system.store, demo_system.clock, "admin", ["leader"], {}, officer("admin"))
    )
    assert key == "identity.last-administrator"


@pytest.mark.parametrize(
    ("roles", "areas", "key"),
    [
        (["auditor", "leader"], {}, "identity.auditor-alone"),
        (["king"], {}, "people.bad-role"),
        (["leader"], {"chief": [HAIYANG]}, "identity.area-without-role"),
        (["leader"], {"leader": ["000000"]}, "identity.unknown-area"),
        (["duty-officer"], {}, "identity.same-roles"),
    ],
)
def test_rights_that_make_no_sense_are_refused(
    demo_system: System, officer: Officer, roles: list[str], areas: dict[str, list[str]], key: str
) -> None:
    store, clock = demo_system.store, demo_system.clock
    assert refused(lambda: accounts.change_roles(store, clock, "duty", roles, areas, officer("admin"))) == key


def test_switching_off_takes_one_and_ends_every_session(two_admins: System, officer: Officer) -> None:
    duty, admin = Visitor(two_admins, "duty"), Visitor(two_admins, "admin")
    assert refused(lambda: accounts.disable(two_admins.store, two_admins.clock, "admin", officer("admin")))
    assert admin.post("/console/people/duty/disable").status_code == 303
    assert duty.client.get("/console/").status_code == 303
    assert Visitor(two_admins, "duty").entered.status_code == 401
    assert admin.post("/console/people/duty/enable").status_code == 303
    assert Visitor(two_admins, "duty").entered.status_code == 401  # another administrator has to confirm
    with two_admins.store.read() as work:
        (change,) = work.pending_changes.waiting()
    two_person.decide(two_admins.store, two_admins.clock, change.id, True, officer("second"))
    assert Visitor(two_admins, "duty").entered.status_code == 303


# --- rights by area


@pytest.fixture
def county(demo_system: System, officer: Officer) -> Actor:
    """An officer of Haiyang who is on shift as the deputy."""
    add(demo_system, "county", "duty-officer")
    store, clock = demo_system.store, demo_system.clock
    accounts.change_roles(store, clock, "county", ["duty-officer"], {"duty-officer": [HAIYANG]}, officer("admin"))
    return officer("county")


def test_a_county_officer_acts_in_the_county_and_sees_the_city(
    demo_system: System, officer: Officer, county: Actor
) -> None:
    desk = demo_system.desk
    own = propose_by_hand(desk, {HAIYANG: Level.YELLOW}, 24, "裂缝", "巡查", county).warning_id
    edit(desk, own, {"action.yellow.zh": "请撤离"}, county)
    with demo_system.store.read() as work:
        point = next(a.code for a in work.areas.all() if a.parent == HAIYANG)
    assert propose_by_hand(desk, {point: Level.YELLOW}, 24, "裂缝", "巡查", county)  # what lies in it too
    both = {HAIYANG: Level.YELLOW, LAIYANG: Level.YELLOW}
    wider = propose_by_hand(desk, both, 24, "裂缝", "巡查", officer("duty")).warning_id
    for act in (
        lambda: propose_by_hand(desk, {LAIYANG: Level.YELLOW}, 24, "裂缝", "巡查", county),
        lambda: propose_by_hand(desk, both, 24, "裂缝", "巡查", county),
        lambda: edit(desk, wider, {"action.yellow.zh": "请撤离"}, county),
        lambda: dismiss(desk, wider, "误报", county),
        lambda: signed(demo_system, wider, county),
        lambda: release(desk, wider, county),
        lambda: county.need(Role.DUTY_OFFICER),  # what concerns the whole installation
    ):
        assert refused(act) == "people.area-missing"
    page = Visitor(demo_system, "county").client.get(f"/console/warnings/{wider}")
    assert page.status_code == 200
    assert f'action="/console/warnings/{wider}/sign"' not in page.text


def test_a_role_without_areas_holds_everywhere_and_one_does_not_lend_its_areas_to_another(
    demo_system: System, officer: Officer
) -> None:
    add(demo_system, "mixed", "leader", "duty-officer")
    store, clock = demo_system.store, demo_system.clock
    accounts.change_roles(
        store, clock, "mixed", ["leader", "duty-officer"], {"duty-officer": [HAIYANG]}, officer("admin")
    )
    mixed = officer("mixed")
    with store.read() as work:
        assert mixed.roles_over(work, [LAIYANG]) == {Role.LEADER}
        assert mixed.roles_over(work, [HAIYANG]) == {Role.LEADER, Role.DUTY_OFFICER}
        assert mixed.roles_over(work, [CITY]) == {Role.LEADER}
        assert mixed.roles_over(work, []) == {Role.LEADER}


# --- warnings of other offices


def test_another_offices_warning_stands_beside_ours_and_is_never_one_of_them(
    demo_system: System, settable_clock: SettableClock
) -> None:
    duty = Visitor(demo_system, "duty")
    until = (settable_clock.now() + timedelta(hours=20)).astimezone(ZoneInfo("Asia/Shanghai"))
    form = {
        "issuer": "省自然资源厅",
        "level": "橙色",
        "places": "胶东 <北部>",
        "said": "地质灾害气象风险高",
        "until": f"{until:%Y-%m-%dT%H:%M}",
    }
    assert duty.post("/console/outside", **form).status_code == 303
    home = duty.client.get("/console/").text
    assert "省自然资源厅已发橙色预警（手工登记，非本机关）" in home
    assert "胶东 &lt;北部&gt;" in home
    assert "<h1>当前无生效预警</h1>" in home
    ours = {**form, "issuer": demo_system.settings.issuer.name_zh}
    assert duty.post("/console/outside", **ours).status_code == 409
    for wrong in ({"said": " "}, {"until": "2020-01-01T00:00"}, {"until": "soon"}, {"issuer": "x" * 61}):
        assert duty.post("/console/outside", **{**form, **wrong}).status_code == 409
    with demo_system.store.read() as work:
        (one,) = work.outside_warnings.current(settable_clock.now())
        assert work.warnings.all() == ()
    assert duty.post(f"/console/outside/{one.id}/end").status_code == 303
    assert duty.post(f"/console/outside/{one.id}/end").status_code == 404
    assert "省自然资源厅已发" not in duty.client.get("/console/").text


def test_no_page_shows_a_number_a_hash_or_a_secret(two_admins: System, officer: Officer) -> None:
    admin = Visitor(two_admins, "admin")
    with two_admins.store.read() as work:
        users = work.users.all()
        factors = [factor for user in users if (factor := work.factors.get(user.name)) is not None]
    secrets = [two_admins.vault.open(factor.secret) for factor in factors if factor.secret]
    numbers = [two_admins.vault.open(user.phone_sealed) for user in users if user.phone_sealed]
    assert secrets
    assert numbers
    paths = ["/console/", "/console/account", "/console/people", "/console/ledger", "/console/outside"]
    for path in [*paths, *(f"/console/people/{user.name}" for user in users)]:
        text = admin.client.get(path).text
        for hidden in (*secrets, *numbers, *(user.password_hash for user in users if user.password_hash), "$argon2"):
            assert hidden not in text, path
