"""An exercise is over: by a person, by its time or by a real proposal; then everyone who had it is told so."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.exercise import Exercise, ExerciseStatus
from geowarn.domain.warning import Act, Content, HazardWarning, Series
from geowarn.pipeline.actor import SYSTEM, Actor, Machine
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.exercise import DIRECTORS
from geowarn.pipeline.exercise_guard import BY_REAL, LIVE, OVER, exercise_warnings, leave, need_running
from geowarn.pipeline.release import issue_unsigned
from geowarn.pipeline.versions import write_version
from geowarn.ports import UnitOfWork

_MACHINE = Machine()
_LEAST = timedelta(hours=2)  # how long the notice may still be delivered


def finish(desk: Desk, actor: Actor) -> Exercise:
    """A person ends the running exercise; what had been sent is cancelled at once."""
    actor.need(*DIRECTORS)
    with desk.store.begin() as work:
        exercise = need_running(work)
        leave(work, exercise, ExerciseStatus.ENDED, desk.clock.now(), actor.label, OVER)
        _tell(desk, work)
        work.commit()
    return exercise


def keep_exercise(desk: Desk) -> bool:
    """One tick: end an exercise whose time is over or that a real proposal met, and tell everyone; True if it did.

    The real proposal stops it in its own transaction; looking again here covers one that was being stored while the
    exercise began, and a process that died between the stop and the notice.
    """
    now = desk.clock.now()
    with desk.store.read() as work:
        running = work.exercises.running()
        due = running is not None and (now >= running.ends_at or _met_by_real(work, running))
        untold = running is None and any(w.status in LIVE for w in exercise_warnings(work))
    if not due and not untold:
        return False
    with desk.store.begin() as work:
        running = work.exercises.running()
        if running is not None and _met_by_real(work, running):
            leave(work, running, ExerciseStatus.STOPPED, now, SYSTEM, BY_REAL)
        elif running is not None and now >= running.ends_at:
            leave(work, running, ExerciseStatus.ENDED, now, SYSTEM, OVER)
        if work.exercises.running() is None:
            _tell(desk, work)
        work.commit()
    return True


def _met_by_real(work: UnitOfWork, running: Exercise) -> bool:
    """Whether a real version was written since the exercise began."""
    found = (p for p in work.proposals.open() if p.content.series is not Series.EXERCISE)
    return any(proposal.edited_at >= running.started_at for proposal in found)


def _tell(desk: Desk, work: UnitOfWork) -> tuple[Bulletin, ...]:
    """Cancel every exercise warning that is still in force, in the exercise's own series."""
    now = desk.clock.now()
    return tuple(_cancel(desk, work, w, now) for w in exercise_warnings(work) if w.status in LIVE)


def _cancel(desk: Desk, work: UnitOfWork, warning: HazardWarning, now: datetime) -> Bulletin:
    last = work.bulletins.of_warning(warning.id)[-1]
    proposal = write_version(desk, work, warning.id, _content(desk, last, now), SYSTEM, _MACHINE.label)
    bulletin = issue_unsigned(desk, work, warning, proposal, _MACHINE)
    work.tasks.close("review", warning.id, now)
    work.tasks.close("extend-or-lift", warning.id, now)
    return bulletin


def _content(desk: Desk, last: Bulletin, now: datetime) -> Content:
    return replace(
        last.content,
        act=Act.CANCEL,
        areas=tuple(replace(area, before=area.level) for area in last.content.areas),
        onset=now.replace(minute=0, second=0, microsecond=0),
        expires=max(last.content.expires, now + _LEAST),
        next_update=desk.next_update(now),
        reason="演练结束",
        previous_bulletin=last.id,
    )
