"""What people are told when it rings for them: one message a ring, beside the console that rings by itself."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.escalation import Pass, Ring, Standing
from geowarn.domain.people import Role, User
from geowarn.domain.warning import Series
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.notices import tell
from geowarn.ports import UnitOfWork

_USEFUL = timedelta(minutes=30)  # after that a ring only confuses
_KEPT = timedelta(hours=4)


def tell_rung(desk: Desk, work: UnitOfWork, user: User, one: Pass, ring: Ring, standing: Standing) -> None:
    """Tell one person that something waits for them, until when, and who is rung after them."""
    warning = work.warnings.get(one.subject)
    following = standing.following.people[0] if standing.following and standing.following.people else ""
    then = work.users.get(following)
    facts = {
        "task": one.kind,
        "step": one.step,
        "level": one.level.code,
        "number": one.number,
        "until": standing.until.isoformat(),
        "decide_by": one.decide_by.isoformat(),
        "next_zh": then.display_zh if then else "",
        "next_en": then.display_en if then else "",
        "exercise": warning is not None and warning.series is Series.EXERCISE,
    }
    _send(desk, work, user, "ring", f"{one.id} {ring.number}", facts, _USEFUL)


def tell_released_first(desk: Desk, work: UnitOfWork, one: Pass, bulletin: Bulletin, missing: tuple[Role, ...]) -> None:
    """Tell everybody who was rung, and everybody whose signature is owed, that it went out without them."""
    rung = {ring.person for found in work.escalations.of_task(one.task_id) for ring in work.escalations.rung(found.id)}
    facts = {
        "number": bulletin.number,
        "level": bulletin.content.highest.code,
        "missing": [role.value for role in missing],
    }
    for user in work.users.all():
        if user.active and (user.name in rung or user.roles.intersection(missing)):
            _send(desk, work, user, "released-first", bulletin.id, facts, _KEPT)


def tell_silent(desk: Desk, work: UnitOfWork, user: User, faults: tuple[str, ...]) -> None:
    """Tell somebody on duty that the clock itself has failed and they must look by themselves."""
    now = desk.clock.now()
    _send(desk, work, user, "escalation-silent", f"{now:%Y%m%d%H%M}", {"count": len(faults)}, _KEPT)


def _send(
    desk: Desk, work: UnitOfWork, user: User, kind: str, subject: str, facts: dict[str, Any], useful: timedelta
) -> None:
    """Into the outbox, inside the caller's transaction; without a number only the console rings."""
    now = desk.clock.now()
    if user.phone_sealed is not None:
        tell(work, user, kind, subject, facts, now, now + useful)
