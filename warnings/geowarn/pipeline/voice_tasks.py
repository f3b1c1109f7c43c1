"""Whose a report is, and what rings for it: bounded, however many come, and never so that a danger stays silent."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import timedelta

from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.domain.voice import Said, Voice, VoiceKind, same_spot
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation_chain import current_shift
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.voice_sealed import said_in
from geowarn.ports import UnitOfWork, VoiceChoice

DANGER, TASK, OVERDUE, FULL = "voice-danger", "voice", "voice-overdue", "voice-full"
MORE = "voice-dangers"  # one task for every place beyond those that ring by themselves
FORM = "say"  # what MORE and FULL are about
# However many write, so many tasks stand open at once; the list at /console/voices has all of it.
MOST_RINGING = 20
MOST_TASKS = 60
MORE_AGAIN = timedelta(minutes=10)  # after somebody took MORE in hand, until a further place rings by it again


def owner_of(desk: Desk, work: UnitOfWork, kind: VoiceKind) -> str | None:
    """Whose it is at first: the officer on shift, or the first who holds the role of the rules; None: nobody."""
    role = desk.policy.voices.owners[kind]
    if role is Role.DUTY_OFFICER:
        shift = current_shift(work, desk.clock.now())
        return shift.officer if shift else None
    return next(iter(sorted(user.name for user in work.users.all() if user.active and role in user.roles)), None)


def open_task_for(desk: Desk, work: UnitOfWork, voice: Voice) -> None:
    """A task of its own, ringing for the first observation of its sort in its place; bounded, however many come.

    Where no more may ring by themselves, one standing task rings for all further places.
    """
    standing = [task for task in work.tasks.pending() if task.kind in (DANGER, TASK)]
    ringing = [task for task in standing if task.kind == DANGER]
    first = voice.kind is VoiceKind.OBSERVATION and not heard_beside(desk, work, ringing)(voice)
    kind = DANGER if first and len(ringing) < MOST_RINGING else TASK
    if first and kind == TASK:
        _ring_for_more(desk, work, voice)
    if kind == TASK and len(standing) >= MOST_TASKS:
        return
    work.tasks.open(task_of(desk, voice, kind))


def task_of(desk: Desk, voice: Voice, kind: str) -> Task:
    """The task of a voice, with its owner and its time."""
    now, owner = desk.clock.now(), voice.owner or None
    return Task(new_id("t"), kind, voice.number, now, voice.due_at, facts=_facts(voice), owner=owner)


def _ring_for_more(desk: Desk, work: UnitOfWork, voice: Voice) -> None:
    now = desk.clock.now()
    task = next((one for one in work.tasks.pending() if one.kind == MORE), None)
    if task is not None and task.acknowledged_at is not None and task.acknowledged_at <= now - MORE_AGAIN:
        work.tasks.close(MORE, FORM, now)
    work.tasks.open(Task(new_id("t"), MORE, FORM, now, voice.due_at, owner=voice.owner or None))


def heard_beside(desk: Desk, work: UnitOfWork, dangers: Iterable[Task]) -> Callable[[Voice], bool]:
    """Whether one of these tasks is about this observation, or another of its sort in its place.

    Where nobody says where it is, every one may be somewhere else; so may two places marked on the map far apart.
    """
    by_number = {task.subject: task for task in dangers}
    rung = work.voices.list(VoiceChoice(numbers=frozenset(by_number))) if by_number else ()
    spots: dict[str, Said] = {}

    def spot(one: Voice) -> Said:
        if one.number not in spots:
            spots[one.number] = said_in(desk.vault, one)
        return spots[one.number]

    def heard(voice: Voice) -> bool:
        if voice.number in by_number:
            return True
        beside = [one for one in rung if voice.area and _facts(one) == _facts(voice)]
        return any(same_spot(spot(one), spot(voice)) for one in beside)

    return heard


def _facts(voice: Voice) -> Mapping[str, object]:
    return {"kind": voice.kind.value, "sign": voice.sign, "area": voice.area}
