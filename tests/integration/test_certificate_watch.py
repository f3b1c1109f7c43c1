"""A signing certificate that nears its end is a task long before it keeps a warning back."""

from __future__ import annotations

from datetime import timedelta

from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System
from geowarn.cap_key import CERTIFICATE, YEARS, ends_at, make_cap_key
from geowarn.pipeline.watch import CERTIFICATE_AHEAD, watch_certificate


def kinds(system: System) -> list[str]:
    with system.store.read() as work:
        return [task.kind for task in work.tasks.pending() if task.kind == "cap-key-ends"]


def test_a_certificate_that_ends_within_a_month_opens_one_task_and_a_new_one_closes_it(
    demo_system: System, settable_clock: SettableClock
) -> None:
    until = ends_at(demo_system.keys_dir)
    assert until is not None
    assert not watch_certificate(demo_system.desk, until)
    settable_clock.moment = until - CERTIFICATE_AHEAD + timedelta(minutes=1)
    assert watch_certificate(demo_system.desk, until)
    assert not watch_certificate(demo_system.desk, until)
    assert kinds(demo_system) == ["cap-key-ends"]
    made = make_cap_key(demo_system.keys_dir, "demo", settable_clock.moment)
    assert made.until - settable_clock.moment == timedelta(days=365 * YEARS)
    assert not watch_certificate(demo_system.desk, ends_at(demo_system.keys_dir))
    assert kinds(demo_system) == []


def test_a_certificate_that_is_lost_opens_the_task_too(demo_system: System) -> None:
    (demo_system.keys_dir / CERTIFICATE).write_text("gone")
    assert watch_certificate(demo_system.desk, ends_at(demo_system.keys_dir))
    assert kinds(demo_system) == ["cap-key-ends"]
