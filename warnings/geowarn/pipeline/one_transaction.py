"""Several use cases in one transaction; a request and its stored answer commit together or not at all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
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

    def wait_for_dispatches(self, known: int, seconds: float) -> int:
        """Nothing new: nobody delivers inside a transaction."""
        return known


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request is answered; `replayed` when it was answered before."""

    status: int
    body: str = field(repr=False)
    location: str = ""
    replayed: bool = False


Act = Callable[[Store], Answer]
Once = Callable[[Store, Clock, Vault, str, str, str, int, Act], Answer]


def once(
    store: Store, clock: Clock, vault: Vault, key_id: str, idempotency_key: str, fingerprint: str, hours: int, act: Act
) -> Answer:
    """Do `act` unless this key has asked the same before; then give the answer of that time.

    Act and answer are one transaction, so a process that is killed has done both or neither. A refusal changes
    nothing and is not kept: asking again decides again. Raises Refused where the same idempotency key came with
    another request. Answers are kept `hours` long, sealed.
    """
    asked, since = _asked(clock, key_id, idempotency_key, fingerprint, hours)
    with store.begin() as work:
        held = work.requests.claim(asked, since)
        if held is not None:
            return _again(vault, held, asked)
        answer = act(OneTransaction(work))
        work.requests.answer(_kept(vault, asked, answer))
        work.commit()
    return answer


def once_apart(
    store: Store, clock: Clock, vault: Vault, key_id: str, idempotency_key: str, fingerprint: str, hours: int, act: Act
) -> Answer:
    """As `once`, for an act that must commit by itself (wrong codes stay counted) and that a repeat finds done.

    A process that is killed between act and answer leaves the act done: the repeat does it again, which must change
    nothing.
    """
    asked, since = _asked(clock, key_id, idempotency_key, fingerprint, hours)
    with store.begin() as work:  # only looks: nothing is committed
        held = work.requests.claim(asked, since)
    if held is not None:
        return _again(vault, held, asked)
    answer = act(store)
    with store.begin() as work:
        held = work.requests.claim(asked, since)
        if held is not None:  # the same request, sent twice at once
            return _again(vault, held, asked)
        work.requests.answer(_kept(vault, asked, answer))
        work.commit()
    return answer


def _asked(
    clock: Clock, key_id: str, idempotency_key: str, fingerprint: str, hours: int
) -> tuple[AnsweredRequest, datetime]:
    now = clock.now()
    return AnsweredRequest(key_id, idempotency_key, fingerprint, now), now - timedelta(hours=hours)


def _kept(vault: Vault, asked: AnsweredRequest, answer: Answer) -> AnsweredRequest:
    return replace(asked, status=answer.status, location=answer.location, body_sealed=vault.seal(answer.body))


def _again(vault: Vault, held: AnsweredRequest, asked: AnsweredRequest) -> Answer:
    if held.fingerprint != asked.fingerprint:
        raise Refused("partners.other-request", key=asked.idempotency_key)
    return Answer(held.status, vault.open(held.body_sealed), held.location, replayed=True)
