"""Which stored run decides now, who is told that it is a fall-back's, and that each run is proposed from once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.source import Source
from geowarn.domain.source_choice import HANDED_IN, Candidate, Choice, Rank, choose
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.propose import new_id, propose_from_run
from geowarn.ports import Store, UnitOfWork

_AHEAD = timedelta(days=20)  # no forecast reaches further
_HANDED_IN_STALE = 12.0  # hours, as in the shipped plan
_RECENT = 200


def ranks_of(sources: Iterable[Source]) -> tuple[Rank, ...]:
    """The enabled sources that may decide, in order, and after them what a person handed in."""
    deciding = [Rank(one.name, one.stale_hours) for one in sources if one.enabled and one.order]
    return (*deciding, Rank(HANDED_IN, _HANDED_IN_STALE))


def deciding_run(work: UnitOfWork, sources: Sequence[Source], now: datetime, refuse_hours: float) -> Choice:
    """The stored run that decides now, with the sources passed over."""
    ahead = work.forecasts.covering(Period(now, now + _AHEAD), RainKind.FORECAST)
    adopted = {row: one.name for one in sources for row in _brought(work, one)}
    needs = {one.name: one.needs_hours for one in sources}
    return choose(
        (_candidate(row, adopted.get(row.id, row.origin), needs) for row in ahead), ranks_of(sources), now, refuse_hours
    )


def _brought(work: UnitOfWork, source: Source) -> list[str]:
    """Runs that this source brought too, though a person was quicker."""
    events = work.source_events.of_source(source.name, _RECENT)
    return [str(one) for event in events if event.kind == "good" for one in event.facts["forecasts"]]


def _candidate(row: Forecast, source: str, needs: dict[str, int]) -> Candidate:
    hours = needs.get(source, 0)
    return Candidate(row.id, source, row.run_time, row.coverage, row.received_at, hours, row.part)


def tell_fallback(work: UnitOfWork, sources: Sequence[Source], choice: Choice, now: datetime) -> bool:
    """Open the task `fallback` for each expected source that another stands in for, close it where that is over.

    Returns whether anything changed.
    """
    changed = False
    for source in sources:
        if not (source.enabled and source.order and source.cron):
            continue
        if choice.chosen is None or source.name not in choice.passed_over:
            changed |= bool(work.tasks.close("fallback", source.name, now))
            continue
        facts = {"stands_in": choice.chosen.source, "run_time": choice.chosen.run_time.isoformat()}
        if work.tasks.open(Task(new_id("t"), "fallback", source.name, now, facts=facts)):
            work.ledger.append(now, SYSTEM, "task.opened", source.name, {"kind": "fallback", **facts})
            changed = True
    return changed


def whole_run(work: UnitOfWork, forecast_id: str, areas: int, hours: int, rules_digest: str) -> AssessmentRun | None:
    """An assessment of this forecast as the scheduler makes it: the usual window, every area, the rules in force."""
    found = work.assessments.latest(_RECENT)
    made = [run for run in found if (run.forecast_id, run.rules_digest) == (forecast_id, rules_digest)]
    return next((run for run in made if run.window.hours == hours and len(run.assessments) >= areas), None)


def propose_once(desk: Desk, run: AssessmentRun, owner: str) -> bool:
    """Let a run propose what it calls for, unless that was done; returns whether it was done now.

    The mark is set after the proposal: a crash between the two proposes again, which changes nothing, while the other
    order would lose a warning.
    """
    if _proposed(desk.store, run):
        return False
    try:
        propose_from_run(desk, run.id)
    except Refused:
        _mark(desk, run, owner)
        raise
    _mark(desk, run, owner)
    return True


def _proposed(store: Store, run: AssessmentRun) -> bool:
    with store.read() as work:
        return work.ticks.last(f"propose {run.id}") is not None


def _mark(desk: Desk, run: AssessmentRun, owner: str) -> None:
    with desk.store.begin() as work:
        work.ticks.fire(f"propose {run.id}", run.created_at, owner, desk.clock.now())
        work.commit()
