"""A code sent back as a text → the signature it makes, and a text that says what came of it."""

from __future__ import annotations

import re
import unicodedata
from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.people import User
from geowarn.domain.review import SignCode
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.escalation import REVIEW
from geowarn.pipeline.notices import owner_of, reached, tell
from geowarn.pipeline.sign_codes import find_proposal, sign_by_code
from geowarn.ports import UnitOfWork

NOTICE = "sign-reply"
ORIGIN = "SMS"
_CODE = re.compile(r"(?:签批?|sign)?[:：]?(\d{6})[.。]?", re.IGNORECASE)
_KEPT = timedelta(minutes=15)  # what came of it is of no use to anybody later


def signed_by_text(desk: Desk, number: str, text: str) -> bool:
    """Sign for the person on duty who sent their code back; returns whether the text was a code of somebody asked.

    Only where the policy asks for no second factor, which a text cannot bring. A wrong code is counted as everywhere
    else. The words are kept nowhere: they hold the code. Raises Refused for what is no telephone number.
    """
    found = _CODE.fullmatch("".join(unicodedata.normalize("NFKC", text).split()))
    if found is None:
        return False
    with desk.store.read() as work:
        now, user = desk.clock.now(), owner_of(work, desk.vault, number)
        held = _asked_last(work, user, now) if user else None
        if user is None or held is None:
            return False
        content = find_proposal(work, held).content
    signed = not desk.policy.asks_factor(content) and _signs(desk, held, found[1])
    with desk.store.begin() as work:
        facts = {"signed": signed, "level": content.highest.code, "exercise": content.series.value == "exercise"}
        meaning = "signature" if signed else "signature-refused"
        reached(work, user.name, now)
        work.ledger.append(now, f"{user.name} ({ORIGIN})", "notice.answered", user.name, {"meaning": meaning})
        tell(work, user, NOTICE, f"{held.warning_id}/{held.id}/{held.tries}", facts, now, now + _KEPT)
        work.commit()
    return True


def _asked_last(work: UnitOfWork, user: User, now: datetime) -> SignCode | None:
    """The newest code of this person that still counts."""
    reviews = [task.subject for task in work.tasks.pending() if task.kind == REVIEW]
    codes = (code for warning in reviews for code in work.sign_codes.of_warning(warning) if code.user == user.name)
    live = [code for code in codes if code.used_at is None and code.expires_at > now]
    return max(live, key=lambda code: code.asked_at, default=None)


def _signs(desk: Desk, held: SignCode, code: str) -> bool:
    try:
        sign_by_code(desk, held.id, code, ORIGIN)
    except Refused:
        return False
    return True
