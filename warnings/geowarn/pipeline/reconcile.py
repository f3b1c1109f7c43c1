"""Rows in doubt → asked at the far end first, then decided: found, never had, or nobody can say.

A row comes to be in doubt when its claim ran out (the process died between call and answer) or the answer was lost.
Nothing is sent again before the far end has been asked. Where it cannot be asked the row stays in doubt and is asked
again; only a red one is sent again after `Pace.silence`, because there a second message is better than none. Both
are counted: the attempts name them.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from typing import Any

from geowarn.domain.dispatch import SENT_AGAIN, Attempt, Dispatch, DispatchState, Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure
from geowarn.pipeline.fanout import is_red
from geowarn.pipeline.outcome import Pace, Result, again, judge, reason_of, record
from geowarn.pipeline.targets import Job, Loader
from geowarn.ports import Channel, Clock, Receipt, Store, UnitOfWork, Vault

AT_ONCE = 200
_Answer = Receipt | SendFailure | None


def reconcile(store: Store, channel: Channel, vault: Vault, clock: Clock, pace: Pace) -> int:
    """Settle what is in doubt on this channel and due; returns how many rows were looked at."""
    loader = Loader(channel, vault)
    with store.begin() as work:
        rows = work.dispatches.orphaned(clock.now(), AT_ONCE, channel.name)
        jobs = [loader.job(work, row) for row in rows]
        work.commit()
    if not jobs:
        return 0
    began = clock.now()
    with ThreadPoolExecutor(channel.limits.concurrency, thread_name_prefix=f"ask-{channel.name}") as pool:
        answers = list(pool.map(_asker(channel, loader), jobs))
    with store.begin() as work:
        now = clock.now()
        work.dispatches.hold(row.id for row in rows)
        results = [
            _decide(work, loader, channel, job, answer, began, now, pace)
            for job, answer in zip(jobs, answers, strict=True)
        ]
        record(work, [r for r in results if _still_in_doubt(work, r.before)], now, "dispatch.reconciled")
        work.commit()
    return len(jobs)


def _asker(channel: Channel, loader: Loader) -> Callable[[Job], _Answer]:
    look_up: Any = getattr(channel, "look_up", None)

    def ask(job: Job) -> _Answer:
        row = job.dispatch
        if channel.limits.repeat_is_safe:
            return None
        if look_up is None or job.delivery is None or job.failure is not None:
            return OutcomeUnknown("deliver.cannot-ask")
        try:
            found: Receipt | None = look_up(job.delivery, loader.target(job), row.started_at or row.release_at)
        except SendFailure as failure:
            return failure
        except Exception as error:
            return OutcomeUnknown("deliver.channel-fault", code=type(error).__name__, alarm=True)
        return found

    return ask


def _still_in_doubt(work: UnitOfWork, row: Dispatch) -> bool:
    """False when a report came, or another worker decided, while the far end was being asked."""
    held = work.dispatches.get(row.id)
    return held is not None and held.state is DispatchState.IN_DOUBT and held.owner == row.owner


def _decide(
    work: UnitOfWork,
    loader: Loader,
    channel: Channel,
    job: Job,
    answer: _Answer,
    began: datetime,
    now: datetime,
    pace: Pace,
) -> Result:
    row = job.dispatch
    if isinstance(answer, Receipt):
        found = replace(answer, detail="deliver.found")
        return judge(row, found, began, now, chance=0.0, pace=pace, repeat_is_safe=channel.limits.repeat_is_safe)
    if isinstance(answer, PermanentFailure):
        return judge(row, answer, began, now, chance=0.0, pace=pace, repeat_is_safe=False)
    if answer is None:
        return _once_more(work, loader, row, began, now, "deliver.never-had", Outcome.TEMPORARY)
    silent_since = row.started_at or row.release_at
    if is_red(row) and now - silent_since >= pace.silence:
        return _once_more(work, loader, row, began, now, SENT_AGAIN, Outcome.UNKNOWN)
    reason = reason_of(answer)
    after = replace(row, next_try_at=now + pace.ask_again, reason=reason, lease_until=None)
    return Result(row, after, Attempt(row.id, began, now, Outcome.UNKNOWN, f"deliver.cannot-ask {answer.code}".strip()))


def _once_more(
    work: UnitOfWork, loader: Loader, row: Dispatch, began: datetime, now: datetime, reason: str, outcome: Outcome
) -> Result:
    after = again(replace(row, reason=reason), now, now - now)
    if after.state is DispatchState.NEW and loader.overtaken(work, row.bulletin_id):
        after = replace(after, state=DispatchState.EXPIRED_UNSENT, reason="deliver.overtaken")
    return Result(row, after, Attempt(row.id, began, now, outcome, reason))
