"""APScheduler only ticks; all state is in our tables, and each slot of a job fires once among all processes."""

from __future__ import annotations

import logging
import secrets
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import structlog
from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.interval import IntervalTrigger

from geowarn.assess_ticks import AssessTicks
from geowarn.bootstrap import System
from geowarn.cap_key import ends_at
from geowarn.domain.errors import Refused
from geowarn.domain.source import Source
from geowarn.issuer_ticks import IssuerTicks
from geowarn.pipeline.calls_advance import advance_calls
from geowarn.pipeline.calls_keeping import keep_calls
from geowarn.pipeline.companion import close_finished
from geowarn.pipeline.companion_inbox import take_in_alerts
from geowarn.pipeline.escalation_advance import advance
from geowarn.pipeline.escalation_audit import TICK, audit
from geowarn.pipeline.exercise_end import keep_exercise
from geowarn.pipeline.fetch import fetch_source, wanted
from geowarn.pipeline.inbox import Inbox
from geowarn.pipeline.incidents import watch_promises
from geowarn.pipeline.intake import Intake
from geowarn.pipeline.roster import watch_roster
from geowarn.pipeline.roster_asks import ask_people
from geowarn.pipeline.search_index import NEW, catch_up
from geowarn.pipeline.source_plan import trigger_of
from geowarn.pipeline.voice_keeping import keep_voices, watch_voices
from geowarn.pipeline.watch import (
    ask_before_end,
    end_validity,
    watch_certificate,
    watch_silence,
    watch_site,
    watch_sources,
)
from geowarn.ports import Publisher

EXERCISE_SECONDS = 5  # an exercise that a real proposal stopped is cancelled at its stations within this time
SEARCH_SECONDS = 600  # between two looks for what is public and not yet found
_FETCH = "fetch"  # the threads that wait for far ends
log = structlog.get_logger("geowarn.scheduler")


def slot_of(now: datetime, seconds: int) -> datetime:
    """The start of the slot that `now` lies in."""
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def publishers(system: System) -> dict[str, Publisher]:
    """The channels that show the whole state, by name."""
    return {name: channel for name, channel in system.channels.items() if isinstance(channel, Publisher)}


def publish_all(system: System) -> None:
    """Have every channel that shows the whole state show it again; tells what one had to leave out."""
    state = system.site_state()
    for name, publisher in publishers(system).items():
        for reason in publisher.publish(state) or ():
            log.warning("left out of what is published", channel=name, reason=reason)


def intake_of(system: System, actor_text: str) -> Intake:
    """What taking in a configured source's run needs."""
    synthetic = system.settings.installation.synthetic
    return Intake(system.store, system.clock, system.readers, system.raw_dir, synthetic, actor_text)


