"""What is done with what people say: taken, answered, closed, passed on, linked; each with its entry in the ledger."""

from __future__ import annotations

from dataclasses import replace

from geowarn.domain.errors import NotEntitled, Refused
from geowarn.domain.incident import Incident
from geowarn.domain.people import Role
from geowarn.domain.voice import ACTS, LONGEST_NOTE, OPEN, Voice, VoiceAct, VoiceState, tidy_text
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.answers import ANSWERS
from geowarn.pipeline.collisions import through
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.escalation import open_passes, open_task
from geowarn.pipeline.escalation_acts import may_answer, take
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.incidents import find_incident
from geowarn.pipeline.voice_sealed import said_in, salted_digest
from geowarn.pipeline.voice_tasks import DANGER, TASK, open_task_for
from geowarn.pipeline.voices import find_voice
from geowarn.ports import UnitOfWork

HANDLERS = (Role.DUTY_OFFICER, Role.DISCLOSURE, Role.LEADER, Role.CHIEF)
READERS = (*HANDLERS, Role.AUDITOR)
# The citizen reads these notes beside the state, so there must be one.
TOLD = frozenset({"answer", "close", "pass-on"})
_ENTRY = {"take": "taken", "answer": "answered", "close": "closed", "pass-on": "passed-on", "reopen": "reopened"}


def may_read(actor: Actor) -> None:
    """Raise NotEntitled for who may not see what people say."""
    actor.need_somewhere(*READERS)


def need_over(actor: Actor, roles: tuple[Role, ...], work: UnitOfWork, voice: Voice) -> None:
    """Raise NotEntitled unless one of these roles is held over the voice's area; over any where it has none."""
    if voice.area:
        actor.need(*roles, work=work, areas=(voice.area,))
    else:
        actor.need_somewhere(*roles)


def may_over(actor: Actor, roles: tuple[Role, ...], work: UnitOfWork, voice: Voice) -> bool:
    """Whether `need_over` would let it pass."""
    try:
        need_over(actor, roles, work, voice)
    except NotEntitled:
        return False
    return True


@through
def act(desk: Desk, number: str, name: str, actor: Actor, note: str = "") -> Voice:
    """Take, answer, close, pass on or reopen; raises Refused where that cannot be done now or a note is missing."""
    actor.need_somewhere(*HANDLERS)
    after, allowed = ACTS[name]
    note = _note(note, needed=name in TOLD)
    with desk.store.begin() as work:
        voice = find_voice(work, number)
        need_over(actor, HANDLERS, work, voice)
        folded = voice.state is VoiceState.FOLDED and name == "take"  # a repeat that turns out to be another matter
        if voice.erased_at is not None or not (voice.state in allowed or folded):
            raise Refused("voices.state", number=number, state=voice.state.value, act=name)
        made = settle(desk, work, voice, name, after, actor, note)
        work.commit()
    return made


def settle(desk: Desk, work: UnitOfWork, voice: Voice, name: str, after: VoiceState, actor: Actor, note: str) -> Voice:
    """The new state with its note, task and entry, inside the caller's transaction."""
    now = desk.clock.now()
    owner = actor.user.name if after is VoiceState.TAKEN else voice.owner
    made = replace(voice, state=after, owner=owner, changed_at=now, folded_into=None)
    work.voices.save(made)
    done = VoiceAct(new_id("a"), voice.id, now, actor.user.name, name, note, told=name in TOLD)
    work.voices.add_act(done)
    digest = salted_digest(said_in(desk.vault, voice), done.id, note) if note else ""
    facts = {"act": done.id, "owner": owner, "note": digest}
    work.ledger.append(now, actor.label, f"voice.{_ENTRY[name]}", voice.number, facts)
    if name == "reopen":
        open_task_for(desk, work, made)
    if after in OPEN:
        _in_hand(desk, work, made, actor)
    else:
        for kind in (DANGER, TASK):
            work.tasks.close(kind, voice.number, now)
    return made


def _in_hand(desk: Desk, work: UnitOfWork, voice: Voice, actor: Actor) -> None:
    """Let the task say who has it, and its ringing stop where it asks this person."""
    now = desk.clock.now()
    for kind in (DANGER, TASK):
        task = open_task(work, kind, voice.number)
        if task is None:
            continue
        if any(may_answer(work, one, actor.user, now) for one in open_passes(work, task.id)):
            take(desk, work, task, actor)
        elif task.acknowledged_by != actor.user.name:
            name = actor.user.name
            work.tasks.save(replace(task, owner=name, acknowledged_at=now, acknowledged_by=name))


def _note(text: str, needed: bool) -> str:
    note = tidy_text(text)
    if len(note) > LONGEST_NOTE or (needed and not note):
        raise Refused("voices.note", longest=LONGEST_NOTE)
    return note


def link(desk: Desk, number: str, actor: Actor, what: str, name: str) -> Voice:
    """Tie it to a warning, an incident or an answer by number; an empty name unties. Raises Refused or NotFound."""
    actor.need_somewhere(*HANDLERS)
    if what not in ("warning", "incident", "answer"):
        raise Refused("voices.link", what=what[:20])
    now = desk.clock.now()
    with desk.store.begin() as work:
        voice = find_voice(work, number)
        need_over(actor, HANDLERS, work, voice)
        target = _target(work, what, name.strip()) if name.strip() else None
        made = replace(voice, **{f"{what}_id": target})  # type: ignore[arg-type]
        if made != voice:
            work.voices.save(made)
            work.voices.add_act(VoiceAct(new_id("a"), voice.id, now, actor.user.name, "link", f"{what} {name.strip()}"))
            facts = {"to": what, "name": target or ""}
            work.ledger.append(now, actor.label, "voice.linked", voice.number, facts)
            work.commit()
    return made


def _target(work: UnitOfWork, what: str, name: str) -> str:
    if what == "warning":
        return find_warning(work, name).id
    found: Incident = find_incident(work, name, ANSWERS) if what == "answer" else find_incident(work, name)
    return found.id


def read_contact(desk: Desk, number: str, actor: Actor) -> str:
    """How the person wants to be reached, in full; who looked is in the ledger. Raises Refused where nothing is."""
    actor.need_somewhere(*HANDLERS)
    now = desk.clock.now()
    with desk.store.begin() as work:
        voice = find_voice(work, number)
        need_over(actor, HANDLERS, work, voice)
        if voice.contact_sealed is None:
            raise Refused("voices.no-contact", number=number)
        work.voices.add_act(VoiceAct(new_id("a"), voice.id, now, actor.user.name, "contact"))
        work.ledger.append(now, actor.label, "voice.contact-read", voice.number, {})
        work.commit()
    return desk.vault.open(voice.contact_sealed)
