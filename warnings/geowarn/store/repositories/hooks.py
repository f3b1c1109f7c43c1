"""Hooks and what was sent to them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, or_, select, update

from geowarn.domain.partner import DeliveryState, Event, Hook, HookDelivery
from geowarn.ports import HookAttempt
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import hook, hook_attempt, hook_delivery


def _hook(row: AnyRow) -> Hook:
    values = row._asdict()
    return Hook(**values | {"events": frozenset(Event(event) for event in values["events"])})


def _delivery(row: AnyRow) -> HookDelivery:
    values = row._asdict()
    return HookDelivery(**values | {"event": Event(values["event"]), "state": DeliveryState(values["state"])})


def _plain(delivery: HookDelivery) -> dict[str, Any]:
    return values_of(delivery) | {"event": delivery.event.value, "state": delivery.state.value}


def _due(now: datetime) -> ColumnElement[bool]:
    waiting = (hook_delivery.c.state == DeliveryState.NEW.value) & (hook_delivery.c.next_try_at <= now)
    left = (hook_delivery.c.state == DeliveryState.SENDING.value) & (hook_delivery.c.lease_until <= now)
    return or_(waiting, left)


def _in_turn() -> ColumnElement[bool]:
    """Nothing that the same hook is told of the same warning, and that happened before, is still to arrive."""
    earlier = hook_delivery.alias()
    same = (earlier.c.hook_id == hook_delivery.c.hook_id) & (earlier.c.subject == hook_delivery.c.subject)
    waiting = earlier.c.state.in_((DeliveryState.NEW.value, DeliveryState.SENDING.value))
    before = (hook_delivery.c.subject != "") & (earlier.c.position < hook_delivery.c.position)
    return ~exists().where(same, before, waiting)


class SqlHooks(Repository):
    """`ports.Hooks`."""

    def save(self, given: Hook) -> None:
        """Insert or replace by id."""
        self._put(hook, [values_of(given) | {"events": sorted(event.value for event in given.events)}])

    def get(self, hook_id: str) -> Hook | None:
        """One hook, or None."""
        row = self._row(select(hook).where(hook.c.id == hook_id))
        return _hook(row) if row else None

    def all(self) -> tuple[Hook, ...]:
        """Oldest first."""
        return tuple(_hook(row) for row in self._rows(select(hook).order_by(hook.c.created_at, hook.c.id)))

    def advance(self, hook_id: str, cursor: int) -> None:
        """Move the cursor forward; it never goes back."""
        self._run(update(hook).where(hook.c.id == hook_id, hook.c.cursor < cursor).values(cursor=cursor))

    def mark(self, hook_id: str, failing_since: datetime | None, disabled_at: datetime | None) -> None:
        """Note since when nothing arrives there, and whether it is left alone."""
        values = {"failing_since": failing_since, "disabled_at": disabled_at}
        self._run(update(hook).where(hook.c.id == hook_id).values(values))

    def remove(self, hook_id: str) -> None:
        """Remove it with its deliveries and their log."""
        mine = select(hook_delivery.c.id).where(hook_delivery.c.hook_id == hook_id)
        self._run(delete(hook_attempt).where(hook_attempt.c.delivery_id.in_(mine)))
        self._run(delete(hook_delivery).where(hook_delivery.c.hook_id == hook_id))
        self._run(delete(hook).where(hook.c.id == hook_id))

    def add(self, deliveries: Iterable[HookDelivery]) -> None:
        """Add those whose (hook, event) is not there yet."""
        self._add_missing(hook_delivery, [_plain(one) for one in deliveries])

    def due(self, now: datetime) -> tuple[str, ...]:
        """Hooks, not disabled, with a delivery whose turn it is and that is due or whose lease has run out."""
        found = select(hook_delivery.c.hook_id).join(hook).where(hook.c.disabled_at.is_(None), _due(now), _in_turn())
        return tuple(sorted(row.hook_id for row in self._rows(found.distinct())))

    def claim(self, hook_id: str, now: datetime, lease_until: datetime) -> HookDelivery | None:
        """Take the oldest due delivery of this hook whose turn it is; exactly one caller gets it."""
        order = (hook_delivery.c.position, hook_delivery.c.created_at, hook_delivery.c.id)
        found = select(hook_delivery.c.id).where(hook_delivery.c.hook_id == hook_id, _due(now), _in_turn())
        row = self._row(found.order_by(*order).limit(1).with_for_update(skip_locked=True, of=hook_delivery))
        return self.claim_one(row.id, now, lease_until) if row else None

    def claim_one(self, delivery_id: str, now: datetime, lease_until: datetime) -> HookDelivery | None:
        """Take this delivery if nobody has it."""
        values = {"state": DeliveryState.SENDING.value, "lease_until": lease_until}
        taken = update(hook_delivery).where(hook_delivery.c.id == delivery_id, _due(now)).values(values)
        rows = self._rows(taken.returning(*hook_delivery.c))
        return _delivery(rows[0]) if rows else None

    def record(self, delivery: HookDelivery, attempt: HookAttempt) -> None:
        """Store what became of a try, with its line in the log."""
        self._put(hook_delivery, [_plain(delivery)])
        self._add(hook_attempt, [values_of(attempt)])

    def deliveries(self, hook_id: str, limit: int = 50) -> tuple[HookDelivery, ...]:
        """Newest first."""
        order = (hook_delivery.c.created_at.desc(), hook_delivery.c.position.desc(), hook_delivery.c.id)
        found = select(hook_delivery).where(hook_delivery.c.hook_id == hook_id).order_by(*order).limit(limit)
        return tuple(_delivery(row) for row in self._rows(found))

    def attempts(self, delivery_id: str) -> tuple[HookAttempt, ...]:
        """In order of time."""
        found = select(hook_attempt).where(hook_attempt.c.delivery_id == delivery_id).order_by(hook_attempt.c.id)
        rows = [row._asdict() for row in self._rows(found)]
        return tuple(HookAttempt(**{name: value for name, value in row.items() if name != "id"}) for row in rows)
