"""Dispatches in every store: claimed once, settled once, never late (house rules 5 and 6)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.store_messages import LEASE, MINUTE, NOON, add, claim, dispatch, settle, stored, with_bulletin

from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState, Outcome
from geowarn.ports import ShardProgress
from geowarn.store.unit_of_work import SqlStore


@pytest.fixture
def full_store(any_store: SqlStore) -> SqlStore:
    with_bulletin(any_store)
    return any_store


def test_rows_come_back_as_they_were(full_store: SqlStore) -> None:
    rows = [dispatch(1), dispatch(2, channel="website", shard="b-1:website:0", reason="why", attempts=3)]
    add(full_store, rows)
    with full_store.read() as work:
        assert work.dispatches.of_bulletin("b-1") == tuple(rows)
        assert work.dispatches.of_bulletin("b-1", "website") == (rows[1],)
        assert work.dispatches.get("d-9") is None
        assert work.dispatches.counts("b-1") == {"sms": {DispatchState.NEW: 1}, "website": {DispatchState.NEW: 1}}
        assert work.dispatches.unsettled("b-1") == work.dispatches.unsettled() == 2


def test_one_target_of_a_bulletin_has_one_row(full_store: SqlStore) -> None:
    add(full_store, [dispatch(1)])
    with pytest.raises(Exception, match=r"(?i)unique"):
        add(full_store, [dispatch(2), replace(dispatch(1), id="d-other")])
    with full_store.read() as work:
        assert work.dispatches.unsettled() == 1


def test_a_claim_takes_tiers_in_order_and_each_row_once(full_store: SqlStore) -> None:
    add(full_store, [dispatch(1, tier=2), dispatch(2, tier=0), dispatch(3)])
    first, second, third = claim(full_store, 2), claim(full_store, 2, "two"), claim(full_store, 2, "three")
    assert [row.id for row in first] == ["d-00002", "d-00003"]
    assert [row.id for row in second] == ["d-00001"]
    assert third == ()
    assert {(row.state, row.owner, row.lease_until, row.started_at) for row in first} == {
        (DispatchState.SENDING, "one", LEASE, NOON)
    }
    assert stored(full_store, "d-00002") == first[0]


@pytest.mark.parametrize(
    "row",
    [
        dispatch(1, release_at=NOON + MINUTE),
        dispatch(1, next_try_at=NOON + MINUTE),
        dispatch(1, not_after=NOON),
        dispatch(1, state=DispatchState.ACCEPTED),
        dispatch(1, state=DispatchState.IN_DOUBT),
    ],
    ids=["not-yet-released", "backing-off", "too-late", "settled", "in-doubt"],
)
def test_what_is_not_due_is_not_claimed(full_store: SqlStore, row: Dispatch) -> None:
    add(full_store, [row])
    assert claim(full_store) == ()


def test_due_shards_come_most_urgent_first(full_store: SqlStore) -> None:
    with_bulletin(full_store, 2)
    rows = [
        dispatch(1, shard="yellow", priority=20),
        dispatch(2, shard="red-late", release_at=NOON - MINUTE, bulletin_id="b-2"),
        dispatch(3, shard="red-early", release_at=NOON - 2 * MINUTE, bulletin_id="b-2", channel="website"),
        dispatch(4, shard="lost", state=DispatchState.SENDING, lease_until=NOON, priority=5),
        dispatch(5, shard="doubtful", state=DispatchState.IN_DOUBT, priority=4),
        dispatch(6, shard="busy", state=DispatchState.SENDING, lease_until=LEASE),
        dispatch(7, shard="asked", state=DispatchState.IN_DOUBT, next_try_at=LEASE),
        dispatch(8, shard="waiting", next_try_at=LEASE),
        dispatch(9, shard="over", not_after=NOON),
        dispatch(10, shard="done", state=DispatchState.DELIVERED),
    ]
    add(full_store, rows)
    with full_store.read() as work:
        due = work.dispatches.due_shards(NOON)
    assert [progress.shard for progress in due] == ["red-early", "red-late", "yellow", "lost", "doubtful"]
    assert due[0] == ShardProgress("red-early", "website", "b-2", 40)


def test_an_answer_settles_only_the_claim_it_belongs_to(full_store: SqlStore) -> None:
    add(full_store, [dispatch(1)])
    (row,) = claim(full_store)
    assert settle(full_store, replace(row, owner="two"), DispatchState.FAILED).state is DispatchState.SENDING
    accepted = settle(full_store, row, DispatchState.ACCEPTED, attempts=1, provider_id="SM1", accepted_at=NOON)
    assert (accepted.state, accepted.owner, accepted.lease_until) == (DispatchState.ACCEPTED, "one", None)
    assert (accepted.attempts, accepted.provider_id, accepted.accepted_at) == (1, "SM1", NOON)
    with full_store.read() as work:
        assert work.dispatches.by_provider_id("sms", "SM1") == accepted
        assert work.dispatches.by_provider_id("website", "SM1") is None
        assert len(work.dispatches.attempts("b-1")) == 2  # both took place
        assert work.dispatches.unsettled("b-1") == 0


def test_a_failure_that_may_pass_gives_the_row_back(full_store: SqlStore) -> None:
    add(full_store, [dispatch(1)])
    (row,) = claim(full_store)
    again = settle(full_store, row, DispatchState.NEW, attempts=1, next_try_at=LEASE, reason="deliver.busy")
    assert (again.state, again.owner, again.next_try_at) == (DispatchState.NEW, None, LEASE)
    assert claim(full_store) == ()
    assert [found.owner for found in claim(full_store, owner="two", now=LEASE)] == ["two"]


RANK = {
    DispatchState.NEW: 0,
    DispatchState.SENDING: 0,
    DispatchState.IN_DOUBT: 0,
    DispatchState.EXPIRED_UNSENT: 1,
    DispatchState.ACCEPTED: 2,
    DispatchState.FAILED: 3,
    DispatchState.DELIVERED: 4,
}


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.sampled_from([state for state in DispatchState if state is not DispatchState.SENDING]), max_size=6))
def test_reports_in_any_order_never_take_a_row_back(full_store: SqlStore, states: list[DispatchState]) -> None:
    with full_store.read() as work:
        number = len(work.dispatches.of_bulletin("b-1"))
    add(full_store, [dispatch(number)])
    (row,) = claim(full_store, 1)
    reached = RANK[row.state]
    for state in states:
        row = settle(full_store, row, state)
        assert RANK[row.state] >= reached
        reached = RANK[row.state]
        if row.state is DispatchState.NEW:
            (row,) = claim(full_store, 1)
    if row.state in (DispatchState.SENDING, DispatchState.IN_DOUBT):
        settle(full_store, row, DispatchState.FAILED)


def test_a_claim_that_ran_out_is_in_doubt_and_asked_about_by_one(full_store: SqlStore) -> None:
    add(full_store, [dispatch(1), dispatch(2), dispatch(3, channel="website", shard="b-1:website:0")])
    (first, _) = claim(full_store)
    with full_store.begin() as work:
        assert work.dispatches.orphaned(NOON, 10) == ()
        work.commit()
    with full_store.begin() as work:
        assert work.dispatches.orphaned(LEASE, 10, "website") == ()
        handed = work.dispatches.orphaned(LEASE, 1, "sms")
        rest = work.dispatches.orphaned(LEASE, 10, "sms")
        assert work.dispatches.orphaned(LEASE, 10) == ()
        work.commit()
    assert [row.id for row in (*handed, *rest)] == ["d-00001", "d-00002"]
    assert handed[0] == replace(first, state=DispatchState.IN_DOUBT, lease_until=None)
    with full_store.begin() as work:
        assert len(work.dispatches.orphaned(LEASE + MINUTE, 10)) == 2  # whoever asked never told
        work.commit()
    assert settle(full_store, handed[0], DispatchState.NEW).state is DispatchState.NEW


def test_nothing_is_sent_after_its_time_or_after_its_successor(full_store: SqlStore) -> None:
    with_bulletin(full_store, 2)
    rows = [
        dispatch(1, not_after=NOON),
        dispatch(2, not_after=NOON, state=DispatchState.SENDING, lease_until=LEASE),
        dispatch(3),
        dispatch(4, bulletin_id="b-2"),
        dispatch(5, state=DispatchState.ACCEPTED),
    ]
    add(full_store, rows)
    with full_store.begin() as work:
        assert work.dispatches.expire(NOON) == 1
        assert work.dispatches.expire(NOON) == 0
        assert work.dispatches.overtake(["b-1"], NOON, "deliver.overtaken") == 1
        assert work.dispatches.overtake([], NOON, "deliver.overtaken") == 0
        work.commit()
    states = [stored(full_store, row.id).state.value for row in rows]
    assert states == ["expired-unsent", "sending", "expired-unsent", "new", "accepted"]
    assert stored(full_store, "d-00003").reason == "deliver.overtaken"


def test_a_whole_shard_is_claimed_and_settled_in_groups(full_store: SqlStore) -> None:
    add(full_store, [dispatch(number) for number in range(1200)])
    rows = claim(full_store, 500)
    assert len(rows) == 500
    with full_store.begin() as work:
        sent = [
            (replace(row, state=DispatchState.DELIVERED), Attempt(row.id, NOON, NOON, Outcome.DELIVERED, ""))
            for row in rows
        ]
        work.dispatches.record(sent)
        work.commit()
    with full_store.read() as work:
        assert work.dispatches.counts("b-1")["sms"] == {DispatchState.DELIVERED: 500, DispatchState.NEW: 700}
        assert len(work.dispatches.attempts("b-1")) == 500


def test_whoever_waits_for_dispatches_hears_of_them_once_they_are_committed(full_store: SqlStore) -> None:
    known = full_store.wait_for_dispatches(-1, 0)
    with full_store.begin() as work:
        work.dispatches.add_all([dispatch(1)])  # rolled back
    with full_store.begin() as work:
        work.dispatches.unsettled()
        work.commit()
    assert full_store.wait_for_dispatches(known, 0) == known
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(full_store.wait_for_dispatches, known, 60)
        add(full_store, [dispatch(1)])
        assert waiting.result(30) != known
