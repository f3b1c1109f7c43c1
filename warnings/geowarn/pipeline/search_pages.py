"""The public pages of fixed wording as documents: every page right below the root of the public tree."""

from __future__ import annotations

from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

from geowarn.domain.incident import Text
from geowarn.domain.search import Document

PAGE = "page"
_NO_PROSE = frozenset({"en", "areas"})  # every area is found by itself
_LARGEST = 1 << 20  # bytes of a page of fixed wording
# Lists, telephones and what changes by the hour say nothing of what a page is about.
_LEFT_OUT = frozenset({"table", "nav", "form", "dl", "svg", "figure", "script", "style"})
_LEFT_OUT_CLASSES = frozenset({"now", "calls", "calls-4", "rows", "late", "asof", "vh"})
_ALONE = frozenset({"br", "hr", "img", "input", "link", "meta", "path", "use", "rect", "circle", "source", "wbr"})
_PARTS = frozenset({"p", "li", "h1", "h2", "h3", "h4", "div", "section", "td"})

# A paragraph or an item that is not closed ends where the next block begins.
_ENDED_BY = dict.fromkeys(("p", "ul", "ol", "div", "section", "table", "h2", "h3"), ("p",)) | {"li": ("li",)}


class _Reader(HTMLParser):
    """The first heading and the prose of a page's main part."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self._open: list[tuple[str, bool]] = []  # elements of the main part and whether each is left out
        self._main = False
        self.heading = ""
        self.prose: list[str] = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Enter an element."""
        self._main = self._main or tag == "main"
        if not self._main or tag in _ALONE:
            return
        if self._open and self._open[-1][0] in _ENDED_BY.get(tag, ()):
            self._open.pop()
        classes = set((dict(attrs).get("class") or "").split())
        hidden = self._hidden or tag in _LEFT_OUT or bool(classes & _LEFT_OUT_CLASSES)
        self._open.append((tag, hidden))
        if tag in _PARTS:
            self.prose.append("")

    def handle_endtag(self, tag: str) -> None:
        """Leave an element, and what stands open inside it."""
        if tag not in (name for name, _ in self._open):
            return
        while self._open.pop()[0] != tag:
            pass
        if tag in _PARTS:
            self.prose.append("")
        self._main = bool(self._open)

    def handle_data(self, data: str) -> None:
        """Take in what a reader of the prose reads."""
        if not self._main or self._hidden:
            return
        if any(name == "h1" for name, _ in self._open):
            self.heading += data
        else:
            self.prose[-1] += data

    @property
    def _hidden(self) -> bool:
        return bool(self._open) and self._open[-1][1]

    def text(self) -> str:
        """The prose, a paragraph a line."""
        lines = (" ".join(line.split()) for line in self.prose)
        return "\n".join(line for line in lines if line)


def page_documents(root: Path) -> Iterator[Document]:
    """The pages that are there in both languages, in order of their paths."""
    for chinese in sorted(root.glob("*/index.html")):
        english = root / "en" / chinese.relative_to(root)
        if chinese.parent.name in _NO_PROSE or not english.is_file():
            continue
        (title, text), (english_title, english_text) = (_read(path) for path in (chinese, english))
        if title and english_title:
            place = f"{chinese.parent.name}/"
            titles, texts = Text(title, english_title), Text(text, english_text)
            yield Document(f"{PAGE}/{place}", PAGE, f"{PAGE}/{place}", place, titles, texts)


def _read(path: Path) -> tuple[str, str]:
    with path.open("rb") as file:
        body = file.read(_LARGEST)
    reader = _Reader()
    reader.feed(body.decode("utf-8", "replace"))
    return " ".join(reader.heading.split()), reader.text()
