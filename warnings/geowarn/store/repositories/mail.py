"""Subscriptions by mail: the row is all there is of an address, and it goes with the subscription."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select

from geowarn.domain.level import Level
from geowarn.domain.subscriber import Asked, Subscriber, Wish
from geowarn.store.repositories.base import AnyRow, Repository, batches, values_of
from geowarn.store.repositories.notices import SqlNotices
from geowarn.store.tables import letter, subscriber, subscription_asked


def _wish(values: dict[str, Any]) -> Wish:
    return Wish(values.pop("language"), tuple(values.pop("areas")), Level(values.pop("least")))


def _plain(given: Subscriber | Asked) -> dict[str, Any]:
    values = values_of(given)
    wish: Wish = values.pop("wish")
    return values | {"language": wish.language, "areas": list(wish.areas), "least": int(wish.least)}


def _subscriber(row: AnyRow) -> Subscriber:
    values = row._asdict()
    return Subscriber(wish=_wish(values), **values)


def _asked(row: AnyRow) -> Asked:
    values = row._asdict()
    return Asked(wish=_wish(values), **values)


class SqlSubscribers(Repository):
    """`ports.Subscribers`."""

    def save(self, given: Subscriber) -> None:
        """Insert, or replace by id."""
        self._put(subscriber, [_plain(given)])

    def save_all(self, subscribers: Iterable[Subscriber]) -> int:
        """Insert, or replace what is known by the same address, which keeps its id; returns how many are new."""
        statement = self._insert(subscriber)
        kept = ("id", "address_key", "added_at")
        changing = [column.name for column in subscriber.c if column.name not in kept]
        upsert = statement.on_conflict_do_update(
            index_elements=["address_key"], set_={name: statement.excluded[name] for name in changing}
        )
        before = self._count()
        for batch in batches(subscribers):
            self._run(upsert, [_plain(given) for given in batch])
        return self._count() - before

    def _count(self) -> int:
        return int(self._connection.scalar(select(func.count()).select_from(subscriber)) or 0)

    def all(self) -> tuple[Subscriber, ...]:
        """Everyone, ordered by id."""
        return tuple(_subscriber(row) for row in self._rows(select(subscriber).order_by(subscriber.c.id)))

    def get(self, subscriber_id: str) -> Subscriber | None:
        """One subscriber, or None."""
        row = self._row(select(subscriber).where(subscriber.c.id == subscriber_id))
        return _subscriber(row) if row else None

    def by_key(self, address_key: str) -> Subscriber | None:
        """The subscriber with this address, or None."""
        row = self._row(self._for_change(select(subscriber).where(subscriber.c.address_key == address_key)))
        return _subscriber(row) if row else None

    def remove(self, subscriber_id: str) -> bool:
        """Delete the row with its address; returns whether there was one."""
        gone = delete(subscriber).where(subscriber.c.id == subscriber_id).returning(subscriber.c.id)
        return bool(self._rows(gone))

    def counts(self) -> dict[tuple[str, str, str], int]:
        """(role, language, lowest level) -> how many."""
        group = (subscriber.c.role, subscriber.c.language, subscriber.c.least)
        counted = select(*group, func.count().label("people")).group_by(*group).order_by(*group)
        return {(r.role, r.language, Level(r.least).code): r.people for r in self._rows(counted)}

    def ask(self, asked: Asked) -> None:
        """Keep what somebody asked for until it is confirmed or expires."""
        self._add(subscription_asked, [_plain(asked)])

    def asked(self, token_sha256: str) -> Asked | None:
        """What was asked with this token, or None; a unit of work that writes keeps others off it until the end."""
        chosen = select(subscription_asked).where(subscription_asked.c.token_sha256 == token_sha256)
        row = self._row(self._for_change(chosen))
        return _asked(row) if row else None

    def answered(self, address_key: str) -> None:
        """Delete everything that was asked for this address."""
        self._run(delete(subscription_asked).where(subscription_asked.c.address_key == address_key))

    def forget(self, asked_before: datetime, settled_before: datetime) -> int:
        """Delete what was asked and expired before the one moment, and letters settled before the other."""
        asked, sent = subscription_asked, letter
        late = delete(asked).where(asked.c.expires_at <= asked_before).returning(asked.c.token_sha256)
        done = delete(sent).where(sent.c.settled_at <= settled_before).returning(sent.c.id)
        return len(self._rows(late)) + len(self._rows(done))


class SqlLetters(SqlNotices):
    """`ports.Letters`."""

    table = letter
