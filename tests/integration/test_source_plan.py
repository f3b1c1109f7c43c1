"""The source plan at work: fetched, decided, fallen back from, late, and shown, all from what the tables hold."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.test_console_pages import Desk
from tests.integration.test_serve import waited
from tests.unit.far_end import FarEnd, answer, far_end, file
from typer.testing import CliRunner

from geowarn.bootstrap import System, active_rules, open_system
from geowarn.catalogue import explain
from geowarn.cli import app
from geowarn.demo.storm import write_storm_grib
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.review import dismiss
from geowarn.pipeline.rule_acts import switch_on
from geowarn.pipeline.rules import parse_rules
from geowarn.ports import UnitOfWork
from geowarn.resources import config_dir
from geowarn.scheduler import Scheduler

COUNTY = "370687"
PLAN = """
[near]
reader = "csv"
way = "folder"
enabled = true
order = 1
cron = "0 * * * *"
expected_minutes = 30
needs_hours = 24
stale_hours = 6
[net]
reader = "csv"
way = "url"
enabled = true
order = 2
cron = "0 * * * *"
expected_minutes = 30
needs_hours = 24
stale_hours = 12
retry_minutes = 5
[net.parameters]
url = "{base}/rain.csv"
total_seconds = 2
"""


def rain(run: datetime, hours: int = 48, mm: float = 10.0) -> bytes:
    """Hourly rain of one county from the run's time on."""
    rows = ["# synthetic: test", f"# run: {run.isoformat()}", "area,start,end,mm,kind"]
    for hour in range(hours):
        start = run + timedelta(hours=hour)
        rows.append(f"{COUNTY},{start.isoformat()},{(start + timedelta(hours=1)).isoformat()},{mm},forecast")
    return "\n".join(rows).encode()


@pytest.fixture
def far() -> Iterator[FarEnd]:
    with far_end() as served:
        yield served


@pytest.fixture
def system(demo_folder: Path, settable_clock: SettableClock, far: FarEnd) -> Iterator[System]:
    (demo_folder / "config" / "sources.toml").write_text(PLAN.format(base=far.base), "utf-8")
    later = settable_clock.moment + timedelta(hours=1)  # keys made just now hold from now on
    settable_clock.moment = later.replace(minute=10, second=0, microsecond=0)
    opened = open_system(demo_folder, settable_clock)
    yield opened
    opened.store.dispose()


@pytest.fixture
def hour(settable_clock: SettableClock, system: System) -> datetime:
    return settable_clock.moment.replace(minute=0)


def put(system: System, content: bytes, name: str = "rain.csv", folder: str = "near") -> Path:
    path = system.data_dir / "inbox" / folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    past = system.clock.now().timestamp() - 60
    os.utime(path, (past, past))
    return path


def seen(system: System, what: Callable[[UnitOfWork], object]) -> object:
    with system.store.read() as work:
        return what(work)


def tasks(system: System) -> set[tuple[str, str]]:
    with system.store.read() as work:
        return {(one.kind, one.subject) for one in work.tasks.pending() if one.kind != "worker-silent"}


def assessed(system: System) -> list[str]:
    """Origins of the assessed runs, oldest first."""
    with system.store.read() as work:
        runs = work.assessments.latest(50)[::-1]
        found = [work.forecasts.get(run.forecast_id) for run in runs]
    return [one.origin for one in found if one is not None]


def test_a_fetched_run_becomes_levels_and_a_proposal(system: System, far: FarEnd, hour: datetime) -> None:
    far.on("/rain.csv", file(rain(hour), ETag='"1"'))
    scheduler, net = Scheduler(system), system.sources["net"]
    scheduler.fetch(net)
    assert assessed(system) == ["net"]
    with system.store.read() as work:
        (proposal,) = work.proposals.open()
        assert {area.code for area in proposal.content.areas} == {COUNTY}
        assert proposal.content.highest >= Level.ORANGE
    scheduler.fetch(net)
    assert far.count("/rain.csv") == 1  # nothing is due before the next slot


