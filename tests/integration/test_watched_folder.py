"""`geowarn serve` with a watched folder, and kill -9 between any two steps from file to proposal (house rule 4)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from tests.integration.forked import ended
from tests.integration.test_serve import seen, waited
from tests.integration.test_source_plan import PLAN, rain

from geowarn.bootstrap import open_system
from geowarn.demo.setting import password_of
from geowarn.demo.storm import storm_run_time, write_storm_grib
from geowarn.domain.level import Level
from geowarn.ports import UnitOfWork

OURS = {"Sec-Fetch-Site": "same-origin"}


def halves(grib: bytes) -> tuple[bytes, bytes]:
    """The first twelve messages of a file, and the others."""
    position = 0
    for _ in range(12):
        position += int.from_bytes(grib[position + 8 : position + 16], "big")
    return grib[:position], grib[position:]


@pytest.fixture
def served(demo_folder: Path) -> Iterator[tuple[Path, str]]:
    address = open_system(demo_folder).settings.site.public_url
    env = os.environ | {"GEOWARN_SCHEDULE__EXPIRY_SECONDS": "1", "LC_ALL": "C.UTF-8"}
    command = [sys.executable, "-m", "geowarn", "serve", "--port", str(urlsplit(address).port)]
    with subprocess.Popen([*command, "--data", str(demo_folder)], env=env, stdout=subprocess.DEVNULL) as process:
        try:
            yield demo_folder, address
        finally:
            process.kill()


def inputs_page(address: str) -> str:
    with requests.Session() as session:
        session.trust_env = False
        form = {"name": "duty", "password": password_of("duty")}
        session.post(f"{address}/console/login", data=form, headers=OURS, timeout=60)
        return session.get(f"{address}/console/inputs", timeout=60).text


def test_half_a_run_waits_and_the_rest_makes_levels_and_a_proposal(served: tuple[Path, str], tmp_path: Path) -> None:
    folder, address = served
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    write_storm_grib(tmp_path / "storm.grib2", start)
    run = storm_run_time(start)
    for name, part in zip("ab", halves((tmp_path / "storm.grib2").read_bytes()), strict=True):
        (tmp_path / f"storm-{run:%Y%m%d%H}-{name}.grib2").write_bytes(part)
    inbox = folder / "inbox" / "observatory"
    inbox.mkdir(parents=True)
    shutil.move(tmp_path / f"storm-{run:%Y%m%d%H}-a.grib2", inbox)

    def waits(work: UnitOfWork) -> bool:
        return work.source_events.newest("observatory", "waiting") is not None

    assert waited(lambda: seen(folder, waits), 120), "half a run was not noticed"
    assert seen(folder, lambda work: not work.forecasts.latest() and not work.assessments.latest())
    with_gap = inputs_page(address)
    assert f"起报 {run:%Y%m%d%H} 尚不完整" in with_gap
    shutil.move(tmp_path / f"storm-{run:%Y%m%d%H}-b.grib2", inbox)
    assert waited(lambda: seen(folder, lambda work: bool(work.proposals.open())), 120), "no proposal"

    def red(work: UnitOfWork) -> bool:
        (proposal,) = work.proposals.open()
        (forecast,) = work.forecasts.latest()
        return proposal.content.highest is Level.RED and len(forecast.files) == 2 and forecast.origin == "observatory"

    assert seen(folder, red)
    assert "正在使用" in inputs_page(address)


PLACES = [
    "-geowarn.pipeline.intake:ingest",
    "+geowarn.pipeline.intake:ingest",
    "+geowarn.pipeline.inbox:note_good",
    "-geowarn.pipeline.inbox:Inbox._set_aside",
    "+geowarn.pipeline.inbox:Inbox._set_aside",
    "-geowarn.assess_ticks:assess_all",
    "+geowarn.pipeline.assess:keep_alone",
    "-geowarn.pipeline.assess:keep_beside",
    "+geowarn.pipeline.assess:keep_beside",
    "+geowarn.assess_ticks:assess_all",
    "-geowarn.pipeline.decide:propose_from_run",
    "+geowarn.pipeline.decide:propose_from_run",
    "+geowarn.assess_ticks:propose_once",
]


def start(folder: Path, moment: datetime, place: str = "") -> int:
    return ended("tests.integration.crash_child", str(folder), place, moment.isoformat()).returncode


def prepared(template: Path, folder: Path, hour: datetime) -> Path:
    shutil.copytree(template, folder)
    (folder / "config" / "sources.toml").write_text(PLAN.format(base="http://127.0.0.1:9"), "utf-8")
    (folder / "inbox" / "near").mkdir(parents=True)
    for name, content in (("rain.csv", rain(hour)), ("bad.csv", b"area,start\n")):
        path = folder / "inbox" / "near" / name
        path.write_bytes(content)
        past = hour.timestamp() - 60
        os.utime(path, (past, past))
    return folder


def end_state(folder: Path) -> list[object]:
    """What is left when nothing more is to be done, without times and random ids."""
    system = open_system(folder)
    with system.store.read() as work:
        found: list[object] = [
            sorted(entry.kind for entry in work.ledger.entries()),
            [one.id for one in work.forecasts.latest()],
            [(one.id, one.forecast_id) for one in work.assessments.latest()],
            [(one.content.assessment_id, one.content.areas) for one in work.proposals.open()],
            sorted((one.kind, one.subject) for one in work.tasks.pending() if one.kind != "review"),
            sorted(one.kind for one in work.source_events.of_source("near")),
        ]
    system.store.dispose()
    inbox = folder / "inbox"
    return [*found, sorted(path.name[16:] for path in inbox.rglob("*.csv"))]


@pytest.fixture(scope="module")
def now() -> datetime:
    """One moment for all of them: the next full hour would make other levels of the same rain."""
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def hour(now: datetime) -> datetime:
    return now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)


@pytest.fixture(scope="module")
def undisturbed(
    demo_now: Path, tmp_path_factory: pytest.TempPathFactory, now: datetime, hour: datetime
) -> list[object]:
    folder = prepared(demo_now, tmp_path_factory.mktemp("calm") / "data", hour)
    assert start(folder, now) == 0
    return end_state(folder)


def test_undisturbed_there_is_one_of_each(undisturbed: list[object]) -> None:
    kinds, forecasts, runs, proposals, tasks, events, files = undisturbed
    counts: Callable[[str], int] = kinds.count  # type: ignore[attr-defined]
    assert [counts(kind) for kind in ("forecast.ingested", "assessment.made", "warning.opened", "input.refused")] == [
        1, 3, 1, 1,
    ]  # fmt: skip
    assert [len(found) for found in (forecasts, runs, proposals)] == [1, 1, 1]  # type: ignore[arg-type]
    assert (tasks, events) == ([("input-refused", "bad.csv")], ["good", "refused"])
    assert files == ["bad.csv", "rain.csv"]


@pytest.mark.parametrize("place", PLACES)
def test_killed_between_two_steps_and_started_again_it_ends_the_same(
    demo_now: Path, tmp_path: Path, now: datetime, hour: datetime, undisturbed: list[object], place: str
) -> None:
    folder = prepared(demo_now, tmp_path / "data", hour)
    assert start(folder, now, place) == -signal.SIGKILL, "it was not killed there"
    assert start(folder, now) == 0
    assert end_state(folder) == undisturbed
