"""Rows still new → sent: claimed once, committed before the call, results committed in groups.

A lane works one channel. It keeps a bounded number of calls under way and, whenever there is room, claims a few
more rows of the most urgent shard that is due: so red overtakes yellow between two claims, and a target that does
not answer holds one thread, never the rest. The order of its writing is what makes a kill at any point harmless:
claim and commit, call, commit the answer. A row left between the two is asked about, see `reconcile`.

Pacing is per process: `units_per_second` is what this process may spend. Several workers of one sender
divide the sender's allowance in their settings.
"""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Collection, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from datetime import datetime

from geowarn.domain.dispatch import SETTLED, Attempt, DispatchState, Outcome
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, SendFailure
from geowarn.domain.exercise import is_exercise
from geowarn.pipeline.budget import Budget
from geowarn.pipeline.outcome import Answer, Pace, Result, channel_fault, judge, record
from geowarn.pipeline.targets import Job, Loader
from geowarn.ports import Channel, Clock, Store, UnitOfWork, Vault

GROUP_SECONDS = 0.2  # answers wait this long at most for others to be committed with
GROUP_ROWS = 200
SAVING_SECONDS = 0.02
LOOK_SECONDS = 0.25  # how often the list of due shards is read again
_ARRIVED = (DispatchState.ACCEPTED, DispatchState.DELIVERED)


@dataclass(frozen=True, slots=True)
class _Tried:
    job: Job
    answer: Answer | None  # None: not called, the row goes back or has expired
    began: datetime
    ended: datetime


