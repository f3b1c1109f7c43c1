"""The calls of a bulletin as a table of counties: who answered, who did not, when people go there. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from geowarn.domain.area import Area
from geowarn.domain.calls import ROOMS, CallKind, CallRules, CallTally, asks, county_of
from geowarn.domain.level import Level
from geowarn.domain.reach import Reach

_TRIED = 2  # contacts called in vain: from then on the silence of a duty room is said, before people go there


@dataclass(frozen=True, slots=True)
class Cell:
    """One county and kind: how many answered of how many called; `missing`: asked, and the register has none."""

    answered: int = 0
    called: int = 0
    missing: bool = False


@dataclass(frozen=True, slots=True)
class CountyRow:
    """One county: its level, a cell a kind that must answer, how many did not, when the next of them turns."""

    county: str
    level: Level
    cells: Mapping[CallKind, Cell]
    unanswered: int
    turned: int
    turn_at: datetime | None


@dataclass(frozen=True, slots=True)
class Silent:
    """A county where a person must do something: how many places by kind said nothing, and how often was tried."""

    county: str
    level: Level
    places: Mapping[CallKind, int]
    asked: int
    turned: bool


@dataclass(frozen=True, slots=True)
class CallBoard:
    """The whole table; empty where nobody must answer. `registered`: whether the register holds anyone at all."""

    rows: tuple[CountyRow, ...] = ()
    silent: tuple[Silent, ...] = ()
    registered: bool = True
    rules: CallRules = field(default_factory=CallRules)

    @property
    def called(self) -> int:
        """How many places were called."""
        return sum(cell.called for row in self.rows for cell in row.cells.values())

    @property
    def unanswered(self) -> int:
        """How many of them have not answered."""
        return sum(row.unanswered for row in self.rows)

    @property
    def turned(self) -> int:
        """To how many of those people go."""
        return sum(row.turned for row in self.rows)

    @property
    def turn_at(self) -> datetime | None:
        """When people go to the next of those still called."""
        return min((row.turn_at for row in self.rows if row.turn_at), default=None)


def board_of(
    tallies: Iterable[CallTally],
    levels: Mapping[str, Level],
    areas: Mapping[str, Area],
    registered: Mapping[tuple[str, CallKind], int],
    rules: CallRules,
) -> CallBoard:
    """The table for a bulletin with these levels by area; the highest level first."""
    found: dict[str, list[CallTally]] = {}
    for tally in tallies:
        found.setdefault(tally.county, []).append(tally)
    named = {county_of(code, areas) for code, level in levels.items() if rules.must(level)}
    reach = Reach(levels, areas)
    rows = [_row(code, found.get(code, []), reach, registered, rules) for code in sorted(named | set(found))]
    rows.sort(key=lambda row: (-row.level, row.county))
    kept = tuple(row for row in rows if row.cells)
    silent = tuple(line for row in kept for line in _silent(row, found.get(row.county, [])))
    return CallBoard(kept, silent, bool(registered), rules)


def _row(
    county: str,
    tallies: list[CallTally],
    reach: Reach,
    registered: Mapping[tuple[str, CallKind], int],
    rules: CallRules,
) -> CountyRow:
    level = max([asks(CallKind.COUNTY, county, reach), *(tally.level for tally in tallies)])
    asked = rules.must(asks(CallKind.SITE, county, reach)) | (rules.must(level) & {CallKind.COUNTY})
    cells: dict[CallKind, Cell] = {}
    for kind in CallKind:
        mine = [tally for tally in tallies if tally.kind is kind]
        if mine:
            cells[kind] = Cell(sum(t.answered for t in mine), sum(t.called for t in mine))
        elif kind in asked:
            cells[kind] = Cell(missing=not registered.get((county, kind)))
    return CountyRow(
        county,
        level,
        cells,
        sum(t.unanswered for t in tallies),
        sum(t.turned for t in tallies),
        min((t.turn_at for t in tallies if t.turn_at), default=None),
    )


def _silent(row: CountyRow, tallies: Iterable[CallTally]) -> Iterator[Silent]:
    """A line for a county that people go to; before that, for its duty rooms once two contacts said nothing."""
    held = list(tallies)
    places: dict[CallKind, int] = {}
    for kind in CallKind:
        mine = [t for t in held if t.kind is kind and t.unanswered]
        tried = kind in ROOMS and any(t.asked >= _TRIED for t in mine)
        count = sum(t.unanswered if tried else t.turned for t in mine)
        if count:
            places[kind] = count
    if places:
        asked = max(t.asked for t in held if t.kind in places)
        yield Silent(row.county, row.level, places, asked, row.turned > 0)