@pytest.mark.usefixtures("machine_time")
def test_the_ticks_fetch_what_was_missed_and_stop_though_a_far_end_says_nothing(
    system: System, far: FarEnd, hour: datetime
) -> None:
    def silent(_: BaseHTTPRequestHandler) -> None:
        far.released.wait()

    far.on("/rain.csv", file(rain(hour)))
    scheduler = Scheduler(system)
    scheduler.start()
    try:
        assert waited(lambda: assessed(system) == ["net"])
    finally:
        scheduler.stop()
    far.on("/rain.csv", silent)
    asked = far.count("/rain.csv")
    system.clock.advance(hours=2)  # type: ignore[attr-defined]
    scheduler = Scheduler(system)
    scheduler.start()
    try:
        assert waited(lambda: far.count("/rain.csv") > asked)
    finally:
        scheduler.stop()  # returns: the fetch gives up at its deadline


def test_what_failed_is_tried_again_and_what_is_late_is_an_alarm_until_it_comes(
    system: System, far: FarEnd, hour: datetime, settable_clock: SettableClock
) -> None:
    far.on("/rain.csv", answer(200, b"<html>down for maintenance</html>"))
    scheduler, net = Scheduler(system), system.sources["net"]
    scheduler.fetch(net)
    scheduler.fetch(net)
    assert far.count("/rain.csv") == 1  # once in its retry time
    assert seen(system, lambda work: [one.kind for one in work.source_events.of_source("net")]) == ["failed"]
    settable_clock.advance(minutes=21)
    scheduler.watch()
    assert {("no-forecast", "near"), ("no-forecast", "net"), ("no-forecast", "installation")} == tasks(system)
    scheduler.watch()
    assert seen(system, lambda work: [one.kind for one in work.source_events.of_source("net")]) == ["late", "failed"]
    far.on("/rain.csv", file(rain(hour)))
    scheduler.fetch(net)
    assert assessed(system) == ["net"]
    assert ("no-forecast", "net") not in tasks(system)
    scheduler.watch()
    assert ("no-forecast", "installation") not in tasks(system)


def test_a_bad_file_is_noted_once_with_its_reason(
    system: System, far: FarEnd, hour: datetime, settable_clock: SettableClock
) -> None:
    far.on("/rain.csv", file(rain(hour).replace(b"10.0", b"ten", 1)))
    scheduler, net = Scheduler(system), system.sources["net"]
    for _ in range(3):
        scheduler.fetch(net)
        settable_clock.advance(minutes=5)
    assert far.count("/rain.csv") == 3
    with system.store.read() as work:
        (event,) = work.source_events.of_source("net")
    assert (event.kind, event.facts["key"]) == ("refused", "sources.csv-number")
    assert ("input-refused", "rain.csv") in tasks(system)


def test_half_a_run_over_the_network_waits(system: System, far: FarEnd, hour: datetime) -> None:
    far.on("/rain.csv", file(rain(hour, hours=12)))
    Scheduler(system).fetch(system.sources["net"])
    assert assessed(system) == []
    with system.store.read() as work:
        assert work.forecasts.latest() == ()
        (event,) = work.source_events.of_source("net")
    assert (event.kind, event.facts["lacks"][0][0]) == ("waiting", (hour + timedelta(hours=12)).isoformat())


def test_an_outage_is_made_up_for_after_a_restart(
    system: System, far: FarEnd, hour: datetime, settable_clock: SettableClock
) -> None:
    far.on("/rain.csv", file(rain(hour)))
    Scheduler(system).fetch(system.sources["net"])
    settable_clock.advance(hours=5, minutes=13)  # no slot is at hand, several have passed
    far.on("/rain.csv", file(rain(hour + timedelta(hours=5))))
    Scheduler(system).fetch(system.sources["net"])
    assert assessed(system) == ["net", "net"]


def test_the_next_source_stands_in_and_the_officer_is_told(
    system: System, far: FarEnd, hour: datetime, settable_clock: SettableClock
) -> None:
    far.on("/rain.csv", file(rain(hour)))
    scheduler = Scheduler(system)
    put(system, rain(hour - timedelta(hours=5)))
    scheduler.take_in()
    scheduler.fetch(system.sources["net"])
    assert assessed(system) == ["near"]  # older, but fresh enough and asked first
    assert not [kind for kind, _ in tasks(system) if kind == "fallback"]
    settable_clock.advance(hours=2)
    scheduler.assess_newest()
    assert assessed(system) == ["near", "net"]
    assert ("fallback", "near") in tasks(system)
    settable_clock.advance(minutes=1)
    put(system, rain(hour + timedelta(hours=2)))
    scheduler.take_in()
    assert assessed(system) == ["near", "net", "near"]
    assert ("fallback", "near") not in tasks(system)
    scheduler.assess_newest()
    assert len(assessed(system)) == 3


