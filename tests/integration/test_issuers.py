"""Feeds of other issuers over a real far end and a folder; on the pages and the desk, and in nothing that is ours."""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from tests.integration.conftest import SettableClock
from tests.unit.cap_samples import SENDER, alert, area, info, reference
from tests.unit.far_end import FarEnd, answer, far_end
from tests.unit.issuer_bench import NOW, READER, issuer, pem, signer, signing
from typer.testing import CliRunner

from geowarn.bootstrap import System
from geowarn.cli import app
from geowarn.demo.setting import password_of
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.issuers import Demand, Issuer, Standing
from geowarn.issuer_ticks import IssuerTicks
from geowarn.pipeline import issuer_follow
from geowarn.pipeline.issuer_poll import Polled, due, note_plan, poll, watch_issuers
from geowarn.pipeline.issuer_view import standing_now
from geowarn.pipeline.issuers import IssuerDesk
from geowarn.ports import Store
from geowarn.scheduler import publish_all
from geowarn.sources.cap_feed import CapFeedReader
from geowarn.sources.fetch_issuer import HttpCarrier
from geowarn.store.unit_of_work import SqlStore
from geowarn.web.app import create_app

CAP_TYPE = {"Content_Type": "application/cap+xml"}
EVIL = "\u202e<script>alert(1)</script>\u2066 大雨 & 山洪"


@pytest.fixture
def far() -> Iterator[FarEnd]:
    with far_end() as served:
        yield served


@pytest.fixture
def clock() -> SettableClock:
    return SettableClock(NOW)


