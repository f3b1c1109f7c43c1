"""What time alone brings about: the end of validity, the question before it, and silence as an alarm."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from geowarn.domain.bulletin import Standing, standing
from geowarn.domain.task import Task
from geowarn.domain.warning import WarningStatus
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.propose import new_id


def end_validity(desk: Desk) -> tuple[str, ...]:
    """Warnings whose end has passed are marked so (never "lifted"); returns their ids."""
    now = desk.clock.now()
    ended = []
    with desk.store.begin() as work:
        for warning in work.warnings.all():
            chain = work.bulletins.of_warning(warning.id)
            if warning.status is not WarningStatus.IN_FORCE or not chain:
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
        for warning in work.warnings.all():
            chain = work.bulletins.of_warning(warning.id)
            if warning.status is not WarningStatus.IN_FORCE or not chain or chain[-1].content.expires > now + ahead:
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
    """Open a task for each thing that should have spoken and did not (house rule 16); returns the kinds opened."""
    now = desk.clock.now()
    opened = []
    with desk.store.begin() as work:
        newest = work.forecasts.latest(1)
        silent = {
            "no-forecast": not newest or newest[0].received_at < now - timedelta(hours=forecast_hours),
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