class Lane:
    """Works the shards of one channel; one thread drives it, its pool does the calls."""

    def __init__(
        self,
        store: Store,
        channel: Channel,
        vault: Vault,
        clock: Clock,
        owner: str,
        pace: Pace | None = None,
        only: str | None = None,
        trials: Collection[str] = frozenset(),
    ) -> None:
        self.store, self.channel, self.clock, self.owner = store, channel, clock, owner
        self.pace = pace or Pace()
        self.loader = Loader(channel, vault, trials)
        self._only = only
        self._claims = itertools.count(1)
        self._budget = Budget.of(channel)
        self._pool = ThreadPoolExecutor(channel.limits.concurrency, thread_name_prefix=channel.name)
        self._room = 4 * channel.limits.concurrency
        self._under_way: set[Future[_Tried]] = set()
        self._done: list[_Tried] = []
        self._done_since = 0.0
        self._due: list[str] = []
        self._looked = 0.0
        self._heard = 0
        self._paused_until: datetime | None = None

    def step(self) -> bool:
        """Claim what there is room for, gather answers, commit them; False when there was nothing to do."""
        claimed = self._fill()
        gathered = self._gather(0.0 if claimed else GROUP_SECONDS / 4)
        self._commit(force=not self._under_way)
        return claimed or gathered or bool(self._under_way) or self._saving()

    def drain(self, stop: threading.Event | None = None) -> None:
        """Work until nothing is due, or until told to stop; calls under way are always seen through."""
        while not (stop and stop.is_set()) and self.step():
            pass
        self.finish()

    def finish(self) -> None:
        """Wait for the calls under way and commit their answers."""
        while self._under_way:
            self._gather(GROUP_SECONDS)
            self._commit(force=False)
        self._commit(force=True)

    def close(self) -> None:
        """Finish and end the threads."""
        self.finish()
        self._pool.shutdown()

    # --- claiming

    def _fill(self) -> bool:
        room = self._room - len(self._under_way)
        if room < self._room // 2 or self._paused():
            return False
        room = min(room, self._budget.messages())
        while room > 0 and (shard := self._most_urgent()) is not None:
            jobs = self._claim(shard, room)
            if jobs:
                self._submit(jobs)
                return True
            self._due.remove(shard)
        return False

    def _saving(self) -> bool:
        """Whether a due shard only waits for the sender's allowance; waits a moment for it."""
        if self._paused() or self._most_urgent() is None or self._budget.messages() > 0:
            return False
        time.sleep(SAVING_SECONDS)
        return True

    def _paused(self) -> bool:
        return self._paused_until is not None and self.clock.now() < self._paused_until

    def _most_urgent(self) -> str | None:
        if self._only is not None and not self._looked:
            self._due, self._looked = [self._only], time.monotonic()
        elif self._only is None and (time.monotonic() - self._looked >= LOOK_SECONDS or self._news()):
            with self.store.read() as work:
                due = work.dispatches.due_shards(self.clock.now())
            self._due = [progress.shard for progress in due if progress.channel == self.channel.name]
            self._looked = time.monotonic()
        return self._due[0] if self._due else None

    def _news(self) -> bool:
        known, self._heard = self._heard, self.store.wait_for_dispatches(self._heard, 0)
        return known != self._heard

    def _claim(self, shard: str, limit: int) -> list[Job]:
        # Each claim has an owner of its own, so that an answer can only ever settle the claim it belongs to.
        owner = f"{self.owner}/{next(self._claims)}"
        with self.store.begin() as work:
            now = self.clock.now()
            rows = work.dispatches.claim(shard, owner, now, now + self.pace.lease, limit)
            late = {row.bulletin_id: self.loader.overtaken(work, row.bulletin_id) for row in rows}
            jobs = [replace(self.loader.job(work, row), overtaken=late[row.bulletin_id]) for row in rows]
            work.commit()
        return jobs

    def _submit(self, jobs: Iterable[Job]) -> None:
        for job in jobs:
            if job.delivery is not None:
                self._budget.spend(job.delivery)
            self._under_way.add(self._pool.submit(self._send, job))

    # --- calling (in the pool's threads)

    def _send(self, job: Job) -> _Tried:
        began = self.clock.now()
        answer = self._call(job, began)
        return _Tried(job, answer, began, self.clock.now())

    def _call(self, job: Job, began: datetime) -> Answer | None:
        if job.failure is not None:
            return job.failure
        lease = job.dispatch.lease_until
        too_late = lease is not None and began > lease - self.pace.timeout
        if too_late or job.overtaken or job.delivery is None or began >= job.dispatch.not_after:
            return None
        if is_exercise(job.delivery.bulletin) and not job.trial:  # house rule 10, the second of three places
            return PermanentFailure("deliver.exercise-live-target", alarm=True)
        try:
            return self.channel.send(job.delivery, self.loader.target(job))
        except SendFailure as failure:
            return failure
        except Exception as error:
            # A fault in a channel must neither lose the message nor send it twice.
            return OutcomeUnknown("deliver.channel-fault", code=type(error).__name__, alarm=True)

    # --- answers

    def _gather(self, seconds: float) -> bool:
        if not self._under_way:
            return False
        finished, self._under_way = wait(self._under_way, seconds, FIRST_COMPLETED)
        if finished and not self._done:
            self._done_since = time.monotonic()
        self._done += [future.result() for future in finished]
        return bool(finished)

    def _commit(self, force: bool) -> None:
        waited = time.monotonic() - self._done_since >= GROUP_SECONDS
        if not self._done or not (force or waited or len(self._done) >= GROUP_ROWS):
            return
        now = self.clock.now()
        with self.store.begin() as work:
            work.dispatches.hold(tried.job.dispatch.id for tried in self._done)
            results = [self._result(work, tried) for tried in self._done]
            counted = [held for result in results if (held := self._as_held(work, result)) is not None]
            record(work, counted, now, "dispatch.results")
            self._alarm(work, results, now)
            work.commit()
        self._done = []

    def _as_held(self, work: UnitOfWork, result: Result) -> Result | None:
        """The result as it counts now: a report of the far end may have been quicker, or the claim been given up.

        A row that is settled already keeps its state and gets the attempt; one that is somebody else's by now gets
        nothing, what became of it is asked.
        """
        held = work.dispatches.get(result.before.id)
        if held is None:
            return None
        if held.state is DispatchState.SENDING and held.owner == result.before.owner:
            return result
        return replace(result, after=held) if held.state in SETTLED else None

    def _result(self, work: UnitOfWork, tried: _Tried) -> Result:
        row = tried.job.dispatch
        if tried.answer is None:
            return _not_called(tried.job, tried.began)
        result = judge(
            row,
            tried.answer,
            tried.began,
            tried.ended,
            chance=random.random(),  # noqa: S311 -- jitter
            pace=self.pace,
            repeat_is_safe=self.channel.limits.repeat_is_safe,
        )
        if result.after.state is DispatchState.NEW and self.loader.overtaken(work, row.bulletin_id):
            result = replace(result, after=replace(result.after, state=DispatchState.EXPIRED_UNSENT))
        return result

    def _alarm(self, work: UnitOfWork, results: Collection[Result], now: datetime) -> None:
        """A person must act, and nothing real is tried meanwhile; an exercise's fault holds up nothing real.

        Nor does one that another message of the same moment did not meet: it is that one target's.
        """
        faults = [result for result in results if result.alarm]
        if not faults:
            return
        real = [fault for fault in faults if not self.loader.of_exercise(work, fault.before.bulletin_id)]
        if real and not any(result.after.state in _ARRIVED for result in results):
            self._paused_until = now + self.pace.pause
        channel_fault(work, self.channel.name, (real or faults)[0].attempt.reason, now)


def _not_called(job: Job, now: datetime) -> Result:
    """A row given back before any call: overtaken, expired, or its claim was about to run out."""
    row = replace(job.dispatch, lease_until=None)
    over = job.overtaken or now >= row.not_after
    reason = "deliver.overtaken" if job.overtaken else "deliver.expired" if over else "deliver.claim-too-old"
    state = DispatchState.EXPIRED_UNSENT if over else DispatchState.NEW
    after = replace(row, state=state, reason=reason)
    return Result(job.dispatch, after, Attempt(row.id, now, now, Outcome.TEMPORARY, reason))
