"""Is it alive, is it ready, and how is it doing: for machines that watch this one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geowarn.bootstrap import System, database_url
from geowarn.domain.period import Period
from geowarn.domain.rain import RainKind
from geowarn.pipeline.liveness import SILENT_AFTER, worker_alive
from geowarn.ports import UnitOfWork
from geowarn.store.upgrade import check
from geowarn.web.access import system_of

router = APIRouter(tags=["operation"])
_RECENT = 10  # bulletins whose dispatches are counted
_LOOK_BACK = (1, 30, 400)  # days; most often the first suffices


def _not_ready(system: System) -> list[str]:
    try:
        faults = [] if not check(database_url(system.settings, system.data_dir)) else ["database schema"]
        with system.store.read() as work:
            return faults + ([] if worker_alive(work, system.clock.now()) else ["worker"])
    except Exception:
        return ["database"]


@router.get("/healthz", summary="The process answers")
def healthz() -> dict[str, str]:
    """Says that this process is alive, and nothing about what it depends on."""
    return {"status": "ok"}


@router.get("/readyz", summary="The line can carry a warning")
def readyz(request: Request) -> Response:
    """200 when the database is reachable and migrated and a worker beats, else 503 naming what is missing."""
    missing = _not_ready(system_of(request))
    status = {"status": "ready"} if not missing else {"status": "not ready", "missing": missing}
    return JSONResponse(status, 503 if missing else 200)


class _Line(Collector):
    """Reads the figures of one moment from the store."""

    def __init__(self, system: System, work: UnitOfWork) -> None:
        self.system, self.work = system, work

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Every figure; none of them names a person or a number."""
        yield from (self._forecast(), self._dispatches(), self._beats(), self._tasks(), self._ledger())

    def _forecast(self) -> GaugeMetricFamily:
        age = GaugeMetricFamily("geowarn_forecast_age_seconds", "Seconds since the newest forecast's run time")
        now = self.system.clock.now()
        for days in _LOOK_BACK:  # observed rain is no forecast, and what arrived last need not be the newest run
            near = Period(now - timedelta(days=days), now + timedelta(days=20))
            if found := self.work.forecasts.covering(near, RainKind.FORECAST):
                age.add_metric([], (now - max(one.run_time for one in found)).total_seconds())
                break
        return age

    def _dispatches(self) -> GaugeMetricFamily:
        labels = ["bulletin", "channel", "state"]
        rows = GaugeMetricFamily("geowarn_dispatches", "Dispatches of recent bulletins", labels=labels)
        for bulletin in self.work.bulletins.newest(_RECENT):
            for channel, states in self.work.dispatches.counts(bulletin.id).items():
                for state, count in states.items():
                    rows.add_metric([bulletin.slug, channel, state.value], count)
        return rows

    def _beats(self) -> GaugeMetricFamily:
        beats = GaugeMetricFamily("geowarn_processes_alive", "Processes that have beaten recently", labels=["kind"])
        since = self.system.clock.now() - SILENT_AFTER
        for kind in ("worker", "scheduler", "web"):
            beats.add_metric([kind], len(self.work.ticks.alive(kind, since)))
        return beats

    def _tasks(self) -> GaugeMetricFamily:
        tasks = GaugeMetricFamily("geowarn_open_tasks", "Open tasks", labels=["kind"])
        kinds = [task.kind for task in self.work.tasks.pending()]
        for kind in sorted(set(kinds)):
            tasks.add_metric([kind], kinds.count(kind))
        return tasks

    def _ledger(self) -> GaugeMetricFamily:
        head = self.work.ledger.head()
        size = GaugeMetricFamily("geowarn_ledger_entries", "Entries of the ledger")
        size.add_metric([], head.sequence if head else 0)
        return size


@router.get("/metrics", response_class=Response, summary="Figures for Prometheus")
def metrics(request: Request) -> Response:
    """Figures of this moment in the Prometheus text format."""
    system = system_of(request)
    registry = CollectorRegistry()
    with system.store.read() as work:
        registry.register(_Line(system, work))
        text = generate_latest(registry)
    return Response(text, media_type=CONTENT_TYPE_LATEST)
