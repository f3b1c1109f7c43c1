"""What happened to sources, and alerts of the weather service: kept alike in memory, on SQLite and on PostgreSQL."""

from __future__ import annotations

import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from threading import Thread
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.contract.store_rows import HOUR, NOON, kept

from geowarn.ports import CompanionAlert, SourceEvent
from geowarn.store.unit_of_work import SqlStore

many = settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
texts = st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=30)
codes = st.text(string.ascii_letters + string.digits, min_size=1, max_size=12)
moments = st.datetimes(datetime(1990, 1, 1), datetime(2090, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
facts = st.dictionaries(texts, texts | st.integers(-(2**53), 2**53) | st.lists(texts, max_size=3), max_size=3)


def event(number: int, kind: str = "good", source: str = "scmoc", **other: object) -> SourceEvent:
    made = SourceEvent(f"e-{number}", source, NOON + number * HOUR, kind, {"run": number})
    return replace(made, **other)  # type: ignore[arg-type]


def companion(number: int, **other: object) -> CompanionAlert:
    made = CompanionAlert(
        id=f"a-{number}",
        sender="weather@example.invalid",
        identifier=f"rain-{number}",
        sent=NOON + number * timedelta(minutes=1),
        onset=NOON,
        expires=NOON + 6 * HOUR,
        areas=("370687", "370682"),
        facts={"event": {"zh-CN": "暴雨"}, "severity": "Severe"},
        payload_digest=f"{number:064x}",
        received_at=NOON + HOUR,
    )
    return replace(made, **other)  # type: ignore[arg-type]


# --- what happened to sources


@many
@given(texts, moments, st.sampled_from(["good", "late"]), facts)
def test_an_event_comes_back_as_it_was(
    any_store: SqlStore, name: str, at: datetime, kind: str, told: dict[str, object]
) -> None:
    fresh = uuid4().hex  # every example adds to one store
    found = SourceEvent(fresh, f"{name} {fresh}", at, kind, told)
    kept(any_store, lambda work: work.source_events.add(found))
    with any_store.read() as work:
        assert work.source_events.newest(found.source) == found
        assert work.source_events.of_source(found.source) == (found,)


@pytest.mark.parametrize("order", list(permutations((1, 2, 3))))
def test_events_are_newest_first_whatever_order_they_were_kept_in(any_store: SqlStore, order: tuple[int, ...]) -> None:
    kinds = {1: "good", 2: "refused", 3: "late"}
    with any_store.begin() as work:
        for number in order:
            work.source_events.add(event(number, kinds[number]))
        work.source_events.add(event(9, source="other"))
        work.commit()
    with any_store.read() as work:
        assert [one.id for one in work.source_events.of_source("scmoc")] == ["e-3", "e-2", "e-1"]
        assert [one.id for one in work.source_events.of_source("scmoc", limit=1)] == ["e-3"]
        assert work.source_events.newest("scmoc") == event(3, "late")
        assert work.source_events.newest("scmoc", "good") == event(1)
        assert work.source_events.newest("scmoc", "waiting") is None
        assert work.source_events.newest("nobody") is None


def test_events_of_one_moment_have_one_order(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for number in (2, 1, 3):
            work.source_events.add(event(number, at=NOON))
        work.commit()
    with any_store.read() as work:
        assert [one.id for one in work.source_events.of_source("scmoc")] == ["e-3", "e-2", "e-1"]
        assert work.source_events.newest("scmoc") == event(3, at=NOON)


def test_an_event_is_kept_once_and_with_its_transaction(any_store: SqlStore) -> None:
    kept(any_store, lambda work: work.source_events.add(event(1)))
    with pytest.raises(Exception, match=r"(?i)unique"):
        kept(any_store, lambda work: work.source_events.add(event(1, "late")))
    with any_store.begin() as work:
        work.source_events.add(event(2))
    with any_store.read() as work:
        assert work.source_events.of_source("scmoc") == (event(1),)


# --- alerts of the weather service


@many
@given(texts, texts, st.lists(codes, max_size=3).map(tuple), facts, st.none() | texts.filter(bool))
def test_an_alert_comes_back_as_it_was(
    any_store: SqlStore,
    sender: str,
    identifier: str,
    areas: tuple[str, ...],
    told: dict[str, object],
    ended_by: str | None,
) -> None:
    fresh = uuid4().hex  # every example adds to one store
    made = companion(1, id=fresh, sender=sender, identifier=identifier, areas=areas, facts=told, ended_by=ended_by)
    kept(any_store, lambda work: work.companions.add(made))
    with any_store.read() as work:
        found = [one for one in work.companions.current(NOON) if one.id == fresh]
    assert found == ([] if ended_by else [made])


def test_the_same_alert_is_kept_once(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        assert work.companions.add(companion(1))
        assert not work.companions.add(companion(1, areas=()))
        work.commit()
    with any_store.read() as work:
        assert work.companions.current(NOON) == (companion(1),)


def test_current_are_those_neither_expired_nor_ended_newest_first(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        for number in (2, 1, 3, 4):
            work.companions.add(companion(number, expires=NOON + number * HOUR))
        assert work.companions.end("weather@example.invalid", "rain-2", "rain-9") == 1
        assert work.companions.end("weather@example.invalid", "rain-2", "rain-10") == 0  # it ended once
        assert work.companions.end("other@example.invalid", "rain-3", "rain-9") == 0
        work.commit()
    with any_store.read() as work:
        assert [one.id for one in work.companions.current(NOON)] == ["a-4", "a-3", "a-1"]
        assert [one.id for one in work.companions.current(NOON + HOUR)] == ["a-4", "a-3"]  # ends at its very moment
        assert [one.id for one in work.companions.current(NOON + 4 * HOUR)] == []


def test_an_alert_goes_with_its_transaction(any_store: SqlStore) -> None:
    with any_store.begin() as work:
        work.companions.add(companion(1))
    with any_store.read() as work:
        assert work.companions.current(NOON) == ()


def test_two_who_keep_the_same_alert_at_once_keep_it_once(shared_store: SqlStore) -> None:
    answers: list[bool] = []

    def add() -> None:
        with shared_store.begin() as work:
            answers.append(work.companions.add(companion(1)))
            work.commit()

    threads = [Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answers) == [False, False, False, True]
