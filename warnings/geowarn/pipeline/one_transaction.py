"""Several use cases in one transaction; a request and its stored answer commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from types import TracebackType
from typing import Any, Self, cast

from geowarn.domain.errors import Refused
from geowarn.ports import AnsweredRequest, Clock, Store, UnitOfWork, Vault


class _Part:
    """A unit of work inside another one: what commits it is the other's commit."""

    def __init__(self, whole: UnitOfWork) -> None:
        self._whole = whole

    def __getattr__(self, name: str) -> Any:
        return getattr(self._whole, name)

    def commit(self) -> None:
        """Left to the whole."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Left to the whole, which an exception rolls back."""


class OneTransaction:
    """`ports.Store` whose units of work all are parts of one that somebody else commits."""

    def __init__(self, whole: UnitOfWork) -> None:
        self._whole = whole

    def begin(self) -> UnitOfWork:
        """A part of the whole."""
        return cast(UnitOfWork, _Part(self._whole))

    def read(self) -> UnitOfWork:
        """A part of the whole: it sees what was written in it."""
        return self.begin()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; `replayed` when it was answered before."""

    status: int
    body: str = field(repr=False)
    location: str = ""
    replayed: bool = False


Act = Callable[[Store], Answer]


def once(
    store: Store, clock: Clock, vault: Vault, key_id: str, idempotency_key: str, fingerprint: str, hours: int, act: Act
) -> Answer:
    """Do `act` unless this key has asked the same before; then give the answer of that time.

    Act and answer are one transaction, so a process that is killed has done both or neither. A refusal changes
    nothing and is not kept: asking again decides again. Raises Refused where the same idempotency key came with
    another request. Answers are kept `hours` long, sealed.
    """
    now = clock.now()
    asked = AnsweredRequest(key_id, idempotency_key, fingerprint, now)
    with store.begin() as work:
        held = work.requests.claim(asked, now - timedelta(hours=hours))
        if held is not None:
            if held.fingerprint != fingerprint:
                raise Refused("partners.other-request", key=idempotency_key)
            return Answer(held.status, vault.open(held.body_sealed), held.location, replayed=True)
        answer = act(OneTransaction(work))
        sealed = vault.seal(answer.body)
        work.requests.answer(replace(asked, status=answer.status, location=answer.location, body_sealed=sealed))
        work.commit()
    return answer
