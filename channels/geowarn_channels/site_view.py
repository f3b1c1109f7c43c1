"""The public state as pages see it: what is in force, row by row, and what became of everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any

from geowarn.domain.area import ancestors
from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.exercise import is_exercise
from geowarn.domain.level import Level
from geowarn.ports import OtherWarning, PublishedBulletin, SiteState
from geowarn_channels.site_entry import ENTRY
from geowarn_channels.site_incidents import ShownIncident

_LAPSED_FOR = timedelta(hours=48)


@dataclass(frozen=True)
class Shown:
    """A bulletin with what the website froze of it."""

    published: PublishedBulletin

    @cached_property
    def entry(self) -> Mapping[str, Any]:
        """The frozen entry (`site_entry.entry_of`)."""
        found: Mapping[str, Any] = json.loads(self.published.artefacts[ENTRY])
        return found

    @property
    def bulletin(self) -> Bulletin:
        """The frozen instruction."""
        return self.published.bulletin

    @property
    def standing(self) -> Standing:
        """Where it stands."""
        return self.published.standing

    @property
    def exercise(self) -> bool:
        """Whether it belongs to an exercise."""
        return is_exercise(self.bulletin)

    @property
    def level(self) -> str:
        """The highest public level."""
        return str(self.entry["levels"][0]["level"])

    def settled(self, now: datetime) -> bool:
        """Whether it ended so long ago that its page is history."""
        return self.ended_at is not None and self.ended_at <= now - _LAPSED_FOR

    @property
    def ended_at(self) -> datetime | None:
        """When it stopped being in force, None while it is; a closing bulletin counts from its release."""
        if self.standing is Standing.IN_FORCE:
            return None
        if self.standing is Standing.CLOSING:
            return self.bulletin.released_at
        successor = self.published.successor
        return successor.released_at if successor else self.bulletin.content.expires


@dataclass(frozen=True)
class Row:
    """One level of one bulletin in force."""

    shown: Shown
    words: Mapping[str, Any]  # one of the entry's `levels`

    @property
    def level(self) -> Level:
        """Its level."""
        return Level.parse(self.words["level"])


class SiteView:
    """Real bulletins that the website froze, newest first, and the levels in force.

    With `exercise` it is the exercises' own tree: then its `real` ones are the exercises', and nothing else is there.
    """

    def __init__(self, state: SiteState, exercise: bool = False) -> None:
        self.exercise = exercise
        calm = replace(state, incidents=(), answers=(), others=(), none_in_force_since=None)
        self.state = calm if exercise else state
        known = [Shown(p) for p in state.bulletins if ENTRY in p.artefacts]
        self.real = [shown for shown in known if shown.exercise is exercise]
        self.in_force = [shown for shown in self.real if shown.standing is Standing.IN_FORCE]
        rows = [Row(shown, words) for shown in self.in_force for words in shown.entry["levels"]]
        self.rows = sorted(rows, key=lambda row: -row.level)
        self.incidents = [ShownIncident(published, state.generated) for published in self.state.incidents]
        self.answers = [ShownIncident(published, state.generated) for published in self.state.answers]

    @cached_property
    def levels(self) -> dict[str, Level]:
        """The highest level in force of every area named in a public bulletin."""
        found: dict[str, Level] = {}
        for row in self.rows:
            for code in row.words["codes"]:
                found[code] = max(found.get(code, Level.NONE), row.level)
        return found

    @cached_property
    def held(self) -> dict[str, tuple[Row, str]]:
        """The highest row that reaches each area, and the code it names: the area's own or one that holds it."""
        order = {id(row): at for at, row in enumerate(self.rows)}
        named: dict[str, Row] = {}
        for row in self.rows:
            for code in row.words["codes"]:
                named.setdefault(code, row)
        found = {}
        for code in self.state.areas:
            holding = [one for one in ancestors(code, self.state.areas) if one in named]
            if holding:
                nearest = min(holding, key=lambda one: order[id(named[one])])  # the first of equals: the nearest
                found[code] = (named[nearest], nearest)
        return found

    @cached_property
    def within(self) -> dict[str, list[Row]]:
        """The rows that name an area inside each area, highest first."""
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            around = {code for named in row.words["codes"] for code in ancestors(named, self.state.areas)}
            for code in around:
                found.setdefault(code, []).append(row)
        return found

    @cached_property
    def beside(self) -> dict[str, tuple[OtherWarning, ...]]:
        """The warnings of other issuers that reach each area, the gravest first."""
        found: dict[str, tuple[OtherWarning, ...]] = {}
        for other in self.state.others:
            for code in other.codes:
                found[code] = (*found.get(code, ()), other)
        return found

    def level_of(self, code: str) -> Level:
        """The level an area has or inherits."""
        held = self.held.get(code)
        return held[0].level if held else Level.NONE

    def chain(self, shown: Shown) -> list[Shown]:
        """All bulletins of the same warning in order of release."""
        return self._by_warning[shown.bulletin.warning_id]

    @cached_property
    def _by_warning(self) -> dict[str, list[Shown]]:
        found: dict[str, list[Shown]] = {}
        for shown in sorted(self.real, key=lambda s: (s.bulletin.released_at, s.bulletin.serial)):
            found.setdefault(shown.bulletin.warning_id, []).append(shown)
        return found

    def chains(self, among: list[Shown]) -> list[list[Shown]]:
        """The warnings among these bulletins, newest first, each as its chain."""
        found: dict[str, list[Shown]] = {}
        for shown in reversed(among):
            found.setdefault(shown.bulletin.warning_id, []).append(shown)
        return list(reversed(found.values()))

    @property
    def lapsed(self) -> list[Shown]:
        """Bulletins whose validity ended in the last two days without an all-clear."""
        recent = self.state.generated - _LAPSED_FOR
        ended = [shown for shown in self.real if shown.standing is Standing.VALIDITY_ENDED]
        return [shown for shown in ended if shown.bulletin.content.expires > recent]

    @property
    def uncalibrated(self) -> bool:
        """Whether a level in force, or else the newest one, rests on default thresholds."""
        looked_at = self.in_force or self.real[:1]
        return any(not shown.bulletin.content.calibrated for shown in looked_at)
