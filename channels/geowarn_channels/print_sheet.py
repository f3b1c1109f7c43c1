"""The map on one sheet of A4, for newspapers and notice boards: what is in force, for how long, what to do."""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from geowarn.ports import Templates
from geowarn_channels.site_state import picture
from geowarn_channels.site_view import Row, Shown, SiteView
from geowarn_channels.svg_draw import LABEL, Drawing
from geowarn_channels.svg_map import WIDTH
from geowarn_channels.tree_record import Page, short

SHEET = "map-a4"
WIDE, HIGH = 1000, 1414  # units of the picture: 210 mm and 297 mm
DOTS = 1654  # of the PNG from side to side: 200 to the inch
_HEADED = 33  # bytes of a PNG up to the end of its header
_EDGE = 50
_INDENT = 84  # of text beside a mark
_LEADING = 1.35
_NARROW = 0.6  # of the size, how wide a Latin letter is at most on average
_NO_START = "，。、；：！？）》】〕”’%,.;:!?)"  # no line begins with one of these
_LOWEST = 560  # no row begins below this, so that the map keeps its room
_MOST_LINES = 3  # of names; more are said as "and so many others"


@dataclass(frozen=True)
class Line:
    """One line of text; x and y in units of the picture."""

    x: float
    y: float
    size: int
    text: str


@dataclass(frozen=True)
class Mark:
    """The mark of a level beside its row."""

    level: str
    y: float


def sized(png: bytes) -> bytes:
    """The picture with its size on paper (PNG 1.2, chunk pHYs), so that a layout program puts it there as A4."""
    a_metre = round(DOTS / 0.21).to_bytes(4)
    chunk = b"pHYs" + a_metre + a_metre + b"\x01"
    return png[:_HEADED] + (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + png[_HEADED:]


def wrapped(text: str, size: int, width: float) -> list[str]:
    """The text in lines no wider than `width`; Chinese breaks anywhere but before a closing mark, Latin at blanks."""
    lines: list[str] = []
    line, wide = "", 0.0
    for piece in _pieces(text):
        room = _width(piece, size)
        if line and wide + room > width and piece.strip() and piece[0] not in _NO_START:
            lines.append(line.rstrip())
            line, wide = "", 0.0
            piece = piece.lstrip()
        line += piece
        wide += room
    return [*lines, line.rstrip()] if line.strip() else lines


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


def _width(text: str, size: int) -> float:
    return sum(size if _wide(character) else size * _NARROW for character in text)


class _Column:
    """Text set from top to bottom."""

    def __init__(self, top: float) -> None:
        self.y = top
        self.lines: list[Line] = []
        self.marks: list[Mark] = []

    def add(self, texts: Iterable[str], size: int, x: float = _EDGE) -> None:
        for text in texts:
            self.y += size * _LEADING
            self.lines.append(Line(x, self.y, size, text))


class PrintSheet:
    """One state on paper; `say` gives a wording, `until` the end of a bulletin's validity in words."""

    def __init__(
        self,
        templates: Templates,
        drawing: Drawing,
        view: SiteView,
        label: str,
        say: Callable[..., str],
        until: Callable[[Shown], str],
    ) -> None:
        self._templates, self._drawing, self._view, self._label = templates, drawing, view, label
        self._say, self._until = say, until

    def pages(self, mark: str) -> Iterator[Page]:
        """As SVG and as PNG, drawn once for both; `mark` is a digest of wording, installation, areas and hour."""
        lapsed = [shown.bulletin.id for shown in self._view.lapsed]
        rows = [(row.shown.bulletin.id, row.level) for row in self._view.rows]
        key = f".{short(mark, rows, lapsed)}"
        yield Page(f"{SHEET}.svg", key, lambda: self.svg.encode())
        yield Page(f"{SHEET}.png", key, lambda: sized(picture(self.svg, DOTS)))

    @cached_property
    def svg(self) -> str:
        """The sheet for any viewer."""
        head, tail = self._head(), self._tail()
        top, below = head.y + 26, tail.lines[0].y - 36
        scale = min((WIDE - 2 * _EDGE) / WIDTH, max(below - top, 100) / self._drawing.base.height)
        left = (WIDE - WIDTH * scale) / 2
        return self._templates.render(
            "website/sheet.svg.j2",
            wide=WIDE,
            high=HIGH,
            label=self._label,
            bar=LABEL,
            title=self._drawing.title,
            lines=[*head.lines, *tail.lines],
            marks=head.marks,
            edge=_EDGE,
            map=self._drawing.framed(f"translate({left:.1f} {top:.1f}) scale({scale:.4f})"),
        )

    def _head(self) -> _Column:
        head = _Column(_EDGE - 20 + (LABEL if self._label else 0))
        head.add([self._say("sheet-title")], 44)
        rows = self._view.rows
        for at, row in enumerate(rows):  # highest first: what finds no room is the least
            if head.y > _LOWEST:
                head.add([self._say("sheet-more", count=len(rows) - at)], 24)
                break
            self._row(head, row)
        if not rows:
            head.add([self._say("sheet-calm")], 40)
        for one in self._view.lapsed[:_MOST_LINES]:
            said = self._say("sheet-lapsed", number=one.bulletin.number, until=self._until(one))
            head.add(wrapped(said, 24, WIDE - 2 * _EDGE), 24)
        return head

    def _row(self, head: _Column, row: Row) -> None:
        words, room = row.words, WIDE - 2 * _EDGE - _INDENT
        head.y += 16
        head.marks.append(Mark(str(words["level"]), head.y))
        for names in ("、".join(words["names"]["zh"]), str(words["phrase"]["zh"])):
            said = self._say("sheet-row", names=names, word=words["word"]["zh"], risk=words["risk"]["zh"])
            lines = wrapped(said, 30, room)
            if len(lines) <= _MOST_LINES:
                break
        head.add(lines, 30, _EDGE + _INDENT)
        head.add(wrapped(self._say("sheet-do", action=words["action"]["zh"]), 24, room), 24, _EDGE + _INDENT)
        head.add([self._say("sheet-until", until=self._until(row.shown))], 24, _EDGE + _INDENT)

    def _tail(self) -> _Column:
        texts = [
            self._say("sheet-times"),
            self._say("sheet-issuer", uncalibrated=self._view.uncalibrated),
            self._say("sheet-credit"),
        ]
        lines = [line for text in texts for line in wrapped(text, 19, WIDE - 2 * _EDGE)]
        tail = _Column(HIGH - _EDGE + 10 - len(lines) * 19 * _LEADING)
        tail.add(lines, 19)
        return tail
