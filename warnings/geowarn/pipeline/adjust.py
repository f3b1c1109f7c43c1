"""Proposal → the same with other levels or areas, by a person who says why."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.package import refuse_markers
from geowarn.domain.warning import Act, Proposal, Series
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.kept_words import kept_words
from geowarn.pipeline.review import DECIDERS, refuse_moved_on, refuse_while_others_sign
from geowarn.pipeline.versions import area_levels, slots_for, store_version

_OPEN_ACTS = (Act.ISSUE, Act.UPDATE)


def adjust(
    desk: Desk,
    warning_id: str,
    levels: Mapping[str, Level],
    reason: str,
    actor: Actor,
    expected_version: int | None = None,
) -> Proposal:
    """Change levels or areas of the version under review; areas not named keep theirs, level none takes one out.

    Raises Refused without a reason, when nothing changes or nothing is left, for an ending or an extension, and as
    an edit of the texts does.
    """
    actor.need_somewhere(*DECIDERS)
    why = kept_words(reason, "reason", "adjust.reason")
    refuse_markers(why, "reason")
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        actor.need(*DECIDERS, work=work, areas={*codes_of(proposal.content), *levels})
        refuse_moved_on(proposal, expected_version)
        refuse_while_others_sign(work, proposal, actor)
        content = proposal.content
        if content.act not in _OPEN_ACTS:
            raise Refused("adjust.act", warning=warning.id, act=content.act.value)
        standing = {area.code: area.level for area in content.areas}
        wanted = {code: level for code, level in {**standing, **levels}.items() if level is not Level.NONE}
        if wanted == standing:
            raise Refused("adjust.same", warning=warning.id, version=proposal.version)
        follows = content.previous_bulletin is not None and content.series is not Series.INTERNAL
        if not wanted or (follows and max(wanted.values()) < desk.policy.publish_from):
            raise Refused("adjust.nothing-left", warning=warning.id)
        before = {area.code: area.before for area in content.areas}
        areas = area_levels(work, wanted, before)
        changed = replace(content, areas=areas, slots=slots_for(desk, areas, content.slots), reason=why)
        made = store_version(desk, work, warning.id, changed, actor.user.name, actor.label)
        work.ledger.append(
            desk.clock.now(),
            actor.label,
            "proposal.adjusted",
            warning.id,
            {
                "version": made.version,
                "reason": why,
                "from": {code: level.code for code, level in sorted(standing.items())},
                "to": {code: level.code for code, level in sorted(wanted.items())},
            },
        )
        work.commit()
    return made
