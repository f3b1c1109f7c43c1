"""Warnings that province, county or another office issued, entered by hand: beside ours on the desk, never as ours."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.identity import OutsideWarning
from geowarn.domain.people import Role
from geowarn.domain.period import to_utc
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.propose import new_id

MAY_ENTER = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)
_LONGEST = {"issuer": 60, "level": 20, "places": 200, "said": 500}
_FURTHEST = timedelta(days=10)


def enter(desk: Desk, texts: dict[str, str], until: datetime, actor: Actor) -> OutsideWarning:
    """Note another issuer's warning until it ends; it changes no level and goes to nobody.

    `texts` holds issuer, level, places and what was said. Raises Refused for an empty or overlong text, an end that is
    over or more than ten days away, and for a name of our own offices as the issuer.
    """
    actor.need_somewhere(*MAY_ENTER)
    given = {name: " ".join(texts.get(name, "").split()) for name in _LONGEST}
    for name, longest in _LONGEST.items():
        if not given[name] or len(given[name]) > longest:
            raise Refused("identity.outside-text", field=name, longest=longest)
    ours = {str(desk.facts["issuer"][key]).casefold() for key in ("name_zh", "name_en", "short_zh")}
    if given["issuer"].casefold() in ours:
        raise Refused("identity.outside-ours", issuer=given["issuer"])
    now, end = desk.clock.now(), to_utc(until)
    if not now < end <= now + _FURTHEST:
        raise Refused("identity.outside-end", days=_FURTHEST.days)
    warning = OutsideWarning(
        id=new_id("o"),
        issuer=given["issuer"],
        level=given["level"],
        places=given["places"],
        said=given["said"],
        ends_at=end,
        entered_by=actor.user.name,
        entered_at=now,
    )
    with desk.store.begin() as work:
        work.outside_warnings.save(warning)
        facts = {**given, "until": end.isoformat()}
        work.ledger.append(now, actor.label, "outside.entered", warning.id, facts)
        work.commit()
    return warning


def end(desk: Desk, warning_id: str, actor: Actor) -> OutsideWarning:
    """Its issuer has ended it, or it was entered wrongly."""
    actor.need_somewhere(*MAY_ENTER)
    now = desk.clock.now()
    with desk.store.begin() as work:
        found = work.outside_warnings.get(warning_id)
        if found is None or found.ended_at is not None:
            raise NotFound("identity.outside-unknown", warning=warning_id)
        ended = replace(found, ended_by=actor.user.name, ended_at=now)
        work.outside_warnings.save(ended)
        work.ledger.append(now, actor.label, "outside.ended", warning_id, {"issuer": found.issuer})
        work.commit()
    return ended
