"""Who waits for whom, on each database: never two for each other, and nobody decides on what another is changing."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar

import pytest
from sqlalchemy import text
from tests.conftest import FakeClock
from tests.contract import store_messages as messages
from tests.contract import store_rows as rows
from tests.contract.test_store_clock import ONE
from tests.contract.test_store_concurrency import at_once
from tests.contract.test_store_notices import notice

from geowarn.domain.dispatch import Dispatch, DispatchState, Outcome
from geowarn.domain.duty import Handover, Part, Swap, SwapState
from geowarn.domain.errors import Refused
from geowarn.domain.escalation import Answer
from geowarn.domain.people import Role, Shift, User
from geowarn.domain.task import Task
from geowarn.pipeline.gathering import Report
from geowarn.pipeline.lane import Lane, _Tried
from geowarn.pipeline.outcome import Pace
from geowarn.pipeline.receipts import record_reports
from geowarn.pipeline.reconcile import reconcile
from geowarn.pipeline.second_factor import FREE_TRIES, WrongCode, trying
from geowarn.pipeline.targets import Job
from geowarn.ports import BulletinDraft, Delivery, Limits, Message, Receipt, Rung, Target, UnitOfWork
from geowarn.security import FileVault
from geowarn.store.unit_of_work import SqlStore
from geowarn.web.guessing import HERE, count_try

NOON, HOUR, MINUTE = rows.NOON, rows.HOUR, messages.MINUTE
T = TypeVar("T")
Act = Callable[[UnitOfWork], object]
FIRST, SECOND = "d-00000", "d-00001"
WANG = User("wang", "甲", "A", frozenset({Role.DUTY_OFFICER}), password_hash="old")
TASK = Task("t1", "review", "w1", NOON)
NOTICE = notice()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as opened:
        yield opened


def somebody_waits(store: SqlStore) -> bool:
    """Whether a transaction waits for another one; on SQLite whoever comes second does."""
    if store.engine.dialect.name == "sqlite":
        return True
    waits = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    with store.engine.connect() as connection:
        return bool(connection.scalar(text(waits)))


def met(store: SqlStore, other: Future[T]) -> Future[T]:
    """What another thread does, as soon as it waits for somebody or is done."""
    while not (other.done() or somebody_waits(store)):
        time.sleep(0.005)
    return other


class FarEnd:
    """Knows every message, and says so once it may."""

    name = "sms"
    limits = Limits(("zh",), None, False, 500, 2)

    def __init__(self) -> None:
        self.asked, self.may_answer = threading.Event(), threading.Event()

    def prepare(self, draft: BulletinDraft) -> Message:
        raise AssertionError("nobody asks for this here")

    def send(self, delivery: Delivery, target: Target) -> Receipt:
        raise AssertionError("nobody asks for this here")

    def look_up(self, delivery: Delivery, target: Target, since: datetime) -> Receipt | None:
        self.asked.set()
        assert self.may_answer.wait(10)
        return Receipt(Outcome.DELIVERED, f"SM-{target.dispatch_id}")


def under_way(store: SqlStore) -> list[Dispatch]:
    """Two claimed rows, the one with the higher id first."""
    messages.with_bulletin(store)
    tiers = {FIRST: 2, SECOND: 1}
    made = (messages.dispatch(number, target_key=f"station-{number}") for number in range(2))
    messages.add(store, [replace(row, tier=tiers[row.id]) for row in made])
    claimed = messages.claim(store)
    assert [row.id for row in claimed] == [SECOND, FIRST]
    return list(claimed)


def report(store: SqlStore, vault: FileVault, claimed: list[Dispatch]) -> None:
    told = [Report(row.id, f"SM-{row.id}", "delivered") for row in claimed]
    record_reports(store, FakeClock(), "sms", told)


def report_by_their_number(store: SqlStore, vault: FileVault, claimed: list[Dispatch]) -> None:
    record_reports(store, FakeClock(), "sms", [Report("", f"SM-{row.id}", "delivered") for row in claimed])


def settle(store: SqlStore, vault: FileVault, claimed: list[Dispatch]) -> None:
    lane = Lane(store, FarEnd(), vault, FakeClock(), "one")
    lane._done = [_Tried(Job(row, None), Receipt(Outcome.DELIVERED, "SM"), NOON, NOON) for row in claimed]
    lane.close()


@pytest.mark.parametrize("act", [report, report_by_their_number, settle])
def test_whoever_settles_several_dispatches_takes_them_in_one_order(
    shared_store: SqlStore,
    vault: FileVault,
    pool: ThreadPoolExecutor,
    act: Callable[[SqlStore, FileVault, list[Dispatch]], None],
) -> None:
    claimed = under_way(shared_store)
    if act is report_by_their_number:
        for row in claimed:
            messages.settle(shared_store, row, DispatchState.ACCEPTED, provider_id=f"SM-{row.id}")
    with shared_store.begin() as work:
        work.dispatches.get(FIRST)
        other = met(shared_store, pool.submit(act, shared_store, vault, claimed))
        work.dispatches.get(SECOND)  # if the other one has it by now, each waits for the other
        work.commit()
    other.result(10)
    assert {messages.stored(shared_store, row.id).state for row in claimed} == {DispatchState.DELIVERED}


def test_whoever_asks_about_several_dispatches_takes_them_in_one_order(
    shared_store: SqlStore, vault: FileVault, clock: FakeClock, pool: ThreadPoolExecutor
) -> None:
    claimed, far_end = under_way(shared_store), FarEnd()
    clock.moment = messages.LEASE
    asking = pool.submit(reconcile, shared_store, far_end, vault, clock, Pace())
    assert far_end.asked.wait(10)
    with shared_store.begin() as work:
        work.dispatches.get(FIRST)
        far_end.may_answer.set()
        met(shared_store, asking)
        work.dispatches.get(SECOND)
        work.commit()
    assert asking.result(10) == 2
    assert {messages.stored(shared_store, row.id).state for row in claimed} == {DispatchState.DELIVERED}


def test_what_overtakes_or_expires_waits_for_nobody(shared_store: SqlStore, pool: ThreadPoolExecutor) -> None:
    """They change many rows in an order of the database's own, so they leave those that somebody is changing."""
    messages.with_bulletin(shared_store)
    messages.add(shared_store, [messages.dispatch(number) for number in range(2)])
    rows.kept(shared_store, lambda work: work.notices.add(NOTICE))

    def overtaken() -> int:
        with shared_store.begin() as work:
            count = work.dispatches.overtake(["b-1"], NOON, "overtaken")
            work.notices.expire(NOON + 2 * HOUR)
            work.commit()
        return count

    with shared_store.begin() as work:
        work.dispatches.get(FIRST)
        work.notices.claim("one", NOON, NOON + MINUTE, 1)
        other = met(shared_store, pool.submit(overtaken))
        if shared_store.engine.dialect.name == "postgresql":
            assert other.result(10) == 1
        work.commit()
    assert other.result(10) in (1, 2)
    with shared_store.read() as work:
        assert [row.state for row in work.dispatches.of_bulletin("b-1")][1] is DispatchState.EXPIRED_UNSENT
        notice = work.notices.get(NOTICE.id)
    assert notice is not None
    assert notice.state is DispatchState.SENDING


