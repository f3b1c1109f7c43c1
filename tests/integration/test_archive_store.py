"""What is read of a long archive: each bulletin once a process, and nothing of it where only what is open matters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

from sqlalchemy import event
from tests.contract.store_rows import HOUR, NOON, bulletin, content, frozen, package_of, proposal, warning

from geowarn.domain.bulletin import Standing
from geowarn.domain.warning import WarningStatus
from geowarn.pipeline.publish import site_state
from geowarn.pipeline.release import in_force
from geowarn.pipeline.released import Released
from geowarn.pipeline.watch import ask_before_end, end_validity
from geowarn.store.unit_of_work import SqlStore

LATER = NOON + timedelta(days=30)
FACTS: dict[str, dict[str, Any]] = {
    "site": {"next_update_hours": 1},
    "installation": {"synthetic": False},
    "schedule": {"ask_before_end_minutes": 60},
}


def archived(store: SqlStore, first: int, count: int, status: WarningStatus = WarningStatus.VALIDITY_ENDED) -> None:
    """So many warnings of one bulletin each; those in force last a day from `LATER` on."""
    made = content() if status is not WarningStatus.IN_FORCE else replace(content(), expires=LATER + 24 * HOUR)
    with store.begin() as work:
        for number in range(first, first + count):
            name = f"w-{number}"
            work.warnings.add(warning(number, status=status))
            given = proposal(1, made, id=f"p-{number}", warning_id=name)
            work.proposals.add(given, package_of(made))
            work.bulletins.add(bulletin(number, warning_id=name, content=made), frozen(number))
        work.commit()


@contextmanager
def statements(store: SqlStore) -> Iterator[Counter[str]]:
    """How many statements are sent to the database."""
    found: Counter[str] = Counter()

    def sent(*_: object) -> None:
        found["statements"] += 1

    event.listen(store.engine, "before_cursor_execute", sent)
    try:
        yield found
    finally:
        event.remove(store.engine, "before_cursor_execute", sent)


def counted(store: SqlStore, act: Callable[[], object]) -> int:
    with statements(store) as found:
        act()
    return found["statements"]


def test_a_state_is_made_with_as_many_statements_however_long_the_archive_is(store: SqlStore) -> None:
    clock, released = SimpleNamespace(now=lambda: LATER), Released(store)

    def made() -> Any:
        return site_state(store, clock, FACTS, lambda _: None, released)

    archived(store, 1, 3)
    made()
    few = counted(store, made)
    archived(store, 4, 40)
    state = made()
    assert [found.bulletin.serial for found in state.bulletins] == list(range(43, 0, -1))
    assert {found.standing for found in state.bulletins} == {Standing.VALIDITY_ENDED}
    assert counted(store, made) == few
    assert state.bulletins[0].artefacts["page"] == b"43"
    archived(store, 44, 1, WarningStatus.IN_FORCE)
    assert made().in_force()[0].bulletin.serial == 44


def test_what_ended_is_not_asked_for_where_only_what_is_in_force_matters(store: SqlStore) -> None:
    desk: Any = SimpleNamespace(store=store, clock=SimpleNamespace(now=lambda: LATER), facts=FACTS)

    def looked() -> None:
        with store.read() as work:
            assert [one.serial for one in in_force(work, LATER)] == [1]
        assert end_validity(desk) == ()
        assert ask_before_end(desk) == 0

    archived(store, 1, 1, WarningStatus.IN_FORCE)
    few = counted(store, looked)
    archived(store, 2, 40)
    assert counted(store, looked) == few


def test_a_database_put_in_the_place_of_another_is_read_anew(store: SqlStore) -> None:
    archived(store, 1, 2)
    released = Released(store)
    released.catch_up()
    other = SqlStore.in_memory()
    archived(other, 7, 1)
    with other.read() as work:
        assert [found.bulletin.serial for found in released.all(work)] == [7]
    other.dispose()
