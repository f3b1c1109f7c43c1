"""The console's first page: what is in force, what waits, and whether the machine is well."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.people import Shift
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.warning import ProposalStatus, Series
from geowarn.pipeline.liveness import SILENT_AFTER
from geowarn.pipeline.release import in_force
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting
from geowarn.web.clock import clock_values
from geowarn.web.companions import companion_line
from geowarn.web.issuers import lines_of
from geowarn.web.review_sheet import sheet_of

router = APIRouter(prefix="/console", include_in_schema=False)
_FORECAST_DUE = timedelta(hours=12)
_LATEST = 8


@dataclass(frozen=True, slots=True)
class Part:
    """One part of the machine: when it last spoke, and whether that was in time."""

    key: str
    name: str
    at: datetime | None
    well: bool
    detail: str = ""


def _station(visit: Visit, work: UnitOfWork, name: str) -> Part:
    station, poll = visit.system.stations[name], work.stations.last_poll(name)
    late = timedelta(seconds=visit.system.settings.broadcast.stale_seconds)
    shown = station.name_zh if visit.words.language == "zh" else station.name_en
    well = poll is not None and poll.at + late > visit.now
    return Part("station", shown, poll.at if poll else None, well, str(poll.sequence) if poll else "")


def _beat(visit: Visit, work: UnitOfWork, kind: str) -> Part:
    alive = work.ticks.alive(kind, visit.now - SILENT_AFTER)
    return Part(kind, "", visit.now if alive else None, bool(alive), str(len(alive)))


def _site(visit: Visit) -> Part:
    index = visit.system.public_dir / "current.json"
    at = datetime.fromtimestamp(index.stat().st_mtime, visit.words.zone) if index.is_file() else None
    promise = timedelta(hours=visit.system.settings.site.next_update_hours)
    return Part("site", "", at, at is not None and at + promise > visit.now)


def _newest_forecast(visit: Visit, work: UnitOfWork) -> Forecast | None:
    """By run time: a run that is a day old and came just now is a day old."""
    ahead = work.forecasts.covering(Period(visit.now, visit.now + timedelta(days=20)), RainKind.FORECAST)
    return max(ahead, key=lambda one: one.run_time, default=None)


def machine_of(visit: Visit, work: UnitOfWork) -> list[Part]:
    """Every part; those that are not well come first."""
    forecast = _newest_forecast(visit, work)
    head = work.ledger.head()
    found = [
        Part(
            "forecast",
            forecast.source if forecast else "",
            forecast.run_time if forecast else None,
            forecast is not None and forecast.run_time + _FORECAST_DUE > visit.now,
            forecast.id if forecast else "",
        ),
        _beat(visit, work, "worker"),
        _beat(visit, work, "scheduler"),
        _site(visit),
        *(_station(visit, work, name) for name in visit.system.stations),
        Part(
            "ledger",
            "",
            datetime.fromisoformat(head.at) if head else None,
            True,
            visit.words.count(head.sequence) if head else "0",
        ),
    ]
    return sorted(found, key=lambda part: part.well)


def _next_shift(work: UnitOfWork, current: Shift | None, now: datetime) -> Shift | None:
    start = current.end if current else now
    later = work.shifts.between(start, start + timedelta(days=7))
    return next((shift for shift in later if shift.start >= start), None)


def _levels(active: tuple[Bulletin, ...]) -> dict[str, Level]:
    levels: dict[str, Level] = {}
    for bulletin in active:
        for area in bulletin.content.areas:
            levels[area.code] = max(levels.get(area.code, Level.NONE), area.level)
    return levels


@router.get("/")
def home(visit: Visiting) -> Response:
    """What is in force, open proposals, tasks and the machine."""
    with visit.system.store.read() as work:
        active = in_force(work, visit.now)
        areas = by_code(work.areas.all())
        shift = next(iter(work.shifts.at(visit.now)), None)
        under_review = [p for p in work.proposals.open() if p.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED)]
        tasks = [task for task in work.tasks.pending() if task.kind != "review"]
        head = work.ledger.head()
        others, rings = lines_of(work, visit.now, visit.words)
        values: dict[str, Any] = {
            "active": active,
            "open_sheets": [sheet_of(visit.system.desk, work, p.warning_id) for p in under_review],
            "tasks": tasks,
            "machine": machine_of(visit, work),
            "publish_from": visit.system.policy.publish_from,
            "shift": shift,
            "next_shift": _next_shift(work, shift, visit.now),
            "users": {user.name: user for user in work.users.all()},
            "latest": work.ledger.entries(max(head.sequence - _LATEST, 0))[::-1] if head else (),
            "last_bulletin": next(iter(work.bulletins.newest(1, (Series.REAL, Series.INTERNAL))), None),
            "areas": areas,
            "others": others,
            "outside": work.outside_warnings.current(visit.now),
            "companions": [companion_line(a, areas, visit.words) for a in work.companions.current(visit.now)],
            "warnings": {task.subject for task in tasks if work.warnings.get(task.subject) is not None},
            **clock_values(visit, work),
        }
    drawing = visit.request.app.state.map.draw(areas, _levels(active), visit.words.language, rings)
    return visit.page("home", map=drawing, **values)
