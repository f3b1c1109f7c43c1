"""Subscribers on every kind of database: one row an address, gone with it, and what waits for a confirmation."""

from __future__ import annotations

from dataclasses import replace

from tests.contract.store_rows import HOUR, NOON
from tests.contract.test_store_notices import notice

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.level import Level
from geowarn.domain.subscriber import Asked, Subscriber, Wish
from geowarn.store.unit_of_work import SqlStore


def person(number: int = 1, **other: object) -> Subscriber:
    wish = Wish("zh", ("370682", "370687"), Level.ORANGE)
    made = Subscriber(f"m-{number}", f"{number:064x}", b"\x01s", "w***@e***.org", wish, "subscriber", "form", NOON)
    return replace(made, **other)  # type: ignore[arg-type]


def asked(number: int = 1, **other: object) -> Asked:
    wish = Wish("en", (), Level.YELLOW)
    made = Asked(f"{number:064x}", "confirm", "a" * 64, b"\x01s", "w***@e***.org", wish, NOON, NOON + HOUR)
    return replace(made, **other)  # type: ignore[arg-type]


def test_a_subscriber_is_read_back_changed_and_removed(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.subscribers.save(person())
        work.subscribers.save(person(2, role="official"))
        work.commit()
    with any_store.begin() as work:
        assert work.subscribers.all() == (person(), person(2, role="official"))
        assert work.subscribers.get("m-1") == work.subscribers.by_key(f"{1:064x}") == person()
        work.subscribers.save(person(wish=Wish("en")))
        assert work.subscribers.counts() == {("official", "zh", "orange"): 1, ("subscriber", "en", "yellow"): 1}
        assert [work.subscribers.remove("m-1"), work.subscribers.remove("m-1")] == [True, False]
        work.commit()
    with any_store.read() as work:
        assert work.subscribers.get("m-1") is None
        assert work.subscribers.by_key(f"{1:064x}") is None


def test_a_repeated_import_keeps_id_and_first_day(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        assert work.subscribers.save_all([person(), person(2)]) == 2
        again = person(3, address_key=f"{1:064x}", added_at=NOON + HOUR, wish=Wish("en"), consent="again")
        assert work.subscribers.save_all([again]) == 0
        work.commit()
    with any_store.read() as work:
        assert work.subscribers.get("m-1") == person(wish=Wish("en"), consent="again")


def test_what_was_asked_waits_until_it_is_answered_or_forgotten(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for one in (asked(), asked(2), asked(3, address_key="b" * 64, expires_at=NOON + 2 * HOUR)):
            work.subscribers.ask(one)
        sent = replace(notice(), state=DispatchState.ACCEPTED, settled_at=NOON)
        assert work.letters.add(sent)
        assert work.letters.add(notice(2))
        work.commit()
    with any_store.begin() as work:
        assert work.subscribers.asked(f"{1:064x}") == asked()
        work.subscribers.answered("a" * 64)
        assert work.subscribers.asked(f"{1:064x}") is None
        assert work.subscribers.forget(NOON + HOUR, NOON - HOUR) == 0
        assert work.subscribers.forget(NOON + 2 * HOUR, NOON) == 2
        assert work.subscribers.asked(f"{3:064x}") is None
        work.commit()
    with any_store.read() as work:
        assert (work.letters.get("n-1"), work.letters.get("n-2")) == (None, notice(2))
        assert work.notices.get("n-2") is None  # an outbox of its own


def test_notes_of_tries_are_forgotten(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for hours in range(3):
            work.sessions.note_failure("k", NOON + hours * HOUR)
        assert work.sessions.forget_failures(NOON + 2 * HOUR) == 2
        assert work.sessions.failures_since("k", NOON) == 1
        work.commit()
