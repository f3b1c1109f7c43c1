"""The map on one sheet of A4, for newspapers and notice boards: what is in force, for how long, what to do."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from functools import cached_property

from geowarn.ports import Templates
from geowarn_channels.picture import picture
from geowarn_channels.print_lines import width_of, wrapped
from geowarn_channels.print_pdf import drawn_by, pdf
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
_GAP = 16  # above what is said by itself
_LABEL_SIZE = 32  # at most
_LOWEST = 560  # no row begins below this, so that the map keeps its room
_MOST_LINES = 3  # of names; more are said as "and so many others"


@dataclass(frozen=True)
class Block:
    """Lines that are read as one; x and the y of the first line's foot in units of the picture, level 0: no heading."""

    x: float
    y: float
    size: int
    level: int
    lines: tuple[str, ...]


@dataclass(frozen=True)
class Place:
    """Where the map stands."""

    x: float
    y: float
    scale: float


@dataclass(frozen=True)
class Mark:
    """The mark of a level beside its row."""

    level: str
    y: float


def sheet_path(language: str, kind: str) -> str:
    """Where the tree holds the sheet; `kind` is svg, png or pdf."""
    return f"{'' if language == 'zh' else 'en/'}{SHEET}.{kind}"


def kilobytes(printed: Mapping[str, int], language: str) -> int:
    """How large the PDF among these files is, in whole tens of kilobytes; 0 where there is none."""
    return -(-printed.get(sheet_path(language, "pdf"), 0) // 10_000) * 10


def sized(png: bytes) -> bytes:
    """The picture with its size on paper (PNG 1.2, chunk pHYs), so that a layout program puts it there as A4."""
    a_metre = round(DOTS / 0.21).to_bytes(4)
    chunk = b"pHYs" + a_metre + a_metre + b"\x01"
    return png[:_HEADED] + (len(chunk) - 4).to_bytes(4) + chunk + zlib.crc32(chunk).to_bytes(4) + png[_HEADED:]


class _Column:
    """Text set from top to bottom."""

    def __init__(self, top: float) -> None:
        self.y = top
        self.blocks: list[Block] = []
        self.marks: list[Mark] = []

    def add(self, texts: Iterable[str], size: int, x: float = _EDGE, level: int = 0) -> None:
        lines = tuple(texts)
        self.blocks.append(Block(x, self.y + size * _LEADING, size, level, lines))
        self.y += len(lines) * size * _LEADING


class PrintSheet:
    """One state on paper in one language; `say` gives a wording, `until` the end of a bulletin's validity in words."""

    def __init__(
        self,
        templates: Templates,
        drawing: Drawing,
        view: SiteView,
        language: str,
        label: str,
        say: Callable[..., str],
        until: Callable[[Shown], str],
    ) -> None:
        self._templates, self._drawing, self._view = templates, drawing, view
        self._language, self._label = language, label
        self._say, self._until = say, until

    def pages(self, lasting: str, hours: str) -> Iterator[Page]:
        """As SVG and as PNG, drawn once for both; keyed by what wording, installation, areas and hour come to."""
        key = f".{short(short(lasting, hours), *self._shown)}"
        yield Page(sheet_path(self._language, "svg"), key, lambda: self.svg.encode())
        yield Page(sheet_path(self._language, "png"), key, lambda: sized(picture(self.svg, DOTS)))

    def printed(self, lasting: str, hours: str, made: datetime) -> Page:
        """As PDF dated `made`, a moment that changes with the hour only; its `body` raises Undrawn."""
        key = f"{short(lasting, drawn_by(), *self._shown)}.{hours}"
        return Page(sheet_path(self._language, "pdf"), key, lambda: pdf(self._templates, self._for_pdf(), made))

    @property
    def _shown(self) -> tuple[object, object]:
        """What the sheet shows of warnings."""
        lapsed = [shown.bulletin.id for shown in self._view.lapsed]
        return [(row.shown.bulletin.id, row.level) for row in self._view.rows], lapsed

    @cached_property
    def svg(self) -> str:
        """The sheet for any viewer."""
        place = self._place
        frame = f"translate({place.x:.1f} {place.y:.1f}) scale({place.scale:.4f})"
        return self._drawn([*self._head.blocks, *self._tail.blocks], self._label, self._drawing.framed(frame))

    def _for_pdf(self) -> dict[str, object]:
        """What the PDF's template sets: text as text, and without it what lies below and the map."""
        place, title = self._place, self._say("sheet-title")
        return {
            "language": self._language,
            "title": f"{self._label} {title}".strip(),
            "label": self._label,
            "wide": WIDE,
            "label_size": self._label_size,
            "bar": LABEL,
            "leading": _LEADING,
            "ground": self._drawn([], "", ""),
            "head": [asdict(block) for block in self._head.blocks],
            "tail": [asdict(block) for block in self._tail.blocks],
            "map": {
                "x": place.x, "y": place.y, "wide": WIDTH * place.scale,
                "title": self._drawing.title, "svg": self._drawing.standalone(""),
            },
        }  # fmt: skip

    def _drawn(self, blocks: Sequence[Block], label: str, drawn: str) -> str:
        return self._templates.render(
            "website/sheet.svg.j2",
            wide=WIDE,
            high=HIGH,
            language=self._language,
            labelled=bool(self._label),
            label=label,
            label_size=self._label_size,
            bar=LABEL,
            title=self._drawing.title,
            leading=_LEADING,
            blocks=blocks,
            marks=self._head.marks,
            edge=_EDGE,
            map=drawn,
        )

    @property
    def _label_size(self) -> int:
        """As large as the paper is wide enough for it."""
        return min(_LABEL_SIZE, int((WIDE - _EDGE) / max(width_of(self._label, 1), 1)))

    @cached_property
    def _place(self) -> Place:
        top, below = self._head.y + 26, self._tail.blocks[0].y - 36
        scale = min((WIDE - 2 * _EDGE) / WIDTH, max(below - top, 100) / self._drawing.base.height)
        return Place((WIDE - WIDTH * scale) / 2, top, scale)

    @cached_property
    def _head(self) -> _Column:
        head = _Column(_EDGE - 20 + (LABEL if self._label else 0))
        head.add([self._say("sheet-title")], 44, level=1)
        rows = self._view.rows
        for at, row in enumerate(rows):  # highest first: what finds no room is the least
            if head.y > _LOWEST:
                head.y += _GAP
                head.add([self._say("sheet-more", count=len(rows) - at)], 24)
                break
            self._row(head, row)
        if not rows:
            head.add([self._say("sheet-calm")], 40)
        for one in self._view.lapsed[:_MOST_LINES]:
            head.y += _GAP
            said = self._say("sheet-lapsed", bulletin=one.bulletin, until=self._until(one))
            head.add(wrapped(said, 24, WIDE - 2 * _EDGE), 24)
        return head

    def _row(self, head: _Column, row: Row) -> None:
        words, spoken, room = row.words, self._language, WIDE - 2 * _EDGE - _INDENT
        told = {part: words[part][spoken] for part in ("word", "risk", "action")}
        head.y += _GAP
        head.marks.append(Mark(str(words["level"]), head.y))
        for names in (words["names"][spoken], [str(words["phrase"][spoken])]):
            lines = wrapped(self._say("sheet-row", names=names, **told), 30, room)
            if len(lines) <= _MOST_LINES:
                break
        head.add(lines, 30, _EDGE + _INDENT, level=2)
        head.add(wrapped(self._say("sheet-do", **told), 24, room), 24, _EDGE + _INDENT)
        until = self._say("sheet-until", until=self._until(row.shown), bulletin=row.shown.bulletin)
        head.add(wrapped(until, 24, room), 24, _EDGE + _INDENT)

    @cached_property
    def _tail(self) -> _Column:
        texts = [
            self._say("sheet-times"),
            self._say("sheet-issuer", uncalibrated=self._view.uncalibrated),
            self._say("sheet-credit"),
        ]
        parts = [wrapped(text, 19, WIDE - 2 * _EDGE) for text in texts]
        tail = _Column(HIGH - _EDGE + 10 - sum(map(len, parts)) * 19 * _LEADING)
        for lines in parts:
            tail.add(lines, 19)
        return tail
