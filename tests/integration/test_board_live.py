"""The release board as server-sent events: what it sends, when, to how many, and that it ends."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import requests
from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.demo.setting import free_port, password_of
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Attempt, DispatchState, Outcome
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import propose_by_hand
from geowarn.pipeline.release import release
from geowarn.pipeline.signoff import sign
from geowarn.serving import web_server
from geowarn.web import live
from geowarn.web.board_state import BoardState, read_board
from geowarn.web.live import Key, Live, stream

OURS = {"Sec-Fetch-Site": "same-origin"}
PATIENCE = 30.0
OLD = "数据库读不到"


@pytest.fixture
def bulletin(demo_system: System, officer: Callable[[str], Actor]) -> Bulletin:
    desk = demo_system.desk
    name = propose_by_hand(desk, {"370687": Level.YELLOW}, 24, "裂缝", "电话", officer("duty")).warning_id
    for who in ("duty", "leader", "observatory"):
        sign(desk, name, officer(who))
    return release(desk, name, officer("leader"))


def deliver(system: System, bulletin: Bulletin, channel: str, state: DispatchState, reason: str = "") -> None:
    """One message comes to this state."""
    now = system.clock.now()
    with system.store.begin() as work:
        row = next(d for d in work.dispatches.of_bulletin(bulletin.id, channel) if d.state is DispatchState.NEW)
        (claimed, *_) = work.dispatches.claim(row.shard, "t", now, now, 1)
        after = replace(claimed, state=state, reason=reason or None, delivered_at=now, attempts=1)
        work.dispatches.record([(after, Attempt(claimed.id, now, now, Outcome.DELIVERED, reason))])
        work.commit()


@pytest.fixture
def base(demo_system: System, bulletin: Bulletin) -> Iterator[str]:
    port = free_port()
    with web_server(demo_system, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


def logged_in(base: str, name: str = "duty") -> requests.Session:
    session = requests.Session()
    session.trust_env = False
    form = {"name": name, "password": password_of(name)}
    assert session.post(f"{base}/console/login", data=form, headers=OURS, timeout=10).status_code == 200
    return session


def events_of(answer: requests.Response) -> Iterator[dict[str, str]]:
    """Parsed events, comments under the key "comment"."""
    event: dict[str, str] = {}
    for raw in answer.iter_lines():
        line = raw.decode()
        if not line and event:
            yield event
            event = {}
        elif line:
            name, _, value = line.partition(": " if not line.startswith(":") else ":")
            name = name or "comment"
            event[name] = f"{event[name]}\n{value}" if name in event else value


def listen(session: requests.Session, base: str, bulletin: Bulletin, last: str = "") -> requests.Response:
    path = f"{base}/console/warnings/{bulletin.warning_id}/board/events"
    headers = {"Last-Event-ID": last} if last else {}
    query = {"quiet": "1", "bulletin": bulletin.slug}
    return session.get(path, params=query, headers=headers, stream=True, timeout=PATIENCE, allow_redirects=False)


def test_the_board_comes_whole_and_again_when_something_arrives(
    base: str, demo_system: System, bulletin: Bulletin
) -> None:
    with listen(logged_in(base), base, bulletin) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["cache-control"] == "no-store"
        found = (event for event in events_of(answer) if "data" in event)
        first = next(found)
        assert "短信送达 0 / " in first["data"]
        deliver(demo_system, bulletin, "sms", DispatchState.DELIVERED)
        later = next(event for event in found if event["id"].split(".")[0] != first["id"].split(".")[0])
        assert "短信送达 1 / " in later["data"]


def test_after_a_broken_line_only_what_is_new_is_sent(base: str, demo_system: System, bulletin: Bulletin) -> None:
    session = logged_in(base)
    with listen(session, base, bulletin) as answer:
        held = next(event for event in events_of(answer) if "data" in event)["id"]
    deliver(demo_system, bulletin, "sms", DispatchState.FAILED, "sms.invalid-number 21211")
    with listen(session, base, bulletin, held) as answer:
        drawn = (event for event in events_of(answer) if "data" in event)  # the same again where its age has changed
        again = next(event for event in drawn if event["id"].split(".")[0] != held.split(".")[0])
    assert "21211" in again["data"]
    assert "请村居核对名单" in again["data"]


def test_a_board_says_that_its_counts_are_old_while_the_database_cannot_be_read(
    base: str, demo_system: System, bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)
    monkeypatch.setattr(live, "OLD_SECONDS", 0.5)
    readable = threading.Event()
    readable.set()

    def look(*asked: Any) -> BoardState | None:
        if not readable.is_set():
            raise OSError
        return read_board(*asked)

    monkeypatch.setattr(live, "read_board", look)
    with listen(logged_in(base), base, bulletin) as answer:
        found = (event["data"] for event in events_of(answer) if "data" in event)
        assert OLD not in next(found)
        readable.clear()
        assert "短信送达 0 / " in next(shown for shown in found if OLD in shown)
        readable.set()
        assert next(shown for shown in found if OLD not in shown)


def test_a_stranger_gets_no_stream(base: str, bulletin: Bulletin) -> None:
    answer = listen(requests.Session(), base, bulletin)
    assert answer.status_code == 303
    assert "login" in answer.headers["location"]


def test_streams_end_when_the_server_does(demo_system: System, bulletin: Bulletin) -> None:
    port = free_port()
    base, ended = f"http://127.0.0.1:{port}", threading.Event()

    def follow(answer: requests.Response) -> None:
        for _ in answer.iter_lines():
            pass
        ended.set()

    with web_server(demo_system, "127.0.0.1", port):
        answer = listen(logged_in(base), base, bulletin)
        thread = threading.Thread(target=follow, args=(answer,))
        thread.start()
    thread.join(PATIENCE)
    assert ended.is_set()


def test_however_many_listen_the_database_is_looked_at_once_a_second(demo_system: System, bulletin: Bulletin) -> None:
    hub = Live(demo_system.store)
    key, began = Key(bulletin.warning_id, bulletin.id), time.monotonic()
    listeners = [hub.join(key) for _ in range(50)]
    assert None not in listeners
    while hub.looks < 3:
        assert all(hub.state(one) is not None or hub.looks <= 1 for one in listeners if one is not None)
        time.sleep(0.01)
    assert hub.looks <= 1 + (time.monotonic() - began) / live.LOOK_SECONDS
    hub.close()


def test_listeners_are_bounded_and_forgotten(
    demo_system: System, bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "MOST_LISTENERS", 2)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.01)
    monkeypatch.setattr(live, "_FORGOTTEN_SECONDS", 0.0)
    hub, key = Live(demo_system.store), Key(bulletin.warning_id, bulletin.id)
    assert hub.join(key) is not None
    hub.join(key)
    until = time.monotonic() + PATIENCE
    while hub.listeners and time.monotonic() < until:  # nobody reads these two: their browsers went before they began
        time.sleep(0.01)
    assert hub.listeners == 0
    assert [hub.join(key) is not None for _ in range(3)][:2] == [True, True]
    hub.close()
    assert hub.join(key) is None


def test_a_stream_ends_by_itself_and_leaves(
    demo_system: System, bulletin: Bulletin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LIFETIME_SECONDS", 1.5)
    monkeypatch.setattr(live, "BEAT_SECONDS", 0.1)
    hub = Live(demo_system.store)
    listener = hub.join(Key(bulletin.warning_id, bulletin.id))
    assert listener is not None

    async def all_of_it() -> list[bytes]:
        return [piece async for piece in stream(hub, listener, "", lambda state, age: f"<p>\n{state.bulletin.slug}")]

    pieces = asyncio.run(all_of_it())
    assert pieces[0].startswith(b"retry:")
    assert any(f"data: <p>\ndata: {bulletin.slug}\n\n".encode() in piece for piece in pieces)
    assert any(piece.startswith(b":") for piece in pieces)
    assert hub.listeners == 0
    hub.close()


def test_a_stream_nobody_looks_for_any_more_ends_so_that_the_browser_comes_again(
    demo_system: System, bulletin: Bulletin
) -> None:
    hub = Live(demo_system.store)
    listener = hub.join(Key(bulletin.warning_id, bulletin.id))
    assert listener is not None
    hub.leave(listener)  # as after a quarter of a minute in which the machine stood still

    async def all_of_it() -> list[bytes]:
        return [piece async for piece in stream(hub, listener, "", lambda state, age: "")]

    assert asyncio.run(asyncio.wait_for(all_of_it(), PATIENCE)) == [b"retry: 2000\n\n"]
    hub.close()


def board_state(system: System, bulletin: Bulletin) -> BoardState:
    with system.store.read() as work:
        warning = work.warnings.get(bulletin.warning_id)
        assert warning is not None
        found = read_board(work, warning, bulletin.id)
    assert found is not None
    return found


def test_groups_count_what_the_rows_say(demo_system: System, bulletin: Bulletin) -> None:
    for state in (DispatchState.DELIVERED, DispatchState.FAILED):
        deliver(demo_system, bulletin, "sms", state, "sms.opted-out" if state is DispatchState.FAILED else "")
    deliver(demo_system, bulletin, "broadcast", DispatchState.DELIVERED)
    seen = board_state(demo_system, bulletin)
    with demo_system.store.read() as work:
        rows = work.dispatches.of_bulletin(bulletin.id)
    counted: dict[tuple[str, DispatchState], int] = {}
    for group in seen.groups:
        counted[group.channel, group.state] = counted.get((group.channel, group.state), 0) + group.count
    expected: dict[tuple[str, DispatchState], int] = {}
    for row in rows:
        expected[row.channel, row.state] = expected.get((row.channel, row.state), 0) + 1
    assert counted == expected
    assert {p.name for p in seen.channels} == {"website", "sms", "broadcast:demo-tv", "broadcast:demo-radio"}
    assert [(t.reason, t.count) for t in seen.troubles] == [("sms.opted-out", 1)]


def test_a_station_that_fetched_and_never_aired_is_named(
    demo_system: System, bulletin: Bulletin, settable_clock: SettableClock
) -> None:
    deliver(demo_system, bulletin, "broadcast", DispatchState.DELIVERED)
    settable_clock.advance(minutes=6)
    assert len(board_state(demo_system, bulletin).unaired(5, settable_clock.now())) == 1
    assert board_state(demo_system, bulletin).unaired(10, settable_clock.now()) == []
