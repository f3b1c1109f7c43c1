"""Bulletin in force → the next proposal of the same warning: update, downgrade, extend, lift, cancel."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
CHANGERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF)


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


def _reason(text: str) -> str:
    if not text.strip():
        raise Refused("change.reason-missing")
    refuse_markers(text, "reason")
    return text.strip()


def _store(desk: Desk, work: UnitOfWork, warning_id: str, content: Content, actor: Actor) -> Proposal:
    actor.need(*CHANGERS, work=work, areas=codes_of(content))
    proposal = store_version(desk, work, warning_id, content, actor.user.name, actor.label)
    work.commit()
    return proposal


def update_content(
    desk: Desk, work: UnitOfWork, warning_id: str, levels: Mapping[str, Level], reason: str
) -> tuple[str, Content]:
    """The warning and the content of an update; areas not named keep their level, level none takes an area out.

    Raises Refused when nothing public would be left: an all-clear is a lift, never an empty update.
    """
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
    return found, replace(content, reason=_reason(reason))


def downgrade_content(
    desk: Desk, work: UnitOfWork, warning_id: str, levels: Mapping[str, Level], reason: str
) -> tuple[str, Content]:
    """An update by which levels only fall; raises Refused where one would rise or an area would be added."""
    found, last = _last(work, warning_id)
    before = {area.code: area.level for area in last.content.areas}
    risen = sorted(code for code, level in levels.items() if level > before.get(code, Level.NONE))
    if risen:
        raise Refused("change.rises", warning=found, areas=", ".join(risen))
    return update_content(desk, work, warning_id, levels, reason)


def extend_content(desk: Desk, work: UnitOfWork, warning_id: str, until: datetime, reason: str) -> tuple[str, Content]:
    """The content of a later end of validity, at most 72 h from now."""
    now, end = desk.clock.now(), to_utc(until)
    found, last = _last(work, warning_id)
    if not max(last.content.expires, now) < end <= now + _LONGEST:
        raise Refused("change.end", end=end.isoformat(), current=last.content.expires.isoformat())
    return found, replace(_follow(desk, work, last, Act.EXTEND, _unchanged(last)), expires=end, reason=_reason(reason))


def closing_content(desk: Desk, work: UnitOfWork, warning_id: str, act: Act, reason: str) -> tuple[str, Content]:
    """The content of an all-clear or a cancellation."""
    now = desk.clock.now()
    found, last = _last(work, warning_id)
    # The notice must still reach people after the old end, so it keeps at least two hours of its own.
    expires = max(last.content.expires, now + timedelta(hours=2))
    return found, replace(_follow(desk, work, last, act, _unchanged(last)), expires=expires, reason=_reason(reason))


Making = Callable[[UnitOfWork], tuple[str, Content]]


def propose_change(desk: Desk, make: Making, actor: Actor) -> Proposal:
    """Propose what `make` makes of the bulletin in force; it is reviewed and signed like any other."""
    actor.need_somewhere(*CHANGERS)
    with desk.store.begin() as work:
        found, content = make(work)
        return _store(desk, work, found, content, actor)


def update(desk: Desk, warning_id: str, levels: Mapping[str, Level], reason: str, actor: Actor) -> Proposal:
    """Propose other levels or areas."""
    return propose_change(desk, lambda work: update_content(desk, work, warning_id, levels, reason), actor)


def downgrade(desk: Desk, warning_id: str, levels: Mapping[str, Level], reason: str, actor: Actor) -> Proposal:
    """Propose lower levels; a person's reason stands in for complete newer runs (house rule 1)."""
    return propose_change(desk, lambda work: downgrade_content(desk, work, warning_id, levels, reason), actor)


def extend(desk: Desk, warning_id: str, until: datetime, reason: str, actor: Actor) -> Proposal:
    """Propose a later end of validity."""
    return propose_change(desk, lambda work: extend_content(desk, work, warning_id, until, reason), actor)


def lift(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Propose the all-clear: a person says that the danger is over (house rule 1)."""
    return propose_change(desk, lambda work: closing_content(desk, work, warning_id, Act.LIFT, reason), actor)


def cancel(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Propose to withdraw the warning with a new reason."""
    return propose_change(desk, lambda work: closing_content(desk, work, warning_id, Act.CANCEL, reason), actor)
