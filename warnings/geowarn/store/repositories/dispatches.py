"""One row per message: claimed once, settled in groups, never sent after its time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, bindparam, case, exists, func, or_, select, true, update

from geowarn.domain.dispatch import SENT_AGAIN, Attempt, Dispatch, DispatchState, Outcome
from geowarn.ports import DispatchGroup, ShardProgress
from geowarn.store.repositories.base import AnyRow, Repository, batches, values_of
from geowarn.store.tables import attempt, dispatch, shard

_NEW, _SENDING, _IN_DOUBT = DispatchState.NEW.value, DispatchState.SENDING.value, DispatchState.IN_DOUBT.value
_EXPIRED = DispatchState.EXPIRED_UNSENT.value
_OPEN = (_NEW, _SENDING, _IN_DOUBT)

# A row handed out to be asked about is not handed to anyone else for this long.
ASKING = timedelta(seconds=30)

# From which states `record` may come to which. Wider than the domain's table where a late report knows better than
# we do: a message given up as unsent that the far end delivered was delivered.
_BEFORE: dict[DispatchState, tuple[str, ...]] = {
    DispatchState.NEW: (_SENDING, _IN_DOUBT),
    DispatchState.IN_DOUBT: (_SENDING, _IN_DOUBT),
    DispatchState.EXPIRED_UNSENT: _OPEN,
    DispatchState.ACCEPTED: (*_OPEN, _EXPIRED),
    DispatchState.FAILED: (*_OPEN, _EXPIRED, DispatchState.ACCEPTED.value),
    DispatchState.DELIVERED: (*_OPEN, _EXPIRED, DispatchState.ACCEPTED.value, DispatchState.FAILED.value),
}
_RECORDED = ("attempts", "next_try_at", "provider_id", "reason", "started_at", "accepted_at", "delivered_at")


def _dispatch(row: AnyRow) -> Dispatch:
    values = row._mapping
    return Dispatch(**{**values, "state": DispatchState(values["state"])})


def _group(row: tuple[Any, ...]) -> DispatchGroup:
    channel, target, variant, tier, state, reason, tried, count, release_at, started, *answers = row
    answered = max((at for at in answers if at is not None), default=None)
    kind = (channel, target, variant, tier, DispatchState(state), reason, bool(tried))
    return DispatchGroup(*kind, count, release_at, started, answered)


def _due(moment: datetime) -> ColumnElement[bool]:
    return or_(dispatch.c.next_try_at.is_(None), dispatch.c.next_try_at <= moment)


def _sendable(moment: datetime) -> ColumnElement[bool]:
    """New, its time has come, and it is not too late."""
    state = dispatch.c.state == _NEW
    return and_(state, dispatch.c.release_at <= moment, dispatch.c.not_after > moment, _due(moment))


class SqlDispatches(Repository):
    """`ports.Dispatches`."""

    added = False  # whether there is anything new to send once this is committed

    def add_all(self, dispatches: Iterable[Dispatch]) -> None:
        """Add new rows; a second row for the same bulletin, channel and target fails the whole transaction."""
        names = shard.c.keys()
        for batch in batches(dispatches):
            self.added = True
            firsts = {given.shard: given for given in reversed(batch)}
            shards = [{n: key if n == "id" else getattr(given, n) for n in names} for key, given in firsts.items()]
            self._add_missing(shard, shards)
            self._add(dispatch, [values_of(given) | {"state": given.state.value} for given in batch])

    def hold(self, ids: Iterable[str], channel: str = "", provider_ids: Iterable[str] = ()) -> None:
        """Keep others off these rows until the end, taken in one order by whoever settles several: nobody waits in a
        ring. Call it before any of them is read; `provider_ids` are the far end's, of `channel`.
        """
        if not (self._postgres and self._writing):
            return
        theirs = and_(dispatch.c.channel == channel, dispatch.c.provider_id.in_(list(provider_ids)))
        wanted = select(dispatch.c.id).where(or_(dispatch.c.id.in_(list(ids)), theirs)).order_by(dispatch.c.id)
        self._run(wanted.with_for_update(key_share=True))

    def get(self, dispatch_id: str) -> Dispatch | None:
        """One row, or None; a unit of work that writes keeps others off it until the end; `hold` several first."""
        return self._one(select(dispatch).where(dispatch.c.id == dispatch_id))

    def by_provider_id(self, channel: str, provider_id: str) -> Dispatch | None:
        """The row whose message the far end knows by this id, or None."""
        return self._one(
            select(dispatch).where(dispatch.c.channel == channel, dispatch.c.provider_id == provider_id).limit(1)
        )

    def _one(self, chosen: Select[Any]) -> Dispatch | None:
        row = self._row(self._for_change(chosen))
        return _dispatch(row) if row else None

    def of_bulletin(self, bulletin_id: str, channel: str | None = None) -> tuple[Dispatch, ...]:
        """Every row of a bulletin, most urgent first."""
        found = select(dispatch).where(dispatch.c.bulletin_id == bulletin_id)
        if channel is not None:
            found = found.where(dispatch.c.channel == channel)
        ordered = found.order_by(dispatch.c.channel, dispatch.c.priority.desc(), dispatch.c.tier, dispatch.c.id)
        return tuple(_dispatch(row) for row in self._rows(ordered))

    def counts(self, bulletin_id: str) -> dict[str, dict[DispatchState, int]]:
        """channel -> state -> count."""
        group = (dispatch.c.channel, dispatch.c.state)
        counted = (
            select(*group, func.count().label("rows")).where(dispatch.c.bulletin_id == bulletin_id).group_by(*group)
        )
        found: dict[str, dict[DispatchState, int]] = {}
        for row in self._rows(counted.order_by(*group)):
            found.setdefault(row.channel, {})[DispatchState(row.state)] = row.rows
        return found

    def groups(self, bulletin_id: str) -> tuple[DispatchGroup, ...]:
        """Where every dispatch of a bulletin stands, counted by the database: a row for each kind, not for each."""
        named = case((dispatch.c.channel.in_(("broadcast", "webhook")), dispatch.c.target_key), else_="")
        kinds = (
            dispatch.c.channel,
            named.label("target"),
            dispatch.c.variant,
            dispatch.c.tier,
            dispatch.c.state,
            func.coalesce(dispatch.c.reason, "").label("reason"),
            case((dispatch.c.attempts > 0, 1), else_=0).label("tried"),
        )
        answered = (func.max(dispatch.c.accepted_at), func.max(dispatch.c.delivered_at))
        found = select(
            *kinds, func.count(), func.min(dispatch.c.release_at), func.min(dispatch.c.started_at), *answered
        )
        rows = self._rows(found.where(dispatch.c.bulletin_id == bulletin_id).group_by(*kinds).order_by(*kinds))
        return tuple(_group(tuple(row)) for row in rows)

    def due_shards(self, now: datetime) -> tuple[ShardProgress, ...]:
        """Shards with something to do at `now`; highest priority first, then oldest.

        One look into the index of open rows per shard and state, however many rows wait.
        """
        lost = and_(dispatch.c.state == _SENDING, dispatch.c.lease_until <= now)
        doubtful = and_(dispatch.c.state == _IN_DOUBT, _due(now))
        mine = dispatch.c.shard == shard.c.id
        work = or_(*(exists().where(mine, condition) for condition in (_sendable(now), lost, doubtful)))
        found = select(shard).where(work).order_by(shard.c.priority.desc(), shard.c.release_at, shard.c.id)
        return tuple(ShardProgress(r.id, r.channel, r.bulletin_id, r.priority) for r in self._rows(found))

    def claim(self, shard: str, owner: str, now: datetime, lease_until: datetime, limit: int) -> tuple[Dispatch, ...]:
        """Move up to `limit` due new rows to sending under this owner and return them; a row is claimed once."""
        mine = and_(dispatch.c.shard == shard, _sendable(now))
        values = {
            "state": _SENDING,
            "owner": owner,
            "lease_until": lease_until,
            "next_try_at": None,
            "started_at": func.coalesce(
                dispatch.c.started_at, bindparam("began", now, type_=dispatch.c.started_at.type)
            ),
        }
        return self._changed(self._update_free(mine, (dispatch.c.tier,), limit).values(values))

    @staticmethod
    def _update_free(condition: ColumnElement[bool], order: tuple[Any, ...] = (), limit: int | None = None) -> Any:
        """An UPDATE of the rows that nobody else is changing at this moment, so that it never waits.

        As a CTE PostgreSQL picks them exactly once; inside IN it may pick again and change more than `limit`.
        """
        chosen = select(dispatch.c.id).where(condition).order_by(*order, dispatch.c.id).limit(limit)
        picked = chosen.with_for_update(skip_locked=True, key_share=True).cte("picked")
        return update(dispatch).where(dispatch.c.id.in_(select(picked.c.id)))

    def _changed(self, statement: Any) -> tuple[Dispatch, ...]:
        rows = [_dispatch(row) for row in self._rows(statement.returning(*dispatch.c))]
        return tuple(sorted(rows, key=lambda row: (row.tier, row.id)))

    def expire(self, now: datetime) -> int:
        """new rows past their not-after become expired-unsent; returns how many."""
        late = self._update_free(and_(dispatch.c.state == _NEW, dispatch.c.not_after <= now))
        values = {"state": _EXPIRED, "reason": func.coalesce(dispatch.c.reason, "deliver.expired"), "next_try_at": None}
        return len(self._rows(late.values(values).returning(dispatch.c.id)))

    def orphaned(self, now: datetime, limit: int, channel: str | None = None) -> tuple[Dispatch, ...]:
        """sending rows whose lease has run out become in-doubt; returns the in-doubt rows that are due now.

        A row returned is not returned again for `ASKING`, so that two workers do not ask about the same one; it
        keeps its owner, by which `record` knows it again.
        """
        ours = true() if channel is None else dispatch.c.channel == channel
        lost = self._update_free(and_(dispatch.c.state == _SENDING, dispatch.c.lease_until <= now, ours))
        self._run(lost.values(state=_IN_DOUBT, lease_until=None, next_try_at=None))
        due = and_(dispatch.c.state == _IN_DOUBT, _due(now), ours)
        handed = self._update_free(due, (dispatch.c.priority.desc(),), limit).values(next_try_at=now + ASKING)
        return tuple(replace(row, next_try_at=None) for row in self._changed(handed))

    def record(self, results: Iterable[tuple[Dispatch, Attempt]]) -> None:
        """Store new states and append the attempts, in one statement a kind.

        Each dispatch carries the owner it was claimed or handed out under: a row that has another owner by now, or
        has already come further, keeps its state. The attempt is stored in any case, because it took place.
        """
        by_state: dict[DispatchState, list[dict[str, Any]]] = {}
        attempts: list[dict[str, Any]] = []
        for given, tried in results:
            values = {f"to_{name}": getattr(given, name) for name in _RECORDED}
            by_state.setdefault(given.state, []).append({**values, "which": given.id, "whose": given.owner})
            attempts.append(values_of(tried) | {"outcome": tried.outcome.value})
        self.hold(row["which"] for rows in by_state.values() for row in rows)
        for state, rows in by_state.items():
            self._run(self._settle(state), rows)
        self._add(attempt, attempts)

    @staticmethod
    def _settle(state: DispatchState) -> Any:
        values: dict[str, Any] = {name: bindparam(f"to_{name}", type_=dispatch.c[name].type) for name in _RECORDED}
        values |= {"state": state.value, "lease_until": None}
        if state is DispatchState.NEW:
            values["owner"] = None
        whose = bindparam("whose", type_=dispatch.c.owner.type)
        return (
            update(dispatch)
            .where(
                dispatch.c.id == bindparam("which"),
                dispatch.c.owner.is_not_distinct_from(whose),
                or_(*(dispatch.c.state == known for known in _BEFORE[state])),  # IN cannot run for many rows at once
            )
            .values(values)
        )

    def overtake(self, bulletin_ids: Iterable[str], now: datetime, reason: str) -> int:
        """Unsent rows of these bulletins become expired-unsent; returns how many.

        A row that somebody is changing at this moment is left: whoever claims it next sees that it was overtaken.
        """
        unsent = self._update_free(and_(dispatch.c.bulletin_id.in_(list(bulletin_ids)), dispatch.c.state == _NEW))
        values = {"state": _EXPIRED, "reason": reason, "next_try_at": None}
        return len(self._rows(unsent.values(values).returning(dispatch.c.id)))

    def unsettled(self, bulletin_id: str | None = None) -> int:
        """How many rows are new, sending or in doubt."""
        counted = select(func.count()).select_from(dispatch).where(dispatch.c.state.in_(_OPEN))
        if bulletin_id is not None:
            counted = counted.where(dispatch.c.bulletin_id == bulletin_id)
        return int(self._connection.scalar(counted) or 0)

    def attempts(self, bulletin_id: str) -> tuple[Attempt, ...]:
        """Every try of a bulletin's rows, in the order stored."""
        found = select(attempt).join(dispatch, dispatch.c.id == attempt.c.dispatch_id)
        ordered = found.where(dispatch.c.bulletin_id == bulletin_id).order_by(attempt.c.id)
        return tuple(
            Attempt(row.dispatch_id, row.began, row.ended, Outcome(row.outcome), row.reason, row.provider_id)
            for row in self._rows(ordered)
        )

    def sent_again(self, bulletin_ids: Iterable[str]) -> frozenset[str]:
        """Which dispatches of these bulletins had a try of unknown fate and were to be sent once more."""
        found = select(attempt.c.dispatch_id).join(dispatch, dispatch.c.id == attempt.c.dispatch_id)
        chosen = found.where(dispatch.c.bulletin_id.in_(list(bulletin_ids)), attempt.c.reason == SENT_AGAIN)
        return frozenset(row.dispatch_id for row in self._rows(chosen))
