"""A typed line → the public pages that tell of it, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Standing, standing
from geowarn.domain.level import Level
from geowarn.domain.search import MOST_CHOICES, Document, Query, parse, tidy
from geowarn.domain.search_rank import Candidate, Collection, Found, Ranking, in_title, rank
from geowarn.domain.warning import Series
from geowarn.pipeline.search_documents import AREA, BULLETIN
from geowarn.pipeline.search_index import KINDS
from geowarn.ports import Narrowed, Store, UnitOfWork

RESULTS = 20  # to a page
MOST_PLACES = 12  # areas named above the results
_MOST = 500  # documents that are compared, the newest
_LEVELS = (Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE)
_TOLD = tuple(kind for kind in KINDS if kind != AREA)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody asks for; `year`, `level` and `area` narrow it, empty: all; `page` counts from 1."""

    text: str = ""
    year: str = ""
    level: str = ""
    area: str = ""
    page: int = 1

    @property
    def facets(self) -> tuple[str, ...]:
        """What a result must have."""
        narrowing = {"year": self.year, "level": self.level, "area": self.area}
        return tuple(f"{name}:{tidy(value)}" for name, value in narrowing.items() if value)


@dataclass(frozen=True, slots=True)
class Choices:
    """What a search can be narrowed by; no areas where they are too many for a list."""

    years: tuple[str, ...]
    levels: tuple[str, ...]
    areas: tuple[Area, ...]


@dataclass(frozen=True, slots=True)
class Result:
    """One line of the answer: the newest page of a course of events that fits, and the others of it that do."""

    document: Document
    others: tuple[Document, ...]
    standing: Standing | None  # of a bulletin, now


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found: `places` are areas by name, `total` counts courses of events, `at_least`: there are more."""

    query: Query
    asked: Asked
    places: tuple[Document, ...]
    results: tuple[Result, ...]
    total: int
    at_least: bool
    partly: bool

    @property
    def pages(self) -> int:
        """How many pages the results fill."""
        return max(1, -(-self.total // RESULTS))


def choices(store: Store, least: Level) -> Choices:
    """Years of which there is anything, the public levels, counties and zones."""
    with store.read() as work:
        years = tuple(reversed(work.search.facets("year")))
        areas = [area for area in work.areas.plain() if area.kind in (AreaKind.COUNTY, AreaKind.ZONE)]
    levels = tuple(level.code for level in _LEVELS if level >= least)
    return Choices(years, levels, tuple(areas) if len(areas) <= MOST_CHOICES else ())


def search(store: Store, asked: Asked, now: datetime) -> Answer:
    """Find it, whatever was typed; nothing typed and nothing narrowed finds nothing."""
    query = parse(asked.text)
    with store.read() as work:
        places = () if asked.facets or not query.sought else _places(work, query, now)
        if not (query.sought or (asked.facets and not asked.text.strip())):
            return Answer(query, asked, places, (), 0, False, False)
        ranking, at_least, query = _ranked(work, query, _TOLD, asked.facets, now)
        total = len(ranking.found)
        first = (min(max(asked.page, 1), max(1, -(-total // RESULTS))) - 1) * RESULTS
        results = _results(work, ranking.found[first : first + RESULTS], now)
    shown = Asked(asked.text, asked.year, asked.level, asked.area, first // RESULTS + 1)
    return Answer(query, shown, places, results, total, at_least, ranking.partly)


def _places(work: UnitOfWork, query: Query, now: datetime) -> tuple[Document, ...]:
    """Areas that hold all of the query and some of it in their own name."""
    ranking, _, _ = _ranked(work, query, (AREA,), (), now)
    named = [found.best for found in ranking.found if not ranking.partly and in_title(query, found.best)]
    documents = work.search.documents([one.number for one in named[:MOST_PLACES]])
    return tuple(documents[one.number] for one in named[:MOST_PLACES])


def _ranked(
    work: UnitOfWork, query: Query, kinds: tuple[str, ...], facets: tuple[str, ...], now: datetime
) -> tuple[Ranking, bool, Query]:
    """The results in order, whether some were left uncompared, and the query as it was looked for in the end."""
    collection = work.search.collection(query)
    unknown = frozenset(place for place, count in enumerate(collection.frequencies) if not count)
    if unknown:
        query = query.widened(unknown)
        collection = work.search.collection(query)
    found = _compared(work, query, _rarest_unit(query, collection), kinds, facets)
    ranking = rank(query, found, collection, now)
    if query.units and (ranking.partly or not ranking.found):
        found = _compared(work, query, _rarest_terms(collection), kinds, facets)
        ranking = rank(query, found, collection, now)
    return ranking, len(found) == _MOST, query


def _compared(
    work: UnitOfWork, query: Query, anchors: Sequence[int], kinds: tuple[str, ...], facets: tuple[str, ...]
) -> tuple[Candidate, ...]:
    if query.sought and not anchors:
        return ()
    return work.search.candidates(query, anchors, Narrowed(kinds, facets, _MOST))


def _rarest_unit(query: Query, collection: Collection) -> Sequence[int]:
    """The terms of which every full match holds one: those of the unit that fewest documents hold."""
    if not query.units:
        return ()
    counts = [(sum(collection.frequencies[place] for place in unit), sorted(unit)) for unit in query.units]
    fewest, unit = min(counts)
    return unit if fewest else ()


def _rarest_terms(collection: Collection) -> Sequence[int]:
    """The terms that say most, as many as the documents to compare allow."""
    known = sorted((count, place) for place, count in enumerate(collection.frequencies) if count)
    chosen: list[int] = []
    held = 0
    for count, place in known:
        if chosen and held + count > _MOST:
            break
        chosen.append(place)
        held += count
    return chosen


def _results(work: UnitOfWork, found: Sequence[Found], now: datetime) -> tuple[Result, ...]:
    numbers = [one.number for result in found for one in (result.best, *result.others)]
    documents = work.search.documents(numbers)
    return tuple(_result(work, one, documents, now) for one in found)


def _result(work: UnitOfWork, found: Found, documents: Mapping[int, Document], now: datetime) -> Result:
    best = documents[found.best.number]
    others = tuple(documents[one.number] for one in found.others)
    return Result(best, others, _standing(work, best, now) if best.kind == BULLETIN else None)


def _standing(work: UnitOfWork, document: Document, now: datetime) -> Standing | None:
    chain = tuple(b for b in work.bulletins.of_warning(document.family) if b.series is not Series.INTERNAL)
    own = next((b for b in chain if b.slug == document.facts["slug"]), None)
    return standing(own, chain, now) if own else None
