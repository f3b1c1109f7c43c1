"""Watched folders: whole runs go in, half a run waits and says for what, bad files stand aside (bugs 15 and 16)."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import permutations
from pathlib import Path
from typing import Any, TypeVar

import pytest
from tests.integration.conftest import SettableClock

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, Payload, RainField, RainKind, Reading
from geowarn.domain.settings_table import SettingsTable
from geowarn.domain.source import Source
from geowarn.pipeline.inbox import Inbox
from geowarn.pipeline.intake import Intake
from geowarn.ports import Reader, SourceEvent, UnitOfWork
from geowarn.store.unit_of_work import SqlStore

NOW = datetime(2026, 7, 23, 4, tzinfo=UTC)
RUN = datetime(2026, 7, 23, 0, tzinfo=UTC)


T = TypeVar("T")


class StepsReader:
    """A third party's reader: JSON files of one step each, rain in one county."""

    name = "steps"

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        steps = [self._step(file) for file in files]
        if len({step["run"] for step in steps}) > 1:
            raise Refused("sources.grib-no-rain", file=files[0].name, count=0)
        run = datetime.fromisoformat(steps[0]["run"])
        kind = RainKind(steps[0].get("kind", "forecast"))
        fields = [
            RainField(
                Period(run + timedelta(hours=step["from"]), run + timedelta(hours=step["to"])),
                AreaUnits(("370687",)), (step["mm"],), kind, "steps", run,
            )
            for step in steps
        ]  # fmt: skip
        return (Reading(tuple(fields), "steps", run),)

    def _step(self, file: Payload) -> Mapping[str, Any]:
        try:
            found: Mapping[str, Any] = json.loads(file.path.read_bytes())
        except ValueError:
            raise Refused("sources.grib-no-rain", file=file.name, count=0) from None
        return found


class BrokenReader:
    """A third party's reader with a fault of its own."""

    name = "broken"

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        raise ZeroDivisionError(files[0].name)


def source(name: str = "office", **changes: Any) -> Source:
    facts: dict[str, Any] = {
        "name": name, "reader": "steps", "way": "folder", "enabled": True, "order": 1, "cron": "", "zone": "UTC",
        "expected_minutes": 60, "needs_hours": 24, "stale_hours": 12, "patience_minutes": 120, "retry_minutes": 5,
        "pattern": r"^(?P<run>\d{10})", "parameters": SettingsTable("sources.toml", name, {}),
    }  # fmt: skip
    return Source(**{**facts, **changes})


@dataclass
class Office:
    """A data folder with an inbox; every file put there is old enough to be whole."""

    store: SqlStore
    folder: Path
    clock: SettableClock
    sources: list[Source] = field(default_factory=lambda: [source()])

    def __post_init__(self) -> None:
        readers: dict[str, Reader] = {"steps": StepsReader(), "broken": BrokenReader()}
        intake = Intake(self.store, self.clock, readers, self.folder / "raw", False, "scheduler")
        self.inbox = Inbox(self.folder / "inbox", intake, {one.name: one for one in self.sources})

    def put(self, name: str, content: bytes, folder: str = "office", old: bool = True) -> Path:
        path = self.folder / "inbox" / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        if old:
            past = (self.clock.now() - timedelta(minutes=1)).timestamp()
            os.utime(path, (past, past))
        return path

    def step(self, start: int, end: int, run: datetime = RUN, folder: str = "office", **more: Any) -> Path:
        facts = {"run": run.isoformat(), "from": start, "to": end, "mm": 1.0, **more}
        return self.put(f"{run:%Y%m%d%H}-{end:03d}.json", json.dumps(facts).encode(), folder)

    def look(self) -> list[str]:
        looked = self.inbox.look()
        assert looked.faults == ()
        return [one.id for one in looked.taken]

    def seen(self, what: Callable[[UnitOfWork], T]) -> T:
        with self.store.read() as work:
            return what(work)

    def forecasts(self) -> tuple[Forecast, ...]:
        return self.seen(lambda work: work.forecasts.latest())

    def events(self, kind: str, name: str = "office") -> list[SourceEvent]:
        return [one for one in self.seen(lambda work: work.source_events.of_source(name)) if one.kind == kind]

    def tasks(self) -> list[tuple[str, str]]:
        return sorted((one.kind, one.subject) for one in self.seen(lambda work: work.tasks.pending()))

    def ledger(self) -> list[str]:
        return [one.kind for one in self.seen(lambda work: work.ledger.entries())]

    def left(self, folder: str = "office") -> list[str]:
        return sorted(path.name for path in (self.folder / "inbox" / folder).iterdir())