@pytest.fixture
def desk(store: SqlStore, clock: SettableClock, tmp_path: Path) -> IssuerDesk:
    with store.begin() as work:
        work.areas.save_all([Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang")])
        work.commit()
    inbox = tmp_path / "inbox"
    return IssuerDesk(store, clock, READER, CapFeedReader(), HttpCarrier(lambda _: False), tmp_path / "raw", inbox)


def feed_of(*entries: tuple[str, str]) -> bytes:
    """An Atom feed of (address, updated)."""
    items = "".join(
        f'<entry><id>{href}</id><updated>{at}</updated><link type="application/cap+xml" href="{href}"/></entry>'
        for href, at in entries
    )
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><id>f</id>{items}</feed>'.encode()


def polled(desk: IssuerDesk, of: Issuer, again: bool = False) -> Polled:
    note_plan(desk.store, [of], desk.clock.now())
    return poll(desk, of, again)


def holding(desk: IssuerDesk) -> dict[str, Standing]:
    with desk.store.read() as work:
        return {one.message.identifier: one.standing for one in standing_now(work, desk.clock.now())}


def tasks(store: Store) -> list[tuple[str, str]]:
    with store.read() as work:
        return sorted((task.kind, task.subject) for task in work.tasks.pending() if task.kind.startswith("issuer"))


def test_a_feed_is_followed_and_only_what_changed_is_fetched(
    far: FarEnd, desk: IssuerDesk, clock: SettableClock
) -> None:
    of = issuer(address=far.on("/feed", answer(200, feed_of(("1.xml", "a"), ("2.xml", "a")), ETag='"1"'), answer(304)))
    far.on("/1.xml", answer(200, alert("1"), **CAP_TYPE))
    far.on("/2.xml", answer(200, alert("2", msgType="Update", references=reference("1")), **CAP_TYPE))
    assert [one.what for one in polled(desk, of).came] == ["shown", "shown"]
    assert holding(desk) == {"rain-1": Standing.ENDED, "rain-2": Standing.IN_FORCE}
    assert not due(desk.store, of, clock.now())
    clock.advance(seconds=120)
    assert due(desk.store, of, clock.now())
    assert polled(desk, of) == Polled()
    assert far.asked[-1][1]["if-none-match"] == '"1"'
    far.on("/feed", answer(200, feed_of(("1.xml", "a"), ("2.xml", "b"), ("3.xml", "a"))))
    far.on("/3.xml", answer(200, alert("3", msgType="Cancel", references=reference("2")), **CAP_TYPE))
    assert [one.what for one in polled(desk, of).came] == ["known", "shown"]  # re-published, and new
    assert far.count("/1.xml") == 1
    assert holding(desk)["rain-2"] is Standing.ENDED


def test_one_bad_message_keeps_no_other_back(far: FarEnd, desk: IssuerDesk) -> None:
    of = signing(Demand.REQUIRED)
    of = replace(of, address=far.on("/feed", answer(200, feed_of(("1.xml", "a"), ("2.xml", "a"), ("3.xml", "a")))))
    far.on("/1.xml", answer(200, signer().sign(alert("1")).replace(b"Severe", b"Minor", 1), **CAP_TYPE))
    far.on("/3.xml", answer(200, signer().sign(alert("3")), **CAP_TYPE))
    found = polled(desk, of)
    assert [one.what for one in found.came] == ["refused", "shown"]
    assert holding(desk) == {"rain-3": Standing.IN_FORCE}
    assert tasks(desk.store) == [("issuer-refused", "weather")]
    far.on("/2.xml", answer(200, signer().sign(alert("2")), **CAP_TYPE))
    assert [one.what for one in polled(desk, of).came] == ["shown"]  # the absent again, the forged not
    with desk.store.read() as work:
        keys = sorted(refusal.key for refusal in work.issued.refusals("weather"))
        kinds = [entry.kind for entry in work.ledger.entries()]
    assert keys == ["fetch.absent", "issuers.signature"]
    assert (kinds.count("issuer.taken"), kinds.count("issuer.refused")) == (2, 2)


def test_silence_is_a_task_and_what_was_said_stands_with_its_age(
    far: FarEnd, desk: IssuerDesk, clock: SettableClock
) -> None:
    short = alert(infos=info(area(geocode="370687"), expires="2026-07-23T03:00:00+08:00"))
    of = issuer(kind="cap", address=far.on("/cap", answer(200, short, **CAP_TYPE), answer(500)))
    quick = replace(of, http=replace(of.http, values={**of.http.values, "total_seconds": 1, "transfer_seconds": 1}))
    assert polled(desk, quick).came[0].what == "shown"
    assert watch_issuers(desk.store, [quick], clock.now()) == ()
    clock.advance(minutes=40)  # its end has passed
    fault = polled(desk, quick).fault
    assert fault is not None
    assert fault.key == "fetch.unreachable"
    assert watch_issuers(desk.store, [quick], clock.now()) == ("weather",)
    assert watch_issuers(desk.store, [quick], clock.now()) == ()
    assert tasks(desk.store) == [("issuer-silent", "weather")]
    assert holding(desk) == {"rain-1": Standing.HELD}
    far.on("/cap", answer(200, short, **CAP_TYPE))
    assert polled(desk, quick).came[0].what == "known"
    assert watch_issuers(desk.store, [quick], clock.now()) == ()
    assert tasks(desk.store) == []
    assert holding(desk) == {"rain-1": Standing.LAPSED}


def test_a_feed_that_cannot_be_read_leaves_what_was_said(far: FarEnd, desk: IssuerDesk) -> None:
    of = issuer(address=far.on("/feed", answer(200, feed_of(("1.xml", "a")))))
    far.on("/1.xml", answer(200, alert("1"), **CAP_TYPE))
    assert polled(desk, of).changed
    for body, key in (
        (b"<html>log in</html>", "fetch.page"),
        (b"<feed/>", "issuers.not-a-feed"),
        (feed_of(("http://127.0.0.2/1.xml", "a")), "issuers.elsewhere"),
    ):
        far.on("/feed", answer(200, body))
        fault = polled(desk, of).fault
        assert fault is not None
        assert fault.key == key
        assert holding(desk) == {"rain-1": Standing.IN_FORCE}


def test_a_quiet_feed_is_told_and_one_taken_out_of_the_plan_is_not_shown(
    far: FarEnd, desk: IssuerDesk, clock: SettableClock
) -> None:
    of = issuer(kind="cap", address=far.on("/cap", answer(200, alert(), **CAP_TYPE)), quiet_hours=6)
    polled(desk, of)
    clock.advance(hours=7)
    polled(desk, of)
    assert watch_issuers(desk.store, [of], clock.now()) == ("weather",)
    assert note_plan(desk.store, [], NOW)
    assert not note_plan(desk.store, [], NOW)
    assert holding(desk) == {}
    assert tasks(desk.store) == []
    assert note_plan(desk.store, [of], NOW)
    assert holding(desk) == {"rain-1": Standing.IN_FORCE}


def test_a_folder_is_emptied_and_bad_files_are_set_aside(desk: IssuerDesk, clock: SettableClock) -> None:
    of = issuer(kind="folder", address="", silent_minutes=0)
    folder = desk.inbox / "issuers" / "weather"
    folder.mkdir(parents=True)
    for name, data in (("a.xml", alert("1")), ("b.xml", b"<junk/>"), (".c.xml", alert("3")), ("d.part", alert("4"))):
        (folder / name).write_bytes(data)
        os.utime(folder / name, (clock.now().timestamp() - 60,) * 2)
    assert sorted(one.what for one in polled(desk, of).came) == ["refused", "shown"]
    assert sorted(file.name for file in folder.iterdir()) == [".c.xml", "d.part"]
    assert len(list((desk.inbox / "taken").iterdir())) == len(list((desk.inbox / "refused").iterdir())) == 1
    assert watch_issuers(desk.store, [of], clock.now() + timedelta(days=3)) == ()


def test_a_dead_link_holds_no_other_up_and_goes_behind_them(
    far: FarEnd, desk: IssuerDesk, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(issuer_follow, "MOST_MESSAGES", 3)

    def dead(_: object) -> None:
        far.released.wait(2)

    links = [(f"{n}.xml", "a") for n in (3, 1, 2, 4, 5)]
    of = issuer(address=far.on("/feed", answer(200, feed_of(*links))))
    of = replace(of, http=replace(of.http, values={**of.http.values, "total_seconds": 2}))
    far.on("/1.xml", dead)
    far.on("/3.xml", answer(503))
    for number in (2, 4, 5):
        far.on(f"/{number}.xml", answer(200, alert(str(number)), **CAP_TYPE))
    assert [one.what for one in polled(desk, of).came] == ["shown"]
    assert far.count("/3.xml") == 1  # the next look is the next try
    assert [one.what for one in polled(desk, of).came] == ["shown", "shown"]
    assert [path for path, _ in far.asked[-3:-1]] == ["/4.xml", "/5.xml"]  # the dead one after them
    far.on("/1.xml", answer(200, alert("1"), **CAP_TYPE))
    far.on("/3.xml", answer(200, alert("3"), **CAP_TYPE))
    assert len(polled(desk, of).came) == 2
    assert len(holding(desk)) == 5


def test_a_feed_of_which_nothing_new_can_be_read_is_not_heard(
    far: FarEnd, desk: IssuerDesk, clock: SettableClock
) -> None:
    of = replace(signing(Demand.REQUIRED), address=far.on("/feed", answer(200, feed_of(("1.xml", "a")), ETag='"1"')))
    short = alert(infos=info(area(geocode="370687"), expires="2026-07-23T03:30:00+08:00"))
    far.on("/1.xml", answer(200, signer().sign(short), **CAP_TYPE))
    assert polled(desk, of).fault is None
    far.on("/feed", answer(200, feed_of(("1.xml", "a"), ("2.xml", "a"), ("http://[x", "a")), ETag='"2"'), answer(304))
    far.on("/2.xml", answer(200, signer("renewed").sign(alert("2")), **CAP_TYPE))  # with a key that nobody told us of
    for _ in range(3):  # the last two are told that nothing has changed
        clock.advance(minutes=25)
        fault = polled(desk, of).fault
        assert fault is not None
        assert (fault.key, fault.facts["count"]) == ("issuers.none-read", 2)
        watch_issuers(desk.store, [of], clock.now())
    assert holding(desk) == {"rain-1": Standing.HELD}
    assert tasks(desk.store) == [("issuer-refused", "weather"), ("issuer-silent", "weather")]
    far.on("/feed", answer(200, feed_of(("2.xml", "a"), ("3.xml", "a")), ETag='"3"'), answer(304))
    far.on("/3.xml", answer(200, signer().sign(alert("3")), **CAP_TYPE))
    for _ in range(2):
        assert polled(desk, of).fault is None
    watch_issuers(desk.store, [of], clock.now())
    assert holding(desk) == {"rain-1": Standing.LAPSED, "rain-3": Standing.IN_FORCE}


def test_one_message_that_is_refused_is_not_heard(far: FarEnd, desk: IssuerDesk) -> None:
    of = issuer(kind="cap", address=far.on("/cap", answer(200, alert(sender="x"), **CAP_TYPE)))
    fault = polled(desk, of).fault
    assert fault is not None
    assert fault.key == "issuers.sender"
    with desk.store.read() as work:
        assert [feed.heard_at for feed in work.issued.feeds()] == [None]


def test_what_a_feed_may_write_in_a_day_is_bounded(far: FarEnd, desk: IssuerDesk, clock: SettableClock) -> None:
    of = issuer(
        address=far.on("/feed", answer(200, feed_of(*((f"{n}.xml", "a") for n in range(1, 8))))), daily_messages=4
    )
    for number in range(1, 8):
        far.on(f"/{number}.xml", answer(200, alert(str(number)), **CAP_TYPE))
    for _ in range(3):
        fault = polled(desk, of).fault
        assert fault is not None
        assert (fault.key, fault.facts["count"]) == ("issuers.too-much", 3)
    assert len(holding(desk)) == 4
    assert far.count("/7.xml") == 0
    with desk.store.read() as work:
        entries = [entry.kind for entry in work.ledger.entries()]
    assert (entries.count("issuer.taken"), entries.count("issuer.refused")) == (4, 1)
    clock.advance(hours=25)
    assert len(polled(desk, of).came) == 3
    folder = desk.inbox / "issuers" / "weather"
    folder.mkdir(parents=True)
    for number in (8, 9):
        (folder / f"{number}.xml").write_bytes(alert(str(number)) + b" " * 600_000)
        os.utime(folder / f"{number}.xml", (NOW.timestamp(),) * 2)
    found = polled(desk, replace(of, kind="folder", daily_messages=100, daily_mebibytes=1))
    assert (len(found.came), [file.name for file in folder.iterdir()]) == (1, ["9.xml"])
    assert found.fault is not None


def test_pages_are_written_for_what_they_show_and_for_nothing_else(far: FarEnd, desk: IssuerDesk) -> None:
    def look(number: int, data: bytes) -> bool:
        far.on(f"/{number}.xml", answer(200, data, **CAP_TYPE))
        return polled(desk, issuer(address=far.on("/feed", answer(200, feed_of((f"{number}.xml", "a")))))).changed

    assert look(1, alert("1"))
    assert not look(2, alert("2", status="Test"))
    assert not look(3, alert("3", msgType="Ack"))
    assert not look(4, alert("4", infos=info(area("某地", geocode="440100"))))
    assert not look(5, alert("5", msgType="Cancel", references=reference("4")))
    assert look(6, alert("6", msgType="Cancel", references=reference("1")))


# --- an installation -----------------------------------------------------------------------------------------------

PLAN = """[weather]
name_zh = "省气象台"
name_en = "Provincial Observatory"
kind = "folder"
enabled = true
page = "https://weather.example.org"
senders = ["{sender}"]
signature = "required"
certificates = ["weather.crt"]
"""


def installed(system: System, plan: str = PLAN) -> System:
    (system.keys_dir / "weather.crt").write_bytes(pem())
    (system.data_dir / "config").mkdir(exist_ok=True)
    (system.data_dir / "config" / "issuers.toml").write_text(plan.replace("{sender}", SENDER), "utf-8")
    return system


def run(system: System, *words: str) -> Any:
    return CliRunner().invoke(app, ["issuers", *words, "--data", str(system.data_dir)], env={"GEOWARN_LANG": "en"})


@pytest.fixture
def system(demo_system: System, settable_clock: SettableClock) -> System:
    settable_clock.moment = NOW
    return installed(demo_system)


def dropped(system: System, *messages: bytes, publish: bool = False) -> IssuerTicks:
    """The scheduler's part, after one look into the folder."""
    folder = system.data_dir / "inbox" / "issuers" / "weather"
    folder.mkdir(parents=True, exist_ok=True)
    for number, data in enumerate(messages):
        (folder / f"{number}.xml").write_bytes(data)
        os.utime(folder / f"{number}.xml", (NOW.timestamp() - 60,) * 2)

    def once(job: str, seconds: int, act: Callable[[], object]) -> None:
        act()

    ticks = IssuerTicks(system, once, lambda: publish_all(system) if publish else None, threading.Event())
    for issuer_ in ticks.issuers:
        ticks.poll(issuer_)
    return ticks


def evil(number: str = "1", **changes: Any) -> bytes:
    said = EVIL.replace("&", "&amp;").replace("<", "&lt;")
    return signer().sign(
        alert(number, infos=info(area(said, geocode="370687"), headline=said, description=said, **changes))
    )


def log_in(system: System, name: str = "duty") -> TestClient:
    client = TestClient(create_app(system), headers={"Sec-Fetch-Site": "same-origin"}, follow_redirects=True)
    client.post("/console/login", data={"name": name, "password": password_of(name), "language": "zh"})
    return client


def test_what_others_say_stands_beside_ours_and_in_nothing_of_ours(system: System) -> None:
    dropped(
        system,
        evil(),
        signer().sign(alert("2", status="Exercise")),
        signer().sign(alert("3", scope="Private")),
        publish=True,
    )
    tree = system.public_dir
    for path in ("index.html", "en/index.html", "areas/370687/index.html", "others/index.html", "en/others/index.html"):
        page = (tree / path).read_text("utf-8")
        name = "Provincial Observatory" if path.startswith("en/") else "省气象台"
        assert name in page, path
        assert "&lt;script&gt;alert(1)&lt;/script&gt; 大雨 &amp; 山洪" in page, path
        assert "<script>alert" not in page
        assert not set(page).intersection("\u202e\u2066")
        assert "rain-2" not in page
    assert "省气象台" not in (tree / "areas/370681/index.html").read_text("utf-8")
    others = (tree / "others/index.html").read_text("utf-8")
    assert "rain-1" in others
    assert "数字签名已核验" in others
    for file in tree.rglob("*"):
        if file.is_file() and (file.suffix in (".rss", ".atom", ".json", ".geojson") or "cap" in file.parts):
            assert "rain-1" not in file.read_text("utf-8", "replace"), file
            assert "山洪" not in file.read_text("utf-8", "replace"), file
    assert json.loads((tree / "current.json").read_text("utf-8"))["active"] == []
    with system.store.read() as work:
        assert work.bulletins.all() == ()


def test_silence_and_end_are_said_on_the_pages(system: System, settable_clock: SettableClock) -> None:
    ticks = dropped(system, evil(expires="2026-07-23T03:00:00+08:00"))
    settable_clock.advance(minutes=45)
    (noisy,) = ticks.issuers
    ticks.issuers = (replace(noisy, silent_minutes=30),)
    ticks.watch()
    publish_all(system)
    page = (system.public_dir / "en/areas/370687/index.html").read_text("utf-8")
    assert "no all-clear and no update was received" in page
    assert "Nothing has been received from this office since" in page
    dropped(system, signer().sign(alert("2", msgType="Cancel", references=reference("1"))), publish=True)
    for path in ("index.html", "areas/370687/index.html", "others/index.html"):
        assert "山洪" not in (system.public_dir / path).read_text("utf-8")


def test_the_desk_shows_it_with_its_map_and_what_was_refused(system: System) -> None:
    square = "37.0,121.0 37.0,121.4 36.6,121.4 36.6,121.0 37.0,121.0"
    dropped(system, signer().sign(alert(infos=info(area(polygon=square)))), alert("2"))
    client = log_in(system)
    home = client.get("/console/").text
    assert "省气象台发布（非本机关）" in home
    assert 'class="ot"' in home
    assert "来自省气象台的预警消息未被采用" in home
    page = client.get("/console/outside").text
    assert "没有数字签名" in page
    assert "签名已核验" in page
    assert "看过这 1 份" in page
    found = re.search(r'name="form_token" value="([^"]+)"', page)
    assert found is not None
    after = client.post("/console/outside/feeds/weather/seen", data={"form_token": found[1]}).text
    assert "看过这 1 份" not in after
    assert "看过</span>" in after
    assert tasks(system.store) == []
    assert client.post("/console/outside/feeds/none/seen", data={"form_token": found[1]}).status_code == 404


def test_a_wrong_plan_is_a_task_and_stops_nothing(system: System) -> None:
    installed(system, PLAN.replace("required", "maybe"))
    assert dropped(system, evil()).issuers == ()
    assert tasks(system.store) == [("issuer-silent", "issuers.toml")]
    assert str(run(system, "list").exception).startswith("plan.value: file=issuers.toml, source=weather, key=signature")
    installed(system)
    dropped(system)
    assert tasks(system.store) == []


def test_the_command_line_lists_and_takes(system: System, tmp_path: Path) -> None:
    good, bad = tmp_path / "good.xml", tmp_path / "bad.xml"
    good.write_bytes(signer().sign(alert()))
    bad.write_bytes(alert("2"))
    found = run(system, "take", "weather", str(good), str(bad))
    assert found.exit_code == 1
    assert "noted: sent too long ago" in found.stdout or "taken, shown beside ours" in found.stdout
    assert "bears no signature" in found.stderr
    listed = json.loads(run(system, "list", "--json").stdout)
    assert [(one["name"], one["signature"]) for one in listed] == [("weather", "required")]
    assert "weather" in run(system, "list").stdout
    assert run(system, "poll", "weather").exit_code == 0
    assert run(system, "poll", "nobody").exit_code == 1
