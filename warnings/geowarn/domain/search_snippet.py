"""The part of a text that shows why it was found, in pieces that say what to mark; escaping is the page's."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geowarn.domain.search import Query
from geowarn.domain.search_terms import is_chinese, tokens

WIDTH = 150  # columns of one snippet: a Chinese character takes two
_BEFORE = 5  # a fifth of the width may stand before the first mark
_ENDS = frozenset("。！？；.!?;\n")


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of text; `hit` says that it is what was looked for."""

    text: str
    hit: bool = False


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    sought: int


def marked(text: str, query: Query) -> tuple[Piece, ...]:
    """The whole text, with what was looked for told apart."""
    return _pieces(text, 0, len(text), _spans(text, query))


def holds(text: str, query: Query) -> bool:
    """Whether anything looked for stands in the text."""
    return next(_found(text, query), None) is not None


def snippet(text: str, query: Query, width: int = WIDTH) -> tuple[Piece, ...]:
    """About `width` columns around the most different terms looked for; the beginning where there are none."""
    text = _one_line(text)
    spans = _spans(text, query)
    columns = _columns(text)
    start = _start(text, columns, spans, width)
    end = _word_end(text, start, _advance(columns, start, width))
    pieces = _pieces(text, start, end, spans)
    head = (Piece("…"),) if start else ()
    tail = (Piece("…"),) if end < len(text) else ()
    return (*head, *pieces, *tail)


def _one_line(text: str) -> str:
    """The lines one after the other; Chinese takes no space between them."""
    said = ""
    for line in filter(None, (" ".join(line.split()) for line in text.splitlines())):
        said += " " + line if said and not _wide(said[-1]) else line
    return said


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WF"


def _found(text: str, query: Query) -> Iterator[_Span]:
    places = query.places()
    for token in tokens(text):
        for place in places(token.term):
            sought = query.sought[place]
            # A lone character is the first of a pair; of a longer word all is marked.
            lone = sought.beginning and is_chinese(sought.term[0])
            yield _Span(token.start, token.start + 1 if lone else token.end, place)


def _spans(text: str, query: Query) -> list[_Span]:
    return sorted(_found(text, query), key=lambda one: (one.start, one.end, one.sought))


def _columns(text: str) -> list[int]:
    """How many columns stand before each place, and in all."""
    found = [0]
    for character in text:
        found.append(found[-1] + (2 if _wide(character) else 1))
    return found


def _advance(columns: Sequence[int], start: int, width: int) -> int:
    """The last place that keeps the stretch from `start` within `width`."""
    end = start
    while end + 1 < len(columns) and columns[end + 1] - columns[start] <= width:
        end += 1
    return end


def _start(text: str, columns: Sequence[int], spans: Sequence[_Span], width: int) -> int:
    """Where the snippet begins: with the sentence before the stretch that holds most, or a little before it."""
    if not spans or columns[-1] <= width:
        return 0
    before = width // _BEFORE
    first = spans[_densest(columns, spans, width - before)].start
    start = first
    while start and columns[first] - columns[start - 1] <= before:
        start -= 1
        if text[start] in _ENDS:
            return start + 2 if text[start + 1] == " " else start + 1
    return _word_start(text, start, first)


def _densest(columns: Sequence[int], spans: Sequence[_Span], width: int) -> int:
    """The first span of the window that holds the most different terms; the earliest of equals."""
    counts: dict[int, int] = {}
    best, most, end = 0, 0, 0
    for at, span in enumerate(spans):
        while end < len(spans) and columns[spans[end].end] - columns[span.start] <= width:
            counts[spans[end].sought] = counts.get(spans[end].sought, 0) + 1
            end += 1
        different = sum(count > 0 for count in counts.values())
        if different > most:
            best, most = at, different
        if end > at:
            counts[span.sought] -= 1
        else:
            end = at + 1
    return best


def _word_start(text: str, start: int, first: int) -> int:
    """The next beginning of a word, where the text has spaces."""
    blank = text.find(" ", start, first)
    inside = start and text[start - 1].isascii() and text[start - 1].isalnum()
    return blank + 1 if inside and blank >= 0 else start


def _word_end(text: str, start: int, end: int) -> int:
    """The last end of a word, where the cut would go through one."""
    cut = end < len(text) and text[end - 1 : end + 1].isascii() and text[end - 1 : end + 1].isalnum()
    blank = text.rfind(" ", start, end)
    return blank if cut and blank > start else end


def _pieces(text: str, start: int, end: int, spans: Sequence[_Span]) -> tuple[Piece, ...]:
    found: list[Piece] = []
    at = start
    for left, right in _joined(spans):
        left, right = max(left, at), min(right, end)
        if left >= right:
            continue
        if left > at:
            found.append(Piece(text[at:left]))
        found.append(Piece(text[left:right], True))
        at = right
    if at < end:
        found.append(Piece(text[at:end]))
    return tuple(found)


def _joined(spans: Sequence[_Span]) -> Iterator[tuple[int, int]]:
    """The spans without overlaps, those that touch as one."""
    left = right = -1
    for span in spans:
        if span.start > right:
            if right > left:
                yield left, right
            left, right = span.start, span.end
        else:
            right = max(right, span.end)
    if right > left:
        yield left, right
