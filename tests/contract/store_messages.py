"""Dispatches for the store's contract suites."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState, Outcome
from geowarn.domain.level import Level
from geowarn.domain.package import Package
from geowarn.domain.warning import Act, AreaLevel, Content, HazardWarning, Proposal, Series, WarningStatus
from geowarn.store.unit_of_work import SqlStore

NOON = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
LEASE = NOON + MINUTE


def with_bulletin(store: SqlStore, number: int = 1) -> str:
    areas = (AreaLevel("370687", Level.RED),)
    content = Content(Act.ISSUE, Series.REAL, areas, NOON, NOON + 60 * MINUTE, NOON + 30 * MINUTE)
    package = Package(content.as_json(), ())
    with store.begin() as work:
        work.warnings.add(HazardWarning(f"w-{number}", Series.REAL, WarningStatus.IN_FORCE, NOON))
        work.proposals.add(Proposal(f"p-{number}", f"w-{number}", 1, content, package.sha256, "wang", NOON), package)
        slug = f"2026-{number:03d}"
        work.bulletins.add(
            Bulletin(
                id=f"b-{number}",
                warning_id=f"w-{number}",
                proposal_id=f"p-{number}",
                series=Series.REAL,
                year=2026,
                serial=number,
                number=slug,
                slug=slug,
                released_at=NOON,
                content=content,
                package_sha256=package.sha256,
                late={},
                artefacts={},
            ),
            (),
        )
        work.commit()
    return f"b-{number}"


def dispatch(number: int, **other: object) -> Dispatch:
    made = Dispatch(
        id=f"d-{number:05d}",
        bulletin_id="b-1",
        channel="sms",
        target_key=f"{number:064x}",
        variant="sms/red.zh.txt",
        tier=1,
        shard="b-1:sms:0",
        priority=40,
        release_at=NOON,
        not_after=NOON + 60 * MINUTE,
    )
    return replace(made, **other)  # type: ignore[arg-type]


def add(store: SqlStore, rows: Iterable[Dispatch]) -> None:
    with store.begin() as work:
        work.dispatches.add_all(rows)
        work.commit()


def claim(store: SqlStore, limit: int = 500, owner: str = "one", now: datetime = NOON) -> tuple[Dispatch, ...]:
    with store.begin() as work:
        rows = work.dispatches.claim("b-1:sms:0", owner, now, now + MINUTE, limit)
        work.commit()
    return rows


def settle(store: SqlStore, row: Dispatch, state: DispatchState, **other: object) -> Dispatch:
    """Record one result and return the row as it then stands."""
    after = replace(row, state=state, **other)  # type: ignore[arg-type]
    with store.begin() as work:
        work.dispatches.record([(after, Attempt(row.id, NOON, NOON, Outcome.ACCEPTED, "why", "SM1"))])
        work.commit()
    return stored(store, row.id)


def stored(store: SqlStore, dispatch_id: str) -> Dispatch:
    with store.read() as work:
        found = work.dispatches.get(dispatch_id)
    assert found is not None
    return found
