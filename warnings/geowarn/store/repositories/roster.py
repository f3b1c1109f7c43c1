"""Confirmations, swaps and hand-overs."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select

from geowarn.domain.duty import Ask, Handover, Part, Swap, SwapState
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import handover, shift_ask, shift_swap


def _swap(row: AnyRow) -> Swap:
    values = renamed(row._asdict(), starts_at="start", ends_at="end")
    return Swap(**values | {"part": Part(values["part"]), "state": SwapState(values["state"])})


class SqlRoster(Repository):
    """`ports.Roster`."""

    def add_ask(self, given: Ask) -> bool:
        """Add unless this person was asked about this shift so many hours before; returns whether it was added."""
        added = self._insert(shift_ask).values(values_of(given)).on_conflict_do_nothing().returning(shift_ask.c.id)
        return bool(self._rows(added))

    def save_ask(self, given: Ask) -> None:
        """Insert or replace by id."""
        self._put(shift_ask, [values_of(given)])

    def asks(self, shifts: Iterable[str]) -> tuple[Ask, ...]:
        """Of these shifts, in order of time."""
        found = select(shift_ask).where(shift_ask.c.shift.in_(list(shifts)))
        return tuple(Ask(**row._mapping) for row in self._rows(found.order_by(shift_ask.c.asked_at, shift_ask.c.id)))

    def asked(self, person: str) -> tuple[Ask, ...]:
        """Of one person, newest first."""
        found = select(shift_ask).where(shift_ask.c.person == person)
        order = (shift_ask.c.asked_at.desc(), shift_ask.c.id)
        return tuple(Ask(**row._mapping) for row in self._rows(found.order_by(*order)))

    def save_swap(self, given: Swap) -> None:
        """Insert or replace by id."""
        values = renamed(values_of(given), start="starts_at", end="ends_at")
        self._put(shift_swap, [values | {"part": given.part.value, "state": given.state.value}])

    def swap(self, swap_id: str) -> Swap | None:
        """One swap, or None; a writer holds it, so that two cannot decide it."""
        row = self._row(self._for_change(select(shift_swap).where(shift_swap.c.id == swap_id)))
        return _swap(row) if row else None

    def swaps(self, since: datetime) -> tuple[Swap, ...]:
        """Those whose time ends after then, in the order asked."""
        found = select(shift_swap).where(shift_swap.c.ends_at > since)
        return tuple(_swap(row) for row in self._rows(found.order_by(shift_swap.c.asked_at, shift_swap.c.id)))

    def save_handover(self, given: Handover) -> None:
        """Insert or replace by id."""
        self._put(handover, [values_of(given) | {"facts": dict(given.facts)}])

    def handover(self, handover_id: str) -> Handover | None:
        """One hand-over, or None; a writer holds it, so that it is not corrected while it is taken."""
        row = self._row(self._for_change(select(handover).where(handover.c.id == handover_id)))
        return Handover(**row._mapping) if row else None

    def handovers(self, limit: int) -> tuple[Handover, ...]:
        """Newest first."""
        found = select(handover).order_by(handover.c.given_at.desc(), handover.c.id).limit(limit)
        return tuple(Handover(**row._mapping) for row in self._rows(found))
