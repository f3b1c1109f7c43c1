"""In which order found pages are read: what says most of what was asked comes first, among equals the newest."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.search import Query, Weight

# BM25 over two fields, with the usual constants (Robertson and Zaragoza, The Probabilistic Relevance Framework,
# 2009, section 3): how fast a repeated term counts less, how much a long document pays for its length.
_SATURATION = 1.2
_LENGTH = 0.75
TITLE = 4  # a term in the title counts as so many in the text
_FRESH = 0.5  # what a page of today gains over one that is long past
_FRESH_DAYS = 30.0  # after which half of that gain is gone
_PARTLY = 0.5  # share of what was asked that a page must hold to be shown where none holds it all


@dataclass(frozen=True, slots=True)
class Candidate:
    """A document that holds some of the terms looked for; `hits` goes by their place in the query."""

    number: int
    key: str
    family: str
    at: datetime | None
    length: int  # terms, those of the title counted `TITLE` times
    hits: Mapping[int, Weight]


@dataclass(frozen=True, slots=True)
class Collection:
    """All documents together: how many, their terms in all, and in how many each term looked for stands."""

    documents: int
    length: int
    frequencies: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """One result: the newest matching page of a family, and the others of it, newest first."""

    best: Candidate
    others: tuple[Candidate, ...]
    score: float


@dataclass(frozen=True, slots=True)
class Ranking:
    """Results in order; `partly`: none holds all that was asked, these hold half of it or more, rare words most."""

    found: tuple[Found, ...]
    partly: bool


def rank(query: Query, candidates: Iterable[Candidate], collection: Collection, now: datetime) -> Ranking:
    """The candidates worth showing, best first; a query without terms is matched by all of them."""
    known = tuple(candidates)
    whole = [one for one in known if all(not unit.isdisjoint(one.hits) for unit in query.units)]
    chosen = whole or [one for one in known if _share(query, one, collection) >= _PARTLY]
    families: dict[str, list[Candidate]] = {}
    for one in chosen:
        families.setdefault(one.family, []).append(one)
    found = [_family(query, members, collection, now) for members in families.values()]
    found.sort(key=lambda one: (-one.score, -_seconds(one.best), one.best.key))
    return Ranking(tuple(found), bool(chosen) and not whole)


def _share(query: Query, candidate: Candidate, collection: Collection) -> float:
    """Which share of what was asked a document holds, 0 to 1; what hardly any document holds weighs most."""
    told = [min(_rarity(collection, place) for place in unit) for unit in query.units]
    held = [weight for unit, weight in zip(query.units, told, strict=True) if not unit.isdisjoint(candidate.hits)]
    return sum(held) / sum(told)


def in_title(query: Query, candidate: Candidate) -> bool:
    """Whether the title itself holds any of what was asked."""
    return any(candidate.hits[place].title for place in range(len(query.sought)) if place in candidate.hits)


def _family(query: Query, members: Sequence[Candidate], collection: Collection, now: datetime) -> Found:
    newest_first = sorted(members, key=lambda one: (_seconds(one), one.key), reverse=True)
    score = max(_score(one, collection) * _freshness(one, now) for one in members)
    return Found(newest_first[0], tuple(newest_first[1:]), score)


def _score(candidate: Candidate, collection: Collection) -> float:
    average = collection.length / collection.documents if collection.documents else 1.0
    pays = 1 - _LENGTH + _LENGTH * candidate.length / max(average, 1.0)
    score = 0.0
    for place, weight in sorted(candidate.hits.items()):
        times = TITLE * weight.title + weight.text
        score += _rarity(collection, place) * times * (_SATURATION + 1) / (times + _SATURATION * pays)
    return score


def _rarity(collection: Collection, place: int) -> float:
    held = min(collection.frequencies[place], collection.documents)
    return math.log1p((collection.documents - held + 0.5) / (held + 0.5))


def _freshness(candidate: Candidate, now: datetime) -> float:
    """1.5 for a page of today, falling to 1; what is of no day counts as long past."""
    if candidate.at is None:
        return 1.0
    days = max((now - candidate.at).total_seconds() / 86400, 0.0)
    return 1 + float(_FRESH * 0.5 ** (days / _FRESH_DAYS))


def _seconds(candidate: Candidate) -> float:
    return candidate.at.timestamp() if candidate.at else float("-inf")
