"""kill -9 at every timer of a review, before and after its commit, then start again: nothing is changed by it."""

from __future__ import annotations

import json
import re
import shutil
import signal
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.integration.clock_desk import ClockDesk
from tests.integration.conftest import SettableClock
from tests.integration.forked import ended

from geowarn.bootstrap import config_file, open_system
from geowarn.domain.level import Level
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.proof import verify

pytestmark = pytest.mark.usefixtures("machine_time")

COMMIT = "geowarn.store.unit_of_work:SqlUnitOfWork.commit"
# Minutes after the proposal at which something is due at red: three people more, the release, the owed review's rings.
TIMERS = (3, 6, 9, 12, 15, 260)
_OWN = frozenset({"id", "bulletin", "number", "slug", "artefacts", "late", "release_at"})  # new in every installation


def killed_at(folder: Path, moment: datetime, place: str) -> int:
    return ended("tests.integration.crash_child", str(folder), place, moment.isoformat(), "rings").returncode


def told(folder: Path, moment: datetime) -> list[tuple[str, str, str, Any]]:
    """What the ledger says since the proposal, but for names that are new each time."""
    system = open_system(folder, SettableClock(moment))
    with system.store.read() as work:
        entries = work.ledger.entries()
    first = next(n for n, entry in enumerate(entries) if entry.kind == "warning.opened")
    assert verify(system.store)[1] is None
    system.store.dispose()
    kept = [(e.at, e.actor, e.kind, json.loads(e.payload)) for e in entries[first:] if not e.kind.startswith("notice")]
    return [(at, who, kind, {k: v for k, v in facts.items() if k not in _OWN}) for at, who, kind, facts in kept]


def played(folder: Path, begun: datetime, places: tuple[str, ...]) -> list[tuple[str, str, str, Any]]:
    for minutes in TIMERS:
        moment = begun + timedelta(minutes=minutes)
        for place in places:
            assert killed_at(folder, moment, place) == -signal.SIGKILL, (minutes, place)
        system = open_system(folder, SettableClock(moment))
        advance(system.desk)
        advance(system.desk)
        system.store.dispose()
    return told(folder, begun + timedelta(minutes=TIMERS[-1]))


@pytest.mark.slow
def test_killing_it_at_every_timer_changes_nothing(
    demo_folder: Path, tmp_path: Path, settable_clock: SettableClock, officer: Callable[[str], Actor]
) -> None:
    begun = settable_clock.now()
    (demo_folder / "config" / "policy.toml").write_text(_release_first(demo_folder), "utf-8")
    system = open_system(demo_folder, settable_clock)
    proposal = ClockDesk(system, officer, settable_clock).proposed(Level.RED)
    system.store.dispose()
    other = Path(shutil.copytree(demo_folder, tmp_path / "untouched"))

    killed = played(demo_folder, begun, (f"-{COMMIT}", f"+{COMMIT}"))
    assert killed == played(other, begun, ())
    kinds = [kind for _, _, kind, _ in killed]
    assert kinds.count("bulletin.released") == 1
    assert kinds.count("escalation.rung") > 6
    system = open_system(demo_folder, settable_clock)
    with system.store.read() as work:
        (bulletin,) = work.bulletins.of_warning(proposal.warning_id)
        queued = [entry for entry in work.ledger.entries() if entry.kind == "notice.queued"]
        rows = work.dispatches.of_bulletin(bulletin.id)
    facts = [(entry.subject, json.loads(entry.payload)["person"]) for entry in queued]
    assert len(facts) == len(set(facts)), "nobody is told twice of the same ring"
    assert len(rows) == len({(row.channel, row.target_key) for row in rows})
    system.store.dispose()


def _release_first(folder: Path) -> str:
    text = config_file(folder, "policy.toml").read_text("utf-8")
    text = re.sub(r'(?m)^red = \["county".*$', "red = []", text)  # calls have timers, and a test, of their own
    before, red, after = text.partition("[clock.red]")
    return before + red + after.replace('on_silence = "task"', 'on_silence = "release-first"', 1)