class Scheduler:
    """The ticks of one process: sources, ingest, assess, expire, publish, silence, heartbeat."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.owner = f"scheduler-{secrets.token_hex(4)}"
        self._intake = intake_of(system, "scheduler")
        self._inbox = Inbox(system.data_dir / "inbox", self._intake, system.sources)
        self._zone = system.settings.installation.zone
        self._assessing = AssessTicks(system, self.owner)
        self._ticks = BackgroundScheduler(
            timezone=self._zone, job_defaults={"coalesce": True, "misfire_grace_time": 300, "max_instances": 1}
        )
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        schedule = system.settings.schedule
        self._add("ingest", schedule.expiry_seconds, self.take_in)
        self._add("alerts", schedule.expiry_seconds, self.take_in_alerts)
        self._add("assess", schedule.assess_minutes * 60, self.assess_newest)
        self._add("expire", schedule.expiry_seconds, self.expire)
        self._add("publish", schedule.publish_seconds, self.publish)
        self._unseen_since: dict[str, datetime] = {}
        self._add("look", schedule.publish_seconds, self.look)
        self._add("silence", 60, self.watch)
        self._add("tidy", 3600, self.tidy)
        self._add("search", SEARCH_SECONDS, lambda: catch_up(system.search_sources))
        self._add("roster", 60, self.watch_roster)
        # no slot is taken: the tables say what is due, and whichever process comes first does it
        self._ticks.add_job(self.escalate, self._every(schedule.escalate_seconds), id="escalate")
        self._stopping = threading.Event()
        fetched = [source for source in system.sources.values() if source.enabled and not source.watched]
        # threads of their own, so that far ends which say nothing hold up no tick and no other source
        self._ticks.add_executor(ThreadPoolExecutor(2 * len(fetched) or 1), _FETCH)
        for source in fetched:
            self._add_source(source, threading.Lock())
        IssuerTicks(system, self._once, lambda: publish_all(system), self._stopping).add_to(self._ticks)
        self._ticks.add_job(self.keep_exercise, self._every(EXERCISE_SECONDS), id="exercise")
        self._ticks.add_job(self.beat, self._every(schedule.heartbeat_seconds), id="beat")

    def _every(self, seconds: int) -> BaseTrigger:
        return IntervalTrigger(seconds=seconds, timezone=self._zone)

    def _add(self, job: str, seconds: int, act: Callable[[], object]) -> None:
        self._ticks.add_job(self._once, self._every(seconds), args=(job, seconds, act), id=job)

    def _add_source(self, source: Source, alone: threading.Lock) -> None:
        """At its slots, and while nothing good has come since the last one: a slot missed in an outage is made up."""

        def fetch() -> None:
            if alone.acquire(blocking=False):
                try:
                    self.fetch(source)
                finally:
                    alone.release()

        self._ticks.add_job(fetch, trigger_of(source), id=f"fetch {source.name}", executor=_FETCH)
        self._ticks.add_job(fetch, self._every(60), id=f"fetch again {source.name}", executor=_FETCH)

    def fetch(self, source: Source) -> None:
        """Fetch a source that is due, at most once in its retry time among all processes."""
        if wanted(self.system.store, source, self.system.clock.now()):
            self._once(f"fetch {source.name}", source.retry_minutes * 60, lambda: self._fetch(source))

    def _fetch(self, source: Source) -> None:
        folder = self.system.cache_dir / "fetched"
        if fetch_source(self._intake, self.system.fetchers, source, folder, self._stopping.wait):
            self.assess_newest()

    def _once(self, job: str, seconds: int, act: Callable[[], object]) -> None:
        now = self.system.clock.now()
        with self.system.store.begin() as work:
            mine = work.ticks.fire(job, slot_of(now, seconds), self.owner, now)
            work.commit()
        if mine:
            self._guarded(job, act)

    @staticmethod
    def _guarded(job: str, act: Callable[[], object]) -> bool:
        """Run `act`; a fault is told and silences nothing that comes after it. Returns whether there was none."""
        try:
            act()
        except Refused as refusal:
            log.warning("tick refused", job=job, reason=str(refusal))
        except Exception:
            log.exception("tick failed", job=job)
        else:
            return True
        return False

    def start(self) -> None:
        """Start ticking; what is overdue is done at once."""
        self.beat()
        self._ticks.start()
        for job in self._ticks.get_jobs():
            if job.id not in ("beat", "silence"):
                # The search reads pages that the first tick writes.
                wait = 30 if job.id == "search" else 1
                job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=wait))

    def stop(self) -> None:
        """Stop after the jobs that run now have ended; a fetch gives up."""
        self._stopping.set()
        self._ticks.shutdown(wait=True)

    def beat(self) -> None:
        """Note that the scheduler is alive."""
        with self.system.store.begin() as work:
            work.ticks.beat(self.owner, "scheduler", self.system.clock.now())
            work.commit()

    def take_in(self) -> None:
        """Ingest what lies in the watched folders, and assess it at once."""
        looked = self._inbox.look()
        for fault in looked.faults:
            log.error("a file could not be taken in", exc_info=fault)
        if looked.taken:
            self.assess_newest()

    def take_in_alerts(self) -> None:
        """Receive what lies in `inbox/cap/`."""
        with_ = (self.system.store, self.system.clock, self.system.alert_reader, self.system.raw_dir)
        take_in_alerts(self.system.data_dir / "inbox", *with_, "scheduler")

    def assess_newest(self) -> None:
        """Assess the run that decides now, unless that was done, and propose what the runs now call for."""
        self._assessing.newest()

    def keep_exercise(self) -> None:
        """End an exercise that is over or that a real proposal stopped, and tell its stations and numbers."""
        self._guarded("exercise", lambda: keep_exercise(self.system.desk))

    def escalate(self) -> None:
        """Call who must answer, ring who is due, hand on what nobody answers; then note that the clock ticks."""
        desk = self.system.desk
        fine = [self._guarded("calls", lambda: advance_calls(desk)), self._guarded("escalate", lambda: advance(desk))]
        if all(fine):  # else the audit hears of it
            with self.system.store.begin() as work:
                work.ticks.beat(self.owner, TICK, self.system.clock.now())
                work.commit()

    def publish(self) -> None:
        """Bring the public state forward, then let what is new in it be found."""
        self._guarded("publish", lambda: publish_all(self.system))
        self._guarded("search", lambda: catch_up(self.system.search_sources, NEW))

    def look(self) -> None:
        """Read back through the public address what was written."""
        for name, publisher in publishers(self.system).items():
            unseen = publisher.unseen()
            if unseen:
                self._unseen_since.setdefault(name, self.system.clock.now())
                log.warning("written, not seen", channel=name, files=unseen)
            else:
                self._unseen_since.pop(name, None)
            watch_site(self.system.desk, name, unseen, self._unseen_since.get(name))

    def watch(self) -> None:
        """Raise what should have spoken and did not."""
        desk = self.system.desk
        self._guarded("audit", lambda: audit(desk))
        self._guarded("silence", lambda: watch_silence(desk))
        self._guarded("certificate", lambda: watch_certificate(desk, ends_at(self.system.keys_dir)))
        self._guarded("sources", lambda: watch_sources(desk, self.system.sources.values()))

    def tidy(self) -> None:
        """Remove what is kept for a while only."""
        desk = self.system.desk
        self._guarded("tidy", self.system.tidy)
        self._guarded("keep voices", lambda: keep_voices(desk))
        self._guarded("keep calls", lambda: keep_calls(desk))

    def watch_roster(self) -> None:
        """Ask people before their shifts, and raise what is wrong with the days ahead."""
        self._guarded("ask people", lambda: ask_people(self.system.roster_desk))
        self._guarded("roster", lambda: watch_roster(self.system.roster_desk))

    def expire(self) -> None:
        """Mark warnings whose end has passed, ask before the next ends, and show it."""
        system, desk = self.system, self.system.desk
        self._guarded("ask before end", lambda: ask_before_end(desk))
        self._guarded("companions", lambda: close_finished(system.store, system.clock))
        self._guarded("promises", lambda: watch_promises(desk))
        self._guarded("voices", lambda: watch_voices(desk, system.settings.say.limits))
        self._guarded("expire", lambda: publish_all(system) if end_validity(desk) else None)
