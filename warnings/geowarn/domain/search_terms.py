"""How a text becomes the terms it is found by: words of letters and digits, pairs of neighbouring Chinese characters.

Chinese is written without spaces, and most of its words have two characters; pairs find every word of two or more
without a dictionary. The last character of a run stands alone as well, so that every character begins some term.
"""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

LONGEST_TERM = 40  # characters; a longer word is found by its beginning

# Han with its extensions and compatibility forms, 々 and 〇, kana, bopomofo.
_CHARACTERS = ((0x3005, 0x3007), (0x3040, 0x312F), (0x31A0, 0x31FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF),
               (0xF900, 0xFAFF), (0x20000, 0x3FFFF))  # fmt: skip


@dataclass(frozen=True, slots=True)
class Run:
    """Neighbouring characters of one kind: (character, place in the text); `chinese` ones are read in pairs."""

    chinese: bool
    characters: tuple[tuple[str, int], ...]

    @property
    def word(self) -> str:
        """The characters as one word."""
        return "".join(character for character, _ in self.characters)


@dataclass(frozen=True, slots=True)
class Token:
    """One term and where it stands: from `start` up to, not including, `end`."""

    term: str
    start: int
    end: int


@lru_cache(maxsize=1 << 14)
def folded(character: str) -> str:
    """One character without case, width and accents (NFKD of the case-folded NFKD); marks and joiners give nothing."""
    plain = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", character).casefold())
    return "".join(one for one in plain if unicodedata.category(one) not in ("Mn", "Cf"))


@lru_cache(maxsize=1 << 14)
def is_chinese(character: str) -> bool:
    """Whether words are not told apart by spaces where this character is used."""
    code = ord(character)
    return character.isalnum() and any(first <= code <= last for first, last in _CHARACTERS)


@lru_cache(maxsize=1 << 14)
def _read(character: str) -> tuple[tuple[str, bool, bool], ...]:
    """What one character gives: each letter with whether it belongs to a term and whether it is Chinese."""
    return tuple((one, one.isalnum(), is_chinese(one)) for one in folded(character))


def runs(text: str) -> Iterator[Run]:
    """The text in words and runs of Chinese; everything else parts them."""
    held: list[tuple[str, int]] = []
    chinese = False
    for place, character in enumerate(text):
        for one, counts, kind in _read(character):
            if held and (not counts or kind is not chinese):
                yield Run(chinese, tuple(held))
                held = []
            if counts:
                chinese = kind
                held.append((one, place))
    if held:
        yield Run(chinese, tuple(held))


def stem(word: str) -> str:
    """An English plural in the singular: the S-stemmer (Harman, How effective is suffixing?, JASIS 42, 1991, p. 8)."""
    if not (word.isascii() and word.isalpha() and len(word) > 3):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if word.endswith("s") and not word.endswith(("us", "ss")):
        return word[:-1]
    return word


def tokens(text: str) -> Iterator[Token]:
    """Every term of the text in its order."""
    for run in runs(text):
        if not run.chinese:
            yield Token(stem(run.word[:LONGEST_TERM]), run.characters[0][1], run.characters[-1][1] + 1)
            continue
        for (first, start), (second, end) in pairwise(run.characters):
            yield Token(first + second, start, end + 1)
        last, place = run.characters[-1]
        yield Token(last, place, place + 1)


def counted(*texts: str) -> Counter[str]:
    """How often each term stands in these texts."""
    return Counter(term for text in texts for run in runs(text) for term in _terms(run))


def _terms(run: Run) -> Iterator[str]:
    """The terms of one run without their places."""
    if not run.chinese:
        yield stem(run.word[:LONGEST_TERM])
        return
    letters = run.word
    yield from map("".join, pairwise(letters))
    yield letters[-1]