def test_switched_on_rules_hold_for_the_present_forecast_at_the_next_tick(
    system: System, hour: datetime, officer_of: Callable[[str], Actor], settable_clock: SettableClock
) -> None:
    """They may raise at once; for a lower level newer complete runs are needed all the same (house rule 1)."""
    put(system, rain(hour, mm=4.0))  # 96 mm in 24 h: class 2, and a level lower in this terrain
    scheduler = Scheduler(system)
    scheduler.take_in()
    shipped = active_rules(system)
    sharper = shipped.text.replace("[50, 70, 110, 160, 250]", "[20, 30, 40, 50, 250]").replace('"1"', '"2"', 1)
    milder = shipped.text.replace("[50, 70, 110, 160, 250]", "[150, 170, 210, 260, 350]").replace('"1"', '"3"', 1)
    levels = [level_now(system)]
    for text in (sharper, milder):
        rules = parse_rules(text.encode(), "own.toml")
        old, leader = active_rules(system), officer_of("leader")
        switch_on(system.store, system.clock, system.models, rules, old, leader, "率定", None)
        settable_clock.advance(minutes=1)
        scheduler.assess_newest()
        scheduler.assess_newest()
        levels.append(level_now(system))
    assert len(assessed(system)) == 3, "once under each rule set"
    assert levels[0] < levels[1]
    assert levels[2] < levels[0]
    with system.store.read() as work:
        (proposal,) = work.proposals.open()
    assert proposal.content.highest == levels[1], "what the sharper rules said stands"


def level_now(system: System) -> Level:
    with system.store.read() as work:
        found = work.assessments.latest(1)[0].for_area(COUNTY)
    return (found.level if found else None) or Level.NONE


def test_the_age_of_the_forecast_is_that_of_its_newest_run(
    system: System, hour: datetime, settable_clock: SettableClock
) -> None:
    page = Desk(system, "duty")

    def age() -> float:
        (said,) = [one for one in page.get("/metrics").splitlines() if one.startswith("geowarn_forecast_age_seconds ")]
        return float(said.split()[1])

    put(system, rain(hour))
    put(system, rain(hour - timedelta(hours=6)).replace(b"forecast", b"observed"), "gauges.csv")
    Scheduler(system).take_in()
    young = (settable_clock.moment - hour).total_seconds()
    assert age() == pytest.approx(young)
    settable_clock.advance(minutes=3 * 24 * 60)
    assert age() == pytest.approx(young + 3 * 24 * 3600), "it goes on growing when nothing comes"


