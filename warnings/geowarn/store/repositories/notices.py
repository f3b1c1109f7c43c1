"""Messages to people on duty: claimed once, settled only by whoever holds the claim."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select, update

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.notice import RANK, Notice, without_secrets
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import notice

_NEW, _SENDING, _IN_DOUBT = DispatchState.NEW.value, DispatchState.SENDING.value, DispatchState.IN_DOUBT.value


def _notice(row: AnyRow) -> Notice:
    values = row._mapping
    return Notice(**{**values, "state": DispatchState(values["state"])})


def _values(given: Notice) -> dict[str, Any]:
    facts = dict(given.facts) if given.settled_at is None else without_secrets(given.facts)
    return values_of(given) | {"facts": facts, "state": given.state.value}


def _due(now: datetime) -> ColumnElement[bool]:
    return or_(notice.c.next_try_at.is_(None), notice.c.next_try_at <= now)


def _doubtful(now: datetime) -> ColumnElement[bool]:
    lost = and_(notice.c.state == _SENDING, notice.c.lease_until <= now)
    return or_(lost, and_(notice.c.state == _IN_DOUBT, notice.c.next_try_at <= now))


class SqlNotices(Repository):
    """`ports.Notices`."""

    def add(self, given: Notice) -> bool:
        """Add unless there is one of this kind, subject and person; returns whether it was added."""
        added = self._insert(notice).values(_values(given)).on_conflict_do_nothing().returning(notice.c.id)
        return bool(self._rows(added))

    def get(self, notice_id: str) -> Notice | None:
        """One notice, or None."""
        return self._one(notice.c.id == notice_id)

    def by_provider_id(self, provider_id: str) -> Notice | None:
        """The notice the far end knows by this id, or None."""
        return self._one(notice.c.provider_id == provider_id)

    def _one(self, condition: ColumnElement[bool]) -> Notice | None:
        row = self._row(select(notice).where(condition).limit(1))
        return _notice(row) if row else None

    def of_subject(self, subject: str) -> tuple[Notice, ...]:
        """In order of time."""
        found = select(notice).where(notice.c.subject == subject).order_by(notice.c.created_at, notice.c.id)
        return tuple(_notice(row) for row in self._rows(found))

    def waiting(self, now: datetime) -> bool:
        """Whether anything is to be sent, asked or given up at this moment."""
        free = and_(notice.c.state == _NEW, or_(_due(now), notice.c.not_after <= now))
        open_rows = and_(notice.c.settled_at.is_(None), or_(free, _doubtful(now)))
        return self._row(select(notice.c.id).where(open_rows).limit(1)) is not None

    def claim(self, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Notice, ...]:
        """Move due new rows to sending under this owner; a row is claimed once."""
        began = func.coalesce(notice.c.started_at, bindparam("began", now, type_=notice.c.started_at.type))
        values = {
            "state": _SENDING,
            "owner": owner,
            "lease_until": lease_until,
            "next_try_at": None,
            "started_at": began,
        }
        free = and_(notice.c.state == _NEW, notice.c.settled_at.is_(None), notice.c.not_after > now, _due(now))
        return self._take(free, values, limit)

    def doubtful(self, owner: str, now: datetime, until: datetime, limit: int) -> tuple[Notice, ...]:
        """Rows whose claim ran out or whose outcome is unknown, given to this owner alone to ask until then."""
        values = {"state": _IN_DOUBT, "owner": owner, "next_try_at": until, "lease_until": None}
        return self._take(and_(notice.c.settled_at.is_(None), _doubtful(now)), values, limit)

    def _take(
        self, condition: ColumnElement[bool], values: dict[str, Any], limit: int | None = None
    ) -> tuple[Notice, ...]:
        """Change rows that nobody else is changing at this moment; see `dispatches` for the CTE."""
        chosen = select(notice.c.id).where(condition).order_by(notice.c.not_after, notice.c.id).limit(limit)
        picked = chosen.with_for_update(skip_locked=True).cte("picked")
        changed = update(notice).where(notice.c.id.in_(select(picked.c.id))).values(values).returning(*notice.c)
        return tuple(sorted((_notice(row) for row in self._rows(changed)), key=lambda one: (one.not_after, one.id)))

    def settle(self, claimed: Notice, given: Notice) -> bool:
        """Store the outcome of a claim; False when the row is somebody else's by now."""
        held = and_(notice.c.id == claimed.id, notice.c.owner == claimed.owner, notice.c.state == claimed.state.value)
        stored = update(notice).where(held).values(_values(given)).returning(notice.c.id)
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
        known = and_(notice.c.id == notice_id, notice.c.state.in_(lower))
        return bool(self._rows(update(notice).where(known).values(values).returning(notice.c.id)))

    def expire(self, now: datetime) -> tuple[Notice, ...]:
        """New rows past their not-after become expired-unsent; returns them."""
        late = and_(notice.c.state == _NEW, notice.c.settled_at.is_(None), notice.c.not_after <= now)
        values = {"state": DispatchState.EXPIRED_UNSENT.value, "settled_at": now, "reason": "notices.expired"}
        changed = self._take(late, values)
        for one in changed:
            self._run(update(notice).where(notice.c.id == one.id).values(facts=without_secrets(one.facts)))
        return changed
