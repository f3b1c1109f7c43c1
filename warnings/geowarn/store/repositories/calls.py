"""The register of contacts, and the calls that were made of it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, case, cast, delete, func, or_, select, update

from geowarn.domain.calls import CALL, Call, CallAsk, CallKind, CallTally, Contact, Via
from geowarn.domain.level import Level
from geowarn.store.repositories.base import AnyRow, Repository, batches, renamed, values_of
from geowarn.store.tables import call, call_ask, call_contact, notice

_UNANSWERED = call.c.answered_at.is_(None)
_NUMBERED = call_ask.c.phone_key != ""  # an empty one was forgotten
_OPEN = _UNANSWERED & call.c.ended_at.is_(None)


def _contact(row: AnyRow) -> Contact:
    values = renamed(row._asdict(), whereabouts="where")
    return Contact(**{**values, "kind": CallKind(row.kind)})


def _call(row: AnyRow) -> Call:
    values = renamed(row._asdict(), whereabouts="where", next_seconds="next_after")
    return Call(
        **{
            **values,
            "kind": CallKind(row.kind),
            "level": Level(row.level),
            "next_after": timedelta(seconds=row.next_seconds),
            "answered_via": Via(row.answered_via) if row.answered_via else None,
        }
    )


def _row(one: Call) -> dict[str, Any]:
    values = renamed(values_of(one), where="whereabouts", next_after="next_seconds")
    return values | {
        "kind": one.kind.value,
        "level": int(one.level),
        "next_seconds": one.next_after.total_seconds(),
        "answered_via": one.answered_via.value if one.answered_via else None,
    }


def _ask_row(one: CallAsk) -> dict[str, Any]:
    values = values_of(one)
    del values["sent_at"]  # its notice knows
    return values


class SqlContacts(Repository):
    """`ports.Contacts`."""

    def replace_all(self, contacts: Iterable[Contact]) -> None:
        """Let the register hold exactly these."""
        self._run(delete(call_contact))
        rows = (renamed(values_of(one), where="whereabouts") | {"kind": one.kind.value} for one in contacts)
        self._add(call_contact, rows)

    def all(self) -> tuple[Contact, ...]:
        """In order of county, kind, place and number."""
        return self._found()

    def first(self) -> tuple[Contact, ...]:
        """The contact of each place that is called first."""
        return self._found(call_contact.c.number == 1)

    def _found(self, *conditions: ColumnElement[bool]) -> tuple[Contact, ...]:
        c = call_contact.c
        ordered = select(call_contact).where(*conditions).order_by(c.county, c.kind, c.area, c.place, c.number)
        return tuple(_contact(row) for row in self._rows(ordered))

    def of(self, places: Collection[str]) -> Mapping[tuple[str, int], Contact]:
        """The contacts of these places, by place and number."""
        c, found = call_contact.c, list[Contact]()
        for batch in batches(sorted(places), 500):
            found += self._found(c.place.in_(batch))
        return {(one.place, one.number): one for one in found}

    def get(self, place: str, number: int) -> Contact | None:
        """One contact, or None."""
        found = self._found(call_contact.c.place == place, call_contact.c.number == number)
        return found[0] if found else None

    def numbers(self, places: Collection[str]) -> Mapping[str, tuple[int, ...]]:
        """The order numbers of the contacts of these places."""
        found: dict[str, list[int]] = defaultdict(list)
        for batch in batches(sorted(places), 500):
            chosen = select(call_contact.c.place, call_contact.c.number).where(call_contact.c.place.in_(batch))
            for row in self._rows(chosen.order_by(call_contact.c.number)):
                found[row.place].append(row.number)
        return {place: tuple(numbers) for place, numbers in found.items()}

    def registered(self) -> Mapping[tuple[str, CallKind], int]:
        """How many places by county and kind."""
        c = call_contact.c
        counted = select(c.county, c.kind, func.count().label("places")).where(c.number == 1)
        return {(row.county, CallKind(row.kind)): row.places for row in self._rows(counted.group_by(c.county, c.kind))}


class SqlCalls(Repository):
    """`ports.Calls`."""

    def add(self, calls: Iterable[Call], asks: Iterable[CallAsk]) -> None:
        """Add calls with their first asks."""
        self._add(call, (_row(one) for one in calls))
        self._add(call_ask, (_ask_row(one) for one in asks))

    def get(self, call_id: str) -> Call | None:
        """One call, or None."""
        row = self._row(select(call).where(call.c.id == call_id))
        return _call(row) if row else None

    def waiting(self) -> tuple[str, ...]:
        """The warnings with calls that nobody has answered and that have not ended."""
        found = select(call.c.warning_id).where(_OPEN).distinct().order_by(call.c.warning_id)
        return tuple(row.warning_id for row in self._rows(found))

    def of_warning(self, warning_id: str, county: str | None = None) -> tuple[Call, ...]:
        """Those that have not ended, the highest level first, by county, kind and name."""
        found = select(call).where(call.c.warning_id == warning_id, call.c.ended_at.is_(None))
        found = found.where(call.c.county == county) if county else found
        ordered = found.order_by(call.c.level.desc(), call.c.county, call.c.kind, call.c.area, call.c.name_zh)
        return tuple(_call(row) for row in self._rows(ordered))

    def asks(self, warning_id: str) -> Mapping[str, tuple[CallAsk, ...]]:
        """Whom the calls of a warning that have not ended asked, by call, in order."""
        found: dict[str, list[CallAsk]] = defaultdict(list)
        mine = (call.c.warning_id == warning_id) & call.c.ended_at.is_(None)
        person = call.c.place + "#" + cast(call_ask.c.number, Text)
        told = (notice.c.kind == CALL) & (notice.c.subject == call.c.id) & (notice.c.person == person)
        chosen = select(call_ask, notice.c.started_at.label("sent_at")).join(call, call.c.id == call_ask.c.call_id)
        chosen = chosen.outerjoin(notice, told).where(mine)
        for row in self._rows(chosen.order_by(call_ask.c.call_id, call_ask.c.number)):
            found[row.call_id].append(CallAsk(**row._mapping))
        return {call_id: tuple(asks) for call_id, asks in found.items()}

    def asked_of(self, phone_key: str, now: datetime) -> tuple[Call, ...]:
        """The calls that this number was asked about, that nobody has answered, and whose warning still stands."""
        mine = call.c.id.in_(select(call_ask.c.call_id).where(call_ask.c.phone_key == phone_key))
        stands = or_(call.c.until > now, call.c.turned_at.is_(None))
        found = select(call).where(mine, _OPEN, stands).order_by(call.c.warning_id, call.c.id)
        return tuple(_call(row) for row in self._rows(found))

    def ask(self, asks: Iterable[CallAsk]) -> Collection[tuple[str, int]]:
        """Note that contacts are called, one of each call; returns call and number of those not called before."""
        added: list[AnyRow] = []
        for batch in batches(asks, 500):
            rows = self._insert(call_ask).values([_ask_row(one) for one in batch]).on_conflict_do_nothing()
            added += self._rows(rows.returning(call_ask.c.call_id, call_ask.c.number))
        ids = sorted({row.call_id for row in added})
        for chunk in batches(ids, 500):
            self._run(update(call).where(call.c.id.in_(chunk)).values(asked=call.c.asked + 1))
        return {(row.call_id, row.number) for row in added}

    def fail(self, call_id: str, number: int, at: datetime) -> None:
        """Note that the text to a contact cannot arrive."""
        mine = (call_ask.c.call_id == call_id) & (call_ask.c.number == number) & call_ask.c.failed_at.is_(None)
        self._run(update(call_ask).where(mine).values(failed_at=at))

    def answer(self, call_id: str, at: datetime, via: Via, recorded_by: str, said_by: bytes | None) -> bool:
        """Note the answer of an open call; False when it is not open."""
        values = {"answered_at": at, "answered_via": via.value, "recorded_by": recorded_by, "said_by": said_by}
        answered = update(call).where((call.c.id == call_id) & _OPEN).values(values).returning(call.c.id)
        return bool(self._rows(answered))

    def turn(self, call_ids: Collection[str], at: datetime) -> None:
        """Turn calls to people."""
        self._mark(call_ids, _OPEN & call.c.turned_at.is_(None), turned_at=at)

    def end(self, call_ids: Collection[str], at: datetime) -> None:
        """End calls."""
        self._mark(call_ids, call.c.ended_at.is_(None), ended_at=at)

    def _mark(self, call_ids: Collection[str], still: ColumnElement[bool], **values: datetime) -> None:
        for batch in batches(sorted(call_ids), 500):
            self._run(update(call).where(call.c.id.in_(batch) & still).values(values))

    def prolong(self, warning_id: str, until: datetime) -> None:
        """Let the calls of a warning that have not ended last until another moment."""
        mine = (call.c.warning_id == warning_id) & call.c.ended_at.is_(None)
        self._run(update(call).where(mine).values(until=until))

    def forget_unregistered(self) -> int:
        """Forget numbers that the register no longer holds, and who answered where one was called.

        Returns of how many calls something was forgotten.
        """
        gone = call_ask.c.phone_key.not_in(select(call_contact.c.phone_key))
        return self._forget(select(call_ask.c.call_id).where(_NUMBERED, gone), gone)

    def forget_before(self, moment: datetime) -> int:
        """Forget the numbers and names of calls that were over by this moment; returns how many had any."""
        over = select(call.c.id).where(func.coalesce(call.c.ended_at, call.c.until) <= moment)
        return self._forget(over, call_ask.c.call_id.in_(over))

    def _forget(self, calls: Select[Any], asks: ColumnElement[bool]) -> int:
        named = update(call).where(call.c.id.in_(calls), call.c.said_by.is_not(None)).values(said_by=None)
        blank = update(call_ask).where(asks, _NUMBERED).values(phone_key="", phone_masked="")
        found = {row.id for row in self._rows(named.returning(call.c.id))}
        return len(found | {row.call_id for row in self._rows(blank.returning(call_ask.c.call_id))})

    def tally(self, warning_id: str, bulletin_id: str | None = None) -> tuple[CallTally, ...]:
        """Counts of those that have not ended; with a bulletin, of all that it made."""
        mine = call.c.warning_id == warning_id
        mine &= call.c.bulletin_id == bulletin_id if bulletin_id else call.c.ended_at.is_(None)
        calling = _UNANSWERED & call.c.turned_at.is_(None)
        turned = _UNANSWERED & call.c.turned_at.is_not(None)
        counted = select(
            call.c.county,
            call.c.kind,
            call.c.level,
            func.count().label("called"),
            func.count(call.c.answered_at).label("answered"),
            func.sum(case((turned, 1), else_=0)).label("turned"),
            func.max(case((_UNANSWERED, call.c.asked), else_=0)).label("asked"),
            func.min(case((calling, call.c.turn_at))).label("turn_at"),
        ).where(mine)
        groups = (call.c.county, call.c.kind, call.c.level)
        rows = self._rows(counted.group_by(*groups).order_by(call.c.level.desc(), call.c.county, call.c.kind))
        return tuple(_tally(row) for row in rows)


def _tally(row: AnyRow) -> CallTally:
    values = {**row._mapping, "kind": CallKind(row.kind), "level": Level(row.level), "turned": int(row.turned)}
    return CallTally(**values)
