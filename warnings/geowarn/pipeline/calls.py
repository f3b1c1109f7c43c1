"""A release → one call a place that must answer, and the first contact of each asked, in the same transaction.

Exercises call nobody real, in three places that do not know of each other: no call is made of one (`call_out`), no
contact is asked about one (`asked`), and the lane that sends refuses the text (`notice_address`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.calls import CALL, UNANSWERED, Call, CallAsk, Contact, must_be_called, no_longer_asked
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import is_exercise
from geowarn.domain.level import Level
from geowarn.domain.notice import Notice
from geowarn.domain.reach import Reach
from geowarn.domain.warning import Act, Series
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.identifiers import new_id
from geowarn.ports import UnitOfWork

CALLING = frozenset({Act.ISSUE, Act.UPDATE, Act.EXTEND})  # what may call somebody; everything else ends calls


def call_out(desk: Desk, work: UnitOfWork, bulletin: Bulletin, earlier: Sequence[Bulletin], now: datetime) -> None:
    """Call every place that this bulletin newly asks, and let go of those that nothing asks any more.

    Inside the releasing transaction, which holds the warning. What ends a warning ends its calls.
    """
    if is_exercise(bulletin):
        return
    held = work.calls.of_warning(bulletin.warning_id)
    if bulletin.act not in CALLING or bulletin.series is not Series.REAL:
        end_calls(work, bulletin.warning_id, held, now, bulletin.act.value)
        return
    areas, rules = by_code(work.areas.plain()), desk.policy.calls
    reach = Reach(_levels(bulletin, desk.policy.publish_from), areas)
    before = Reach(_levels(earlier[-1], desk.policy.publish_from) if earlier else {}, areas)
    places = {call.place for call in held}
    wanted = must_be_called(work.contacts.first(), reach, before, rules, places)
    again = {contact.place for contact, _ in wanted}
    work.calls.end([call.id for call in held if call.place in again], now)
    left = [call for call in no_longer_asked(held, reach, rules) if call.place not in again]
    end_calls(work, bulletin.warning_id, left, now, "lowered")
    work.calls.prolong(bulletin.warning_id, bulletin.content.expires)
    calls = [_call(desk, bulletin, contact, level, now) for contact, level in wanted]
    firsts = {contact.place: contact for contact, _ in wanted}
    told = [asked(desk, bulletin, call, firsts[call.place], now) for call in calls]
    if calls:
        work.notices.add_all(notice for _, notice in told)
        work.calls.add(calls, [ask for ask, _ in told])
        made: dict[str, Any] = {"bulletin": bulletin.id, "number": bulletin.number, "places": counted(calls)}
        made |= {"next_minutes": rules.next_after.total_seconds() / 60}
        made |= {"people_minutes": rules.people_after.total_seconds() / 60}
        work.ledger.append(now, SYSTEM, "call.made", bulletin.warning_id, made)


def _levels(bulletin: Bulletin, least: Level) -> dict[str, Level]:
    return {area.code: area.level for area in bulletin.content.areas if area.level >= least}


def counted(calls: Iterable[Call]) -> dict[str, int]:
    """How many by kind, for the ledger."""
    return dict(sorted(Counter(call.kind.value for call in calls).items()))


def _call(desk: Desk, bulletin: Bulletin, contact: Contact, level: Level, now: datetime) -> Call:
    rules = desk.policy.calls
    return Call(
        id=new_id("ca"),
        bulletin_id=bulletin.id,
        warning_id=bulletin.warning_id,
        place=contact.place,
        area=contact.area,
        county=contact.county,
        kind=contact.kind,
        name_zh=contact.name_zh,
        name_en=contact.name_en,
        where=contact.where,
        level=level,
        called_at=now,
        next_after=rules.next_after,
        turn_at=now + rules.people_after,
        until=bulletin.content.expires,
    )


def asked(desk: Desk, bulletin: Bulletin, call: Call, contact: Contact, now: datetime) -> tuple[CallAsk, Notice]:
    """The text to one contact and the row that says so, both of which the caller adds.

    Raises Refused for an exercise: nobody real is called about one.
    """
    if is_exercise(bulletin):
        raise Refused("calls.exercise", number=bulletin.number)
    facts = {
        "bulletin": bulletin.id,
        "number": bulletin.number,
        "level": call.level.code,
        "place_zh": call.name_zh,
        "place_en": call.name_en,
        "until": call.until.isoformat(),
        "order": contact.number,
        "phone": str(desk.facts["issuer"]["duty_phone"]),
    }
    notice = Notice(
        id=new_id("n"),
        kind=CALL,
        subject=call.id,
        person=f"{call.place}#{contact.number}",
        language="zh",
        facts=facts,
        created_at=now,
        not_after=call.turn_at,
    )
    return CallAsk(call.id, contact.number, contact.phone_key, contact.phone_masked, now), notice


def end_calls(work: UnitOfWork, warning_id: str, calls: Iterable[Call], now: datetime, why: str) -> None:
    """End the calls that nobody has answered yet, say so in the ledger, and close the task about them."""
    left = [call for call in calls if call.open]
    work.calls.end([call.id for call in left], now)
    if left:
        work.ledger.append(now, SYSTEM, "call.ended", warning_id, {"why": why, "places": counted(left)})
    close_task(work, warning_id, now)


def close_task(work: UnitOfWork, warning_id: str, now: datetime) -> None:
    """Nobody has to go anywhere any more: the task is over."""
    if any(call.turned_at and call.open for call in work.calls.of_warning(warning_id)):
        return
    standing = [t for t in work.tasks.pending() if (t.kind, t.subject) == (UNANSWERED, warning_id)]
    if standing:
        work.tasks.close(UNANSWERED, warning_id, now)
        work.ledger.append(now, SYSTEM, "task.closed", warning_id, {"kind": UNANSWERED})
