"""What happened to a configured source, noted so that the inputs page and the alarms can be made from it.

Noting the same again changes nothing, so that a step done twice after a crash leaves what doing it once leaves.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Forecast
from geowarn.domain.source import Source
from geowarn.domain.task import Task
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.propose import new_id
from geowarn.ports import SourceEvent, UnitOfWork

_REMEMBERED = 200  # events of one source that are looked through


def last_good(work: UnitOfWork, source: str) -> SourceEvent | None:
    """The newest complete run that this source brought."""
    return work.source_events.newest(source, "good")


def note_good(
    work: UnitOfWork, source: str, run: str, forecasts: Sequence[Forecast], now: datetime, known: Mapping[str, str]
) -> None:
    """A complete run was taken in: the alarms about it end."""
    arrived = max(one.received_at for one in forecasts)
    ids = [one.id for one in forecasts]
    facts = {"run": run, "forecasts": ids, "run_time": forecasts[0].run_time.isoformat(), "known": dict(known)}
    events = work.source_events.of_source(source, _REMEMBERED)
    forgotten = len(events) == _REMEMBERED and arrived < events[-1].at
    if not forgotten and not any(e.kind == "good" and e.facts["forecasts"] == ids for e in events):
        work.source_events.add(SourceEvent(new_id("e"), source, arrived, "good", facts))
        work.tasks.close("no-forecast", source, now)
    work.tasks.close("run-late", _subject(source, run), now)


def note_waiting(work: UnitOfWork, source: str, run: str, now: datetime, facts: Mapping[str, Any]) -> None:
    """Part of a run is there; noted once for each state it is in."""
    whole = {"run": run, **facts}
    newest = work.source_events.newest(source, "waiting")
    if newest is None or dict(newest.facts) != whole:
        work.source_events.add(SourceEvent(new_id("e"), source, now, "waiting", whole))


def note_older(work: UnitOfWork, source: str, run: str, run_time: datetime, now: datetime) -> None:
    """A run older than the one in use was set aside."""
    facts = {"run": run, "run_time": run_time.isoformat()}
    work.source_events.add(SourceEvent(new_id("e"), source, now, "older", facts))
    work.tasks.close("run-late", _subject(source, run), now)


def note_refused(work: UnitOfWork, source: str, name: str, print_: str, refusal: Refused, now: datetime) -> None:
    """A file was refused: a task names the reason. `print_` tells this file from one sent later by the same name."""
    facts = {"file": name, "print": print_, **_reason(refusal)}
    seen = work.source_events.of_source(source, _REMEMBERED)
    if any(event.kind == "refused" and event.facts["print"] == print_ for event in seen):
        return
    work.source_events.add(SourceEvent(new_id("e"), source, now, "refused", facts))
    told = {key: facts[key] for key in ("file", "key", "facts")}
    work.tasks.open(Task(new_id("t"), "input-refused", name, now, facts=told))
    work.ledger.append(now, SYSTEM, "input.refused", name, told)


def note_failed(work: UnitOfWork, source: str, refusal: Refused, now: datetime) -> None:
    """Nothing could be fetched; noted once for each reason since the last good run."""
    facts = _reason(refusal)
    newest, good = work.source_events.newest(source, "failed"), last_good(work, source)
    again = newest is not None and newest.facts["key"] == facts["key"] and (good is None or good.at < newest.at)
    if not again:
        work.source_events.add(SourceEvent(new_id("e"), source, now, "failed", facts))


def raise_alarm(
    work: UnitOfWork, kind: str, source: str, subject: str, now: datetime, facts: Mapping[str, Any]
) -> bool:
    """Open a task that something of a source is late, with its event and ledger entry; False where it is open."""
    if not work.tasks.open(Task(new_id("t"), kind, subject, now, facts=facts)):
        return False
    work.source_events.add(SourceEvent(new_id("e"), source, now, "late", facts))
    work.ledger.append(now, SYSTEM, "task.opened", subject, {"kind": kind, **facts})
    return True


def watch_patience(work: UnitOfWork, source: Source, run: str, now: datetime) -> bool:
    """Open the task `run-late` for a run that has stayed incomplete past its patience; returns whether it is new."""
    events = work.source_events.of_source(source.name, _REMEMBERED)
    waiting = [event for event in events if event.kind == "waiting" and event.facts["run"] == run]
    if not waiting or now < waiting[-1].at + timedelta(minutes=source.patience_minutes):
        return False
    facts = {**waiting[0].facts, "source": source.name, "since": waiting[-1].at.isoformat()}
    return raise_alarm(work, "run-late", source.name, _subject(source.name, run), now, facts)


def _subject(source: str, run: str) -> str:
    return f"{source} {run}"


def _reason(refusal: Refused) -> dict[str, Any]:
    return {"key": refusal.key, "facts": refusal.kept()}
