"""APScheduler only ticks; all state is in our tables, and each slot of a job fires once among all processes."""

from __future__ import annotations

import logging
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import structlog
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger

from geowarn.bootstrap import System, active_rules
from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.pipeline.assess import assess_all
from geowarn.pipeline.companion import close_finished
from geowarn.pipeline.companion_inbox import take_in_alerts
from geowarn.pipeline.inbox import take_in, unassessed
from geowarn.pipeline.incidents import watch_promises
from geowarn.pipeline.ingest import ingest
from geowarn.pipeline.propose import follow_course, propose_from_run
from geowarn.pipeline.watch import ask_before_end, end_validity, watch_silence
from geowarn.ports import Publisher

log = structlog.get_logger("geowarn.scheduler")


def slot_of(now: datetime, seconds: int) -> datetime:
    """The start of the slot that `now` lies in."""
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, UTC)


def publish_all(system: System) -> None:
    """Have every channel that shows the whole state show it again."""
    state = system.site_state()
    for channel in system.channels.values():
        publish = getattr(channel, "publish", None)
        if publish is not None:
            publisher: Publisher = channel  # type: ignore[assignment]
            publisher.publish(state)


class Scheduler:
    """The ticks of one process: ingest, assess, expire, publish, silence, heartbeat."""

    def __init__(self, system: System) -> None:
        self.system = system
        self.owner = f"scheduler-{secrets.token_hex(4)}"
        zone = system.settings.installation.zone
        self._ticks = BackgroundScheduler(
            timezone=zone, job_defaults={"coalesce": True, "misfire_grace_time": 300, "max_instances": 1}
        )
        logging.getLogger("apscheduler").setLevel(logging.WARNING)
        schedule = system.settings.schedule
        self._add("ingest", schedule.expiry_seconds, self.take_in)
        self._add("alerts", schedule.expiry_seconds, self.take_in_alerts)
        self._add("assess", schedule.assess_minutes * 60, self.assess_newest)
        self._add("expire", schedule.expiry_seconds, self.expire)
        self._add("publish", schedule.publish_seconds, lambda: publish_all(self.system))
        self._add("silence", 60, lambda: watch_silence(self.system.desk))
        self._ticks.add_job(self.beat, IntervalTrigger(seconds=schedule.heartbeat_seconds, timezone=zone), id="beat")

    def _add(self, job: str, seconds: int, act: Callable[[], object]) -> None:
        trigger = IntervalTrigger(seconds=seconds, timezone=self.system.settings.installation.zone)
        self._ticks.add_job(self._once, trigger, args=(job, seconds, act), id=job)

    def _once(self, job: str, seconds: int, act: Callable[[], object]) -> None:
        now = self.system.clock.now()
        with self.system.store.begin() as work:
            mine = work.ticks.fire(job, slot_of(now, seconds), self.owner, now)
            work.commit()
        if not mine:
            return
        try:
            act()
        except Refused as refusal:
            log.warning("tick refused", job=job, reason=str(refusal))
        except Exception:
            log.exception("tick failed", job=job)

    def start(self) -> None:
        """Start ticking; what is overdue is done at once."""
        self.beat()
        self._ticks.start()
        for job in self._ticks.get_jobs():
            if job.id not in ("beat", "silence"):
                job.modify(next_run_time=datetime.now(UTC) + timedelta(seconds=1))

    def stop(self) -> None:
        """Stop after the jobs that run now have ended."""
        self._ticks.shutdown(wait=True)

    def beat(self) -> None:
        """Note that the scheduler is alive."""
        with self.system.store.begin() as work:
            work.ticks.beat(self.owner, "scheduler", self.system.clock.now())
            work.commit()

    def take_in(self) -> None:
        """Ingest what lies in the watched folder, and assess it at once."""
        if take_in(self.system.data_dir / "inbox", self.system.store, self.system.clock, self._ingest):
            self.assess_newest()

    def take_in_alerts(self) -> None:
        """Receive what lies in `inbox/cap/`."""
        system = self.system
        inbox = system.data_dir / "inbox"
        take_in_alerts(inbox, system.store, system.clock, system.alert_reader, system.raw_dir, "scheduler")

    def _ingest(self, reader: str, file: Path) -> tuple[Forecast, ...]:
        system = self.system
        return ingest(
            system.store,
            system.clock,
            system.readers,
            system.raw_dir,
            reader,
            [file],
            source=None,
            synthetic_installation=system.settings.installation.synthetic,
            actor_text="scheduler",
        )

    def assess_newest(self) -> None:
        """Assess the newest run that no assessment has used, and propose what the runs now call for."""
        system = self.system
        forecast = unassessed(system.store, system.clock.now())
        if forecast is None:
            follow_course(system.desk)
            return
        assess_all(
            system.store,
            system.clock,
            system.readers,
            system.models,
            system.raw_dir,
            system.cache_dir,
            forecast.id,
            rules=active_rules(system),
            model=system.settings.hazard.model,
            also=system.alternates(),
            max_of_models=system.settings.hazard.max_of_models,
            window_hours=system.settings.hazard.window_hours,
            at=None,
            area_codes=None,
            stale_reason=None,
            synthetic_installation=system.settings.installation.synthetic,
            decided=lambda run: propose_from_run(system.desk, run.id),
            actor_text="scheduler",
        )

    def expire(self) -> None:
        """Mark warnings whose end has passed, ask before the next ends, and show it."""
        ask_before_end(self.system.desk)
        close_finished(self.system.store, self.system.clock)
        watch_promises(self.system.desk)
        if end_validity(self.system.desk):
            publish_all(self.system)
