"""Answers to what people ask and rumours put right (辟谣): drafted, checked and signed like an incident's statement."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.incident import ANSWER_PARTS, Draft, Publication, Statement
from geowarn.domain.people import SignOff
from geowarn.domain.voice import OPEN, Voice, VoiceAct, VoiceState, personal_data
from geowarn.pipeline import incidents
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.collisions import through
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.incidents import EDITORS, Book
from geowarn.pipeline.voice_tasks import DANGER, TASK
from geowarn.ports import UnitOfWork, VoiceChoice

_AT_ONCE = 1000  # voices that one publication answers
ANSWERS = Book("answer", ANSWER_PARTS, "answer", lambda work: work.answers, lambda policy: policy.answer, told=False)


def open_answer(desk: Desk, table: Mapping[str, Any], actor: Actor) -> Draft:
    """Begin an answer with its first draft; raises Refused naming the field, or what looks like personal data."""
    actor.need(*EDITORS)
    _fit(table)
    return incidents.open_incident(desk, table, actor, ANSWERS)


def edit_answer(desk: Desk, answer_id: str, table: Mapping[str, Any], actor: Actor) -> Draft:
    """A new draft in place of the one under review, or of the next version; check and signatures begin anew."""
    actor.need(*EDITORS)
    _fit(table)
    return incidents.edit(desk, answer_id, table, actor, ANSWERS)


def check_answer(desk: Desk, answer_id: str, actor: Actor, digest: str | None = None) -> Draft:
    """Record that the draft holds nothing secret, and nothing by which somebody who wrote can be known."""
    return incidents.check_secrecy(desk, answer_id, actor, digest, ANSWERS)


def sign_answer(desk: Desk, answer_id: str, actor: Actor, digest: str | None = None) -> SignOff:
    """Sign the checked draft in one of the roles that the policy asks for."""
    return incidents.sign(desk, answer_id, actor, digest, ANSWERS)


@through
def publish_answer(desk: Desk, answer_id: str, actor: Actor) -> Publication:
    """Freeze the signed draft as the next version; whoever's question it answers is answered by it."""
    held: list[Voice] = []

    def hold(work: UnitOfWork) -> None:
        held[:] = work.voices.hold(VoiceChoice(states=OPEN, answer_id=answer_id, most=_AT_ONCE))

    def settle(work: UnitOfWork, made: Publication) -> None:
        _answered(desk, work, made, actor, held)

    return incidents.publish(desk, answer_id, actor, ANSWERS, settle, hold)


def _fit(table: Mapping[str, Any]) -> None:
    """One thing is answered, and nothing in it names a private person's number."""
    if ("question" in table) == ("rumour" in table):
        raise Refused("answers.one-of")
    texts = [str(text) for value in table.values() if isinstance(value, Mapping) for text in value.values()]
    if found := personal_data(texts):
        raise Refused("answers.personal", found=found)


def is_rumour(statement: Statement) -> bool:
    """Whether it puts a rumour right."""
    return "rumour" in statement.parts


def _answered(desk: Desk, work: UnitOfWork, made: Publication, actor: Actor, voices: Iterable[Voice]) -> None:
    now = desk.clock.now()
    for voice in voices:
        work.voices.save(replace(voice, state=VoiceState.ANSWERED, changed_at=now))
        work.voices.add_act(VoiceAct(new_id("a"), voice.id, now, actor.user.name, "answer", "", told=True))
        work.ledger.append(now, actor.label, "voice.answered", voice.number, {"answer": made.incident_id})
        for kind in (DANGER, TASK):
            work.tasks.close(kind, voice.number, now)
