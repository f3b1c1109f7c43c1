"""Breaks text into lines of a picture, which has none of its own: Chinese between characters, Latin at blanks."""

from __future__ import annotations

import unicodedata

_NO_START = "，。、；：！？）》】〕”’%,.;:!?)"  # no line begins with one of these
# How wide the characters from the blank to the tilde are in the font we carry, in thousandths of the size.
_ADVANCES = (
    227, 370, 574, 590, 590, 963, 740, 325, 378, 378, 507, 590, 325, 370, 325, 387, 590, 590, 590, 590, 590,
    590, 590, 590, 590, 590, 325, 325, 590, 590, 590, 514, 1007, 641, 681, 656, 714, 615, 585, 717, 757, 330,
    568, 686, 578, 853, 749, 770, 667, 770, 682, 624, 625, 748, 619, 915, 627, 580, 613, 378, 387, 378, 590,
    567, 626, 591, 644, 527, 644, 581, 372, 597, 640, 304, 306, 604, 315, 964, 641, 626, 644, 644, 436, 495,
    421, 637, 576, 863, 562, 574, 511, 378, 296, 378, 590,
)  # fmt: skip
_OTHER = 0.7  # of the size: letters with accents and the like


def wrapped(text: str, size: int, width: float) -> list[str]:
    """The text in lines no wider than `width`; Chinese breaks anywhere but before a closing mark, Latin at blanks."""
    lines: list[str] = []
    line, wide = "", 0.0
    for piece in _pieces(text):
        room = width_of(piece, size)
        if line and wide + room > width and piece.strip() and piece[0] not in _NO_START:
            lines.append(line.rstrip())
            line, wide = "", 0.0
            piece = piece.lstrip()
        line += piece
        wide += room
    return [*lines, line.rstrip()] if line.strip() else lines


def width_of(text: str, size: int) -> float:
    """How wide the text is in the font we carry, in the unit of `size`."""
    return size * sum(_advance(character) for character in text)


def _pieces(text: str) -> list[str]:
    """What is never divided: one wide character, or a run of narrow ones up to and with a blank."""
    found: list[str] = []
    for character in text:
        joins = found and not _wide(character) and not _wide(found[-1][-1]) and not found[-1].endswith(" ")
        if joins:
            found[-1] += character
        else:
            found.append(character)
    return found


def _wide(character: str) -> bool:
    return unicodedata.east_asian_width(character) in "WFA"


def _advance(character: str) -> float:
    if _wide(character):
        return 1.0
    return _ADVANCES[ord(character) - 32] / 1000 if " " <= character <= "~" else _OTHER