@pytest.fixture
def store() -> Iterator[SqlStore]:
    store = SqlStore.in_memory()
    with store.begin() as work:
        work.areas.save_all([Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang")])
        work.commit()
    yield store
    store.dispose()


@pytest.fixture
def office(store: SqlStore, tmp_path: Path) -> Office:
    return Office(store, tmp_path, SettableClock(NOW))


def test_half_a_run_waits_and_says_for_which_hours(office: Office) -> None:
    office.step(0, 6)
    office.step(6, 12)
    office.step(18, 24)
    assert office.look() == []
    assert office.forecasts() == ()
    (waiting,) = office.events("waiting")
    twelve, eighteen = (RUN + timedelta(hours=hours) for hours in (12, 18))
    assert waiting.facts["lacks"] == [[twelve.isoformat(), eighteen.isoformat()]]
    assert (waiting.facts["run"], waiting.facts["files"]) == ("2026072300", 3)
    assert office.look() == []
    assert len(office.events("waiting")) == 1  # nothing new, nothing noted
    assert (office.left(), office.ledger(), office.tasks()) == (
        ["2026072300-006.json", "2026072300-012.json", "2026072300-024.json"], [], [],
    )  # fmt: skip
    office.step(12, 18)
    (taken,) = office.look()
    (forecast,) = office.forecasts()
    assert (forecast.id, forecast.origin, len(forecast.files)) == (taken, "office", 4)
    assert (office.left(), office.ledger()) == ([], ["forecast.ingested"])
    (good,) = office.events("good")
    assert good.facts["forecasts"] == [taken]


@pytest.mark.parametrize("order", list(permutations(range(4)))[::5])
def test_the_order_of_arrival_changes_nothing(office: Office, order: tuple[int, ...]) -> None:
    for place in order:
        office.step(6 * place, 6 * place + 6)
        office.look()
        office.clock.advance(seconds=30)
    (forecast,) = office.forecasts()
    names = [f"2026072300-{end:03d}.json" for end in (6, 12, 18, 24)]
    assert [file.name for file in forecast.files] == names


def test_a_run_that_stays_incomplete_becomes_a_task_and_the_last_good_one_stands(office: Office) -> None:
    office.step(0, 24)
    (good,) = office.look()
    later = RUN + timedelta(hours=12)
    office.clock.advance(hours=12)
    office.step(0, 12, later)
    office.look()
    office.clock.advance(minutes=119)
    office.look()
    assert office.tasks() == []
    office.clock.advance(minutes=2)
    office.look()
    assert office.tasks() == [("run-late", "office 2026072312")]
    (task,) = office.seen(lambda work: work.tasks.pending())
    assert task.facts["lacks"][0][0] == (later + timedelta(hours=12)).isoformat()
    assert [one.id for one in office.forecasts()] == [good]
    office.look()
    assert office.ledger() == ["forecast.ingested", "task.opened"]
    office.step(12, 24, later)
    office.look()
    assert office.tasks() == []
    assert len(office.forecasts()) == 2


def test_two_runs_are_never_one(office: Office) -> None:
    office.step(0, 12)
    office.step(12, 24, RUN + timedelta(hours=1))
    office.look()
    assert office.forecasts() == ()
    assert {one.facts["run"] for one in office.events("waiting")} == {"2026072300", "2026072301"}


def test_a_file_published_again_changes_nothing(office: Office) -> None:
    steps = [(0, 12), (12, 24)]
    for step in steps:
        office.step(*step)
    office.look()
    before = (office.forecasts(), office.ledger(), office.events("good"))
    office.step(*steps[0])
    office.look()
    office.clock.advance(hours=1)
    for step in steps:
        office.step(*step)
    office.look()
    assert (office.forecasts(), office.ledger(), office.events("good")) == before
    assert office.left() == []


def test_later_files_of_a_run_join_it(office: Office) -> None:
    office.step(0, 24)
    office.look()
    office.clock.advance(minutes=5)
    office.step(24, 48)
    office.look()
    newest, first = office.forecasts()
    assert (newest.run_time, len(newest.files), newest.coverage.end) == (RUN, 2, RUN + timedelta(hours=48))
    assert first.coverage.end == RUN + timedelta(hours=24)


def test_after_an_outage_the_newest_whole_run_goes_in_and_older_forecasts_do_not(office: Office) -> None:
    for age in (6, 12, 18):
        office.step(0, 24, RUN - timedelta(hours=age))
    office.step(0, 12)
    (taken,) = office.look()
    (forecast,) = office.forecasts()
    assert (forecast.id, forecast.run_time) == (taken, RUN - timedelta(hours=6))
    assert len(office.events("older")) == 2
    assert office.left() == ["2026072300-012.json"]
    assert office.tasks() == []


def test_old_observations_fill_gaps_and_are_kept(store: SqlStore, tmp_path: Path) -> None:
    gauges = source("gauges", needs_hours=0, order=0, pattern="")
    office = Office(store, tmp_path, SettableClock(NOW), [gauges])
    for hours in (0, 24, 48):
        office.step(0, 24, RUN - timedelta(hours=hours), "gauges", kind="observed")
    assert len(office.look()) == 3


def test_a_bad_file_stands_aside_and_the_run_still_waits_for_it(office: Office) -> None:
    office.step(0, 12)
    office.put("2026072300-024.json", b"<html>")
    office.look()
    assert office.left() == ["2026072300-012.json"]
    assert office.tasks() == [("input-refused", "2026072300-024.json")]
    (refused,) = office.events("refused")
    assert refused.facts["key"] == "sources.grib-no-rain"
    assert [path.name[16:] for path in (office.folder / "inbox" / "refused").iterdir()] == ["2026072300-024.json"]
    office.look()
    assert office.events("waiting")[0].facts["lacks"]
    office.step(12, 24)
    assert len(office.look()) == 1


def test_a_run_of_next_year_is_refused_and_hides_no_true_one(office: Office) -> None:
    office.step(0, 24, RUN + timedelta(days=365))
    office.look()
    assert office.events("refused")[0].facts["key"] == "plan.future"
    office.step(0, 24)
    assert len(office.look()) == 1


def test_a_name_outside_the_pattern_is_refused_with_the_pattern(office: Office) -> None:
    office.put("rain.json", b"{}")
    office.look()
    assert office.tasks() == [("input-refused", "rain.json")]
    assert office.events("refused")[0].facts["facts"]["pattern"] == office.sources[0].pattern


def test_a_growing_file_is_not_touched(office: Office) -> None:
    path = office.put("2026072300-024.json", b'{"run"', old=False)
    moment = office.clock.now().timestamp()
    os.utime(path, (moment, moment))
    office.look()
    office.step(0, 24)
    os.utime(path, (moment + 1, moment + 1))
    office.look()
    assert office.forecasts() == ()
    assert office.tasks() == []
    assert len(office.look()) == 1  # the same at two looks: it has stopped growing
    office.put("2026072306-024.json.part", b"x")
    assert office.look() == []
    assert office.left() == ["2026072306-024.json.part"]


def test_a_folder_named_after_a_reader_works_without_a_plan(office: Office) -> None:
    office.step(0, 6, folder="steps")
    assert len(office.look()) == 1
    (forecast,) = office.forecasts()
    assert forecast.origin == ""
    office.put("x.json", b"{", "steps")
    office.put("y.json", b"{}", "nobody")
    office.look()
    assert {subject for _, subject in office.tasks()} == {"x.json", "y.json"}


def test_a_fault_in_one_reader_keeps_no_other_waiting(office: Office) -> None:
    office.put("a.bin", b"x", "broken")
    office.step(0, 24)
    looked = office.inbox.look()
    assert [type(fault) for fault in looked.faults] == [ZeroDivisionError]
    assert len(looked.taken) == 1
    assert office.left("broken") == ["a.bin"]


def test_a_source_that_is_switched_off_is_left_alone(store: SqlStore, tmp_path: Path) -> None:
    office = Office(store, tmp_path, SettableClock(NOW), [source(enabled=False)])
    office.step(0, 24)
    assert office.look() == []
    assert office.left() == ["2026072300-024.json"]


def test_doing_a_step_again_after_a_crash_leaves_what_doing_it_once_leaves(office: Office) -> None:
    office.step(0, 24)
    office.put("bad.json", b"{")
    kept = {path.name: path.read_bytes() for path in (office.folder / "inbox" / "office").iterdir()}
    office.look()
    before = (office.forecasts(), office.ledger(), office.tasks(), len(office.events("good")))
    past = (office.clock.now() - timedelta(minutes=1)).timestamp()
    for name, content in kept.items():  # as if killed before the files were moved
        os.utime(office.put(name, content), (past, past))
    office.__post_init__()
    office.look()
    assert (office.forecasts(), office.ledger(), office.tasks(), len(office.events("good"))) == before
    assert office.left() == []
