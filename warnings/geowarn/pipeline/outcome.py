"""What one answer of the far end makes of a dispatch, and how a group of answers enters the ledger."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState, Outcome, back_off
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure
from geowarn.domain.task import Task
from geowarn.pipeline.identifiers import new_id
from geowarn.ports import Receipt, UnitOfWork

SYSTEM = "system"
Answer = Receipt | SendFailure


@dataclass(frozen=True, slots=True)
class Pace:
    """How long things may take; `timeout` is the longest a single call of the channel lasts."""

    timeout: timedelta = timedelta(seconds=20)
    pause: timedelta = timedelta(seconds=30)  # after a fault that every further message would meet too
    ask_again: timedelta = timedelta(seconds=30)
    silence: timedelta = timedelta(minutes=2)  # a far end that cannot be asked for this long: red is sent again

    @property
    def lease(self) -> timedelta:
        """How long a claim holds: no call begins later than one time-out before its end."""
        return 2 * self.timeout + timedelta(seconds=3)

    @property
    def ask_after(self) -> timedelta:
        """How long the far end gets to list a message whose fate is unknown."""
        return self.timeout


@dataclass(frozen=True, slots=True)
class Result:
    """One try of one dispatch: the row as it was claimed, the row as it shall be, the attempt."""

    before: Dispatch
    after: Dispatch
    attempt: Attempt
    alarm: bool = False


def reason_of(failure: SendFailure) -> str:
    """Catalogue key and the far end's code, as stored and shown: `sms.invalid-number 21211`."""
    return f"{failure.reason} {failure.code}".strip()


def judge(
    dispatch: Dispatch,
    answer: Answer,
    began: datetime,
    ended: datetime,
    *,
    chance: float,
    pace: Pace,
    repeat_is_safe: bool,
) -> Result:
    """The result of one try; a temporary failure waits and comes back until its not-after has passed."""
    tried = replace(dispatch, attempts=dispatch.attempts + 1, lease_until=None, next_try_at=None)
    if isinstance(answer, Receipt):
        return _received(tried, dispatch, answer, began, ended)
    reason = reason_of(answer)
    if isinstance(answer, PermanentFailure):
        outcome, after = Outcome.PERMANENT, replace(tried, state=DispatchState.FAILED, reason=reason)
    elif isinstance(answer, OutcomeUnknown) and not repeat_is_safe:
        outcome = Outcome.UNKNOWN
        after = replace(tried, state=DispatchState.IN_DOUBT, reason=reason, next_try_at=ended + pace.ask_after)
    else:
        outcome = Outcome.UNKNOWN if isinstance(answer, OutcomeUnknown) else Outcome.TEMPORARY
        wait = max(back_off(tried.attempts, chance), pace.pause if answer.alarm else timedelta())
        after = again(replace(tried, reason=reason), ended, wait)
    return Result(dispatch, after, Attempt(dispatch.id, began, ended, outcome, reason), answer.alarm)


def _received(tried: Dispatch, before: Dispatch, receipt: Receipt, began: datetime, ended: datetime) -> Result:
    delivered = receipt.outcome is Outcome.DELIVERED
    after = replace(
        tried,
        state=DispatchState.DELIVERED if delivered else DispatchState.ACCEPTED,
        provider_id=receipt.provider_id or before.provider_id,
        reason=None,
        accepted_at=before.accepted_at or ended,
        delivered_at=ended if delivered else before.delivered_at,
    )
    attempt = Attempt(before.id, began, ended, receipt.outcome, receipt.detail, receipt.provider_id)
    return Result(before, after, attempt)


def again(dispatch: Dispatch, now: datetime, wait: timedelta) -> Dispatch:
    """The dispatch to be tried once more after `wait`, or expired when that would be too late."""
    due = now + wait
    if due >= dispatch.not_after:
        return replace(dispatch, state=DispatchState.EXPIRED_UNSENT, lease_until=None)
    return replace(dispatch, state=DispatchState.NEW, next_try_at=due, lease_until=None)


def attempt_row(attempt: Attempt) -> list[str | None]:
    """One try as the ledger's digest sees it: no target, no number."""
    return [
        attempt.dispatch_id,
        attempt.began.isoformat(timespec="microseconds"),
        attempt.ended.isoformat(timespec="microseconds"),
        attempt.outcome.value,
        attempt.reason,
        attempt.provider_id,
    ]


def rows_digest(attempts: Iterable[Attempt]) -> str:
    """SHA-256 over the canonical JSON of the rows, sorted: anyone with the stored attempts can repeat it."""
    return sha256_hex(canonical_json(sorted(attempt_row(attempt) for attempt in attempts)))


def record(work: UnitOfWork, results: Sequence[Result], now: datetime, kind: str) -> None:
    """Store results and their ledger entries in this transaction, one entry a bulletin and channel.

    The entry names each dispatch and carries the digest of the attempts, so that every single row can be proved
    by one entry a group.
    """
    if not results:
        return
    work.dispatches.record([(result.after, result.attempt) for result in results])
    groups: dict[tuple[str, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.before.bulletin_id, result.before.channel), []).append(result)
    for (bulletin_id, channel), group in groups.items():
        payload = {
            "channel": channel,
            "states": dict(sorted(Counter(result.after.state.value for result in group).items())),
            "dispatches": sorted(result.after.id for result in group),
            "attempts_sha256": rows_digest(result.attempt for result in group),
        }
        work.ledger.append(now, SYSTEM, kind, bulletin_id, payload)


def channel_fault(work: UnitOfWork, channel: str, reason: str, now: datetime) -> None:
    """Let a person act on what every further message of the channel would meet too; one task while it stands."""
    work.tasks.open(Task(new_id("t"), "channel-fault", channel, now, facts={"reason": reason}))
