"""Documents of the search, and their terms."""

from __future__ import annotations

from collections.abc import Collection as SetOf
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, func, or_, select

from geowarn.domain.search import Document, Query, Sought, Weight, document_from_json, facet_term, weights
from geowarn.domain.search_rank import TITLE, Candidate, Collection
from geowarn.ports.search import Narrowed
from geowarn.store.repositories.base import Repository, batches
from geowarn.store.tables import search_document, search_term

_HIGHEST = "\U0010ffff"  # no term holds it: it is no character


def _fitting(sought: Iterable[Sought]) -> ColumnElement[bool]:
    """Terms that are looked for."""
    wanted = list(sought)
    exact = [one.term for one in wanted if not one.beginning]
    either: list[ColumnElement[bool]] = [search_term.c.term.in_(exact)] if exact else []
    either += [_beginning(one.term) for one in wanted if one.beginning]
    return or_(*either)


def _beginning(term: str) -> ColumnElement[bool]:
    # No BETWEEN: PostgreSQL takes no collation inside one.
    return and_(search_term.c.term >= term, search_term.c.term <= term + _HIGHEST)


class SqlSearch(Repository):
    """`ports.SearchIndex`."""

    def put(self, documents: Iterable[Document], anew: bool = False) -> int:
        """Store these documents in place of those with the same keys; returns how many were not there just so."""
        changed = 0
        for batch in batches(documents):
            known = self._digests([document.key for document in batch])
            for document in batch:
                new = known.get(document.key) != document.digest
                changed += new
                if new or anew:
                    self._write(document)
        return changed

    def _digests(self, keys: Sequence[str]) -> dict[str, str]:
        found = select(search_document.c.key, search_document.c.digest).where(search_document.c.key.in_(keys))
        return {row.key: row.digest for row in self._rows(found)}

    def _write(self, document: Document) -> None:
        terms = weights(document)
        row = {
            "key": document.key,
            "kind": document.kind,
            "family": document.family,
            "at": document.at,
            "length": sum(TITLE * one.title + one.text for one in terms.values()),
            "digest": document.digest,
            "body": document.as_json(),
        }
        insert = self._insert(search_document).values(row)
        others = {name: insert.excluded[name] for name in row if name != "key"}
        upsert = insert.on_conflict_do_update(index_elements=["key"], set_=others)
        number = self._rows(upsert.returning(search_document.c.number))[0].number
        self._run(delete(search_term).where(search_term.c.document == number))
        self._add(
            search_term,
            (
                {"term": term, "document": number, "in_title": one.title, "in_text": one.text}
                for term, one in terms.items()
            ),
        )

    def drop(self, keys: Iterable[str]) -> None:
        """Remove these documents."""
        for batch in batches(keys):
            numbers = select(search_document.c.number).where(search_document.c.key.in_(batch))
            self._run(delete(search_term).where(search_term.c.document.in_(numbers)))
            self._run(delete(search_document).where(search_document.c.key.in_(batch)))

    def keys(self, kind: str) -> frozenset[str]:
        """The keys of every document of one kind."""
        found = select(search_document.c.key).where(search_document.c.kind == kind)
        return frozenset(row.key for row in self._rows(found))

    def collection(self, query: Query) -> Collection:
        """How many documents there are, and in how many each term of the query stands."""
        length = func.coalesce(func.sum(search_document.c.length), 0).label("length")
        sums = self._rows(select(func.count().label("documents"), length).select_from(search_document))[0]
        exact = [one.term for one in query.sought if not one.beginning]
        counted = select(search_term.c.term, func.count()).where(search_term.c.term.in_(exact))
        rows: Any = self._rows(counted.group_by(search_term.c.term))
        held: dict[str, int] = {term: count for term, count in rows}
        frequencies = (
            self._documents_beginning(one.term) if one.beginning else held.get(one.term, 0) for one in query.sought
        )
        return Collection(int(sums.documents), int(sums.length), tuple(frequencies))

    def _documents_beginning(self, term: str) -> int:
        counted = select(func.count(search_term.c.document.distinct())).where(_beginning(term))
        return int(self._connection.scalar(counted) or 0)

    def candidates(self, query: Query, anchors: SetOf[int], narrowed: Narrowed) -> tuple[Candidate, ...]:
        """Documents that hold at least one of the query's terms at these places, the newest first; none: any."""
        table = search_document.c
        chosen = select(table.number, table.key, table.family, table.at, table.length)
        chosen = chosen.where(table.kind.in_(narrowed.kinds))
        if anchors:
            chosen = chosen.where(table.number.in_(_holding(_fitting(query.sought[place] for place in anchors))))
        for facet in narrowed.facets:
            chosen = chosen.where(table.number.in_(_holding(search_term.c.term == facet_term(facet))))
        rows = self._rows(chosen.order_by(table.at.desc().nulls_first(), table.key).limit(narrowed.most))
        hits = self._hits(query, [row.number for row in rows])
        return tuple(
            Candidate(row.number, row.key, row.family, row.at, row.length, hits.get(row.number, {})) for row in rows
        )

    def _hits(self, query: Query, numbers: Sequence[int]) -> dict[int, dict[int, Weight]]:
        found: dict[int, dict[int, Weight]] = {}
        if not query.sought:
            return found
        table = search_term.c
        terms = select(table.document, table.term, table.in_title, table.in_text).where(_fitting(query.sought))
        places = query.places()
        for batch in batches(numbers):
            rows: Any = self._rows(terms.where(table.document.in_(batch)))
            for document, term, title, text in rows:
                held = found.setdefault(document, {})
                for place in places(term):
                    before = held.get(place)
                    held[place] = Weight(title + before.title, text + before.text) if before else Weight(title, text)
        return found

    def documents(self, numbers: Iterable[int]) -> Mapping[int, Document]:
        """The documents of these numbers."""
        found: dict[int, Document] = {}
        for batch in batches(numbers):
            for row in self._rows(select(search_document).where(search_document.c.number.in_(batch))):
                found[row.number] = document_from_json(row.key, row.kind, row.family, row.at, row.body)
        return found

    def facets(self, name: str) -> tuple[str, ...]:
        """Every value of one facet, in order."""
        term, start = search_term.c.term, facet_term(f"{name}:")
        found = select(term).distinct().where(_beginning(start)).order_by(term)
        return tuple(row.term.removeprefix(start) for row in self._rows(found))


def _holding(terms: ColumnElement[bool]) -> Any:
    return select(search_term.c.document).where(terms)
