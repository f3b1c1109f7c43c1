"""kill -9 in the middle of a fan-out, then start again: one message a number, none in doubt (house rule 5)."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from rich.progress import Progress

from geowarn.bootstrap import System, open_system
from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.ledger import first_fault
from geowarn.domain.level import Level
from geowarn.domain.package import Artefact, Package
from geowarn.domain.recipient import Recipient
from geowarn.domain.warning import Act, AreaLevel, Content, HazardWarning, Proposal, Series, WarningStatus
from geowarn.pipeline.fanout import dispatches_for
from geowarn.pipeline.liveness import worker_alive
from geowarn.worker import run_until_settled

COUNTY = "370687"
PATIENCE = 120.0  # seconds; the whole takes a fraction


def _recipients(system: System, count: int) -> list[str]:
    numbers = [f"+1303556{index:04d}" for index in range(count)]
    now = system.clock.now()
    rows = [
        Recipient(
            f"r{n}", system.vault.key_of(n), system.vault.seal(n), "masked", COUNTY, "zh", "resident", "asked", now
        )
        for n in numbers
    ]
    with system.store.begin() as work:
        for known in work.recipients.all():
            work.recipients.opt_out(known.phone_key, now)
        work.recipients.add_all(rows)
        work.commit()
    return numbers


def _release(system: System) -> None:
    """A frozen bulletin with its dispatches in one transaction, as `release` writes them."""
    now = datetime.now(UTC)
    areas = (AreaLevel(COUNTY, Level.RED),)
    content = Content(
        Act.ISSUE, Series.REAL, areas, now, now + timedelta(hours=2), now + timedelta(hours=1), synthetic=True
    )
    files = (Artefact("sms/red.zh.txt", "text/plain", "【烟台地灾预警】合成演示降雨（非真实预报）。".encode()),)
    package = Package(content.as_json(), files)
    with system.store.begin() as work:
        work.warnings.add(HazardWarning("w1", Series.REAL, WarningStatus.IN_FORCE, now))
        work.proposals.add(Proposal("p1", "w1", 1, content, package.sha256, "x", now), package)
        serial = work.bulletins.next_serial(Series.REAL, now.year)
        bulletin = Bulletin(
            "b1", "w1", "p1", Series.REAL, now.year, serial, f"{serial}号", f"{now.year}-{serial:03d}", now, content,
            package.sha256, {}, {a.path: a.sha256 for a in files},
        )  # fmt: skip
        work.bulletins.add(bulletin, files)
        work.dispatches.add_all(
            dispatches_for(
                bulletin,
                channels={"sms": system.channels["sms"]},
                recipients=work.recipients.all(),
                areas=by_code(work.areas.all()),
                stations=(),
                earlier=(),
                publish_from=Level.YELLOW,
                release_at=now,
            )
        )
        work.commit()


@contextmanager
def _far_end(system: System, state: Path) -> Iterator[None]:
    sms = system.settings.sms
    command = [sys.executable, "-m", "geowarn.demo.standin", "--port", str(urlsplit(sms.base_url).port)]
    command += ["--state", str(state), "--stop-with-stdin", "--latency-ms", "10"]
    command += ["--account-sid", sms.account_sid, "--auth-token", sms.auth_token]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        yield


def _worker(folder: Path) -> subprocess.Popen[bytes]:
    environment = os.environ | {"GEOWARN_SMS__TIMEOUT_SECONDS": "1", "GEOWARN_SMS__SEGMENTS_PER_SECOND": "5000"}
    command = [sys.executable, "-m", "geowarn", "serve", "--only", "worker", "--data", str(folder)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _had(state: Path) -> Counter[str]:
    """Messages per number; the far end may just be writing its last line."""
    lines = state.read_text("utf-8").splitlines(keepends=True)
    return Counter(json.loads(line)["to"] for line in lines if line.endswith("\n"))


def _until_had(state: Path, count: int, worker: subprocess.Popen[bytes]) -> None:
    until = time.monotonic() + PATIENCE
    while _had(state).total() < count:
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < until, f"only {_had(state).total()} messages"
        time.sleep(0.02)


def _until_settled(system: System, worker: subprocess.Popen[bytes]) -> dict[DispatchState, int]:
    until = time.monotonic() + PATIENCE
    while True:
        with system.store.read() as work:
            open_rows, counts = work.dispatches.unsettled("b1"), work.dispatches.counts("b1")["sms"]
        if not open_rows:
            return counts
        assert worker.poll() is None, "the worker ended by itself"
        assert time.monotonic() < until, counts
        time.sleep(0.2)


@pytest.mark.parametrize(
    ("count", "kills"),
    [(600, (0.2, 0.6)), (2000, (0.1, 0.4, 0.8))],
)
def test_kill_and_start_again(demo_folder: Path, tmp_path: Path, count: int, kills: tuple[float, ...]) -> None:
    system = open_system(demo_folder)
    state = tmp_path / "far-end.jsonl"
    state.touch()
    numbers = _recipients(system, count)
    _release(system)
    with _far_end(system, state):
        for share in kills:
            worker = _worker(demo_folder)
            try:
                _until_had(state, int(share * count), worker)
            finally:
                worker.send_signal(signal.SIGKILL)
                worker.wait()
        worker = _worker(demo_folder)
        try:
            counts = _until_settled(system, worker)
        finally:
            worker.terminate()
            assert worker.wait(30) == 0  # SIGTERM stops cleanly
    assert counts == {DispatchState.ACCEPTED: count}
    assert _had(state) == Counter(numbers)
    with system.store.read() as work:
        kinds = Counter(entry.kind for entry in work.ledger.entries())
        assert first_fault(work.ledger.entries()) is None
        reasons = Counter(attempt.reason for attempt in work.dispatches.attempts("b1"))
    assert kinds["dispatch.reconciled"] > 0
    assert reasons["deliver.found"] + reasons["deliver.never-had"] > 0
    system.store.dispose()


def test_a_process_that_waits_works_the_shards_itself(demo_folder: Path, tmp_path: Path) -> None:
    system = open_system(demo_folder)
    state = tmp_path / "far-end.jsonl"
    state.touch()
    numbers = _recipients(system, 60)
    _release(system)
    with system.store.read() as work:
        assert not worker_alive(work, system.clock.now())
    with _far_end(system, state), Progress(disable=True) as progress:
        run_until_settled(system, "b1", progress)
        assert [(task.description, task.completed, task.total) for task in progress.tasks] == [("sms", 60, 60)]
    assert _had(state) == Counter(numbers)
    system.store.dispose()
