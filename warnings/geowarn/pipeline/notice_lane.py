"""Notices still new → sent: claimed and committed before the call, each answer committed at once.

A row left between claim and answer is in doubt. The far end is asked before anything is sent again; where it cannot
be asked, an alarm is sent once more after `Pace.silence`, because there a second text is better than none, and
anything else stays in doubt until its time is over and then becomes a task.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from geowarn.domain.dispatch import SENT_AGAIN, DispatchState, Outcome, back_off
from geowarn.domain.errors import OutcomeUnknown, PermanentFailure, Refused, SendFailure, TemporaryFailure
from geowarn.domain.notice import Notice
from geowarn.pipeline.collisions import until_through
from geowarn.pipeline.notice_address import sealed_number
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.notices import note_result
from geowarn.pipeline.outcome import Pace, reason_of
from geowarn.ports import Clock, Letter, Notices, Pager, Receipt, Store, UnitOfWork, Vault

AT_ONCE = 8
WAIT_SECONDS = 0.05
Answer = Receipt | SendFailure | None  # None: asked, and the far end never had it


@dataclass(frozen=True, slots=True)
class Job:
    """One row ready to be sent, or the failure that keeps it from being sent at all."""

    notice: Notice
    address: str = field(default="", repr=False)
    text: str = field(default="", repr=False)
    failure: SendFailure | None = None  # known before any call
    letter: Letter | None = None  # where it goes by mail


class NoticeLane:
    """Sends what is due; one thread drives it, its pool does the calls, so a far end that hangs delays nobody else."""

    def __init__(
        self, store: Store, pager: Pager | None, vault: Vault, clock: Clock, words: NoticeWords, owner: str
    ) -> None:
        self._store, self._pager, self._vault, self._clock = store, pager, vault, clock
        self._words, self._owner = words, owner
        self._pace = self._pace_of(pager.timeout_seconds if pager else None)
        self._claims = itertools.count(1)
        self._pool = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="notice")
        self._under_way: dict[Future[Answer], Job] = {}

    @staticmethod
    def _pace_of(seconds: float | None) -> Pace:
        return Pace(timeout=timedelta(seconds=seconds)) if seconds else Pace()

    def _rows(self, work: UnitOfWork) -> Notices:
        """The outbox."""
        return work.notices

    def _noted(self, work: UnitOfWork, notice: Notice, at: datetime) -> None:
        """What follows from a result."""
        note_result(work, notice, notice.state, at, notice.reason)

    def step(self) -> bool:
        """Let the late expire, claim what there is room for, store answers; False when there was nothing to do."""
        begun = 0
        if self._waiting():
            begun += self._expire()
            begun += self._begin(self._claim_new, self._send) + self._begin(self._claim_doubtful, self._ask)
        return bool(self._gather(0.0 if begun else WAIT_SECONDS) or begun or self._under_way)

    def close(self) -> None:
        """See the calls under way through and end the threads."""
        while self._under_way:
            self._gather(1.0)
        self._pool.shutdown()

    def _waiting(self) -> bool:
        with self._store.read() as work:
            return self._rows(work).waiting(self._clock.now())

    def _expire(self) -> int:
        with self._store.begin() as work:
            now = self._clock.now()
            late = self._rows(work).expire(now)
            for notice in late:
                self._noted(work, notice, now)
            if late:
                work.commit()
        return len(late)

    # --- claiming

    def _begin(self, claim: Callable[[UnitOfWork, str, int], Iterable[Notice]], call: Callable[[Job], Answer]) -> int:
        room = AT_ONCE - len(self._under_way)
        if room <= 0:
            return 0
        with self._store.begin() as work:
            jobs = [self._job(work, notice) for notice in claim(work, f"{self._owner}/{next(self._claims)}", room)]
            if jobs:
                work.commit()
        for job in jobs:
            self._under_way[self._pool.submit(call, job)] = job
        return len(jobs)

    def _claim_new(self, work: UnitOfWork, owner: str, room: int) -> Iterable[Notice]:
        now = self._clock.now()
        return self._rows(work).claim(owner, now, now + self._pace.lease, room)

    def _claim_doubtful(self, work: UnitOfWork, owner: str, room: int) -> Iterable[Notice]:
        now = self._clock.now()
        return self._rows(work).doubtful(owner, now, now + self._pace.lease, room)

    def _job(self, work: UnitOfWork, notice: Notice) -> Job:
        if self._pager is None:
            return Job(notice, failure=TemporaryFailure("notices.no-pager", alarm=True))
        try:
            address = self._vault.open(sealed_number(work, notice))
            text = self._words.text(notice, self._pager.can_be_answered(address), self._pager.takes_links(address))
        except PermanentFailure as failure:
            return Job(notice, failure=failure)
        except Refused as refusal:
            return Job(notice, failure=PermanentFailure(refusal.key, alarm=True))
        except Exception as error:  # a template of an installation's own may fail in any way
            return Job(notice, failure=PermanentFailure("notices.no-text", code=type(error).__name__, alarm=True))
        return Job(notice, address, text)

    # --- calling (in the pool's threads)

    def _send(self, job: Job) -> Answer:
        lease, now = job.notice.lease_until, self._clock.now()
        if job.failure:
            return job.failure
        if now >= job.notice.not_after or (lease is not None and now > lease - self._pace.timeout):
            return TemporaryFailure("deliver.claim-too-old")
        try:
            return self._call(job)
        except SendFailure as failure:
            return failure
        except Exception as error:
            return OutcomeUnknown("deliver.channel-fault", code=type(error).__name__, alarm=True)

    def _ask(self, job: Job) -> Answer:
        if job.failure:
            return OutcomeUnknown("deliver.cannot-ask")
        try:
            return self._look_up(job)
        except SendFailure as failure:
            return failure if isinstance(failure, PermanentFailure) else OutcomeUnknown("deliver.cannot-ask")
        except Exception as error:
            return OutcomeUnknown("deliver.cannot-ask", code=type(error).__name__)

    def _call(self, job: Job) -> Receipt:
        if self._pager is None:
            raise TemporaryFailure("notices.no-pager", alarm=True)
        return self._pager.page(job.address, job.text, job.notice.id, job.notice.not_after)

    def _look_up(self, job: Job) -> Receipt | None:
        if self._pager is None:
            raise OutcomeUnknown("deliver.cannot-ask")
        return self._pager.look_up(job.address, job.text, job.notice.started_at or job.notice.created_at)

    # --- answers

    def _gather(self, seconds: float) -> int:
        if not self._under_way:
            return 0
        finished, _ = wait(self._under_way, seconds, FIRST_COMPLETED)
        for future in finished:
            job, answer = self._under_way.pop(future), future.result()
            until_through(partial(self._settle, job, answer))
        return len(finished)

    def _settle(self, job: Job, answer: Answer) -> None:
        with self._store.begin() as work:
            now = self._clock.now()
            after = self._judged(job.notice, answer, now)
            if self._rows(work).settle(job.notice, after):
                if after.settled_at is not None:
                    self._noted(work, after, now)
                self._alarm(work, answer, now)
                work.commit()

    def _judged(self, notice: Notice, answer: Answer, now: datetime) -> Notice:
        return judged(notice, answer, now, random.random(), self._pace)  # noqa: S311 -- jitter

    def _alarm(self, work: UnitOfWork, answer: Answer, now: datetime) -> None:
        """What a fault asks for that every further message would meet too: here each has a task of its own."""


def judged(notice: Notice, answer: Answer, now: datetime, chance: float, pace: Pace) -> Notice:
    """The notice after one answer: settled, to be tried or asked again, or given up at its not-after."""
    asked = notice.state is DispatchState.IN_DOUBT
    tried = replace(notice, attempts=notice.attempts + (0 if asked else 1), lease_until=None, next_try_at=None)
    if isinstance(answer, Receipt):
        state = DispatchState.DELIVERED if answer.outcome is Outcome.DELIVERED else DispatchState.ACCEPTED
        return replace(tried, state=state, provider_id=answer.provider_id, reason=None, settled_at=now)
    if isinstance(answer, PermanentFailure):
        return replace(tried, state=DispatchState.FAILED, reason=reason_of(answer), settled_at=now)
    if answer is None:
        return _again(replace(tried, reason="deliver.never-had"), now, timedelta())
    if isinstance(answer, OutcomeUnknown):
        return _unknown(replace(tried, reason=reason_of(answer)), now, asked, pace)
    pause = pace.pause if answer.alarm else timedelta()
    return _again(replace(tried, reason=reason_of(answer)), now, max(back_off(tried.attempts, chance), pause))


def _again(notice: Notice, now: datetime, delay: timedelta) -> Notice:
    if now + delay >= notice.not_after:
        return replace(notice, state=DispatchState.EXPIRED_UNSENT, settled_at=now)
    return replace(notice, state=DispatchState.NEW, owner=None, next_try_at=now + delay)


def _unknown(notice: Notice, now: datetime, asked: bool, pace: Pace) -> Notice:
    silent_since = notice.started_at or notice.created_at
    if asked and notice.alarm and now - silent_since >= pace.silence and now < notice.not_after:
        return _again(replace(notice, reason=SENT_AGAIN), now, timedelta())
    delay = pace.ask_again if asked else pace.ask_after
    over = now + delay >= notice.not_after and asked
    return replace(
        notice,
        state=DispatchState.IN_DOUBT,
        next_try_at=None if over else now + delay,
        settled_at=now if over else None,
    )
