"""People on duty are told through the real SDK: once after kill -9, and what they answer comes back."""

from __future__ import annotations

import json
import signal
import time
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from starlette.testclient import TestClient
from tests.integration.test_crash import PATIENCE, _far_end, _had, _until_had, _worker
from tests.integration.test_hooks import call

from geowarn.bootstrap import System, open_system
from geowarn.demo.setting import demo_facts
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.ledger import first_fault
from geowarn.pipeline.notices import tell
from geowarn.serving import running
from geowarn.web.app import create_app

BODY = "第{{ number }}件。{% if can_answer %}回复1。{% endif %}"


def told(folder: Path, people: list[str], each: int) -> System:
    system = open_system(folder)
    (folder / "templates" / "notice").mkdir(parents=True)
    (folder / "templates" / "notice" / "try.zh.txt.j2").write_text(BODY, "utf-8")
    system = open_system(folder)
    now = system.clock.now()
    with system.store.begin() as work:
        for name in people:
            user = work.users.get(name)
            assert user is not None
            for number in range(each):
                assert tell(work, user, "try", f"s-{number}", {"number": number}, now, now + timedelta(hours=1))
        work.commit()
    return system


def states(system: System, each: int) -> Counter[DispatchState]:
    with system.store.read() as work:
        return Counter(notice.state for number in range(each) for notice in work.notices.of_subject(f"s-{number}"))


def until(found: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_kill_and_start_again_tells_everyone_once(demo_folder: Path, tmp_path: Path) -> None:
    people = [str(person["name"]) for person in demo_facts()["people"]][:5]
    system, state = told(demo_folder, people, 12), tmp_path / "far-end.jsonl"
    state.touch()
    with _far_end(system, state):
        for count in (10, 35):
            worker = _worker(demo_folder)
            try:
                _until_had(state, count, worker)
            finally:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        worker = _worker(demo_folder)
        try:
            until(lambda: set(states(system, 12)) <= {DispatchState.ACCEPTED, DispatchState.DELIVERED})
        finally:
            worker.terminate()
            assert worker.wait(30) == 0
    texts = Counter((json.loads(line)["to"], json.loads(line)["body"]) for line in state.read_text().splitlines())
    assert len(texts) == 60
    assert set(texts.values()) == {1}
    assert set(_had(state).values()) == {12}
    with system.store.read() as work:
        assert first_fault(work.ledger.entries()) is None
    system.store.dispose()


def test_delivery_and_answer_come_back(demo_folder: Path, tmp_path: Path) -> None:
    system, state = told(demo_folder, ["duty"], 1), tmp_path / "far-end.jsonl"
    state.touch()

    def heard() -> list[str]:
        with system.store.read() as work:
            return [entry.kind for entry in work.ledger.entries() if entry.kind.startswith("notice.")]

    with _far_end(system, state):
        port = int(system.settings.site.public_url.rpartition(":")[2])
        with running(system, "127.0.0.1", port, ("web", "worker")):
            until(lambda: "notice.answered" in heard() and states(system, 1) == {DispatchState.DELIVERED: 1})
    assert json.loads(state.read_text())["body"].startswith("【烟台地灾预警】合成演示降雨（非真实预报）。第0件")
    system.store.dispose()


def test_an_answer_is_believed_only_when_signed(demo_system: System) -> None:
    with TestClient(create_app(demo_system)) as client:
        number = str(demo_facts()["people"][0]["phone"])
        assert client.post("/hooks/twilio/inbound", data={"From": number, "Body": "1"}).status_code == 403
        assert call(client, demo_system, "/hooks/twilio/inbound", From=number, Body="1") == 200
    with demo_system.store.read() as work:
        kinds = [entry.actor for entry in work.ledger.entries() if entry.kind == "notice.answered"]
    assert kinds == ["duty (SMS)"]
