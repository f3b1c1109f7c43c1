"""The worker: one thread a channel, so that website and stations never wait for SMS, and a sign of life."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import uuid4

import structlog
from rich.progress import Progress, TaskID

from geowarn.bootstrap import System
from geowarn.domain.dispatch import SETTLED
from geowarn.domain.errors import Collided
from geowarn.hook_service import HookService
from geowarn.pipeline.collisions import until_through
from geowarn.pipeline.deliver import expire
from geowarn.pipeline.escalation_audit import audit
from geowarn.pipeline.lane import Lane
from geowarn.pipeline.letter_lane import LetterLane, LetterWords
from geowarn.pipeline.notice_lane import NoticeLane
from geowarn.pipeline.notice_text import NoticeWords
from geowarn.pipeline.outcome import Pace
from geowarn.pipeline.reconcile import reconcile
from geowarn.pipeline.subscribing import forget
from geowarn.ports import Channel, Postman

IDLE_SECONDS = 0.25
SWEEP_SECONDS = 1.0
BEAT_SECONDS = 5.0
AUDIT_SECONDS = 20.0
FORGET_SECONDS = 60.0
AFTER_FAULT_SECONDS = 5.0
AFTER_COLLISION_SECONDS = 0.1
_log = structlog.get_logger()


def pace_of(channel: Channel) -> Pace:
    """Claims last as long as this channel's calls need; a channel that writes files says nothing and gets 20 s."""
    seconds = getattr(channel, "timeout_seconds", None)
    return Pace(timeout=timedelta(seconds=float(seconds))) if seconds else Pace()


def trials_of(system: System, channel: Channel) -> frozenset[str]:
    """The targets of a channel that are tests, read from the stations, partners and mailboxes themselves."""
    if channel.name == "broadcast":
        return frozenset(name for name, station in system.stations.items() if station.live is False)
    kind = {"webhook": "webhooks", "mail": "mailboxes"}.get(channel.name, "")
    named = system.facts["channels"].get(kind, {})
    return frozenset(name for name, entry in named.items() if entry["live"] is False)


class Worker:
    """Works every channel of an installation in threads of this process."""

    def __init__(self, system: System) -> None:
        self._system = system
        self.owner = f"{socket.gethostname()}:{os.getpid()}:{uuid4().hex[:6]}"
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin; the first sign of life is given before this returns."""
        self._beat()
        jobs: dict[str, Callable[[], None]] = {
            f"deliver-{name}": self._deliverer(channel) for name, channel in self._system.channels.items()
        }
        jobs["notices"] = self._tell
        postman = self._system.postman
        if postman is not None:
            jobs["letters"] = lambda: self._write(postman)
        jobs["worker-forget"] = lambda: self._every(FORGET_SECONDS, self._forget)
        jobs["worker-beat"] = lambda: self._every(BEAT_SECONDS, self._beat)
        hooks = HookService(self._system, self._stop)
        jobs["worker-hooks"] = lambda: self._every(SWEEP_SECONDS, hooks.step)
        jobs["worker-audit"] = lambda: self._every(AUDIT_SECONDS, self._audit)
        jobs["worker-expire"] = lambda: self._every(SWEEP_SECONDS, self._expire)
        self._threads = [threading.Thread(target=job, name=name, daemon=True) for name, job in jobs.items()]
        for thread in self._threads:
            thread.start()

    def stop(self, seconds: float = 30.0) -> None:
        """Claim nothing more, see the calls under way through, end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(seconds)

    def wait(self, seconds: float) -> bool:
        """Wait until told to stop, at most so long; True when told."""
        return self._stop.wait(seconds)

    def _beat(self) -> None:
        with self._system.store.begin() as work:
            work.ticks.beat(self.owner, "worker", self._system.clock.now())
            work.commit()

    def _expire(self) -> None:
        expire(self._system.store, self._system.clock)

    def _audit(self) -> None:
        audit(self._system.desk)

    def _deliverer(self, channel: Channel) -> Callable[[], None]:
        return lambda: self._deliver(channel)

    def _deliver(self, channel: Channel) -> None:
        system, pace = self._system, pace_of(channel)
        lane = Lane(
            system.store, channel, system.vault, system.clock, self.owner, pace, trials=trials_of(system, channel)
        )
        asking = threading.Thread(
            target=self._every,
            args=(SWEEP_SECONDS, lambda: reconcile(system.store, channel, system.vault, system.clock, pace)),
            name=f"ask-{channel.name}",
            daemon=True,
        )
        asking.start()
        heard = 0
        while not self._stop.is_set():
            if not self._guarded(lane.step):
                heard = system.store.wait_for_dispatches(heard, IDLE_SECONDS)
        self._guarded(lambda: until_through(lane.close))
        asking.join()

    def _tell(self) -> None:
        """Send what people on duty are to be told."""
        system = self._system
        words = NoticeWords(system.templates, system.facts)
        lane = NoticeLane(system.store, system.pager, system.vault, system.clock, words, self.owner)
        while not self._stop.is_set():
            if not self._guarded(lane.step):
                self._stop.wait(IDLE_SECONDS)
        self._guarded(lane.close)

    def _write(self, postman: Postman) -> None:
        """Send what people who subscribe have asked for."""
        system = self._system
        words = LetterWords(system.templates, system.facts)
        lane = LetterLane(system.store, postman, system.vault, system.clock, words, self.owner)
        while not self._stop.is_set():
            if not self._guarded(lane.step):
                self._stop.wait(IDLE_SECONDS)
        self._guarded(lane.close)

    def _forget(self) -> None:
        """Delete addresses that nobody confirmed, also where mail is switched off by now."""
        forget(self._system.store, self._system.clock)

    def _every(self, seconds: float, job: Callable[[], object]) -> None:
        while not self._stop.is_set():
            self._guarded(job)
            self._stop.wait(seconds)

    def _guarded(self, job: Callable[[], object]) -> bool:
        """Run `job`; a fault is told and the worker goes on, because a dead worker would send nothing at all.

        A lane whose step only collided goes on at once: it keeps its answers until they are committed.
        """
        try:
            return bool(job())
        except Collided:
            _log.warning("worker.collided", where=threading.current_thread().name)
            self._stop.wait(AFTER_COLLISION_SECONDS)
            return True
        except Exception as error:
            _log.error("worker.fault", where=threading.current_thread().name, error=type(error).__name__)
            self._stop.wait(AFTER_FAULT_SECONDS)
            return False


def run_until_settled(system: System, bulletin_id: str, progress: Progress | None = None) -> None:
    """Work in this process until every dispatch of the bulletin is final; `progress` gets one bar a channel."""
    worker = Worker(system)
    worker.start()
    try:
        bars: dict[str, TaskID] = {}
        while not _show(system, bulletin_id, progress, bars):
            worker.wait(IDLE_SECONDS)
    finally:
        worker.stop()


def _show(system: System, bulletin_id: str, progress: Progress | None, bars: dict[str, TaskID]) -> bool:
    """Move the bars; True when nothing more will be sent."""
    with system.store.read() as work:
        counts = work.dispatches.counts(bulletin_id)
    for channel, states in counts.items() if progress else ():
        total, done = sum(states.values()), sum(states.get(state, 0) for state in SETTLED)
        _move(progress, bars, channel, total, done)
    return all(state in SETTLED for states in counts.values() for state, count in states.items() if count)


def _move(progress: Progress | None, bars: dict[str, TaskID], channel: str, total: int, done: int) -> None:
    if progress is None:
        return
    if channel not in bars:
        bars[channel] = progress.add_task(channel, total=total)
    progress.update(bars[channel], completed=done)
