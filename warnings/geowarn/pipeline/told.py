"""Who was told of a warning, as its next bulletin must see it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.dispatch import Dispatch, DispatchState
from geowarn.ports import UnitOfWork


def dispatched(work: UnitOfWork, bulletins: Iterable[Bulletin]) -> tuple[Dispatch, ...]:
    """Every dispatch of these bulletins.

    One that was to be sent once more is in doubt here, whatever became of the second try: the first may have arrived,
    and whoever had it must hear of every change.
    """
    before = tuple(bulletins)
    again = work.dispatches.sent_again(bulletin.id for bulletin in before)
    rows = (row for bulletin in before for row in work.dispatches.of_bulletin(bulletin.id))
    return tuple(_doubtful(row) if row.id in again else row for row in rows)


def _doubtful(row: Dispatch) -> Dispatch:
    arrived = row.state in (DispatchState.ACCEPTED, DispatchState.DELIVERED)
    return row if arrived else replace(row, state=DispatchState.IN_DOUBT)
