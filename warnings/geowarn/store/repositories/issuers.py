"""Other issuers' feeds, messages and what was refused of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Text, cast, delete, func, or_, select, type_coerce, update
from sqlalchemy.dialects.postgresql import JSONB

from geowarn.domain.companion import AlertKey
from geowarn.domain.issuers import Feed, Outcome, Refusal, Taken, message_id
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import issuer_feed, issuer_mark, issuer_message, issuer_reference, issuer_refusal
from geowarn.store.types import JsonText

_NEWEST = (issuer_message.c.sent.desc(), issuer_message.c.id)


def _taken(row: AnyRow) -> Taken:
    values = dict(row._mapping)
    lists = {name: tuple(values[name]) for name in ("codes", "remarks")}
    return Taken(**values | lists | {"outcome": Outcome(values["outcome"])})


class SqlIssued(Repository):
    """`ports.Issued`."""

    def feeds(self) -> tuple[Feed, ...]:
        """Every feed that was ever configured, by name."""
        return tuple(Feed(**row._mapping) for row in self._rows(select(issuer_feed).order_by(issuer_feed.c.name)))

    def feed(self, name: str) -> Feed | None:
        """One of them, or None."""
        row = self._row(self._for_change(select(issuer_feed).where(issuer_feed.c.name == name)))
        return Feed(**row._mapping) if row else None

    def save_feed(self, feed: Feed) -> None:
        """Insert or replace by name."""
        self._put(issuer_feed, [values_of(feed)])

    def marks(self, issuer: str) -> Mapping[str, str]:
        """Address to mark of what was fetched through a feed."""
        found = select(issuer_mark.c.address, issuer_mark.c.mark).where(issuer_mark.c.issuer == issuer)
        return {row.address: row.mark for row in self._rows(found)}

    def save_marks(self, issuer: str, marks: Mapping[str, str], now: datetime) -> None:
        """Insert or replace by address."""
        rows = [{"issuer": issuer, "address": address, "mark": mark, "at": now} for address, mark in marks.items()]
        self._put(issuer_mark, rows)

    def forget_marks(self, issuer: str, before: datetime | None = None) -> None:
        """Forget what was fetched, all of it or what the feed has not named since `before`."""
        gone = delete(issuer_mark).where(issuer_mark.c.issuer == issuer)
        self._run(gone if before is None else gone.where(issuer_mark.c.at < before))

    def get(self, message_id: str) -> Taken | None:
        """One message, or None."""
        row = self._row(select(issuer_message).where(issuer_message.c.id == message_id))
        return _taken(row) if row else None

    def add(self, message: Taken) -> None:
        """Keep a message that is not kept yet."""
        self._add(issuer_message, [values_of(message) | {"outcome": message.outcome.value}])

    def end(self, message_ids: Sequence[str], by: str) -> tuple[str, ...]:
        """Mark those of them that are kept and still stand as ended by another; returns which."""
        standing = (issuer_message.c.id.in_(message_ids), issuer_message.c.ended_by == "")
        found = self._rows(self._for_change(select(issuer_message.c.id).where(*standing).order_by(issuer_message.c.id)))
        ended = tuple(row.id for row in found)
        if ended:
            self._run(update(issuer_message).where(issuer_message.c.id.in_(ended)).values(ended_by=by))
        return ended

    def refer(self, message_id_: str, names: Sequence[AlertKey]) -> None:
        """Note which messages this one replaces or cancels, kept or not."""
        self._add_missing(issuer_reference, [{"message": message_id(key), "by": message_id_} for key in names])

    def referring(self, message_id: str) -> str:
        """The message that replaces or cancels this one; empty where none does."""
        found = select(issuer_reference.c.by).where(issuer_reference.c.message == message_id)
        row = self._row(found.order_by(issuer_reference.c.by).limit(1))
        return row.by if row else ""

    def same_identifier(self, sender: str, identifier: str) -> tuple[Taken, ...]:
        """Messages of one sender and identifier, whatever their `sent`."""
        same = (issuer_message.c.sender == sender, issuer_message.c.identifier == identifier)
        return tuple(map(_taken, self._rows(select(issuer_message).where(*same).order_by(issuer_message.c.sent))))

    def recent(self, since: datetime) -> tuple[Taken, ...]:
        """Messages whose end is after `since`, newest sent first."""
        found = select(issuer_message).where(issuer_message.c.expires > since)
        return tuple(map(_taken, self._rows(found.order_by(*_NEWEST))))

    def standing(self, since: datetime, drawn: bool = False) -> tuple[Taken, ...]:
        """Those of them that may still hold and concern us (`Taken.told`); outlines only where they are `drawn`."""
        table = issuer_message.c
        near = or_(table.unplaced, type_coerce(table.codes, Text) != "[]")
        told = (table.outcome == Outcome.SHOWN.value, table.msg_type != "Cancel", table.clears.is_(False), near)
        columns = [table[name] for name in table.keys() if name != "facts"]  # noqa: SIM118 - a collection of columns
        found = select(*columns, table.facts if drawn else self._undrawn())
        found = found.where(table.expires > since, table.ended_by == "", *told)
        return tuple(map(_taken, self._rows(found.order_by(*_NEWEST))))

    def _undrawn(self) -> ColumnElement[Any]:
        """The facts without the outlines, which are nearly all of them: the database leaves them out."""
        facts = issuer_message.c.facts
        text: ColumnElement[Any] = (
            cast(cast(facts, JSONB).op("-", return_type=JSONB())("rings"), Text)
            if self._postgres
            else func.json_remove(facts, "$.rings")
        )
        return type_coerce(text, JsonText).label("facts")

    def load(self, issuer: str, since: datetime) -> tuple[int, tuple[str, ...]]:
        """How many messages and refusals a feed has written since, and the payloads that are kept of them."""
        messages, refusals = issuer_message.c, issuer_refusal.c
        came = select(messages.payload).where(messages.issuer == issuer, messages.received_at >= since)
        refused = select(func.count()).where(refusals.issuer == issuer, refusals.at >= since)
        payloads = [row.payload for row in self._rows(came)]
        row = self._row(refused)
        return len(payloads) + (int(row[0]) if row else 0), tuple(sorted({*payloads} - {""}))

    def latest(self, issuer: str, limit: int) -> tuple[Taken, ...]:
        """The messages of one feed that came last, newest received first."""
        found = select(issuer_message).where(issuer_message.c.issuer == issuer)
        order = (issuer_message.c.received_at.desc(), issuer_message.c.id)
        return tuple(map(_taken, self._rows(found.order_by(*order).limit(limit))))

    def refuse(self, refusal: Refusal) -> bool:
        """Note a refusal; False where this file was refused for this reason before."""
        table = issuer_refusal.c
        same = (table.issuer == refusal.issuer, table.payload == refusal.payload, table.key == refusal.key)
        if self._row(select(issuer_refusal.c.key).where(*same)) is not None:
            return False
        self._add(issuer_refusal, [values_of(refusal)])
        return True

    def refusals(self, issuer: str, limit: int = 50) -> tuple[Refusal, ...]:
        """Newest first."""
        found = select(issuer_refusal).where(issuer_refusal.c.issuer == issuer)
        order = (issuer_refusal.c.at.desc(), issuer_refusal.c.payload, issuer_refusal.c.key)
        return tuple(Refusal(**row._mapping) for row in self._rows(found.order_by(*order).limit(limit)))

    def saw_refusals(self, issuer: str, now: datetime, who: str) -> int:
        """Somebody has looked at those nobody had; returns how many."""
        unseen = (issuer_refusal.c.issuer == issuer, issuer_refusal.c.seen_at.is_(None))
        count = len(self._rows(select(issuer_refusal.c.key).where(*unseen)))
        self._run(update(issuer_refusal).where(*unseen).values(seen_at=now, seen_by=who))
        return count
