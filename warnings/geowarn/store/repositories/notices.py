"""Messages to people on duty: claimed once, settled only by whoever holds the claim."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Table, and_, bindparam, func, or_, select, update

from geowarn.domain.calls import CALL
from geowarn.domain.dispatch import DispatchState
from geowarn.domain.notice import RANK, Notice, without_secrets
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import notice

_NEW, _SENDING, _IN_DOUBT = DispatchState.NEW.value, DispatchState.SENDING.value, DispatchState.IN_DOUBT.value


def _notice(row: AnyRow) -> Notice:
    values = row._mapping
    return Notice(**{**values, "state": DispatchState(values["state"])})


def _turn(one: Notice) -> tuple[bool, datetime, str]:
    return one.kind == CALL, one.not_after, one.id


def _values(given: Notice) -> dict[str, Any]:
    facts = dict(given.facts) if given.settled_at is None else without_secrets(given.facts)
    return values_of(given) | {"facts": facts, "state": given.state.value}


class SqlNotices(Repository):
    """`ports.Notices`; another table of the same form holds other messages to single people."""

    table: Table = notice

    @property
    def _c(self) -> Any:
        """The columns."""
        return self.table.c

    def _due(self, now: datetime) -> ColumnElement[bool]:
        return or_(self._c.next_try_at.is_(None), self._c.next_try_at <= now)

    def _doubtful(self, now: datetime) -> ColumnElement[bool]:
        lost = and_(self._c.state == _SENDING, self._c.lease_until <= now)
        return or_(lost, and_(self._c.state == _IN_DOUBT, self._c.next_try_at <= now))

    def add(self, given: Notice) -> bool:
        """Add unless there is one of this kind, subject and person; returns whether it was added."""
        added = self._insert(self.table).values(_values(given)).on_conflict_do_nothing().returning(self._c.id)
        return bool(self._rows(added))

    def add_all(self, notices: Iterable[Notice]) -> None:
        """Add many at once, those that are not there."""
        self._add_missing(self.table, (_values(one) for one in notices))

    def get(self, notice_id: str) -> Notice | None:
        """One notice, or None."""
        return self._one(self._c.id == notice_id)

    def by_provider_id(self, provider_id: str) -> Notice | None:
        """The notice the far end knows by this id, or None."""
        return self._one(self._c.provider_id == provider_id)

    def _one(self, condition: ColumnElement[bool]) -> Notice | None:
        row = self._row(select(self.table).where(condition).limit(1))
        return _notice(row) if row else None

    def of_subject(self, subject: str) -> tuple[Notice, ...]:
        """In order of time."""
        found = select(self.table).where(self._c.subject == subject).order_by(self._c.created_at, self._c.id)
        return tuple(_notice(row) for row in self._rows(found))

    def waiting(self, now: datetime) -> bool:
        """Whether anything is to be sent, asked or given up at this moment."""
        free = and_(self._c.state == _NEW, or_(self._due(now), self._c.not_after <= now))
        open_rows = and_(self._c.settled_at.is_(None), or_(free, self._doubtful(now)))
        return self._row(select(self._c.id).where(open_rows).limit(1)) is not None

    def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """Move due new rows to sending under this owner; a row is claimed once."""
        began = func.coalesce(self._c.started_at, bindparam("began", now, type_=self._c.started_at.type))
        values = {
            "state": _SENDING,
            "owner": owner,
            "lease_until": lease_until,
            "next_try_at": None,
            "started_at": began,
        }
        free = and_(self._c.state == _NEW, self._c.settled_at.is_(None), self._c.not_after > now, self._due(now))
        return self._take(free, values, limit)

    def doubtful(self, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Notice, ...]:
        """Rows whose claim ran out or whose outcome is unknown, given to this owner alone to ask until then."""
        values = {"state": _IN_DOUBT, "owner": owner, "next_try_at": until, "lease_until": None}
        return self._take(and_(self._c.settled_at.is_(None), self._doubtful(now)), values, limit)

    def _take(
        self, condition: ColumnElement[bool], values: dict[str, Any], limit: int | None = None
    ) -> tuple[Notice, ...]:
        """Change rows that nobody else is changing at this moment; see `dispatches` for the CTE."""
        first = (self._c.kind == CALL, self._c.not_after, self._c.id)  # thousands of calls keep no ring waiting
        chosen = select(self._c.id).where(condition).order_by(*first).limit(limit)
        picked = chosen.with_for_update(skip_locked=True).cte("picked")
        changed = update(self.table).where(self._c.id.in_(select(picked.c.id))).values(values).returning(*self._c)
        return tuple(sorted((_notice(row) for row in self._rows(changed)), key=_turn))

    def settle(self, claimed: Notice, given: Notice) -> bool:
        """Store the outcome of a claim; False when the row is somebody else's by now."""
        held = and_(
            self._c.id == claimed.id,
            self._c.owner == claimed.owner,
            self._c.state == claimed.state.value,
        )
        stored = update(self.table).where(held).values(_values(given)).returning(self._c.id)
        return bool(self._rows(stored))

    def report(self, notice_id: str, state: DispatchState, at: datetime, provider_id: str, reason: str | None) -> bool:
        """Store what the far end says later; False when it is no news."""
        held = self.get(notice_id)
        lower = [known.value for known in DispatchState if RANK[known] < RANK[state]]
        if held is None:
            return False
        values = {
            "state": state.value,
            "settled_at": at,
            "provider_id": provider_id or held.provider_id,
            "reason": reason,
            "facts": without_secrets(held.facts),
            "lease_until": None,
            "next_try_at": None,
        }
        known = and_(self._c.id == notice_id, self._c.state.in_(lower))
        return bool(self._rows(update(self.table).where(known).values(values).returning(self._c.id)))

    def expire(self, now: datetime) -> tuple[Notice, ...]:
        """New rows past their not-after become expired-unsent; returns them."""
        late = and_(self._c.state == _NEW, self._c.settled_at.is_(None), self._c.not_after <= now)
        values = {"state": DispatchState.EXPIRED_UNSENT.value, "settled_at": now, "reason": "notices.expired"}
        changed = self._take(late, values)
        for one in changed:
            self._run(update(self.table).where(self._c.id == one.id).values(facts=without_secrets(one.facts)))
        return changed
