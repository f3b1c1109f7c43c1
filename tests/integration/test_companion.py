"""Alerts of the weather service, on a real database and in the console: attention, never a level."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from tests.conftest import FakeClock
from tests.unit.cap_samples import SENDER, alert, area, info, reference
from typer.testing import CliRunner

from geowarn.bootstrap import System
from geowarn.cli import app
from geowarn.demo.setting import password_of
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.pipeline.companion import Received, close_finished, receive_alert
from geowarn.pipeline.companion_inbox import take_in_alerts
from geowarn.ports import CompanionAlert
from geowarn.scheduler import Scheduler
from geowarn.sources.cap_alert import CapAlertReader
from geowarn.store.unit_of_work import SqlStore
from geowarn.web.app import create_app

SENT = datetime(2026, 7, 22, 18, 5, tzinfo=UTC)


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock(SENT)


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = SqlStore.in_memory()
    with store.begin() as work:
        work.areas.save_all([Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang")])
        work.commit()
    yield store
    store.dispose()


def take(store: SqlStore, clock: FakeClock, folder: Path, data: bytes) -> Received:
    file = folder / "alert.xml"
    file.write_bytes(data)
    return receive_alert(store, clock, CapAlertReader(), folder / "raw", file, "test")


def current(store: SqlStore, clock: FakeClock) -> tuple[CompanionAlert, ...]:
    with store.read() as work:
        return work.companions.current(clock.now())


def tasks(store: SqlStore) -> list[str]:
    with store.read() as work:
        return [task.subject for task in work.tasks.pending() if task.kind == "companion"]


def kinds(store: SqlStore) -> list[str]:
    with store.read() as work:
        return [entry.kind for entry in work.ledger.entries()]


def test_an_alert_for_our_area_is_kept_with_its_entry_and_raises_attention(
    store: SqlStore, clock: FakeClock, tmp_path: Path
) -> None:
    received = take(store, clock, tmp_path, alert())
    assert (received.outcome, received.areas) == ("attention", ("370687",))
    (kept,) = current(store, clock)
    assert (kept.id, kept.areas, kept.identifier) == (received.id, ("370687",), "rain-1")
    assert kept.facts["headline"]["zh-CN"] == "某市气象台发布暴雨橙色预警信号"
    assert kept.expires == datetime(2026, 7, 23, 18, tzinfo=UTC)
    assert (tmp_path / "raw" / kept.payload_digest).read_bytes() == alert()
    assert tasks(store) == [received.id]
    assert kinds(store) == ["companion.received", "task.opened"]
    with store.read() as work:
        assert not work.warnings.all()
        assert not work.assessments.latest()


def test_the_same_message_again_changes_nothing(store: SqlStore, clock: FakeClock, tmp_path: Path) -> None:
    take(store, clock, tmp_path, alert())
    assert take(store, clock, tmp_path, alert()).outcome == "known"
    assert kinds(store) == ["companion.received", "task.opened"]


@pytest.mark.parametrize("status", ["Exercise", "Test", "System", "Draft"])
def test_what_is_not_actual_never_raises_attention(
    store: SqlStore, clock: FakeClock, tmp_path: Path, status: str
) -> None:
    take(store, clock, tmp_path, alert())
    cancel = alert("2", infos="", msgType="Cancel", references=reference("1"), status=status)
    assert take(store, clock, tmp_path, cancel).outcome == "not-actual"
    assert take(store, clock, tmp_path, alert("3", status=status)).outcome == "not-actual"
    assert [one.identifier for one in current(store, clock)] == ["rain-1"]
    assert len(tasks(store)) == 1


@pytest.mark.parametrize(
    ("data", "outcome"),
    [
        (alert(infos=info(area("广州市", geocode="440100"))), "elsewhere"),
        (alert(infos=info(area(geocode="370687"), expires="2026-07-23T02:04:59+08:00")), "over"),
    ],
)
def test_an_alert_of_elsewhere_or_the_past_is_only_kept(
    store: SqlStore, clock: FakeClock, tmp_path: Path, data: bytes, outcome: str
) -> None:
    assert take(store, clock, tmp_path, data).outcome == outcome
    assert not current(store, clock)
    assert not tasks(store)
    assert kinds(store) == ["companion.received"]


def test_an_alert_without_end_or_place_counts_for_a_day_and_says_so(
    store: SqlStore, clock: FakeClock, tmp_path: Path
) -> None:
    assert take(store, clock, tmp_path, alert(infos=info(area("全市沿海"), expires=None))).outcome == "attention"
    (kept,) = current(store, clock)
    assert (kept.areas, kept.facts["unplaced"], kept.facts["end_assumed"]) == ((), True, True)
    assert kept.expires == kept.sent + timedelta(hours=24)


CHAIN = (
    alert("1"),
    alert("2", msgType="Update", references=reference("1")),
    alert("3", infos="", msgType="Cancel", references=reference("2")),
)


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_the_order_of_arrival_changes_nothing(
    store: SqlStore, clock: FakeClock, tmp_path: Path, order: tuple[int, ...]
) -> None:
    for index in order:
        take(store, clock, tmp_path, CHAIN[index])
    assert not current(store, clock)
    assert not tasks(store)


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_update_takes_the_place_of_its_alert(
    store: SqlStore, clock: FakeClock, tmp_path: Path, order: tuple[int, int]
) -> None:
    received = {index: take(store, clock, tmp_path, CHAIN[index]) for index in order}
    assert [one.identifier for one in current(store, clock)] == ["rain-2"]
    assert tasks(store) == [received[1].id]


def test_nobody_ends_the_alert_of_another_sender(store: SqlStore, clock: FakeClock, tmp_path: Path) -> None:
    take(store, clock, tmp_path, alert())
    take(
        store,
        clock,
        tmp_path,
        alert("2", infos="", sender="other@example.invalid", msgType="Cancel", references=reference()),
    )
    assert [one.sender for one in current(store, clock)] == [SENDER]
    assert len(tasks(store)) == 1


def test_the_task_goes_when_the_alert_expires(store: SqlStore, clock: FakeClock, tmp_path: Path) -> None:
    take(store, clock, tmp_path, alert())
    assert close_finished(store, clock) == 0
    clock.advance(hours=24)
    assert close_finished(store, clock) == 1
    assert not tasks(store)


def test_a_bad_file_leaves_no_trace(store: SqlStore, clock: FakeClock, tmp_path: Path) -> None:
    with pytest.raises(Refused):
        take(store, clock, tmp_path, b"<alert")
    with pytest.raises(Refused) as caught:
        take(store, clock, tmp_path, b" " * ((4 << 20) + 1))
    assert caught.value.key == "sources.too-large"
    with pytest.raises(Refused) as caught:
        receive_alert(store, clock, CapAlertReader(), tmp_path / "raw", tmp_path, "test")
    assert caught.value.key == "ingest.no-file"
    assert not kinds(store)
    assert not (tmp_path / "raw").exists()


def test_the_watched_folder_takes_whole_files_and_sets_bad_ones_aside(store: SqlStore, tmp_path: Path) -> None:
    folder = tmp_path / "inbox" / "cap"
    folder.mkdir(parents=True)
    written = {"a.xml": alert(), "bad.xml": b"<alert", "b.xml.part": alert("2"), ".hidden": alert("3")}
    for name, data in written.items():
        (folder / name).write_bytes(data)

    def look(clock: FakeClock) -> list[str]:
        taken = take_in_alerts(folder.parent, store, clock, CapAlertReader(), tmp_path / "raw", "scheduler")
        return [one.outcome for one in taken]

    fresh, calm = FakeClock(datetime.now(UTC)), FakeClock(datetime.now(UTC) + timedelta(seconds=11))
    assert look(fresh) == []  # still being written, for all anybody knows
    assert look(calm) == ["over"]  # an alert of July, read today
    assert look(calm) == []
    assert sorted(one.name for one in folder.iterdir()) == [".hidden", "b.xml.part"]
    assert [one.name.split("-")[1] for one in (folder.parent / "refused").iterdir()] == ["bad.xml"]
    assert kinds(store) == ["companion.received", "input.refused"]
    with store.read() as work:
        assert [task.subject for task in work.tasks.pending() if task.kind == "input-refused"] == ["bad.xml"]


def test_the_scheduler_looks_there(demo_system: System) -> None:
    now = demo_system.clock.now().replace(microsecond=0)
    folder = demo_system.data_dir / "inbox" / "cap"
    folder.mkdir(parents=True)
    times = {"effective": now.isoformat(), "expires": (now + timedelta(hours=6)).isoformat()}
    (folder / "a.xml").write_bytes(alert(infos=info(area(geocode="370600"), **times), sent=now.isoformat()))
    demo_system.clock.advance(minutes=1)  # type: ignore[attr-defined]
    scheduler = Scheduler(demo_system)
    scheduler.take_in()
    scheduler.take_in_alerts()
    with demo_system.store.read() as work:
        (kept,) = work.companions.current(demo_system.clock.now())
        assert "370687" in kept.areas
        assert not any(entry.kind == "input.refused" for entry in work.ledger.entries())
    demo_system.clock.advance(hours=6)  # type: ignore[attr-defined]
    scheduler.expire()
    with demo_system.store.read() as work:
        assert not [task for task in work.tasks.pending() if task.kind == "companion"]


def test_two_at_once_are_one(store: SqlStore, clock: FakeClock, tmp_path: Path) -> None:
    outcomes: list[str] = []
    file = tmp_path / "alert.xml"
    file.write_bytes(alert())

    def run() -> None:
        outcomes.append(receive_alert(store, clock, CapAlertReader(), tmp_path / "raw", file, "test").outcome)

    threads = [threading.Thread(target=run) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["attention", "known", "known", "known"]


def test_the_command_line_and_the_console_say_it(demo_folder: Path, demo_system: System, tmp_path: Path) -> None:
    now = demo_system.clock.now().replace(microsecond=0)  # the console does not look later than its own clock
    times = {"effective": now.isoformat(), "expires": (now + timedelta(hours=6)).isoformat()}
    file = tmp_path / "暴雨.xml"
    file.write_bytes(alert(infos=info(area(geocode="370687"), **times), sent=now.isoformat()))
    ran = CliRunner().invoke(app, ["ingest", "cap", "--file", str(file), "--json", "--data", str(demo_folder)])
    assert ran.exit_code == 0, ran.output
    assert json.loads(ran.stdout)["outcome"] == "attention"
    said = CliRunner().invoke(app, ["ingest", "cap", "--file", str(file), "--data", str(demo_folder)])
    assert said.exit_code == 0
    client = TestClient(create_app(demo_system))
    form = {"name": "duty", "password": password_of("duty")}
    client.post("/console/login", data=form, headers={"Sec-Fetch-Site": "same-origin"})
    page = client.get("/console/").text
    assert "某市气象台发布暴雨橙色预警信号（某市气象台），涉及海阳市" in page
    assert "气象部门发布了预警信号" in page
