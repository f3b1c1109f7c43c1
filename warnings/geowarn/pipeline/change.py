"""Bulletin in force → the next proposal of the same warning: update, extend, lift, cancel."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.package import refuse_markers
from geowarn.domain.people import Role
from geowarn.domain.period import to_utc
from geowarn.domain.policy import valid
from geowarn.domain.warning import Act, AreaLevel, Content, Proposal, ProposalStatus, Series, WarningStatus
from geowarn.pipeline.actor import SYSTEM, Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, newest
from geowarn.pipeline.propose import area_levels, slots_for, store_version
from geowarn.ports import UnitOfWork

_LIVE = (WarningStatus.IN_FORCE, WarningStatus.VALIDITY_ENDED)
_LONGEST = timedelta(hours=72)


def _last(work: UnitOfWork, warning_id: str) -> tuple[str, Bulletin]:
    """The warning and its newest bulletin; refuses when it is not in force or a person's version is under review.

    What the machine has prepared and nobody has signed never stands in a person's way: it is superseded.
    """
    warning = find_warning(work, warning_id)
    chain = work.bulletins.of_warning(warning.id)
    if warning.status not in _LIVE or not chain:
        raise Refused("change.not-in-force", warning=warning.id, status=warning.status.value)
    pending = newest(work, warning.id)
    if pending is not None and pending.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
        signed = valid(work.signoffs.of_proposal(pending.id), pending.package_sha256)
        if pending.edited_by != SYSTEM or pending.status is ProposalStatus.RETURNED or signed:
            raise Refused("change.under-review", warning=warning.id, version=pending.version)
    return warning.id, chain[-1]


def _follow(desk: Desk, work: UnitOfWork, last: Bulletin, act: Act, areas: tuple[AreaLevel, ...]) -> Content:
    now = desk.clock.now()
    return replace(
        last.content,
        act=act,
        areas=areas,
        onset=now.replace(minute=0, second=0, microsecond=0),
        next_update=desk.next_update(now),
        slots=slots_for(desk, areas, last.content.slots),
        previous_bulletin=last.id,
    )


def _unchanged(last: Bulletin) -> tuple[AreaLevel, ...]:
    return tuple(replace(area, before=area.level) for area in last.content.areas)


_CHANGERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF)


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("change.reason-missing")
    refuse_markers(text, "reason")
    return text.strip()


def _store(desk: Desk, work: UnitOfWork, warning_id: str, content: Content, actor: Actor) -> Proposal:
    actor.need(*_CHANGERS, work=work, areas=codes_of(content))
    proposal = store_version(desk, work, warning_id, content, actor.user.name, actor.label)
    work.commit()
    return proposal


def update(desk: Desk, warning_id: str, levels: Mapping[str, Level], reason: str, actor: Actor) -> Proposal:
    """Propose other levels or areas; areas not named keep theirs, level none takes an area out.

    Raises Refused when nothing public would be left: an all-clear is a lift, never an empty update.
    """
    actor.need_somewhere(*_CHANGERS)
    with desk.store.begin() as work:
        found, last = _last(work, warning_id)
        before = {area.code: area.level for area in last.content.areas}
        wanted = {code: level for code, level in {**before, **levels}.items() if level is not Level.NONE}
        if last.series is not Series.INTERNAL and max(wanted.values(), default=Level.NONE) < desk.policy.publish_from:
            raise Refused("change.nothing-left", warning=found)
        if wanted == before:
            raise Refused("change.same-levels", warning=found)
        areas = area_levels(work, wanted, before)
        first_public = last.series is Series.INTERNAL
        content = _follow(desk, work, last, Act.ISSUE if first_public else Act.UPDATE, areas)
        return _store(desk, work, found, replace(content, reason=_reason(reason)), actor)


def extend(desk: Desk, warning_id: str, until: datetime, reason: str, actor: Actor) -> Proposal:
    """Propose a later end of validity, at most 72 h from now."""
    actor.need_somewhere(*_CHANGERS)
    now, end = desk.clock.now(), to_utc(until)
    with desk.store.begin() as work:
        found, last = _last(work, warning_id)
        if not max(last.content.expires, now) < end <= now + _LONGEST:
            raise Refused("change.end", end=end.isoformat(), current=last.content.expires.isoformat())
        content = replace(_follow(desk, work, last, Act.EXTEND, _unchanged(last)), expires=end, reason=_reason(reason))
        return _store(desk, work, found, content, actor)


def _close(desk: Desk, warning_id: str, act: Act, reason: str, actor: Actor) -> Proposal:
    actor.need_somewhere(*_CHANGERS)
    now = desk.clock.now()
    with desk.store.begin() as work:
        found, last = _last(work, warning_id)
        # The notice must still reach people after the old end, so it keeps at least two hours of its own.
        expires = max(last.content.expires, now + timedelta(hours=2))
        content = replace(_follow(desk, work, last, act, _unchanged(last)), expires=expires, reason=_reason(reason))
        return _store(desk, work, found, content, actor)


def lift(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Propose the all-clear: a person says that the danger is over (house rule 1)."""
    return _close(desk, warning_id, Act.LIFT, reason, actor)


def cancel(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Propose to withdraw the warning with a new reason."""
    return _close(desk, warning_id, Act.CANCEL, reason, actor)
