"""How long what people say is kept, its deletion on request, and what nobody answered in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.domain.voice import OPEN, Voice, VoiceKind, VoiceState
from geowarn.domain.voice_limits import Load, SayLimits, photos_are_short, words_are_short
from geowarn.pipeline.actor import SYSTEM, Actor
from geowarn.pipeline.collisions import through
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.voice_acts import need_over
from geowarn.pipeline.voice_tasks import (
    DANGER,
    FORM,
    FULL,
    MORE,
    OVERDUE,
    TASK,
    heard_beside,
    open_task_for,
    owner_of,
    task_of,
)
from geowarn.pipeline.voices import find_voice
from geowarn.ports import UnitOfWork, VoiceChoice

ERASERS = (Role.DISCLOSURE, Role.LEADER, Role.CHIEF)
_ADDRESSES = timedelta(hours=24)  # how long a hash of an address limits anything, and is kept
_AT_ONCE = 200
_LOOKED_AT = 2000  # new observations that one tick looks through for one that nothing rings for
_NEW = frozenset({VoiceState.NEW})


@through
def erase(desk: Desk, number: str, actor: Actor) -> Voice:
    """Delete at the person's request what was written, contact, photo and notes; number, kind and state stay.

    The ledger has only a salted digest of it, and the salt goes too: the chain holds, and nothing can be guessed.
    Raises Refused where it was done before.
    """
    actor.need_somewhere(*ERASERS)
    with desk.store.begin() as work:
        voice = find_voice(work, number)
        need_over(actor, ERASERS, work, voice)
        if voice.erased_at is not None:
            raise Refused("voices.erased", number=number)
        made = _erase(desk, work, voice, actor.label, "request")
        work.commit()
    return made


def _erase(desk: Desk, work: UnitOfWork, voice: Voice, label: str, why: str) -> Voice:
    now = desk.clock.now()
    was_open = voice.state in OPEN
    made = replace(
        voice, said_sealed=None, contact_sealed=None, contact_masked="", photo=False, fold_key="", from_key="",
        state=VoiceState.CLOSED if was_open else voice.state, changed_at=now, erased_at=now,
    )  # fmt: skip
    work.voices.save(made)
    work.voices.wipe(voice.id)
    next_one = _unfold(desk, work, voice) if was_open else None
    work.ledger.append(now, label, "voice.erased", voice.number, {"why": why})
    for kind in (DANGER, TASK):
        work.tasks.close(kind, voice.number, now)
    if next_one is not None:
        work.ledger.append(now, SYSTEM, "voice.unfolded", next_one.number, {"lead": voice.number})
        open_task_for(desk, work, next_one)
    return made


def _unfold(desk: Desk, work: UnitOfWork, lead: Voice) -> Voice | None:
    """Let the oldest of those that said the same stand in for one that goes, and lead the others; None: nobody did."""
    repeats = [one for one in work.voices.repeats(lead.id) if one.erased_at is None]
    if not repeats:
        return None
    first, *others = repeats
    owner = owner_of(desk, work, first.kind) or ""
    made = replace(first, state=VoiceState.NEW, folded_into=None, owner=owner)
    work.voices.save(made)
    for other in others:
        work.voices.save(replace(other, folded_into=made.id))
    return made


@through
def keep_voices(desk: Desk) -> int:
    """Erase what has been kept for its days, and every hash of an address that limits nothing any more."""
    now = desk.clock.now()
    with desk.store.begin() as work:
        forgotten = work.voices.forget_addresses(now - _ADDRESSES)
        old = work.voices.past(now - timedelta(days=desk.policy.voices.keep_days), _AT_ONCE)
        for voice in old:
            _erase(desk, work, voice, SYSTEM, "retention")
        if old or forgotten:
            work.commit()
    return len(old)


def watch_voices(desk: Desk, limits: SayLimits) -> tuple[str, ...]:
    """Raise what should have been answered by now: a task a kind, and an observation that nobody took rings again;
    and that there is soon no room for more. Looks first, and writes only where something is another than it was.
    """
    return (*_watch_times(desk), *_watch_room(desk, limits))


@through
def _watch_times(desk: Desk) -> tuple[str, ...]:
    now = desk.clock.now()
    with desk.store.read() as work:
        tasks = work.tasks.pending()
        late = {kind: work.voices.count(VoiceChoice(states=OPEN, kind=kind, due_by=now)) for kind in VoiceKind}
        known = {task.subject for task in tasks if task.kind == OVERDUE}
        moved = [kind for kind in VoiceKind if (late[kind] > 0) != (kind.value in known)]
        ring = _unheard(desk, work, tasks)
        over = _all_heard(desk, work, tasks)
    if not (moved or ring or over):
        return ()
    with desk.store.begin() as work:
        raised = [ring.number] if ring and _ring_again(desk, work, ring.number) else []
        raised = [kind.value for kind in moved if _say_late(work, now, kind, late[kind])] + raised
        if over and work.tasks.close(MORE, FORM, now):
            raised.append(MORE)
        work.commit()
    return tuple(raised)


def _say_late(work: UnitOfWork, now: datetime, kind: VoiceKind, count: int) -> bool:
    if not count:
        return bool(work.tasks.close(OVERDUE, kind.value, now))
    opened = work.tasks.open(Task(new_id("t"), OVERDUE, kind.value, now, facts={"count": count}))
    if opened:
        work.ledger.append(now, SYSTEM, "task.opened", kind.value, {"kind": OVERDUE, "count": count})
    return opened


def _unheard(desk: Desk, work: UnitOfWork, tasks: Iterable[Task]) -> Voice | None:
    """The oldest observation that is late and new, where nothing rings and nobody has its place in hand."""
    dangers = [task for task in tasks if task.kind in (DANGER, MORE)]
    if any(task.acknowledged_at is None for task in dangers):
        return None
    choice = VoiceChoice(states=_NEW, kind=VoiceKind.OBSERVATION, due_by=desk.clock.now(), oldest=True, most=_LOOKED_AT)
    heard = heard_beside(desk, work, dangers)
    return next((voice for voice in work.voices.list(choice) if not heard(voice)), None)


def _all_heard(desk: Desk, work: UnitOfWork, tasks: Iterable[Task]) -> bool:
    """Whether `MORE` stands for nothing any more: every new observation rings, or its place does."""
    if not any(task.kind == MORE for task in tasks):
        return False
    choice = VoiceChoice(states=_NEW, kind=VoiceKind.OBSERVATION, oldest=True, most=_LOOKED_AT)
    heard, new = heard_beside(desk, work, [task for task in tasks if task.kind == DANGER]), work.voices.list(choice)
    return len(new) < _LOOKED_AT and all(heard(voice) for voice in new)


def _ring_again(desk: Desk, work: UnitOfWork, number: str) -> bool:
    """Whether the voice was still new and rings now."""
    now, voice = desk.clock.now(), find_voice(work, number)
    if voice.state is not VoiceState.NEW:
        return False
    work.tasks.close(TASK, number, now)
    opened = work.tasks.open(task_of(desk, voice, DANGER))
    if opened:
        work.ledger.append(now, SYSTEM, "task.opened", number, {"kind": DANGER})
    return opened


@through
def _watch_room(desk: Desk, limits: SayLimits) -> tuple[str, ...]:
    now = desk.clock.now()
    with desk.store.read() as work:
        load = Load(0, 0, 0, *work.voices.room())
        known = any(task.kind == FULL for task in work.tasks.pending())
    short = words_are_short(load, limits) or (limits.photo_bytes > 0 and photos_are_short(load, limits))
    if short == known:
        return ()
    with desk.store.begin() as work:
        if not short:
            work.tasks.close(FULL, FORM, now)
        elif work.tasks.open(Task(new_id("t"), FULL, FORM, now)):
            facts = {"kind": FULL, "standing": load.standing, "photo_bytes": load.stored}
            work.ledger.append(now, SYSTEM, "task.opened", FORM, facts)
        work.commit()
    return (FULL,)
