"""Keys, their use, answered requests and hooks on every kind of database."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from tests.contract.store_rows import HOUR, NOON, kept

from geowarn.domain.partner import ApiKey, DeliveryState, Event, Hook, HookDelivery, Scope
from geowarn.ports import AnsweredRequest, HookAttempt, UnitOfWork
from geowarn.store.unit_of_work import SqlStore

MINUTE = timedelta(minutes=1)


def key(number: int = 1, **other: object) -> ApiKey:
    made = ApiKey(
        id=f"k-{number}",
        prefix=f"gwk_abc{number}",
        token_sha256=f"{number:064x}",
        owner="observatory",
        of_account=True,
        scopes=frozenset({Scope.READ, Scope.COSIGN}),
        per_minute=60,
        created_at=NOON + number * HOUR,
        created_by="admin (console, 127.0.0.1)",
        confirmed_at=NOON + number * HOUR,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def hook(number: int = 1, **other: object) -> Hook:
    made = Hook(
        id=f"h-{number}",
        owner="city-site",
        of_account=False,
        url="https://partner.example/hook",
        events=frozenset({Event.RELEASED, Event.ENDED}),
        internal=False,
        live=True,
        created_at=NOON + number * HOUR,
        created_by="admin",
        cursor=5,
        secret_sealed=b"\x01sealed",
    )
    return replace(made, **other)  # type: ignore[arg-type]


def delivery(number: int = 1, hook_id: str = "h-1", **other: object) -> HookDelivery:
    made = HookDelivery(
        f"d-{hook_id}-{number}", hook_id, f"event:{number}", Event.RELEASED, '{"id":"中"}', NOON, number,
        next_try_at=NOON,
    )  # fmt: skip
    return replace(made, **other)  # type: ignore[arg-type]


def request(**other: object) -> AnsweredRequest:
    return replace(AnsweredRequest("k-1", "one-act", "f" * 64, NOON), **other)  # type: ignore[arg-type]


def test_keys_read_back_as_written(any_store: SqlStore) -> None:
    first = key(1, signing_sealed=b"\x01x", expires_at=NOON + HOUR)
    second = key(2, of_account=False, owner="city-site", scopes=frozenset({Scope.READ}))
    with any_store.begin() as work:
        work.api_keys.save(first)
        work.api_keys.save(second)
        work.api_keys.touch("k-2", NOON)
        work.commit()
    second = replace(second, last_used_at=NOON)
    with any_store.read() as work:
        assert work.api_keys.all() == (second, first)
        assert work.api_keys.get("k-1") == first
        assert work.api_keys.get("k-3") is None
        assert work.api_keys.by_token(first.token_sha256) == first
        assert work.api_keys.by_token("0" * 64) is None
    kept(any_store, lambda work: work.api_keys.save(replace(first, revoked_at=NOON)))
    with any_store.read() as work:
        again = work.api_keys.get("k-1")
    assert again is not None
    assert again.revoked_at == NOON


def test_uses_are_counted_by_key_and_window(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        assert [work.api_keys.count("k-1", NOON) for _ in range(3)] == [1, 2, 3]
        assert work.api_keys.count("k-2", NOON) == 1
        assert work.api_keys.count("k-1", NOON + MINUTE) == 1
        assert work.api_keys.count("k-1", NOON) == 4
        assert work.api_keys.count("k-1", NOON + 2 * HOUR) == 1  # forgets what is long over
        assert work.api_keys.count("k-1", NOON) == 1
        work.commit()


def test_a_nonce_is_taken_once_by_each_key(any_store: SqlStore) -> None:
    def take(work: UnitOfWork, key_id: str, at: int) -> bool:
        moment = NOON + at * MINUTE
        return work.api_keys.take_nonce(key_id, "n", moment, moment - 15 * MINUTE)

    with any_store.begin() as work:
        assert take(work, "k-1", 0)
        assert not take(work, "k-1", 1)
        assert take(work, "k-2", 1)
        assert take(work, "k-1", 16)
        work.commit()


def test_a_request_is_claimed_once_and_keeps_its_answer(any_store: SqlStore) -> None:
    since, answer = NOON - 24 * HOUR, request(status=201, location="/x", body_sealed=b"\x00\xff")
    with any_store.begin() as work:
        assert work.requests.claim(request(), since) is None
        work.requests.answer(answer)
        work.commit()
    with any_store.begin() as work:
        assert work.requests.claim(request(at=NOON + HOUR), since) == answer
        assert work.requests.claim(request(key_id="k-2"), since) is None
    with any_store.begin() as work:
        assert work.requests.claim(request(at=NOON + 25 * HOUR), NOON + HOUR) is None  # forgotten by then
    with any_store.begin() as work:  # what was not committed was never claimed
        assert work.requests.claim(request(), since) == answer


def test_hooks_and_deliveries_read_back_as_written(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.hooks.save(hook(2))
        work.hooks.save(hook(1))
        work.hooks.add([delivery(2), delivery(1)])
        work.hooks.add([delivery(1, id="d-other"), delivery(3)])  # the first one is there
        work.commit()
    with any_store.read() as work:
        assert work.hooks.all() == (hook(1), hook(2))
        assert work.hooks.deliveries("h-1") == (delivery(3), delivery(2), delivery(1))
        assert work.hooks.deliveries("h-1", 1) == (delivery(3),)
        assert work.hooks.get("h-9") is None


def test_a_cursor_never_goes_back(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.hooks.save(hook())
        work.hooks.advance("h-1", 9)
        work.hooks.advance("h-1", 7)
        work.hooks.mark("h-1", NOON, NOON + HOUR)
        work.commit()
    with any_store.read() as work:
        assert work.hooks.get("h-1") == hook(cursor=9, failing_since=NOON, disabled_at=NOON + HOUR)


def test_deliveries_are_claimed_in_order_and_once(any_store: SqlStore) -> None:
    until = NOON + MINUTE
    with any_store.begin() as work:
        work.hooks.save(hook())
        work.hooks.add([delivery(2), delivery(1), delivery(3, next_try_at=NOON + HOUR)])
        assert work.hooks.due(NOON) == ("h-1",)
        first, second = (work.hooks.claim("h-1", NOON, until) for _ in range(2))
        assert first is not None
        assert second is not None
        assert (first.event_key, second.event_key) == ("event:1", "event:2")
        assert (first.state, first.lease_until) == (DeliveryState.SENDING, until)
        assert work.hooks.claim("h-1", NOON, until) is None
        assert work.hooks.claim_one(first.id, NOON, until) is None
        assert work.hooks.due(NOON) == ()
        again = work.hooks.claim("h-1", until, until + MINUTE)  # its lease has run out
        assert again is not None
        assert again.id == first.id
        work.hooks.mark("h-1", NOON, NOON)
        assert work.hooks.due(NOON + HOUR) == ()
        work.commit()


def test_of_one_warning_nothing_later_goes_before_what_is_tried_again(any_store: SqlStore) -> None:
    later = NOON + HOUR
    first, second = delivery(1, subject="w-1", next_try_at=later), delivery(2, subject="w-1")
    other = delivery(3, subject="w-2")
    with any_store.begin() as work:
        work.hooks.save(hook())
        work.hooks.save(hook(2))
        work.hooks.add([first, second, other, replace(second, id="d-2", hook_id="h-2")])
        assert work.hooks.due(NOON) == ("h-1", "h-2")  # another warning, another partner
        assert [work.hooks.claim("h-1", NOON, later) for _ in range(2)] == [taken(other, later), None]
        assert work.hooks.claim("h-1", later, later + HOUR) == taken(first, later + HOUR)
        assert work.hooks.claim("h-1", later, later + HOUR) is not None  # the other one's lease has run out
        assert work.hooks.claim("h-1", later, later + HOUR) is None  # the first one is under way
        done = replace(first, state=DeliveryState.GIVEN_UP, next_try_at=None)
        work.hooks.record(done, HookAttempt(first.id, later, 500, 1, None))
        assert work.hooks.claim("h-1", later, later + HOUR) == taken(second, later + HOUR)


def taken(one: HookDelivery, until: datetime) -> HookDelivery:
    return replace(one, state=DeliveryState.SENDING, lease_until=until)


def test_a_try_leaves_its_line_and_a_removed_hook_nothing(any_store: SqlStore) -> None:
    done = delivery(1, state=DeliveryState.DELIVERED, attempts=2, next_try_at=None, status=204, milliseconds=12)
    tries = [HookAttempt(done.id, NOON, 500, 30, "partners.turned-away"), HookAttempt(done.id, NOON, 204, 12, None)]
    with any_store.begin() as work:
        work.hooks.save(hook())
        work.hooks.save(hook(2))
        work.hooks.add([delivery(1), delivery(1, "h-2")])
        for one in tries:
            work.hooks.record(done, one)
        work.commit()
    with any_store.read() as work:
        assert work.hooks.deliveries("h-1") == (done,)
        assert list(work.hooks.attempts(done.id)) == tries
    kept(any_store, lambda work: work.hooks.remove("h-1"))
    with any_store.read() as work:
        assert work.hooks.all() == (hook(2),)
        assert work.hooks.attempts(done.id) == ()
        assert work.hooks.deliveries("h-2") == (delivery(1, "h-2"),)


def together(count: int, act: Callable[[], object]) -> list[object]:
    """What `act` returns in many threads at once."""
    start, found = threading.Barrier(count), []

    def run() -> None:
        start.wait(30)
        found.append(act())

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return found


def test_many_at_once_are_all_counted(shared_store: SqlStore) -> None:
    def use() -> int:
        with shared_store.begin() as work:
            found = work.api_keys.count("k-1", NOON)
            work.commit()
        return found

    assert sorted(map(str, together(8, use))) == sorted(map(str, range(1, 9)))


def test_of_many_at_once_one_takes_a_nonce_and_one_a_delivery(shared_store: SqlStore) -> None:
    with shared_store.begin() as work:
        work.hooks.save(hook())
        work.hooks.add([delivery(1)])
        work.commit()

    def take() -> bool:
        with shared_store.begin() as work:
            found = work.api_keys.take_nonce("k-1", "n", NOON, NOON - MINUTE)
            work.commit()
        return found

    def claim() -> bool:
        with shared_store.begin() as work:
            found = work.hooks.claim("h-1", NOON, NOON + MINUTE)
            work.commit()
        return found is not None

    assert together(6, take).count(True) == 1
    assert together(6, claim).count(True) == 1


def test_the_second_of_two_equal_requests_waits_for_the_first(shared_store: SqlStore) -> None:
    """Both are sent at once; one acts, the other gets its answer."""
    acted = []

    def ask() -> int:
        with shared_store.begin() as work:
            held = work.requests.claim(request(), NOON - HOUR)
            if held is not None:
                return held.status
            acted.append(1)
            work.requests.answer(request(status=201))
            work.commit()
        return 201

    assert together(6, ask) == [201] * 6
    assert len(acted) == 1
