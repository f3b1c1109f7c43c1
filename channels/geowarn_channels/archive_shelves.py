"""The archive in pages: the newest warnings first, older ones on pages whose content no longer moves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.domain.area import Area
from geowarn.domain.level import Level
from geowarn.domain.search import LONGEST_QUERY, MOST_CHOICES
from geowarn_channels.site_view import Shown

WARNINGS = 100  # to a page; the first page holds up to twice as many, so that it is never nearly empty

Chain = list[Shown]


@dataclass(frozen=True)
class Shelf:
    """One page of the archive: warnings of one year, newest first; `count` is how many its year has."""

    year: int
    part: int  # from 1 on, oldest first; the newest part of the newest year is the archive's own page
    place: str
    count: int
    chains: list[Chain]

    def __repr__(self) -> str:
        """What lists of pages show of it."""
        return f"{self.place} {self.count}"


def shelves_of(chains: list[Chain]) -> list[Shelf]:
    """The pages, newest first; the first is there even where nothing was ever issued."""
    years: dict[int, list[Chain]] = {}
    for chain in reversed(chains):
        years.setdefault(chain[0].bulletin.year, []).append(chain)
    found = [shelf for year in sorted(years) for shelf in _of_year(year, years[year], newest=year == max(years))]
    return list(reversed(found)) or [Shelf(0, 1, "archive/", 0, [])]


def _of_year(year: int, oldest_first: list[Chain], newest: bool) -> list[Shelf]:
    count = len(oldest_first)
    full = max(count // WARNINGS - 1, 0) if newest else (count - 1) // WARNINGS
    cuts = [at * WARNINGS for at in range(full + 1)] + [count]
    return [
        Shelf(
            year,
            at + 1,
            "archive/" if newest and at == full else f"archive/{year}/{at + 1}/",
            count,
            oldest_first[cuts[at] : cuts[at + 1]][::-1],
        )
        for at in range(full + 1)
    ]


def narrowing(
    facts: Mapping[str, Mapping[str, Any]], counties: Iterable[Area], shelves: Sequence[Shelf]
) -> dict[str, Any]:
    """What the form above the archive offers."""
    least = Level.parse(facts["publish"]["from"])
    places = sorted(counties, key=lambda area: area.code)
    return {
        "years": list(dict.fromkeys(str(shelf.year) for shelf in shelves if shelf.chains)),
        "public_levels": [level.code for level in sorted(Level, reverse=True) if level >= max(least, Level.BLUE)],
        "places": places if len(places) <= MOST_CHOICES else [],
        "longest_query": LONGEST_QUERY,
    }


@dataclass(frozen=True)
class Part:
    """What one file of data holds: warnings of one year, oldest first; it only grows, and its address stays."""

    year: int
    number: int  # from 1 on, oldest first
    chains: list[Chain]

    @property
    def place(self) -> str:
        """Its folder in the tree."""
        return f"archive/{self.year}/{self.number}/"


def parts_of(shelf: Shelf) -> list[Part]:
    """The files of data that hold the warnings of one page, oldest first."""
    oldest_first = shelf.chains[::-1]
    starts = range(0, len(oldest_first), WARNINGS)
    return [Part(shelf.year, shelf.part + at, oldest_first[n : n + WARNINGS]) for at, n in enumerate(starts)]


def standings(chains: Iterable[Iterable[Shown]]) -> list[tuple[str, str]]:
    """Each bulletin with where it stands now: what pages of the archive change with."""
    return [(shown.bulletin.id, shown.standing.value) for chain in chains for shown in chain]
