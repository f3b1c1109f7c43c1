"""How long what people say is kept, its deletion on request, and what nobody answered in time."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role
from geowarn.domain.task import Task
from geowarn.domain.voice import OPEN, Voice, VoiceKind, VoiceState
from geowarn.pipeline.actor import SYSTEM, Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.voices import DANGER, OVERDUE, TASK, find_voice
from geowarn.ports import UnitOfWork, VoiceChoice

ERASERS = (Role.DISCLOSURE, Role.LEADER, Role.CHIEF)
_ADDRESSES = timedelta(hours=24)  # how long a hash of an address limits anything, and is kept
_AT_ONCE = 200


def erase(desk: Desk, number: str, actor: Actor) -> Voice:
    """Delete at the person's request what was written, contact, photo and notes; number, kind and state stay.

    The ledger has only a salted digest of it, and the salt goes too: the chain holds, and nothing can be guessed.
    Raises Refused where it was done before.
    """
    actor.need_somewhere(*ERASERS)
    with desk.store.begin() as work:
        voice = find_voice(work, number)
        if voice.erased_at is not None:
            raise Refused("voices.erased", number=number)
        made = _erase(desk, work, voice, actor.label, "request")
        work.commit()
    return made


def _erase(desk: Desk, work: UnitOfWork, voice: Voice, label: str, why: str) -> Voice:
    now = desk.clock.now()
    state = VoiceState.CLOSED if voice.state in OPEN else voice.state
    made = replace(
        voice, said_sealed=None, contact_sealed=None, contact_masked="", photo=False, fold_key="", from_key="",
        state=state, changed_at=now, erased_at=now,
    )  # fmt: skip
    work.voices.save(made)
    work.voices.wipe(voice.id)
    work.ledger.append(now, label, "voice.erased", voice.number, {"why": why})
    for kind in (DANGER, TASK):
        work.tasks.close(kind, voice.number, now)
    return made


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


def watch_voices(desk: Desk) -> tuple[str, ...]:
    """Raise what should have been answered by now: a task a kind, and an observation that nobody took rings again."""
    now, raised = desk.clock.now(), []
    with desk.store.begin() as work:
        for kind in VoiceKind:
            late = _late(desk, work, kind)
            task = Task(new_id("t"), OVERDUE, kind.value, now, facts={"count": len(late)})
            if late and work.tasks.open(task):
                work.ledger.append(now, SYSTEM, "task.opened", kind.value, {"kind": OVERDUE, "count": len(late)})
                raised.append(kind.value)
            elif not late and work.tasks.close(OVERDUE, kind.value, now):
                raised.append(kind.value)
        if ring := _unheard(desk, work):
            raised.append(ring)
        if raised:
            work.commit()
    return tuple(raised)


def _late(desk: Desk, work: UnitOfWork, kind: VoiceKind) -> tuple[Voice, ...]:
    return work.voices.list(VoiceChoice(states=OPEN, kind=kind, due_by=desk.clock.now(), most=10_000))


def _unheard(desk: Desk, work: UnitOfWork) -> str:
    """The oldest observation that is late and new, where none rings: the first of its place was dealt with, not it."""
    now = desk.clock.now()
    if any(task.kind == DANGER for task in work.tasks.pending()):
        return ""
    late = [voice for voice in _late(desk, work, VoiceKind.OBSERVATION) if voice.state is VoiceState.NEW]
    if not late:
        return ""
    voice = late[-1]
    facts = {"kind": voice.kind.value, "sign": voice.sign, "area": voice.area}
    work.tasks.close(TASK, voice.number, now)
    work.tasks.open(Task(new_id("t"), DANGER, voice.number, now, facts=facts, owner=voice.owner or None))
    work.ledger.append(now, SYSTEM, "task.opened", voice.number, {"kind": DANGER})
    return voice.number
