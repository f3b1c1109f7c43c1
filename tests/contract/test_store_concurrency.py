"""Many at once, on each database: nothing twice, nothing lost, no gaps, one chain."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from types import SimpleNamespace
from typing import TypeVar

from tests.contract import store_messages as messages
from tests.contract import store_rows as rows

from geowarn.domain.dispatch import Attempt, DispatchState, Outcome
from geowarn.domain.ledger import first_fault
from geowarn.domain.package import Package
from geowarn.domain.people import Role, SignOff
from geowarn.domain.policy import valid
from geowarn.domain.warning import Series
from geowarn.pipeline.publish import site_state
from geowarn.ports import SiteState
from geowarn.store.unit_of_work import SqlStore

NOON = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
THREADS = 8
T = TypeVar("T")


def at_once(act: Callable[[int], T]) -> list[T]:
    """Run `act` in every thread, all starting together; a fault in any of them fails the test."""
    ready = threading.Barrier(THREADS)

    def together(number: int) -> T:
        ready.wait()
        return act(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(together, range(THREADS)))


def test_serials_are_gapless_even_where_releases_fail(shared_store: SqlStore) -> None:
    def release(number: int) -> list[int]:
        taken = []
        for turn in range(6):
            with shared_store.begin() as work:
                serial = work.bulletins.next_serial(Series.REAL, 2026)
                if (number + turn) % 3:  # every third one is rolled back
                    work.commit()
                    taken.append(serial)
        return taken

    taken = sorted(serial for serials in at_once(release) for serial in serials)
    assert taken == list(range(1, len(taken) + 1))


def test_a_public_state_with_a_higher_number_never_holds_less(shared_store: SqlStore) -> None:
    """Otherwise the tree, which takes the highest number, would lose a warning until something else happens."""
    clock = SimpleNamespace(now=lambda: NOON)
    facts: dict[str, dict[str, object]] = {"site": {"next_update_hours": 1}, "installation": {"synthetic": False}}

    def release(number: int) -> list[SiteState]:
        found = []
        for turn in range(4):
            messages.with_bulletin(shared_store, number * 10 + turn + 1)
            found.append(site_state(shared_store, clock, facts, lambda _: None))
        return found

    states = sorted((s for found in at_once(release) for s in found), key=lambda state: state.sequence)
    held = [{published.bulletin.id for published in state.bulletins} for state in states]
    assert len({state.sequence for state in states}) == len(states)
    assert all(earlier <= later for earlier, later in pairwise(held))


def test_the_chain_holds_however_many_append(shared_store: SqlStore) -> None:
    def append(number: int) -> None:
        for turn in range(8):
            with shared_store.begin() as work:
                work.ledger.append(NOON, f"thread {number}", "tried", "s", {"turn": turn})
                work.ledger.append(NOON, f"thread {number}", "done", "s", {"turn": turn})
                if turn % 4 != 3:
                    work.commit()

    at_once(append)
    with shared_store.read() as work:
        entries = work.ledger.entries()
    assert first_fault(entries) is None
    assert len(entries) == THREADS * 6 * 2
    assert all(first.actor == second.actor for first, second in zip(entries[::2], entries[1::2], strict=True))


def test_every_message_is_claimed_exactly_once(shared_store: SqlStore) -> None:
    messages.with_bulletin(shared_store)
    messages.add(shared_store, [messages.dispatch(number) for number in range(600)])

    def take(number: int) -> list[str]:
        taken: list[str] = []
        while claimed := messages.claim(shared_store, 20, f"thread {number}"):
            taken += [row.id for row in claimed]
        return taken

    counted = Counter(dispatch_id for taken in at_once(take) for dispatch_id in taken)
    # A worker that finds every row locked goes away empty-handed, and the sweeper comes again.
    while claimed := messages.claim(shared_store, 20, "sweeper"):
        counted.update(row.id for row in claimed)
    assert counted == Counter({f"d-{number:05d}": 1 for number in range(600)})


def test_a_doubtful_message_is_asked_about_by_one(shared_store: SqlStore) -> None:
    messages.with_bulletin(shared_store)
    messages.add(shared_store, [messages.dispatch(number) for number in range(100)])
    messages.claim(shared_store)

    def ask(number: int) -> list[str]:
        with shared_store.begin() as work:
            handed = [row.id for row in work.dispatches.orphaned(messages.LEASE, 30)]
            work.commit()
        return handed

    handed = [dispatch_id for found in at_once(ask) for dispatch_id in found]
    assert len(handed) == len(set(handed))


def test_a_slot_fires_once_among_threads(shared_store: SqlStore) -> None:
    def fire(number: int) -> list[bool]:
        won = []
        for slot in range(6):
            with shared_store.begin() as work:
                won.append(work.ticks.fire("assess", NOON + timedelta(hours=slot), f"thread {number}", NOON))
                work.commit()
        return won

    assert [sum(won) for won in zip(*at_once(fire), strict=True)] == [1] * 6


FIRE = """
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from geowarn.store.unit_of_work import SqlStore
store = SqlStore(sys.argv[1])
sys.stdin.readline()
for hour in range(10):
    with store.begin() as work:
        won = work.ticks.fire("assess", datetime(2026, 7, 23, hour, tzinfo=UTC), sys.argv[2], datetime.now(UTC))
        work.commit()
    if won:
        print(hour)
