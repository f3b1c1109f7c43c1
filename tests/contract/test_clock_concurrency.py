"""Several schedulers tick at once: every ring once, every pass once, on every kind of database."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from types import MappingProxyType

import pytest
from tests.conftest import NOON, FakeClock
from tests.contract import store_rows as rows
from tests.contract.test_store_clock import ONE

from geowarn.domain.errors import NotFound
from geowarn.domain.level import Level
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.task import Task
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_acts import acknowledge_task, answered_by_text
from geowarn.pipeline.escalation_advance import advance
from geowarn.policy_file import load_policy
from geowarn.ports import Rung
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


def by_console(desk: Desk, user: User) -> object:
    return acknowledge_task(desk, "t-w-1", Actor(user, "console", "here"))


def by_text(desk: Desk, user: User) -> object:
    with desk.store.begin() as work:
        meant = answered_by_text(desk, work, user, "1", desk.clock.now())
        work.commit()
    return meant


@pytest.mark.parametrize("kind", ["review", "after-review"])
@pytest.mark.parametrize(("answer", "outcome"), [(by_console, "clock.no-task"), (by_text, None)])
def test_an_answer_waits_for_whoever_is_deciding(
    shared_store: SqlStore, vault: FileVault, kind: str, answer: Callable[[Desk, User], object], outcome: str | None
) -> None:
    """What was decided meanwhile is over: the answer does not begin it anew."""
    policy = load_policy(config_dir() / "policy.toml", Level.YELLOW)
    clock = FakeClock()
    desk = Desk(shared_store, clock, {}, policy, MappingProxyType({}), {}, vault)
    user = User("a", "a", "a", frozenset({Role.DUTY_OFFICER}))
    subject, facts = ("w-1", {}) if kind == "review" else ("2026-001", {"warning": "w-1", "bulletin": "b-1"})
    one = replace(ONE, id="t-w-1.1", task_id="t-w-1", kind=kind, subject=subject, started_at=NOON)
    with shared_store.begin() as work:
        work.users.save(user)
        work.warnings.add(rows.warning(1))
        work.tasks.open(Task("t-w-1", kind, subject, NOON, facts=facts))
        work.escalations.start(one)
        work.escalations.ring(one.id, Rung(0, "a", NOON, NOON, True))
        work.commit()
    with ThreadPoolExecutor(1) as pool:
        with shared_store.begin() as work:
            work.warnings.get("w-1")
            answering = pool.submit(answer, desk, user)
            with pytest.raises(TimeoutError):
                answering.result(0.2)
            work.tasks.close(kind, subject, NOON)
            work.escalations.end(one.id, NOON, "closed")
            work.commit()
        if outcome:
            with pytest.raises(NotFound) as refusal:
                answering.result(10)
            assert refusal.value.key == outcome
        else:
            assert answering.result(10) is outcome
    with shared_store.read() as work:
        assert work.escalations.open() == ()
        assert work.escalations.answers(one.id) == ()
        assert work.ledger.entries() == ()
