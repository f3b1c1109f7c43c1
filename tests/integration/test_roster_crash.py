"""kill -9 while people are asked, then start again: each asked once, each silence one task, nothing lost."""

from __future__ import annotations

import signal
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integration.forked import ended

from geowarn.bootstrap import System, open_system
from geowarn.domain.ledger import first_fault
from geowarn.domain.people import Shift

PLACES = (
    "-geowarn.pipeline.roster_asks:tell",
    "+geowarn.pipeline.roster_asks:tell",
    "-geowarn.store.unit_of_work:SqlUnitOfWork.commit",
    "+geowarn.store.unit_of_work:SqlUnitOfWork.commit",
    "-geowarn.scheduler:watch_roster",
)


def tick(folder: Path, place: str = "") -> int:
    return ended("tests.integration.roster_child", str(folder), place).returncode


def prepared(folder: Path) -> System:
    """A shift in 20 hours, of three people; the demo's own are farther away."""
    system, now = open_system(folder), datetime.now(UTC)
    with system.store.begin() as work:
        start = now + timedelta(hours=20)
        work.shifts.save(Shift("sx", "duty-b", "duty-c", start, start + timedelta(hours=12), "leader"))
        work.commit()
    return system


def counted(system: System) -> tuple[int, int, int]:
    """Questions, notices and entries of the shift."""
    with system.store.read() as work:
        asks = work.roster.asks(["sx"])
        notices = sum(len(work.notices.of_subject(ask.id)) for ask in asks)
        entries = work.ledger.entries()
        assert first_fault(entries) is None
        return len(asks), notices, sum(e.kind == "shift.asked" for e in entries)


@pytest.mark.parametrize("place", PLACES)
def test_each_person_is_asked_once_wherever_it_dies(demo_folder: Path, place: str) -> None:
    system = prepared(demo_folder)
    assert tick(demo_folder, place) == -signal.SIGKILL
    assert counted(system) in ((0, 0, 0), (3, 3, 3))  # together or not at all (house rule 4)
    assert tick(demo_folder) == 0
    assert tick(demo_folder) == 0
    assert counted(system) == (3, 3, 3)
    system.store.dispose()


def test_a_silence_that_ran_out_while_nothing_ran_is_told_once(demo_folder: Path) -> None:
    system = prepared(demo_folder)
    assert tick(demo_folder) == 0
    with system.store.begin() as work:  # the time to answer has gone by
        for ask in work.roster.asks(["sx"]):
            past = {name: getattr(ask, name) for name in ask.__slots__} | {"due_at": ask.asked_at}
            work.roster.save_ask(type(ask)(**past))
        work.commit()
    assert tick(demo_folder, "-geowarn.store.unit_of_work:SqlUnitOfWork.commit") == -signal.SIGKILL
    for _ in range(2):
        assert tick(demo_folder) == 0
    with system.store.read() as work:
        silent = [task.subject for task in work.tasks.pending() if task.kind == "shift-silent"]
        entries = [e for e in work.ledger.entries() if e.kind == "task.opened" and e.subject.startswith("sx ")]
    assert sorted(silent) == ["sx duty-b", "sx duty-c", "sx leader"]
    assert len(entries) == 3
    system.store.dispose()
