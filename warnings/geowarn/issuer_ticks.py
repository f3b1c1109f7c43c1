"""The scheduler's part for other issuers: each feed in its own time, in threads that hold nobody else up."""

from __future__ import annotations

import threading
from collections.abc import Callable

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from geowarn.bootstrap import System
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Issuer
from geowarn.issuer_service import issuer_desk, issuers_of
from geowarn.pipeline.issuer_poll import due, note_plan, note_wrong_plan, poll, watch_issuers

_POOL = "issuers"
log = structlog.get_logger("geowarn.issuers")
Once = Callable[[str, int, Callable[[], object]], None]


class IssuerTicks:
    """Polls what is due; `once` runs an act in its slot once among all processes, `publish` shows what changed."""

    def __init__(self, system: System, once: Once, publish: Callable[[], object], stopped: threading.Event) -> None:
        self._system, self._once, self._publish, self._stopped = system, once, publish, stopped
        self.issuers = self._planned()

    def _planned(self) -> tuple[Issuer, ...]:
        """The enabled feeds; a file that is wrong is a task, and stops nothing of ours."""
        store, now = self._system.store, self._system.clock.now()
        try:
            found = issuers_of(self._system.data_dir, self._system.settings)
        except Refused as refusal:
            log.warning("the feeds of other issuers cannot be read", reason=str(refusal))
            note_wrong_plan(store, now, refusal)
            return ()
        note_wrong_plan(store, now, None)
        note_plan(store, found, now)
        return tuple(issuer for issuer in found if issuer.enabled)

    def add_to(self, ticks: BackgroundScheduler) -> None:
        """A job for each feed, and one that looks who is silent."""
        if not self.issuers:
            return
        ticks.add_executor(ThreadPoolExecutor(len(self.issuers)), _POOL)
        for issuer in self.issuers:
            every = IntervalTrigger(seconds=max(issuer.poll_seconds // 2, 15))
            ticks.add_job(self.poll, every, args=(issuer,), id=f"issuer {issuer.name}", executor=_POOL)
        ticks.add_job(self.watch, IntervalTrigger(seconds=60), id="issuers")

    def poll(self, issuer: Issuer) -> None:
        """Look where it is time to; never raises."""
        try:
            if due(self._system.store, issuer, self._system.clock.now()):
                self._once(f"issuer {issuer.name}", issuer.poll_seconds, lambda: self._polled(issuer))
        except Exception:
            log.exception("an issuer's feed could not be polled", issuer=issuer.name)

    def _polled(self, issuer: Issuer) -> None:
        found = poll(issuer_desk(self._system, self._stopped.wait), issuer)
        if found.fault is not None:
            log.warning("an issuer's feed could not be read", issuer=issuer.name, reason=str(found.fault))
        for one in found.came:
            if one.refusal is not None and one.refusal.__cause__ is not None:
                log.error("a message of an issuer was not foreseen", exc_info=one.refusal.__cause__)
        if found.changed:
            self._publish()

    def watch(self) -> None:
        """Raise what is silent; never raises."""
        try:
            watch_issuers(self._system.store, self.issuers, self._system.clock.now())
        except Exception:
            log.exception("the silence of issuers could not be watched")
