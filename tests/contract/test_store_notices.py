"""Notices on every kind of database: once a person and subject, claimed once, settled by whoever holds the claim."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from tests.contract.store_rows import HOUR, NOON

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.notice import Notice
from geowarn.ports import UnitOfWork
from geowarn.store.unit_of_work import SqlStore

LEASE = NOON + timedelta(seconds=40)


def notice(number: int = 1, **other: object) -> Notice:
    facts = {"code": "482913", "start": "2026-07-23T12:00:00+00:00"}
    made = Notice(f"n-{number}", "shift-ask", f"sh-{number}", "wang", "zh", facts, NOON, NOON + HOUR)
    return replace(made, **other)  # type: ignore[arg-type]


def kept(store: SqlStore, *given: Notice) -> list[bool]:
    with store.begin() as work:
        added = [work.notices.add(one) for one in given]
        work.commit()
    return added


def one(work: UnitOfWork, name: str = "n-1") -> Notice:
    found = work.notices.get(name)
    assert found is not None
    return found


def test_told_once_and_read_back_as_written(any_store: SqlStore) -> None:
    again = notice(2, subject="sh-1")
    assert kept(any_store, notice(), again, notice(3, subject="sh-1", person="li")) == [True, False, True]
    with any_store.read() as work:
        assert work.notices.get("n-1") == notice()
        assert work.notices.get("n-2") is None
        assert [found.id for found in work.notices.of_subject("sh-1")] == ["n-1", "n-3"]


def test_many_are_added_at_once_each_of_them_once(any_store: SqlStore) -> None:
    kept(any_store, notice())
    with any_store.begin() as work:
        work.notices.add_all([notice(2, subject="sh-1"), notice(3)])
        work.notices.add_all([])
        assert [work.notices.get(name) for name in ("n-1", "n-2", "n-3")] == [notice(), None, notice(3)]


def test_claimed_once_and_settled_by_the_claim_only(any_store: SqlStore) -> None:
    kept(any_store, notice(), notice(2, next_try_at=NOON + HOUR / 2), notice(3, not_after=NOON))
    with any_store.begin() as work:
        assert work.notices.waiting(NOON)
        claimed = work.notices.claim("a/1", NOON, LEASE, 8)
        assert [found.id for found in claimed] == ["n-1"]
        assert claimed[0].started_at == NOON
        assert work.notices.claim("b/1", NOON, LEASE, 8) == ()
        work.commit()
    done = replace(claimed[0], state=DispatchState.ACCEPTED, provider_id="SM1", settled_at=NOON, lease_until=None)
    with any_store.begin() as work:
        assert not work.notices.settle(replace(claimed[0], owner="b/1"), done)
        assert work.notices.settle(claimed[0], done)
        assert not work.notices.settle(claimed[0], done)
        work.commit()
    with any_store.read() as work:
        found = work.notices.by_provider_id("SM1")
    assert found is not None
    assert (found.state, found.started_at) == (DispatchState.ACCEPTED, NOON)
    assert "code" not in found.facts  # what opens something does not stay


def test_a_ring_overtakes_calls_however_soon_those_end(any_store: SqlStore) -> None:
    calls = [notice(number, kind="call", not_after=NOON + HOUR / 6) for number in (1, 2)]
    kept(any_store, *calls, notice(3, kind="ring"))
    with any_store.begin() as work:
        assert [found.id for found in work.notices.claim("a/1", NOON, LEASE, 2)] == ["n-3", "n-1"]


def test_a_lost_claim_is_asked_about_by_one(any_store: SqlStore) -> None:
    kept(any_store, notice())
    with any_store.begin() as work:
        work.notices.claim("a/1", NOON, LEASE, 8)
        work.commit()
    with any_store.begin() as work:
        assert work.notices.doubtful("b/1", NOON, LEASE, 8) == ()
        assert not work.notices.waiting(NOON)
        assert work.notices.waiting(LEASE)
        mine = work.notices.doubtful("b/1", LEASE, LEASE + HOUR, 8)
        assert work.notices.doubtful("c/1", LEASE, LEASE + HOUR, 8) == ()
        work.commit()
    assert [(found.state, found.owner) for found in mine] == [(DispatchState.IN_DOUBT, "b/1")]
    assert mine[0].facts["code"] == "482913"  # still needed to know the text again


def test_a_late_report_only_ever_adds(any_store: SqlStore) -> None:
    kept(any_store, notice())
    with any_store.begin() as work:
        assert work.notices.report("n-1", DispatchState.DELIVERED, NOON, "SM1", None)
        assert not work.notices.report("n-1", DispatchState.FAILED, NOON, "SM1", "late")
        assert not work.notices.report("n-9", DispatchState.DELIVERED, NOON, "SM9", None)
        assert one(work).state is DispatchState.DELIVERED
        assert not work.notices.waiting(NOON + 2 * HOUR)


def test_the_late_expire_with_their_code(any_store: SqlStore) -> None:
    kept(any_store, notice(), notice(2, not_after=NOON + 3 * HOUR))
    with any_store.begin() as work:
        assert [found.id for found in work.notices.expire(NOON + HOUR)] == ["n-1"]
        assert work.notices.expire(NOON + HOUR) == ()
        assert one(work).state is DispatchState.EXPIRED_UNSENT
        assert "code" not in one(work).facts
