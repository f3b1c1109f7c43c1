"""Keys of partners, their use, and requests that have been answered."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import delete, select, update

from geowarn.domain.partner import ApiKey, Scope
from geowarn.ports import AnsweredRequest
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import api_key, api_nonce, api_request, api_use

_KEPT_USES = timedelta(hours=1)


def _key(row: AnyRow) -> ApiKey:
    values = row._asdict()
    return ApiKey(**values | {"scopes": frozenset(Scope(scope) for scope in values["scopes"])})


class SqlApiKeys(Repository):
    """`ports.ApiKeys`."""

    def save(self, key: ApiKey) -> None:
        """Insert or replace by id."""
        self._put(api_key, [values_of(key) | {"scopes": sorted(scope.value for scope in key.scopes)}])

    def get(self, key_id: str) -> ApiKey | None:
        """One key, or None."""
        row = self._row(select(api_key).where(api_key.c.id == key_id))
        return _key(row) if row else None

    def by_token(self, token_sha256: str) -> ApiKey | None:
        """The key with this token; whether it works is for the caller to see."""
        row = self._row(select(api_key).where(api_key.c.token_sha256 == token_sha256))
        return _key(row) if row else None

    def all(self) -> tuple[ApiKey, ...]:
        """Newest first, revoked ones included."""
        order = (api_key.c.created_at.desc(), api_key.c.id)
        return tuple(_key(row) for row in self._rows(select(api_key).order_by(*order)))

    def count(self, key_id: str, window: datetime) -> int:
        """Count one use in this window and return how many there are now; the first one forgets old windows."""
        statement = self._insert(api_use).values(key_id=key_id, window=window, count=1)
        counted = statement.on_conflict_do_update(
            index_elements=["key_id", "window"], set_={"count": api_use.c.count + 1}
        ).returning(api_use.c.count)
        total = int(self._rows(counted)[0][0])
        if total == 1:
            self._run(delete(api_use).where(api_use.c.key_id == key_id, api_use.c.window < window - _KEPT_USES))
        return total

    def touch(self, key_id: str, at: datetime) -> None:
        """Note the last use."""
        self._run(update(api_key).where(api_key.c.id == key_id).values(last_used_at=at))

    def take_nonce(self, key_id: str, nonce: str, at: datetime, keep_since: datetime) -> bool:
        """Take a nonce once; RETURNING tells who was first."""
        self._run(delete(api_nonce).where(api_nonce.c.key_id == key_id, api_nonce.c.at < keep_since))
        row = {"key_id": key_id, "nonce": nonce, "at": at}
        taken = self._insert(api_nonce).values(row).on_conflict_do_nothing().returning(api_nonce.c.nonce)
        return bool(self._rows(taken))


class SqlAnsweredRequests(Repository):
    """`ports.AnsweredRequests`."""

    def claim(self, request: AnsweredRequest, keep_since: datetime) -> AnsweredRequest | None:
        """Take this idempotency key, or return what was answered to it since `keep_since`."""
        self._run(delete(api_request).where(api_request.c.at < keep_since))
        claimed = self._insert(api_request).values(values_of(request)).on_conflict_do_nothing()
        if self._rows(claimed.returning(api_request.c.key_id)):
            return None
        mine = (api_request.c.key_id == request.key_id, api_request.c.idempotency_key == request.idempotency_key)
        row = self._row(select(api_request).where(*mine))
        return AnsweredRequest(**row._mapping) if row else None

    def answer(self, request: AnsweredRequest) -> None:
        """Keep the answer of a request claimed in this transaction."""
        self._put(api_request, [values_of(request)])
