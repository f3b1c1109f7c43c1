"""The inputs page: what each source last brought, how old it is, what it waits for, and which run decides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.bootstrap import active_rules
from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.source import Source
from geowarn.domain.source_choice import HANDED_IN
from geowarn.pipeline.decide import deciding_run
from geowarn.pipeline.source_plan import next_due
from geowarn.ports import SourceEvent, UnitOfWork
from geowarn.web.access import Visit, Visiting

router = APIRouter(prefix="/console", include_in_schema=False)
_LOOKED_BACK = 200  # events of a source


@dataclass(frozen=True, slots=True)
class Row:
    """One source as the page shows it; `newest` is its newest complete run by run time."""

    name: str
    source: Source | None  # None: handed in without a plan
    newest: Forecast | None
    decides: bool
    stale: bool
    late: bool
    next_due: datetime | None
    waits: SourceEvent | None = None
    gaps: tuple[Period, ...] = ()
    trouble: SourceEvent | None = None
    reason: str = ""


def _said(event: SourceEvent | None, language: str) -> str:
    """Why a file was refused or could not be fetched, as the sentence it was refused with."""
    if event is None or "key" not in event.facts:
        return ""
    try:
        return explain(Refused(event.facts["key"], **event.facts["facts"]), language)
    except (KeyError, ValueError, IndexError):  # a sentence that a later version worded otherwise
        return str(event.facts["key"])


def _waiting(work: UnitOfWork, source: str) -> SourceEvent | None:
    """What the source waits for, unless that run or a newer one has come since."""
    found = work.source_events.newest(source, "waiting")
    since = work.source_events.of_source(source, _LOOKED_BACK)
    return None if found is None or any(_settles(event, found) for event in since) else found


def _settles(event: SourceEvent, waiting: SourceEvent) -> bool:
    if event.kind not in ("good", "older") or event.at < waiting.at:
        return False
    both_know = "run_time" in event.facts and "run_time" in waiting.facts
    newer = event.kind == "good" and both_know and event.facts["run_time"] >= waiting.facts["run_time"]
    return bool(newer or event.facts["run"] == waiting.facts["run"])


def _trouble(work: UnitOfWork, source: str) -> SourceEvent | None:
    both = [work.source_events.newest(source, kind) for kind in ("refused", "failed")]
    return max((one for one in both if one is not None), key=lambda one: one.at, default=None)


def _row(visit: Visit, work: UnitOfWork, source: Source, decides: str | None, late: Iterable[str]) -> Row:
    newest = next(iter(work.forecasts.of_origin(source.name, 1)), None)
    waits, trouble = _waiting(work, source.name), _trouble(work, source.name)
    age = (visit.now - newest.run_time).total_seconds() / 3600 if newest else 0.0
    spans = waits.facts.get("lacks", []) if waits else []
    return Row(
        source.name,
        source,
        newest,
        source.name == decides,
        age > source.stale_hours,
        source.name in set(late),
        next_due(source, visit.now),
        waits,
        tuple(Period(*(datetime.fromisoformat(moment) for moment in span)) for span in spans),
        trouble,
        _said(trouble, visit.words.language) or _said(waits, visit.words.language),
    )


def _handed_in(work: UnitOfWork, decides: bool) -> Row | None:
    kept = [one for one in work.forecasts.of_origin(HANDED_IN) if RainKind.FORECAST in one.kinds]
    return Row("", None, kept[0], decides, False, False, None) if kept else None


def rows_of(visit: Visit, work: UnitOfWork) -> tuple[list[Row], Forecast | None]:
    """Every source that is switched on, those asked first first, and the run that decides now."""
    sources = tuple(visit.system.sources.values())
    rules = active_rules(visit.system)
    chosen = deciding_run(work, sources, visit.now, float(rules.parameters.get("refuse_hours", 24))).chosen
    late = [task.subject for task in work.tasks.pending() if task.kind == "no-forecast"]
    decides = chosen.source if chosen else None
    rows = [_row(visit, work, source, decides, late) for source in sources if source.enabled]
    handed_in = _handed_in(work, decides == HANDED_IN)
    found = work.forecasts.get(chosen.forecast_id) if chosen else None
    return rows + ([handed_in] if handed_in else []), found


@router.get("/inputs")
def inputs(visit: Visiting) -> Response:
    """Age, coverage, last good run, last refusal, what is waited for and next due, by source."""
    with visit.system.store.read() as work:
        rows, decides = rows_of(visit, work)
    off = [source.name for source in visit.system.sources.values() if not source.enabled]
    return visit.page("inputs", rows=rows, decides=decides, off=off)
