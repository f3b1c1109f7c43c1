"""`geowarn serve` as a process: files dropped in become a proposal, and SIGTERM ends it cleanly."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests

from geowarn.bootstrap import open_system
from geowarn.demo.storm import write_antecedent_csv, write_storm_grib
from geowarn.domain.level import Level
from geowarn.ports import UnitOfWork


def waited(for_what: Callable[[], bool], seconds: float = 60) -> bool:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if for_what():
            return True
        time.sleep(0.2)
    return False


@pytest.fixture
def served(demo_folder: Path) -> Iterator[tuple[Path, str, subprocess.Popen[str]]]:
    address = open_system(demo_folder).settings.site.public_url
    port = str(urlsplit(address).port)
    env = os.environ | {"GEOWARN_SCHEDULE__EXPIRY_SECONDS": "1", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "geowarn", "serve", "--port", port, "--data", str(demo_folder)]
    process = subprocess.Popen(command, env=env, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    try:
        yield demo_folder, address, process
    finally:
        process.kill()
        process.communicate()


def fetched(url: str) -> int:
    with requests.Session() as session:
        session.trust_env = False
        try:
            return session.get(url, timeout=5).status_code
        except requests.RequestException:
            return 0


def seen(folder: Path, test: Callable[[UnitOfWork], bool]) -> bool:
    store = open_system(folder).store
    with store.read() as work:
        found = test(work)
    store.dispose()
    return found


def test_a_dropped_run_becomes_a_proposal_and_half_a_file_does_not(
    served: tuple[Path, str, subprocess.Popen[str]],
) -> None:
    folder, address, process = served
    assert waited(lambda: fetched(f"{address}/readyz") == 200), "never ready"
    assert fetched(f"{address}/") == 200
    assert fetched(f"{address}/feeds/warnings.rss") == 200
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    inbox = folder / "inbox"
    (inbox / "csv").mkdir(parents=True)
    (inbox / "grib").mkdir()
    (inbox / "csv" / "broken.csv").write_text("area,start\n")
    write_antecedent_csv(folder / "antecedent.csv", start, ["370687", "370682"])
    (folder / "antecedent.csv").rename(inbox / "csv" / "antecedent.csv")
    write_storm_grib(inbox / "grib" / "storm.grib2.part", start)
    assert waited(lambda: bool(list((inbox / "refused").glob("*broken.csv")))), "the broken file was not set aside"
    assert not seen(folder, lambda work: bool(work.proposals.open())), "half a file led to a proposal"
    (inbox / "grib" / "storm.grib2.part").rename(inbox / "grib" / "storm.grib2")
    assert waited(lambda: seen(folder, lambda work: bool(work.proposals.open()))), "no proposal"

    def red(work: UnitOfWork) -> bool:
        (proposal,) = work.proposals.open()
        return proposal.content.highest is Level.RED and proposal.edited_by == "system"

    assert seen(folder, red)
    assert seen(folder, lambda work: any(t.kind == "input-refused" for t in work.tasks.pending()))
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 0, errors
    assert "Traceback" not in errors
    assert not (folder / "geowarn.db-wal").exists()  # the file alone is a whole copy


def test_one_part_alone_runs_and_stops(demo_folder: Path) -> None:
    command = [sys.executable, "-m", "geowarn", "serve", "--only", "worker", "--data", str(demo_folder)]
    process = subprocess.Popen(command, text=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    assert waited(
        lambda: seen(demo_folder, lambda work: bool(work.ticks.alive("worker", datetime(2020, 1, 1, tzinfo=UTC))))
    )
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=40)
    assert process.returncode == 0, errors
