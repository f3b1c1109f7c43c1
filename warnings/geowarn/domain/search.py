"""What can be found, and what somebody asks for: public pages as documents, a typed line as terms.

A query has no operators: whatever is typed, it is only letters, digits and characters to look for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.incident import Text
from geowarn.domain.search_terms import LONGEST_TERM, Run, counted, runs, stem

LONGEST_QUERY = 60  # characters that are looked for; what is typed beyond them is not
MOST_CHOICES = 60  # areas that a list to choose from holds; beyond that one types
SHORTEST_BEGINNING = 3  # letters that a word unknown to the index may be the beginning of others from
_FORMAT = "geowarn-terms/1"  # changes with how terms are made, so that a rebuild writes every document again

# Characters and words that join others: a page need not hold them.
_FILLERS = frozenset("的了和与及或在是有吗呢")
_FILLER_WORDS = frozenset({"a", "an", "and", "for", "in", "is", "of", "on", "or", "the", "to"})


@dataclass(frozen=True, slots=True)
class Document:
    """One public page in both languages; `kind` says what it is, `family` which pages tell of one course of events."""

    key: str  # unique among all documents: `bulletin/2026-012`
    kind: str
    family: str
    place: str  # path of the Chinese page in the public tree; the English one is below `en/`
    title: Text
    text: Text
    at: datetime | None = None  # UTC; None: not of one day
    called: str = ""  # numbers and names it goes by besides its title, and is found by as by that
    also: str = ""  # found by this too, though no result shows it: dates, codes, names of what lies around
    facets: frozenset[str] = frozenset()  # `year:2026`, `level:red`, `area:370687`: what lists are narrowed by
    facts: Mapping[str, Any] = field(default_factory=dict)  # plain values for the line below the title
    synthetic: bool = False

    def as_json(self) -> dict[str, Any]:
        """Plain JSON without key, kind, family and time; `document_from_json` reads it back."""
        return {
            "place": self.place,
            "title": {"zh": self.title.zh, "en": self.title.en},
            "text": {"zh": self.text.zh, "en": self.text.en},
            "called": self.called,
            "also": self.also,
            "facets": sorted(self.facets),
            "facts": dict(self.facts),
            "synthetic": self.synthetic,
        }

    @property
    def digest(self) -> str:
        """SHA-256 over everything it says and how terms are made of it."""
        moment = self.at.isoformat() if self.at else None
        return sha256_hex(canonical_json([_FORMAT, self.key, self.kind, self.family, moment, self.as_json()]))


def document_from_json(key: str, kind: str, family: str, at: datetime | None, value: Mapping[str, Any]) -> Document:
    """Read back what `Document.as_json` wrote."""
    return Document(
        key,
        kind,
        family,
        value["place"],
        Text(**value["title"]),
        Text(**value["text"]),
        at,
        called=value["called"],
        also=value["also"],
        facets=frozenset(value["facets"]),
        facts=value["facts"],
        synthetic=value["synthetic"],
    )


@dataclass(frozen=True, slots=True)
class Weight:
    """How often a term stands in the title and in the rest of a document."""

    title: int
    text: int


def facet_term(facet: str) -> str:
    """A facet as a term: behind a colon, which no word begins with."""
    return f":{facet}"


def weights(document: Document) -> dict[str, Weight]:
    """Every term of a document, facets among them."""
    titles = counted(document.title.zh, document.title.en, document.called)
    texts = counted(document.text.zh, document.text.en, document.also)
    found = {term: Weight(titles[term], texts[term]) for term in titles | texts}
    return found | {facet_term(facet): Weight(0, 0) for facet in document.facets}


@dataclass(frozen=True, slots=True)
class Sought:
    """A term to look for; with `beginning`, every term that begins so."""

    term: str
    beginning: bool = False

    def fits(self, term: str) -> bool:
        """Whether a document's term is one of those looked for."""
        return term.startswith(self.term) if self.beginning else term == self.term


@dataclass(frozen=True, slots=True)
class Query:
    """A typed line: what to look for, and `units`: the places in `sought` of which a full match has at least one each.

    A Chinese character is matched by the pair before it or the pair after it, so that 栖霞黄色 finds a page that
    holds 栖霞 and 黄色 apart.
    """

    typed: str
    sought: tuple[Sought, ...]
    units: tuple[frozenset[int], ...]
    shortened: bool = False  # more was typed than is looked for

    def places(self) -> Callable[[str], list[int]]:
        """A function that tells for which places of `sought` a document's term is one looked for."""
        exact = {one.term: [place] for place, one in enumerate(self.sought) if not one.beginning}
        wide = [(one, place) for place, one in enumerate(self.sought) if one.beginning]
        return lambda term: exact.get(term, []) + [place for one, place in wide if one.fits(term)]

    def widened(self, unknown: frozenset[int]) -> Query:
        """The query with words that no document holds taken as beginnings of words."""
        wider = [
            Sought(one.term, True) if place in unknown and len(one.term) >= SHORTEST_BEGINNING else one
            for place, one in enumerate(self.sought)
        ]
        return Query(self.typed, tuple(wider), self.units, self.shortened)


def tidy(text: str) -> str:
    """What was typed as one line without control characters, half characters and what turns writing round."""
    plain = "".join(" " if unicodedata.category(one) in ("Cc", "Cs", "Cf") else one for one in text)
    return " ".join(plain.split())


def parse(text: str) -> Query:
    """What a typed line looks for; any text at all will do, and one without letters looks for nothing."""
    typed = tidy(text[: 20 * LONGEST_QUERY])
    shown = typed[:LONGEST_QUERY].rstrip()
    places: dict[Sought, int] = {}
    units: list[frozenset[int]] = []
    fillers: list[frozenset[int]] = []
    for run in runs(shown):
        for unit, filler in _units(run, places):
            (fillers if filler else units).append(unit)
    return Query(shown, tuple(places), tuple(dict.fromkeys(units or fillers)), len(typed) > LONGEST_QUERY)


def _units(run: Run, places: dict[Sought, int]) -> list[tuple[frozenset[int], bool]]:
    """The units of one run, each with whether it only joins others; new terms take the next place."""
    letters = [character for character, _ in run.characters]
    if not run.chinese:
        word = stem(run.word[:LONGEST_TERM])
        return [(frozenset({_place(Sought(word), places)}), run.word in _FILLER_WORDS)]
    if len(letters) == 1:
        return [(frozenset({_place(Sought(letters[0], True), places)}), letters[0] in _FILLERS)]
    pairs = [_place(Sought(a + b), places) for a, b in pairwise(letters)]
    return [(frozenset(pairs[max(at - 1, 0) : at + 1]), letter in _FILLERS) for at, letter in enumerate(letters)]


def _place(sought: Sought, places: dict[Sought, int]) -> int:
    return places.setdefault(sought, len(places))