store.dispose()
"""


def test_a_slot_fires_once_among_processes(database_url: str) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-c", FIRE, database_url, f"process {number}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(3)
    ]
    for process in started:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    said = [process.communicate(timeout=60)[0] for process in started]
    assert all(process.returncode == 0 for process in started)
    assert sorted(int(hour) for words in said for hour in words.split()) == list(range(10))


def test_a_release_never_counts_a_signature_that_an_edit_is_voiding(shared_store: SqlStore) -> None:
    """Edit and release of one warning wait for each other, so a release sees all of an edit or nothing."""
    given = rows.proposal(1)
    with shared_store.begin() as work:
        rows.with_versions(work, 1)
        work.signoffs.add(SignOff("s-1", "p-1", given.package_sha256, "li", Role.LEADER, NOON, "console", "", "none"))
        work.commit()
    voiding, may_finish = threading.Event(), threading.Event()

    def edit() -> None:
        with shared_store.begin() as work:
            work.warnings.get("w-1")
            work.signoffs.void("p-1", NOON)
            voiding.set()
            may_finish.wait(10)
            changed = rows.content(slots={"action.red.zh": "改"})
            made: Package = rows.package_of(changed)
            work.proposals.add(rows.proposal(2, changed), made)
            work.commit()

    def standing_at_release() -> int:
        voiding.wait(10)
        threading.Timer(0.2, may_finish.set).start()
        with shared_store.begin() as work:
            newest = work.proposals.of_warning("w-1")[0]
            return len(valid(work.signoffs.of_proposal(newest.id), newest.package_sha256))

    with ThreadPoolExecutor(2) as pool:
        edited, found = pool.submit(edit), pool.submit(standing_at_release)
        edited.result(30)
        assert found.result(30) == 0


def test_groups_that_settle_the_same_rows_never_block_each_other(shared_store: SqlStore) -> None:
    messages.with_bulletin(shared_store)
    messages.add(shared_store, [messages.dispatch(number) for number in range(60)])
    claimed = messages.claim(shared_store)
    states = [DispatchState.ACCEPTED, DispatchState.DELIVERED, DispatchState.FAILED]

    def settle(number: int) -> None:
        for turn in range(5):
            chosen = claimed[number * turn % 7 :: 1 + (number + turn) % 3]
            ordered = chosen[::-1] if number % 2 else chosen
            results = [
                (replace(row, state=states[(index + number) % 3]), Attempt(row.id, NOON, NOON, Outcome.ACCEPTED, ""))
                for index, row in enumerate(ordered)
            ]
            with shared_store.begin() as work:
                work.dispatches.record(results)
                work.dispatches.orphaned(NOON + timedelta(days=1), 10)
                work.dispatches.expire(NOON)
                work.ledger.append(NOON, "system", "dispatch.recorded", "b-1", {"rows": len(results)})
                work.commit()

    at_once(settle)
    with shared_store.read() as work:
        assert first_fault(work.ledger.entries()) is None
        assert len(work.ledger.entries()) == THREADS * 5
