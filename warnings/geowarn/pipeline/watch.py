"""What time alone brings about: the end of validity, the question before it, and silence as an alarm."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.bulletin import Standing, standing
from geowarn.domain.period import Period
from geowarn.domain.rain import RainKind
from geowarn.domain.source import Source, late
from geowarn.domain.task import Task
from geowarn.domain.warning import HazardWarning, WarningStatus
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.source_notes import last_good, raise_alarm
from geowarn.pipeline.source_plan import overdue_since
from geowarn.ports import UnitOfWork

CERTIFICATE_AHEAD = timedelta(days=30)  # aggregators must learn a new certificate before it is used

MIRROR_BEHIND = timedelta(seconds=90)  # how far a CDN or a copy may be behind before somebody is called


def _in_force(work: UnitOfWork) -> Iterator[HazardWarning]:
    """Those in force, each held for a change: the archive is not looked at."""
    for one in work.warnings.standing(WarningStatus.IN_FORCE):
        held = work.warnings.get(one.id)
        if held is not None and held.status is WarningStatus.IN_FORCE:
            yield held


def end_validity(desk: Desk) -> tuple[str, ...]:
    """Warnings whose end has passed are marked so (never "lifted"); returns their ids."""
    now = desk.clock.now()
    ended = []
    with desk.store.begin() as work:
        for warning in _in_force(work):
            chain = work.bulletins.of_warning(warning.id)
            if not chain:
                continue
            if standing(chain[-1], chain, now) is not Standing.VALIDITY_ENDED:
                continue
            work.warnings.save(replace(warning, status=WarningStatus.VALIDITY_ENDED))
            facts = {"bulletin": chain[-1].id, "expires": chain[-1].content.expires.isoformat(), "all_clear": False}
            work.ledger.append(now, SYSTEM, "warning.validity-ended", warning.id, facts)
            ended.append(warning.id)
        if ended:
            work.commit()
    return tuple(ended)


def ask_before_end(desk: Desk) -> int:
    """Open the task "extend or lift?" for each warning whose end is near; returns how many are new."""
    now = desk.clock.now()
    ahead = timedelta(minutes=int(desk.facts["schedule"]["ask_before_end_minutes"]))
    opened = 0
    with desk.store.begin() as work:
        for warning in _in_force(work):
            chain = work.bulletins.of_warning(warning.id)
            if not chain or chain[-1].content.expires > now + ahead:
                continue
            end = chain[-1].content.expires
            task = Task(new_id("t"), "extend-or-lift", warning.id, now, end, facts={"number": chain[-1].number})
            if work.tasks.open(task):
                work.ledger.append(now, SYSTEM, "task.opened", warning.id, {"kind": task.kind, "due": end.isoformat()})
                opened += 1
        if opened:
            work.commit()
    return opened


def watch_silence(desk: Desk, forecast_hours: float = 12, worker_seconds: float = 60) -> tuple[str, ...]:
    """Open a task for each thing that should have spoken and did not (house rule 16); returns the kinds opened.

    A forecast is as old as its run, whenever it arrived; observed rain is none.
    """
    now = desk.clock.now()
    opened = []
    with desk.store.begin() as work:
        silent = {
            "no-forecast": not _forecast_since(work, now - timedelta(hours=forecast_hours), now),
            "worker-silent": not work.ticks.alive("worker", now - timedelta(seconds=worker_seconds)),
        }
        for kind, is_silent in silent.items():
            if not is_silent:
                work.tasks.close(kind, "installation", now)
            elif work.tasks.open(Task(new_id("t"), kind, "installation", now)):
                work.ledger.append(now, SYSTEM, "task.opened", "installation", {"kind": kind})
                opened.append(kind)
        work.commit()
    return tuple(opened)


def watch_certificate(desk: Desk, ends_at: datetime | None) -> bool:
    """Open the task `cap-key-ends` a month before the signing certificate ends, and where it is lost; returns whether.

    Without a valid one no CAP message leaves where the installation demands a signature (house rule 11).
    """
    if desk.facts["cap"]["signature"] != "required":
        return False
    now = desk.clock.now()
    with desk.store.begin() as work:
        if ends_at is not None and ends_at - now > CERTIFICATE_AHEAD:
            closed = work.tasks.close("cap-key-ends", "installation", now)
            if closed:
                work.commit()
            return False
        facts = {"ends": ends_at.isoformat() if ends_at else None}
        opened = work.tasks.open(Task(new_id("t"), "cap-key-ends", "installation", now, ends_at, facts=facts))
        if opened:
            work.ledger.append(now, SYSTEM, "task.opened", "installation", {"kind": "cap-key-ends", **facts})
            work.commit()
    return opened


def watch_site(desk: Desk, channel: str, unseen: Sequence[str], since: datetime | None) -> bool:
    """Open the task `site-differs` where a public address has shown something else than written since `since`.

    Nothing is said of the first moments: a mirror may be a minute behind. What is seen again closes it. Returns
    whether the task is new.
    """
    now = desk.clock.now()
    with desk.store.begin() as work:
        if not unseen:
            if work.tasks.close("site-differs", channel, now):
                work.ledger.append(now, SYSTEM, "task.closed", channel, {"kind": "site-differs"})
                work.commit()
            return False
        if since is None or now - since < MIRROR_BEHIND:
            return False
        facts = {"since": since.isoformat(), "files": list(unseen)}
        opened = work.tasks.open(Task(new_id("t"), "site-differs", channel, now, facts=facts))
        if opened:
            work.ledger.append(now, SYSTEM, "task.opened", channel, {"kind": "site-differs", **facts})
            work.commit()
    return opened


def _forecast_since(work: UnitOfWork, since: datetime, now: datetime) -> bool:
    ahead = work.forecasts.covering(Period(now, now + timedelta(days=20)), RainKind.FORECAST)
    return any(row.run_time > since for row in ahead)


def watch_sources(desk: Desk, sources: Iterable[Source]) -> tuple[str, ...]:
    """Open the task `no-forecast` for each source that brought no complete run in time; returns their names.

    The next good run closes it. A source that is switched off, or of which nothing is expected, is not late.
    """
    now = desk.clock.now()
    found = []
    with desk.store.begin() as work:
        for source in sources:
            good = last_good(work, source.name)
            due = overdue_since(source, now) if source.enabled else None
            early = timedelta(minutes=source.expected_minutes / 2)  # a run that came before its slot is that slot's
            if due is None or not late(due - early, good.at if good else None):
                work.tasks.close("no-forecast", source.name, now)
                continue
            facts = {"source": source.name, "due": due.isoformat(), "expected_minutes": source.expected_minutes}
            if raise_alarm(work, "no-forecast", source.name, source.name, now, facts):
                found.append(source.name)
        work.commit()
    return tuple(found)
