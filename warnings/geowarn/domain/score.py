"""Scores of yes/no warnings from a table of counts; what is undefined is None, never a false zero.

a hits, b false alarms, c misses, d correct negatives. Formulas as on the WWRP/WGNE Joint Working Group's page
"Forecast Verification: Issues, Methods and FAQ" (CAWCR); EDS: Stephenson et al. 2008, Meteorol. Appl. 15:41-50;
SEDI: Ferro & Stephenson 2011, Weather Forecast. 26:699-713; interval: Wilson 1927, J. Am. Stat. Assoc. 22:209-212.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from math import log, sqrt

from geowarn.domain.level import Level

Z = 1.96  # of a two-sided 95 % interval


@dataclass(frozen=True, slots=True)
class Table:
    """Counts of units: warned and it happened, warned in vain, not warned and it happened, neither."""

    hits: int = 0
    false_alarms: int = 0
    misses: int = 0
    correct_negatives: int = 0

    def __add__(self, other: Table) -> Table:
        """Two seasons together: the counts add up, the scores are computed anew."""
        return Table(
            self.hits + other.hits,
            self.false_alarms + other.false_alarms,
            self.misses + other.misses,
            self.correct_negatives + other.correct_negatives,
        )

    @property
    def total(self) -> int:
        """How many units were counted."""
        return self.hits + self.false_alarms + self.misses + self.correct_negatives


def table_of(pairs: Iterable[tuple[bool, bool]]) -> Table:
    """The table of (warned, happened) pairs."""
    counts = {(warned, happened): 0 for warned in (True, False) for happened in (True, False)}
    for warned, happened in pairs:
        counts[warned, happened] += 1
    return Table(counts[True, True], counts[True, False], counts[False, True], counts[False, False])


def _ratio(above: float, below: float) -> float | None:
    return above / below if below else None


# Rates are shares of a count, so each has a Wilson interval: name -> (how many, out of how many).
RATES: Mapping[str, Callable[[Table], tuple[int, int]]] = {
    "pod": lambda t: (t.hits, t.hits + t.misses),
    "miss_rate": lambda t: (t.misses, t.hits + t.misses),
    "far": lambda t: (t.false_alarms, t.hits + t.false_alarms),
    "pofd": lambda t: (t.false_alarms, t.false_alarms + t.correct_negatives),
    "csi": lambda t: (t.hits, t.hits + t.misses + t.false_alarms),
}


def rate(table: Table, name: str) -> float | None:
    """One of `RATES`: POD 命中率, miss rate 漏报率, FAR 空报率 (share of the warned), POFD, CSI."""
    return _ratio(*RATES[name](table))


def frequency_bias(table: Table) -> float | None:
    """How often it was warned over how often it happened."""
    return _ratio(table.hits + table.false_alarms, table.hits + table.misses)


def ets(table: Table) -> float | None:
    """Equitable threat score (Gilbert): CSI less the hits that chance would give."""
    if not table.total:
        return None
    chance = (table.hits + table.false_alarms) * (table.hits + table.misses) / table.total
    return _ratio(table.hits - chance, table.hits + table.false_alarms + table.misses - chance)


def hss(table: Table) -> float | None:
    """Heidke skill score."""
    a, b, c, d = table.hits, table.false_alarms, table.misses, table.correct_negatives
    return _ratio(2 * (a * d - b * c), (a + c) * (c + d) + (a + b) * (b + d))


def pss(table: Table) -> float | None:
    """Peirce skill score: POD less POFD."""
    pod, pofd = rate(table, "pod"), rate(table, "pofd")
    return None if pod is None or pofd is None else pod - pofd


def eds(table: Table) -> float | None:
    """Extreme dependency score; needs a hit, and at least one unit without an event and one that was no hit."""
    happened = table.hits + table.misses
    if not table.hits or table.hits == table.total:
        return None
    return 2 * log(happened / table.total) / log(table.hits / table.total) - 1


def sedi(table: Table) -> float | None:
    """Symmetric extremal dependence index; needs all four counts."""
    pod, pofd = rate(table, "pod"), rate(table, "pofd")
    if pod is None or pofd is None or not (0 < pod < 1 and 0 < pofd < 1):
        return None
    above = log(pofd) - log(pod) - log(1 - pofd) + log(1 - pod)
    return above / (log(pofd) + log(pod) + log(1 - pofd) + log(1 - pod))


SKILLS: Mapping[str, Callable[[Table], float | None]] = {
    "bias": frequency_bias,
    "ets": ets,
    "hss": hss,
    "pss": pss,
    "eds": eds,
    "sedi": sedi,
}


def measures(table: Table) -> dict[str, float | None]:
    """Every rate and skill of a table by name."""
    return {name: rate(table, name) for name in RATES} | {name: skill(table) for name, skill in SKILLS.items()}


def wilson(count: int, out_of: int, z: float = Z) -> tuple[float, float] | None:
    """Wilson's score interval of a share; None where nothing was counted. Lies within 0 and 1."""
    if not out_of:
        return None
    share, spread = count / out_of, z * z / out_of
    middle = (share + spread / 2) / (1 + spread)
    half = z * sqrt(share * (1 - share) / out_of + spread / (4 * out_of)) / (1 + spread)
    low = 0.0 if count == 0 else max(0.0, middle - half)
    high = 1.0 if count == out_of else min(1.0, middle + half)
    return low, high


@dataclass(frozen=True, slots=True)
class Outcome:
    """One unit as it is scored: the level said, None where it could not be classified, and how many events."""

    level: Level | None
    events: int


def exactly(outcomes: Iterable[Outcome], level: Level) -> Table:
    """The table in which only this level counts as a warning; what could not be classified is left out."""
    return table_of((one.level is level, one.events > 0) for one in outcomes if one.level is not None)


def at_least(outcomes: Iterable[Outcome], level: Level) -> Table:
    """The table in which this level and every higher one count as a warning."""
    return table_of((one.level >= level, one.events > 0) for one in outcomes if one.level is not None)