@pytest.mark.parametrize(
    "act",
    [
        lambda work: work.tasks.open(Task("t2", "review", "w2", NOON)),
        lambda work: work.tasks.save(replace(TASK, owner="li")),
        lambda work: work.tasks.close("review", "w1", NOON),
        lambda work: work.escalations.start(replace(ONE, id="t1.2", step="leader")),
        lambda work: work.escalations.end(ONE.id, NOON, "done"),
        lambda work: work.escalations.ring(ONE.id, Rung(0, "a", NOON, NOON, True)),
        lambda work: work.escalations.answer(ONE.id, Answer("a", NOON)),
    ],
    ids=["open", "save", "close", "start", "end", "ring", "answer"],
)
def test_tasks_and_passes_are_written_after_the_ledgers_lock(
    shared_store: SqlStore, pool: ThreadPoolExecutor, act: Act
) -> None:
    """Whoever enters something first and whoever closes the task first would else wait for each other."""
    rows.kept(shared_store, lambda work: (work.tasks.open(TASK), work.escalations.start(ONE)))

    def task_first() -> None:
        with shared_store.begin() as work:
            act(work)
            work.ledger.append(NOON, "one", "tried", "s", {})
            work.commit()

    with shared_store.begin() as work:
        work.ledger.append(NOON, "two", "tried", "s", {})
        other = met(shared_store, pool.submit(task_first))
        act(work)
        work.commit()
    other.result(10)
    with shared_store.read() as work:
        assert [entry.actor for entry in work.ledger.entries()] == ["two", "one"]


SHIFT = Shift("sh-1", "wang", "li", NOON, NOON + 12 * HOUR)
SWAP = Swap("sw-1", "sh-1", Part.DEPUTY, "li", "sun", NOON, NOON + HOUR, "ill", "li", NOON)
GIVEN = Handover("h-1", "sh-1", "wang", "sh-2", "li", NOON, "note", {})
HELD: dict[str, tuple[Callable[[UnitOfWork], object], Callable[[UnitOfWork, Any], None], Any, Any]] = {
    "account": (lambda w: w.users.held("wang"), lambda w, v: w.users.save(v), WANG, replace(WANG, active=False)),
    "shift": (lambda w: w.shifts.get("sh-1"), lambda w, v: w.shifts.save(v), SHIFT, replace(SHIFT, deputy="sun")),
    "swap": (
        lambda w: w.roster.swap("sw-1"),
        lambda w, v: w.roster.save_swap(v),
        SWAP,
        replace(SWAP, state=SwapState.REFUSED),
    ),
    "hand-over": (
        lambda w: w.roster.handover("h-1"),
        lambda w, v: w.roster.save_handover(v),
        GIVEN,
        replace(GIVEN, taken_by="li", taken_at=NOON),
    ),
}


@pytest.mark.parametrize("kind", HELD)
def test_whoever_decides_on_a_row_sees_what_became_of_it(
    shared_store: SqlStore, pool: ThreadPoolExecutor, kind: str
) -> None:
    read, save, before, after = HELD[kind]
    rows.kept(shared_store, lambda work: save(work, before))

    def seen() -> object:
        with shared_store.begin() as work:
            return read(work)

    with shared_store.begin() as work:
        assert read(work) == before
        other = met(shared_store, pool.submit(seen))
        save(work, after)
        work.commit()
    assert other.result(10) == after


def passes(act: Callable[[], object]) -> bool:
    try:
        act()
    except Refused:
        return False
    return True


def test_guesses_at_once_are_counted_one_after_the_other(shared_store: SqlStore) -> None:
    def guess(number: int) -> bool:
        return passes(lambda: count_try(shared_store, "wang", "192.0.2.1", NOON))

    assert sum(at_once(guess)) == HERE.free


def test_codes_at_once_are_counted_one_after_the_other(shared_store: SqlStore) -> None:
    def wrong() -> None:
        with trying(shared_store, FakeClock(), WANG, "000000"):
            raise WrongCode("identity.code-wrong", user="wang")

    def guess(number: int) -> bool:
        try:
            wrong()
        except WrongCode:
            return True
        except Refused:
            return False
        return False

    assert sum(at_once(guess)) == FREE_TRIES
