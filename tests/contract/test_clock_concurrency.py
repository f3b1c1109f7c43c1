"""Several schedulers tick at once: every ring once, every pass once, on every kind of database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from types import MappingProxyType

from tests.conftest import NOON, FakeClock

from geowarn.domain.level import Level
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.task import Task
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_advance import advance
from geowarn.policy_file import load_policy
from geowarn.resources import config_dir
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore


def people(store: SqlStore) -> None:
    with store.begin() as work:
        for name, role in (("a", Role.DUTY_OFFICER), ("b", Role.DUTY_OFFICER), ("c", Role.LEADER)):
            work.users.save(User(name, name, name, frozenset({role}), phone_sealed=b"sealed", phone_masked="*"))
        work.shifts.add(Shift("sh", "a", "b", NOON - timedelta(hours=1), NOON + timedelta(hours=12)))
        for number in range(3):
            work.tasks.open(Task(f"t{number}", "no-forecast", f"source-{number}", NOON))
        work.commit()


def test_schedulers_that_tick_together_ring_once(shared_store: SqlStore, vault: FileVault) -> None:
    people(shared_store)
    clock = FakeClock()
    policy = load_policy(config_dir() / "policy.toml", Level.YELLOW)
    desk = Desk(shared_store, clock, {}, policy, MappingProxyType({}), {}, vault)
    with ThreadPoolExecutor(6) as pool:
        for minutes in (0, 16, 31, 46, 47, 110):
            clock.moment = NOON + timedelta(minutes=minutes)
            for done in [pool.submit(advance, desk) for _ in range(6)]:
                done.result()
    with shared_store.read() as work:
        for number in range(3):
            passes = work.escalations.of_task(f"t{number}")
            assert [one.number for one in passes] == [1, 2, 3]
            assert [one.id for one in passes if one.ended_at is None] == [passes[-1].id]
            assert [rung.person for rung in work.escalations.rung(passes[0].id)] == ["a", "b", "c"]
            entries = work.ledger.entries(subject=f"source-{number}")
            assert [entry.kind for entry in entries].count("escalation.rung") == 9
            assert [entry.kind for entry in entries].count("escalation.started") == 3
            queued = [n for one in passes for ring in range(3) for n in work.notices.of_subject(f"{one.id} {ring}")]
            assert len(queued) == 9
