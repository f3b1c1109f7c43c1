"""What the store keeps for finding public pages."""

from __future__ import annotations

from collections.abc import Collection as SetOf
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from geowarn.domain.search import Document, Query
from geowarn.domain.search_rank import Candidate, Collection


@dataclass(frozen=True, slots=True)
class Narrowed:
    """Which documents come into question: of these kinds, with all these facets, at most so many of the newest."""

    kinds: tuple[str, ...]
    facets: tuple[str, ...] = ()
    most: int = 1000


class SearchIndex(Protocol):
    """Documents and the terms they are found by."""

    def put(self, documents: Iterable[Document], anew: bool = False) -> int:
        """Store these documents in place of those with the same keys; returns how many were not there just so.

        With `anew` their terms are written even where nothing has changed.
        """
        ...

    def drop(self, keys: Iterable[str]) -> None:
        """Remove these documents."""
        ...

    def keys(self, kind: str) -> frozenset[str]:
        """The keys of every document of one kind."""
        ...

    def collection(self, query: Query) -> Collection:
        """How many documents there are, and in how many each term of the query stands."""
        ...

    def candidates(self, query: Query, anchors: SetOf[int], narrowed: Narrowed) -> tuple[Candidate, ...]:
        """Documents that hold at least one of the query's terms at these places, the newest first; none: any."""
        ...

    def documents(self, numbers: Iterable[int]) -> Mapping[int, Document]:
        """The documents of these numbers."""
        ...

    def facets(self, name: str) -> tuple[str, ...]:
        """Every value of one facet (`year`), in order."""
        ...
