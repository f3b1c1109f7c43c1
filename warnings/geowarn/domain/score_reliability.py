"""How often it happened when something was said: by probability (reliability diagram), and by level.

A probability is reliable where landslides come as often as it says. Two kinds: a model's own probability of a
landslide, which ought to lie on the diagonal; and the share of an ensemble's members that reach a level, which tells
how sure the level is and not how likely a landslide is. Where there is neither, the frequency by level is what can be
said. Brier 1950, Mon. Weather Rev. 78:1-3; diagram: Wilks, Statistical Methods in the Atmospheric Sciences, 8.4.4.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.score import Outcome, wilson

TENTHS = 10


@dataclass(frozen=True, slots=True)
class Chance:
    """What was said of one unit, from 0 to 1, and whether it happened."""

    said: float
    happened: bool


@dataclass(frozen=True, slots=True)
class Share:
    """How many of the units had an event; `mean` is the mean of what was said of them, where something was."""

    units: int
    with_events: int
    mean: float | None = None

    @property
    def share(self) -> float | None:
        """Observed frequency; None where nothing was counted."""
        return self.with_events / self.units if self.units else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % Wilson interval."""
        return wilson(self.with_events, self.units)


def said_of(evidence: Mapping[str, Any], level: Level) -> tuple[float | None, float | None]:
    """The probability of a landslide, and the share of members that reach `level`, as far as evidence holds them."""
    own, ensemble = evidence.get("probability"), evidence.get("ensemble")
    members = None
    if ensemble:
        reached = sum(count for code, count in ensemble["levels"].items() if code in _CODES and _CODES[code] >= level)
        members = reached / sum(ensemble["levels"].values())
    return (float(own) if isinstance(own, int | float) else None), members


_CODES = {level.code: level for level in Level}


def by_tenths(chances: Iterable[Chance]) -> tuple[Share, ...]:
    """Ten bins of equal width; the last one holds 1 too."""
    bins: list[list[Chance]] = [[] for _ in range(TENTHS)]
    for one in chances:
        bins[min(int(one.said * TENTHS), TENTHS - 1)].append(one)
    return tuple(
        Share(len(some), sum(one.happened for one in some), sum(one.said for one in some) / len(some) if some else None)
        for some in bins
    )


def brier(chances: Sequence[Chance]) -> tuple[float, float] | None:
    """The Brier score, and that of always saying how often it happened in all; None where nothing was said."""
    if not chances:
        return None
    base = sum(one.happened for one in chances) / len(chances)
    score = sum((one.said - one.happened) ** 2 for one in chances) / len(chances)
    return score, base * (1 - base)


def by_level(outcomes: Iterable[Outcome]) -> dict[Level | None, Share]:
    """The frequency at each level, the highest first; None: could not be classified."""
    rows: list[Level | None] = [*reversed(Level), None]
    found = dict.fromkeys(rows, Share(0, 0))
    for one in outcomes:
        before = found[one.level]
        found[one.level] = Share(before.units + 1, before.with_events + (one.events > 0))
    return found
