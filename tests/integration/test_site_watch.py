"""What the public address shows otherwise than written becomes a task that rings, and goes when it is right again."""

from __future__ import annotations

import shutil
from datetime import timedelta
from pathlib import Path

import pytest
from tests.integration.conftest import SettableClock
from tests.integration.test_website import serving

from geowarn.bootstrap import System
from geowarn.domain.task import Task
from geowarn.pipeline.watch import MIRROR_BEHIND
from geowarn.scheduler import Scheduler, publish_all


def tasks(system: System) -> list[Task]:
    with system.store.read() as work:
        return [task for task in work.tasks.pending() if task.kind == "site-differs"]


def test_a_mirror_that_stays_behind_is_a_task_until_it_shows_what_was_written(
    demo_system: System, settable_clock: SettableClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish_all(demo_system)
    mirror = tmp_path / "mirror"
    shutil.copytree(demo_system.public_dir, mirror)
    home, scheduler = mirror / "index.html", Scheduler(demo_system)
    home.write_text("of yesterday", "utf-8")
    with serving(mirror) as url:
        monkeypatch.setitem(demo_system.facts["site"], "public_url", url)
        scheduler.look()
        assert tasks(demo_system) == []
        settable_clock.moment += MIRROR_BEHIND + timedelta(seconds=1)
        scheduler.look()
        scheduler.look()
        (task,) = tasks(demo_system)
        assert task.facts["files"] == ["index.html differs"]
        assert "site-differs" in demo_system.policy.clock.kinds
        shutil.copy(demo_system.public_dir / "index.html", home)
        scheduler.look()
    assert tasks(demo_system) == []
