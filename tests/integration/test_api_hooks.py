"""Hooks: every event once in the queue, signed, tried again, given up; no target holds up another or leads inside."""

from __future__ import annotations

import hashlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from ipaddress import ip_address
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.api_desk import ApiDesk
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import Pages
from geowarn.domain.level import Level
from geowarn.domain.partner import DeliveryState, Scope
from geowarn.hook_service import hook_office, hook_places, ping_now
from geowarn.outgoing import Outgoing, may_call
from geowarn.pipeline.hook_events import derive
from geowarn.pipeline.hook_sending import HookLanes, send_next
from geowarn.pipeline.hooks import DISABLED_TASK, Added, HookPlaces, add_hook, check_address, enable_hook
from geowarn.pipeline.release import retract, retraction_words
from geowarn.ports import HookCall
from geowarn.web.app import create_app

WORLD = HookPlaces(synthetic=False, private=False)
PUBLIC = ["bulletin.released", "bulletin.updated", "warning.ended", "dispatches.settled"]
INTERNAL = [*PUBLIC, "proposal.opened", "proposal.signed", "task.opened"]


@dataclass
class FarEnd:
    """A partner on loopback that keeps what it gets."""

    status: int = 204
    hold: threading.Event | None = None  # answers only once this is set
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    came: threading.Event = field(default_factory=threading.Event)
    server: ThreadingHTTPServer = field(init=False)

    def __post_init__(self) -> None:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.got.append(({name.lower(): value for name, value in self.headers.items()}, body))
                outer.came.set()
                if outer.hold is not None:
                    outer.hold.wait(60)
                self.send_response(outer.status)
                if outer.status in (301, 302, 307, 308):
                    self.send_header("Location", "/elsewhere")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        threading.Thread(target=self.server.serve_forever, args=(0.02,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_address[1]}/hook?partner=1"

    @property
    def events(self) -> list[str]:
        return [headers["x-geowarn-event"] for headers, _ in self.got]


@pytest.fixture
def far_end() -> Iterator[Callable[..., FarEnd]]:
    made: list[FarEnd] = []

    def make(**more: Any) -> FarEnd:
        made.append(FarEnd(**more))
        return made[-1]

    yield make
    for one in made:
        if one.hold is not None:
            one.hold.set()
        one.server.shutdown()
        one.server.server_close()


@pytest.fixture
def desk(demo_system: System) -> Iterator[ApiDesk]:
    with TestClient(create_app(demo_system), follow_redirects=False) as client:
        yield ApiDesk(demo_system, client)


def hooked(desk: ApiDesk, url: str, events: list[str] | None = None, **more: Any) -> Added:
    system = desk.system
    return add_hook(
        system.store, system.clock, system.vault, "test", "duty", True, url, events or PUBLIC, hook_places(system),
        **more,
    )  # fmt: skip


def derived(desk: ApiDesk) -> int:
    system = desk.system
    return derive(system.store, system.clock, system.policy.publish_from, Pages.by(system.facts))


def sent_all(desk: ApiDesk, hook_id: str) -> None:
    derived(desk)
    while send_next(hook_office(desk.system), hook_id) is not None:
        pass


def test_what_happens_is_told_once_in_order_and_signed(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    end = far_end()
    reader = desk.key("duty", Scope.READ)
    made = hooked(desk, end.url, INTERNAL, internal=True)
    slug = desk.released()
    sent_all(desk, made.hook.id)
    assert end.events == ["proposal.opened", *["proposal.signed"] * 3, "bulletin.released"]
    headers, body = end.got[-1]
    at, _, given = headers["x-geowarn-signature"].partition(",v1=")
    expected = hmac.new(made.secret.encode(), at[2:].encode() + b"." + body, hashlib.sha256).hexdigest()
    assert given == expected
    told = json.loads(body)
    assert (told["event"], told["data"]["slug"], told["exercise"]) == ("bulletin.released", slug, False)
    assert desk.call(reader, "GET", told["data"]["href"]).json()["slug"] == slug
    assert derived(desk) == 0
    sent_all(desk, made.hook.id)
    assert len(end.got) == 5


def test_the_end_of_a_warning_is_told_with_its_act(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    end = far_end()
    made = hooked(desk, end.url)
    desk.released()
    with desk.system.store.read() as work:
        bulletin = work.bulletins.all()[0]
    retract(desk.system.desk, bulletin.warning_id, retraction_words(bulletin)[0], desk.actor("duty"))
    sent_all(desk, made.hook.id)
    told = {headers["x-geowarn-event"]: json.loads(body)["data"] for headers, body in end.got}
    assert end.events[0] == "bulletin.released"
    assert sorted(end.events[1:]) == ["dispatches.settled", "warning.ended"]
    assert told["warning.ended"]["act"] == "retract"
    # The bulletin that was taken back is settled by that: nothing of it will be sent any more.
    assert told["dispatches.settled"]["slug"] == bulletin.slug
    states = {state for counts in told["dispatches.settled"]["dispatches"].values() for state in counts}
    assert states == {"expired-unsent"}


def test_what_is_not_public_is_told_inside_only(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    outside, inside = far_end(), far_end()
    first, second = hooked(desk, outside.url), hooked(desk, inside.url, PUBLIC, internal=True)
    desk.released(a370612=Level.BLUE)
    desk.released()
    for made in (first, second):
        sent_all(desk, made.hook.id)
    assert [json.loads(body)["data"]["level"] for _, body in outside.got] == ["yellow"]
    assert [area["level"] for area in json.loads(outside.got[0][1])["data"]["areas"]] == ["yellow"]
    assert [json.loads(body)["data"]["level"] for _, body in inside.got] == ["blue", "yellow"]
    with pytest.raises(Refused, match="bad-event"):
        hooked(desk, outside.url, INTERNAL)


def test_counts_are_settled_once(desk: ApiDesk, far_end: Callable[..., FarEnd], settable_clock: SettableClock) -> None:
    from dataclasses import replace

    from geowarn.domain.dispatch import Attempt, DispatchState, Outcome
    from geowarn.pipeline.outcome import Result, record

    end = far_end()
    made = hooked(desk, end.url, ["dispatches.settled"])
    desk.released()
    now = settable_clock.now()
    with desk.system.store.begin() as work:
        (bulletin,) = work.bulletins.all()
        rows = work.dispatches.of_bulletin(bulletin.id)
        for part in (rows[:1], rows[1:]):
            results = [
                Result(r, replace(r, state=DispatchState.ACCEPTED), Attempt(r.id, now, now, Outcome.ACCEPTED, ""))
                for r in part
            ]
            record(work, results, now, "dispatch.results")
        work.commit()
    sent_all(desk, made.hook.id)
    assert end.events == ["dispatches.settled"]
    counts = json.loads(end.got[0][1])["data"]["dispatches"]
    assert sum(states["accepted"] for states in counts.values()) == len(rows)


def test_a_hook_is_told_from_its_beginning_on(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    end = far_end()
    desk.released()
    made = hooked(desk, end.url)
    sent_all(desk, made.hook.id)
    assert end.got == []


def test_two_workers_that_derive_at_once_make_one_delivery(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    made = hooked(desk, far_end().url)
    desk.released()
    together = threading.Barrier(4)

    def work() -> None:
        together.wait(30)
        derived(desk)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with desk.system.store.read() as unit:
        assert len(unit.hooks.deliveries(made.hook.id)) == 1


def test_a_failure_is_tried_again_later_and_then_given_up(
    desk: ApiDesk, far_end: Callable[..., FarEnd], settable_clock: SettableClock
) -> None:
    end = far_end(status=500)
    made = hooked(desk, end.url)
    desk.released()
    office = hook_office(desk.system)
    derived(desk)
    first = send_next(office, made.hook.id)
    assert first is not None
    assert (first.state, first.status, first.fault) == (DeliveryState.NEW, 500, "partners.turned-away")
    assert send_next(office, made.hook.id) is None  # not due yet
    waits = []
    while True:
        with desk.system.store.read() as work:
            (row,) = work.hooks.deliveries(made.hook.id)
        if row.state is not DeliveryState.NEW:
            break
        assert row.next_try_at is not None
        waits.append((row.next_try_at - settable_clock.now()).total_seconds())
        settable_clock.moment = row.next_try_at
        assert send_next(office, made.hook.id) is not None
    assert row.state is DeliveryState.GIVEN_UP
    assert all(2.5 * 2**n <= wait <= 5 * 2**n for n, wait in enumerate(waits[:9]))
    assert max(waits) <= 3600
    assert settable_clock.now() < row.created_at + office.give_up
    with desk.system.store.read() as work:
        assert len(work.hooks.attempts(row.id)) == row.attempts == len(end.got)
    assert len({headers["idempotency-key"] for headers, _ in end.got}) == 1
    assert len({body for _, body in end.got}) == 1


@pytest.mark.parametrize("status", [200, 204, 299, 409])
def test_what_counts_as_arrived(desk: ApiDesk, far_end: Callable[..., FarEnd], status: int) -> None:
    made = hooked(desk, far_end(status=status).url)
    assert ping_now(desk.system, "test", made.hook.id).state is DeliveryState.DELIVERED


@pytest.mark.parametrize("status", [301, 302, 307, 308, 400, 404, 410, 429, 503])
def test_what_does_not_and_no_redirect_is_followed(desk: ApiDesk, far_end: Callable[..., FarEnd], status: int) -> None:
    end = far_end(status=status)
    made = hooked(desk, end.url)
    found = ping_now(desk.system, "test", made.hook.id)
    assert (found.state, found.status) == (DeliveryState.NEW, status)
    assert len(end.got) == 1


def test_a_target_that_takes_nothing_for_days_is_left_alone_and_a_person_told(
    desk: ApiDesk, far_end: Callable[..., FarEnd], settable_clock: SettableClock
) -> None:
    end = far_end(status=500)
    made = hooked(desk, end.url, INTERNAL, internal=True)
    office = hook_office(desk.system)
    for _ in range(4):
        ping_now(desk.system, "test", made.hook.id)
        settable_clock.advance(days=1)
    with desk.system.store.read() as work:
        hook = work.hooks.get(made.hook.id)
        assert hook is not None
        assert hook.disabled_at is not None
        assert DISABLED_TASK in {task.kind for task in work.tasks.pending()}
        assert "hook.disabled" in {entry.kind for entry in work.ledger.entries()}
    assert send_next(office, made.hook.id) is None
    desk.proposed()
    end.status = 204
    enable_hook(desk.system.store, desk.system.clock, "test", made.hook.id)
    assert ping_now(desk.system, "test", made.hook.id).state is DeliveryState.DELIVERED
    sent_all(desk, made.hook.id)
    assert "proposal.opened" not in end.events  # what happened meanwhile is not told afterwards
    with desk.system.store.read() as work:
        assert DISABLED_TASK not in {task.kind for task in work.tasks.pending()}


def test_a_silent_target_holds_up_no_other(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    silent, well = far_end(hold=threading.Event()), far_end()
    hooked(desk, silent.url)
    hooked(desk, well.url)
    desk.released()
    derived(desk)
    lanes, stop = HookLanes(hook_office(desk.system)), threading.Event()
    assert lanes.step(stop) == 2
    assert silent.came.wait(60)
    assert well.came.wait(60)  # while the other still says nothing
    lanes.step(stop)
    assert silent.hold is not None
    silent.hold.set()
    lanes.join(60)
    assert (len(silent.got), len(well.got)) == (1, 1)


def test_a_claim_of_a_process_that_died_is_taken_up_again(
    desk: ApiDesk, far_end: Callable[..., FarEnd], settable_clock: SettableClock
) -> None:
    end = far_end()
    made = hooked(desk, end.url)
    desk.released()
    derived(desk)
    office, now = hook_office(desk.system), settable_clock.now()
    with desk.system.store.begin() as work:  # claimed, and then killed
        taken = work.hooks.claim(made.hook.id, now, now + office.lease)
        work.commit()
    assert taken is not None
    assert send_next(office, made.hook.id) is None
    settable_clock.moment = now + office.lease + timedelta(seconds=1)
    again = send_next(office, made.hook.id)
    assert again is not None
    assert (again.id, again.state) == (taken.id, DeliveryState.DELIVERED)
    assert len(end.got) == 1


def test_a_target_that_drips_is_cut_off() -> None:
    """One byte now and then never lets a plain time-out pass."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen(1)
        ended = threading.Event()

        def drip() -> None:
            line, _ = listening.accept()
            with line:
                line.sendall(b"HTTP/1.1 200 OK\r\n")
                while not ended.wait(0.05):
                    try:
                        line.sendall(b"X")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        url = f"http://127.0.0.1:{listening.getsockname()[1]}/"
        answer = Outgoing(HookPlaces(synthetic=True, private=False), 0.5)(HookCall(url, {}, b"{}"))
        ended.set()
        thread.join(30)
    assert (answer.status, answer.fault) == (None, "partners.no-answer")


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://partner.example/x", "hook-https"),
        ("ftp://partner.example/x", "hook-https"),
        ("https://user:pass@partner.example/", "hook-address"),
        ("https://partner.example/#x", "hook-address"),
        ("https:///x", "hook-address"),
        ("https://partner.example:port/", "hook-address"),
        ("https://例.example/", "hook-address"),
        ("https://partner.example/ x", "hook-address"),
        ("https://127.0.0.1/", "hook-private"),
        ("https://localhost/", "hook-private"),
        ("https://10.0.0.5/", "hook-private"),
        ("https://169.254.169.254/latest/meta-data", "hook-private"),
        ("https://[::1]/", "hook-private"),
        ("https://[fd00::1]/", "hook-private"),
        ("https://[::ffff:10.0.0.5]/", "hook-private"),
    ],
)
def test_addresses_that_are_never_called(url: str, why: str) -> None:
    with pytest.raises(Refused, match=why):
        check_address(url, WORLD)
    assert Outgoing(WORLD, 1.0)(HookCall(url, {}, b"")).status is None


def test_synthetic_input_reaches_this_machine_only() -> None:
    demo = HookPlaces(synthetic=True, private=True)
    check_address("http://127.0.0.1:9/x", demo)
    with pytest.raises(Refused, match="hook-synthetic"):
        check_address("https://partner.example/x", demo)


def test_what_a_name_leads_to_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    """A name of the world that leads inside is refused, even where only one of its addresses does."""

    def leads_inside(*_: object, **__: object) -> list[Any]:
        return [(0, 0, 0, "", ("93.184.216.34", 443)), (0, 0, 0, "", ("10.0.0.5", 443))]

    monkeypatch.setattr("geowarn.outgoing.socket.getaddrinfo", leads_inside)
    answer = Outgoing(WORLD, 1.0)(HookCall("https://partner.example/", {}, b""))
    assert (answer.status, answer.fault) == (None, "partners.hook-private")


@pytest.mark.parametrize(
    ("address", "world", "office"),
    [
        ("93.184.216.34", True, True),
        ("2606:2800:220:1::1", True, True),
        ("10.1.2.3", False, True),
        ("192.168.1.1", False, True),
        ("fd00::1", False, True),
        ("127.0.0.1", False, False),
        ("::1", False, False),
        ("169.254.169.254", False, False),
        ("fe80::1", False, False),
        ("0.0.0.0", False, False),
        ("224.0.0.1", False, False),
        ("::ffff:127.0.0.1", False, False),
        ("64:ff9b::7f00:1", False, False),
        ("2002:7f00:1::", False, False),
    ],
)
def test_where_calls_may_go(address: str, world: bool, office: bool) -> None:
    assert may_call(ip_address(address), WORLD) is world
    assert may_call(ip_address(address), HookPlaces(synthetic=False, private=True)) is office


def test_exercises_reach_no_live_target(desk: ApiDesk) -> None:
    from geowarn.domain.partner import Event
    from geowarn.domain.warning import Series
    from geowarn.pipeline.hook_events import Told, hears

    made = hooked(desk, "http://127.0.0.1:9/")
    assert made.hook.live is False  # an installation on synthetic input has no live target
    from dataclasses import replace

    live = replace(made.hook, live=True, internal=True)
    real = Told(Event.RELEASED, "k", "", "w", Series.REAL, False, {}, {})
    assert hears(live, real)
    for unreal in (replace(real, series=Series.EXERCISE), replace(real, synthetic=True)):
        assert not hears(live, unreal)
        assert hears(replace(live, live=False), unreal)


def test_partners_manage_their_own_by_key(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    end = far_end()
    key, other = desk.key("city-site", Scope.WEBHOOKS, account=False), desk.key("duty", Scope.WEBHOOKS)
    made = desk.call(key, "POST", "/api/v1/webhooks", {"url": end.url, "events": ["bulletin.released"]})
    assert made.status_code == 201, made.text
    hook = made.json()["id"]
    assert made.json()["secret"]
    (listed,) = desk.call(key, "GET", "/api/v1/webhooks").json()["items"]
    assert "secret" not in listed
    assert desk.call(other, "GET", "/api/v1/webhooks").json()["items"] == []
    for method, path in (("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test")):
        assert desk.call(other, method, f"/api/v1/webhooks/{hook}{path}").status_code == 404
    assert desk.call(key, "POST", f"/api/v1/webhooks/{hook}/test").status_code == 202
    sent_all(desk, hook)
    (delivery,) = desk.call(key, "GET", f"/api/v1/webhooks/{hook}/deliveries").json()["items"]
    assert (delivery["event"], delivery["state"], delivery["status"]) == ("ping", "delivered", 204)
    assert isinstance(delivery["milliseconds"], int)
    wrong = desk.call(key, "POST", "/api/v1/webhooks", {"url": end.url, "events": ["task.opened"]})
    assert (wrong.status_code, wrong.json()["key"]) == (422, "partners.bad-event")
    assert desk.call(key, "DELETE", f"/api/v1/webhooks/{hook}").status_code == 204
    assert desk.call(key, "GET", "/api/v1/webhooks").json()["items"] == []


def test_nobody_is_told_for_a_closed_account(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    from dataclasses import replace

    end = far_end()
    made = hooked(desk, end.url)
    with desk.system.store.begin() as work:
        user = work.users.get("duty")
        assert user is not None
        work.users.save(replace(user, active=False))
        work.commit()
    desk.proposed()
    sent_all(desk, made.hook.id)
    with desk.system.store.read() as work:
        hook = work.hooks.get(made.hook.id)
    assert hook is not None
    assert hook.disabled_at is not None
    with desk.system.store.begin() as work:
        work.users.save(user)
        work.commit()
    desk.released()
    sent_all(desk, made.hook.id)
    assert end.got == []


def test_the_worker_tells_by_itself(desk: ApiDesk, far_end: Callable[..., FarEnd]) -> None:
    from geowarn.worker import Worker

    end = far_end()
    hooked(desk, end.url)
    worker = Worker(desk.system)
    worker.start()
    try:
        desk.released()
        assert end.came.wait(60)
    finally:
        worker.stop()
    assert end.events[0] == "bulletin.released"


def test_a_secret_is_kept_sealed(desk: ApiDesk) -> None:
    made = hooked(desk, "http://127.0.0.1:9/")
    folder = desk.system.data_dir
    stored = b"".join(path.read_bytes() for path in folder.glob("geowarn.db*"))
    assert made.secret.encode() not in stored
    with desk.system.store.read() as work:
        assert made.secret not in "".join(entry.payload for entry in work.ledger.entries())
