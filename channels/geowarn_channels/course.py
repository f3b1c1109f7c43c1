"""What a draft says about the course of events: which areas it warns, which it lets go, what came before."""

from __future__ import annotations

from geowarn.domain.area import ancestors
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, AreaLevel, Series
from geowarn.ports import BulletinDraft

CLOSING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})


def is_closing(draft: BulletinDraft) -> bool:
    """Whether it ends its warning."""
    return draft.content.act in CLOSING


def is_exercise(draft: BulletinDraft) -> bool:
    """Whether nobody may take it for a real warning: an exercise, synthetic input, or a demo installation."""
    return draft.content.series is Series.EXERCISE or is_synthetic(draft)


def is_synthetic(draft: BulletinDraft) -> bool:
    """Whether the synthetic label must open every text."""
    return draft.content.synthetic or bool(draft.facts["installation"]["synthetic"])


def public_areas(draft: BulletinDraft, level: Level | None = None) -> tuple[AreaLevel, ...]:
    """The areas that are public, highest first; with `level` only those at exactly that level."""
    found = draft.content.at_or_above(draft.publish_from)
    return tuple(area for area in found if level is None or area.level is level)


def public_levels(draft: BulletinDraft) -> tuple[Level, ...]:
    """The levels that are public, highest first."""
    return draft.content.levels(draft.publish_from)


def last_public(draft: BulletinDraft) -> tuple[AreaLevel, ...]:
    """The public areas of the bulletin before; nothing after an end."""
    if not draft.earlier or draft.earlier[-1].act in CLOSING:
        return ()
    return draft.earlier[-1].content.at_or_above(draft.publish_from)


def vanished_levels(draft: BulletinDraft) -> tuple[Level, ...]:
    """Levels of the bulletin before that an update no longer holds, highest first."""
    if draft.content.act is not Act.UPDATE:
        return ()
    return tuple(sorted({a.level for a in last_public(draft)} - set(public_levels(draft)), reverse=True))


def released_areas(draft: BulletinDraft, level: Level | None = None) -> tuple[AreaLevel, ...]:
    """Areas of the bulletin before that an update no longer warns of, neither themselves nor what holds them."""
    if draft.content.act is not Act.UPDATE:
        return ()
    kept = {area.code for area in public_areas(draft)}
    return tuple(
        area
        for area in last_public(draft)
        if (level is None or area.level is level) and kept.isdisjoint((area.code, *ancestors(area.code, draft.areas)))
    )


def moved_areas(draft: BulletinDraft, level: Level) -> tuple[AreaLevel, ...]:
    """Areas that left `level` in this update and stand at another public level now."""
    now = {area.code: area for area in public_areas(draft)}
    return tuple(now[a.code] for a in last_public(draft) if a.level is level and a.code in now)


def cap_path(level: Level) -> str:
    """Where a bulletin's package holds the CAP message of one level."""
    return f"website/cap/{level.code}.xml"


def chain_of(draft: BulletinDraft, level: Level) -> tuple[Bulletin, ...]:
    """The released bulletins whose CAP message of this level still stands, oldest first.

    A message that cancelled the level ends its chain; what had expired when the last bulletin was released is
    left out, but never the newest message, because an update or a cancel must name one.
    """
    chain: list[Bulletin] = []
    for bulletin in draft.earlier:
        if cap_path(level) not in bulletin.artefacts:
            continue
        gone = level not in {area.level for area in bulletin.content.areas}
        chain = [] if bulletin.act in CLOSING or gone else [*chain, bulletin]
    if not chain:
        return ()
    known = draft.earlier[-1].released_at
    return (*(b for b in chain[:-1] if b.content.expires > known), chain[-1])


def move_of(draft: BulletinDraft, level: Level | None) -> str:
    """How an update changes this level, or the whole: raised, lowered, new, replaced, ended, or same."""
    if draft.content.act is not Act.UPDATE:
        return "same"
    if level is None:
        before = max((a.level for a in last_public(draft)), default=Level.NONE)
        now = draft.content.highest
        return "same" if now is before or before is Level.NONE else ("raised" if now > before else "lowered")
    if level in vanished_levels(draft):
        return "replaced" if moved_areas(draft, level) else "ended"
    return "same" if level in {a.level for a in last_public(draft)} else "new"