def test_each_run_is_proposed_from_once_whatever_came_between(
    system: System, hour: datetime, officer_of: Callable[[str], Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    put(system, rain(hour))
    Scheduler(system)._inbox.look()  # killed after ingest
    scheduler = Scheduler(system)
    monkeypatch.setattr("geowarn.assess_ticks.propose_once", lambda *_: False)
    scheduler.assess_newest()  # killed after assess
    monkeypatch.undo()
    with system.store.read() as work:
        assert work.proposals.open() == ()
        (run,) = work.assessments.latest()
    Scheduler(system).assess_newest()
    assert assessed(system) == ["near"]
    with system.store.read() as work:
        (proposal,) = work.proposals.open()
    assert proposal.content.assessment_id == run.id
    dismiss(system.desk, proposal.warning_id, "误报", officer_of("duty"))
    Scheduler(system).assess_newest()
    assert seen(system, lambda work: work.proposals.open()) == ()


@pytest.fixture
def officer_of(system: System) -> Callable[[str], Actor]:
    def named(name: str) -> Actor:
        with system.store.read() as work:
            user = work.users.get(name)
        assert user is not None
        return Actor(user, "command line", "test")

    return named


def test_the_inputs_page_says_it_in_both_languages(
    system: System, far: FarEnd, hour: datetime, settable_clock: SettableClock
) -> None:
    far.on("/rain.csv", answer(200, b"<html>down</html>"))
    scheduler, duty = Scheduler(system), Desk(system, "duty")
    assert "没有可用的降雨预报" in duty.get("/console/inputs")
    put(system, rain(hour))
    put(system, rain(hour + timedelta(hours=1), hours=12), "half.csv")
    put(system, b"area,start\n", "broken.csv")
    scheduler.take_in()
    scheduler.fetch(system.sources["net"])
    settable_clock.advance(minutes=25)
    scheduler.watch()
    zh, en = (duty.get(f"/console/inputs?lang={language}") for language in ("zh", "en"))
    assert "half.csv 尚不完整" in zh
    assert "half.csv is not whole yet" in en
    assert "broken.csv" in zh
    assert "answered with a web page" in en
    assert "迟到" in zh
    assert "near" in en
    assert "in use" in en
    home = duty.get("/console/?lang=en")
    assert 'href="/console/inputs"' in home
    assert "net: the run that was due has not come" in home


def command(system: System, *words: str) -> Any:
    return CliRunner().invoke(app, [*words, "--data", str(system.data_dir)])


def refused(system: System, *words: str) -> str:
    """Why the command was refused, in English."""
    fault = command(system, *words).exception
    assert isinstance(fault, Refused), fault
    return explain(fault, "en")


@pytest.mark.usefixtures("machine_time")
def test_the_command_line_runs_a_source_once(system: System, far: FarEnd, hour: datetime) -> None:
    far.on("/rain.csv", file(rain(hour, hours=12)), file(rain(hour)))
    assert (hour + timedelta(hours=12)).isoformat() in refused(system, "ingest", "net")
    line = [sys.executable, "-m", "geowarn", "ingest", "net", "--data", str(system.data_dir)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    with system.store.read() as work:
        (forecast,) = work.forecasts.latest()
    assert (done.stdout.strip(), forecast.origin) == (forecast.id, "net")
    assert "near, net" in refused(system, "ingest", "nobody")
    assert "--file" in refused(system, "ingest", "csv")
    assert "near" in refused(system, "ingest", "near")
    short = str(put(system, rain(hour, 6), "x.csv", "elsewhere"))
    assert "24 h" in refused(system, "ingest", "near", "--file", short)
    whole = str(put(system, rain(hour, 30), "y.csv", "elsewhere"))
    assert command(system, "ingest", "near", "--file", whole).stdout.startswith("f-")
    assert '"needs_hours": 24' in command(system, "config", "check").stdout


def test_the_order_of_the_plan_says_which_source_is_better(system: System) -> None:
    assert system.desk.policy.course.sources == ("near", "net")
    plan = system.data_dir / "config" / "sources.toml"
    text = plan.read_text("utf-8")
    plan.write_text(text.replace("order = 1", "order = 3"), "utf-8")
    assert opened(system).desk.policy.course.sources == ("net", "near")
    plan.write_text(text.replace("enabled = true", "enabled = false", 1), "utf-8")
    assert opened(system).desk.policy.course.sources == ("net",)
    plan.write_text("[near", "utf-8")
    assert opened(system).desk.policy.course.sources == (), "the console opens all the same; nobody is better"
    plan.write_text(text, "utf-8")
    policy = (config_dir() / "policy.toml").read_text("utf-8").replace("sources = []", 'sources = ["net"]')
    (system.data_dir / "config" / "policy.toml").write_text(policy, "utf-8")
    assert opened(system).desk.policy.course.sources == ("net",), "the policy's own word goes first"


def opened(system: System) -> System:
    return open_system(system.data_dir, system.clock)


def test_a_wrong_plan_is_found_by_config_check(system: System) -> None:
    plan = system.data_dir / "config" / "sources.toml"
    plan.write_text(plan.read_text("utf-8").replace("order = 2", 'order = "2"'), "utf-8")
    said = refused(system, "config", "check")
    for word in ("sources.toml", "net", "order", "'2'", "0 … 99"):
        assert word in said


def test_a_grib_run_in_the_folder_of_the_shipped_source(demo_system: System, settable_clock: SettableClock) -> None:
    start = settable_clock.moment.replace(minute=0, second=0, microsecond=0)
    folder = demo_system.data_dir / "inbox" / "observatory"
    folder.mkdir(parents=True)
    file = folder / f"storm-{start:%Y%m%d%H}.grib2"
    write_storm_grib(file, start)
    os.utime(file, (settable_clock.moment.timestamp(),) * 2)  # written now, whatever the hour of the test
    scheduler = Scheduler(demo_system)
    scheduler.take_in()  # new: not touched at the first look
    assert assessed(demo_system) == []
    scheduler.take_in()
    assert assessed(demo_system) == ["observatory"]
    assert seen(demo_system, lambda work: len(work.proposals.open())) == 1
