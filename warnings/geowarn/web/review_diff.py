"""The review page's section on change: what differs from the bulletin before, and why the levels are as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geowarn.domain.area import Area, effective
from geowarn.domain.level import Level
from geowarn.domain.votes import CourseRules
from geowarn.domain.warning import AreaLevel, Content, Proposal
from geowarn.reasons import area_sentences, whole_sentences
from geowarn.web.wording import Words


@dataclass(frozen=True, slots=True)
class LevelChange:
    """One area with its level before and now."""

    area: str
    before: Level
    after: Level


@dataclass(frozen=True, slots=True)
class TextChange:
    """One slot before and now; who wrote it and when, empty for the pre-approved text."""

    slot: str
    before: str
    after: str
    who: str = ""
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Diff:
    """What a version changes of the bulletin that it follows."""

    levels: tuple[LevelChange, ...]
    added: tuple[AreaLevel, ...]
    removed: tuple[AreaLevel, ...]
    window: bool
    texts: tuple[TextChange, ...]

    @property
    def empty(self) -> bool:
        """Whether nothing differs."""
        return not (self.levels or self.added or self.removed or self.window or self.texts)


def diff_of(before: Content, now: Content, versions: tuple[Proposal, ...], areas: Mapping[str, Area]) -> Diff:
    """Everything of `now` that is not as in `before`; `versions` of this review, newest first."""
    old, new = ({area.code: area for area in content.areas} for content in (before, now))
    held = {code: area.level for code, area in old.items()}
    left = {code: area.level for code, area in new.items()}
    moved = [
        LevelChange(code, effective(code, held, areas), area.level)
        for code, area in new.items()
        if area.level is not effective(code, held, areas) is not Level.NONE
    ]
    return Diff(
        levels=tuple(moved),
        added=tuple(area for code, area in new.items() if not effective(code, held, areas)),
        removed=tuple(area for code, area in old.items() if not effective(code, left, areas)),
        window=(before.onset, before.expires) != (now.onset, now.expires),
        texts=tuple(_texts(before, now, versions)),
    )


def _texts(before: Content, now: Content, versions: tuple[Proposal, ...]) -> list[TextChange]:
    changed = []
    for slot, text in now.slots.items():
        old = before.slots.get(slot)
        if old is None or old == text:  # a level's text that came with the level is no change of the text
            continue
        since = [version for version in versions if version.content.slots.get(slot) == text]
        writer = since[-1] if since else None
        who, at = (writer.edited_by, writer.edited_at) if writer else ("", None)
        changed.append(TextChange(slot, old, text, who, at))
    return changed


@dataclass(frozen=True, slots=True)
class Why:
    """One decision in words: when, on which assessment, and a sentence for each area."""

    at: str
    run: str
    areas: tuple[str, ...]
    whole: tuple[str, ...]


def whys(records: tuple[dict[str, Any], ...], areas: Mapping[str, Area], rules: CourseRules, w: Words) -> list[Why]:
    """The decisions that stand behind a version, in the reader's language."""
    return [
        Why(
            record["at"],
            record["run"],
            tuple(text for _, text in area_sentences(record, areas, rules, w.language, w.zone)),
            tuple(whole_sentences(record, areas, w.language, w.zone)),
        )
        for record in records
    ]
