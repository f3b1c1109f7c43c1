"""A place answers: by a text from a number that was called, or in words that an officer writes down."""

from __future__ import annotations

import re
from datetime import datetime

from geowarn.domain.calls import Call, CallState, Via
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.calls import close_task
from geowarn.pipeline.desk import Desk
from geowarn.ports import Clock, Store, UnitOfWork, Vault

CONTACT = "contact (SMS)"  # how the ledger names who answered by text
RECORDERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF)
LONGEST_NAME = 40  # characters
_YES = frozenset({"1", "收到", "是", "ok", "yes"})


def answered_call(store: Store, vault: Vault, clock: Clock, number: str, text: str) -> bool:
    """Take "1" or "收到" from a number that was called as the answer of every place it was called for.

    Returns whether it answered any; the words are kept nowhere. However late: people who went there are called back.
    """
    if "".join(text.split()).strip(".。!！").lower() not in _YES:
        return False
    key = vault.key_of(re.sub(r"[\s()-]", "", number))
    with store.begin() as work:
        now = clock.now()
        found = work.calls.asked_of(key, now)
        for warning in sorted({call.warning_id for call in found}):
            work.warnings.get(warning)  # keeps others off until the end
        heard = [call for call in found if work.calls.answer(call.id, now, Via.SMS, "", None)]
        for call in heard:
            _note(work, call, Via.SMS, CONTACT, now)
        for warning in sorted({call.warning_id for call in heard}):
            close_task(work, warning, now)
        if heard:
            work.commit()
    return bool(heard)


def record_answer(desk: Desk, call_id: str, actor: Actor, via: str, said_by: str) -> Call:
    """Write down that a place answered by telephone or at the door, and who said so; the name is kept encrypted.

    Raises NotFound, NotEntitled for who has no such right in the place's area, Refused where it has answered already
    or nothing is asked any more, and for a name that is missing or too long.
    """
    actor.need_somewhere(*RECORDERS)
    name = " ".join(said_by.split())
    if via not in (Via.TELEPHONE, Via.DOOR):
        raise Refused("calls.via", value=via[:20], known=f"{Via.TELEPHONE}, {Via.DOOR}")
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Refused("calls.said-by", longest=LONGEST_NAME)
    with desk.store.begin() as work:
        now, call = desk.clock.now(), work.calls.get(call_id)
        if call is None:
            raise NotFound("calls.unknown", call=call_id)
        actor.need(*RECORDERS, work=work, areas=(call.area,))
        work.warnings.get(call.warning_id)  # keeps others off until the end
        if not work.calls.answer(call.id, now, Via(via), actor.user.name, desk.vault.seal(name)):
            held = work.calls.get(call_id)
            over = held is not None and held.state is CallState.ENDED
            raise Refused("calls.over" if over else "calls.answered", place=call.name_zh)
        _note(work, call, Via(via), actor.label, now)
        close_task(work, call.warning_id, now)
        work.commit()
    return call


def _note(work: UnitOfWork, call: Call, via: Via, actor: str, now: datetime) -> None:
    facts = {
        "call": call.id,
        "area": call.area,
        "place_kind": call.kind.value,
        "via": via.value,
        "seconds": int((now - call.called_at).total_seconds()),
        "turned": call.turned_at is not None,
    }
    work.ledger.append(now, actor, "call.answered", call.warning_id, facts)
