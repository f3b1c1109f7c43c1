"""The default model `effrain-matrix`: effective rainfall x susceptibility, one lookup per cell, then the area.

R0 is the rain of the rolling 24 h that end with the window: inside the window the assessed forecast, before it the
observations, and between the run and the window's start the forecast where nothing was observed. R1 … Rn are the
24 h before, each decayed by k a day. A gap inside the window forbids a level; a gap before it makes the level a
lower bound. `geowarn.hazard.effrain_evidence` documents the evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import read_parameters
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import RainField, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.hazard.effrain_ensemble import Ensemble
from geowarn.hazard.effrain_evidence import Context, Later, unknown
from geowarn.hazard.effrain_levels import ASK, UNKNOWN, Levels, levels_of, raise_by_points
from geowarn.hazard.effrain_own import Own
from geowarn.hazard.finding import Finding
from geowarn.hazard.pieces import QuickSums
from geowarn.hazard.places import Places
from geowarn.ports import Rain


class EffrainMatrix:
    """`geowarn.ports.HazardModel` of the default method (Chen & Fang 2023; East China Geology 2021)."""

    name = "effrain-matrix"

    def __init__(self) -> None:
        self._places: Places | None = None

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """The rolling day and the days before it."""
        return 24 * (1 + read_parameters(rules.parameters).days)

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window over 24 h.

        The evidence of areas that are classified together is made when it is first looked into.
        """
        work = self._work(areas, rain, window, rules, cache)
        found = work.levels()
        if found is None:
            return tuple(work.settle(area).assessment for area in areas)
        return tuple(
            work.settle(area).assessment if level == ASK else _promised(work, area, level, lower)
            for area, level, lower in zip(areas, found.level.tolist(), found.lower.tolist(), strict=True)
        )

    def levels(
        self, areas: Sequence[Area], rain: Rain, windows: Sequence[Period], rules: RuleSet, cache: Path | None
    ) -> list[Levels | None]:
        """The levels alone, as arrays, for several windows of a run; None where areas need a look one by one.

        What is asked for singly (`ASK`) is left to `assess`. Each field is read once for all windows that it fills.
        """
        quick = QuickSums()
        return [self._work(areas, rain, window, rules, cache, quick).levels() for window in windows]

    def _work(
        self,
        areas: Sequence[Area],
        rain: Rain,
        window: Period,
        rules: RuleSet,
        cache: Path | None,
        quick: QuickSums | None = None,
    ) -> _Work:
        if window.hours > 24:
            raise Refused("assess.window", hours=f"{window.hours:g}")
        limits = read_parameters(rules.parameters)
        places = self._places
        if places is None or not places.fits(areas, limits.min_coverage, cache):
            places = self._places = Places(areas, limits.min_coverage, cache)
        context = Context(rain.forecast, window, rules, limits, places.by_code)
        return _Work(context, places, [Own(context, one, places, quick) for one in _members(rain)])


class _Work:
    """One assessment under way: each area is raised by its points or taken from its parent."""

    def __init__(self, context: Context, places: Places, runs: Sequence[Own]) -> None:
        self.context, self.places, self.limits = context, places, context.limits
        self._runs = runs
        self._own: Callable[[Area], Finding | None] = (
            runs[0].finding if len(runs) == 1 else Ensemble(runs, self.limits.member_share).finding
        )
        self._settled: dict[str, Finding] = {}
        self._quick: Levels | None = None

    def levels(self) -> Levels | None:
        """Every area's level at once, where the run allows it."""
        sums = self._runs[0].sums() if len(self._runs) == 1 else None
        if sums is None:
            return None
        self._quick = levels_of(sums)
        if not self.limits.points_raise_area:
            return self._quick
        return raise_by_points(self._quick, self.places, self._level_of)

    def settle(self, area: Area) -> Finding:
        """The area's own finding or its parent's, never below a hazard point inside it."""
        if area.code not in self._settled:
            found = self._own(area) or self._from_parent(area)
            for point in self._points_in(area, found.level or Level.NONE):
                if (self._level_of(point) or Level.NONE) > (found.level or Level.NONE):
                    raising = self._own(point)
                    found = found if raising is None else found.raised_by(raising)
            self._settled[area.code] = found
        return self._settled[area.code]

    def _from_parent(self, area: Area) -> Finding:
        parent = self.context.areas.get(area.parent) if area.parent else None
        return self.settle(parent).handed_to(area) if parent else unknown(self.context, area, "no-place")

    def _points_in(self, area: Area, above: Level) -> Sequence[Area]:
        """The hazard points inside that may be higher, in the order given."""
        if not self.limits.points_raise_area:
            return ()
        inside = self.places.raised.inside(self.places.position(area.code))
        if self._quick is not None:
            levels = self._quick.level[inside]
            inside = inside[(levels > above) | (levels == ASK)]
        return [self.places.areas[at] for at in inside.tolist()]

    def _level_of(self, area: Area) -> Level | None:
        """The level of the area's own rain, quickly where all were classified together."""
        if self._quick is not None:
            level = int(self._quick.level[self.places.position(area.code)])
            if level != ASK:
                return None if level == UNKNOWN else Level(level)
        found = self._own(area)
        return None if found is None else found.level


def _promised(work: _Work, area: Area, level: int, lower: bool) -> Assessment:
    return Assessment(
        area.code,
        None if level == UNKNOWN else Level(level),
        lower and level != UNKNOWN,
        Later(lambda: work.settle(area).evidence),
    )


def _members(rain: Rain) -> list[Rain]:
    """One run for each member of an ensemble; observations given with it belong to all of them."""
    shared = tuple(field for field in rain.fields if field.kind is RainKind.OBSERVED)
    by_member: dict[int, list[RainField]] = {}
    for field in rain.fields:
        if field.kind is RainKind.FORECAST:
            by_member.setdefault(-1 if field.member is None else field.member, []).append(field)
    runs = [Rain(rain.forecast, (*by_member[member], *shared), rain.observed) for member in sorted(by_member)]
    return runs or [rain]
