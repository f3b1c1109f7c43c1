"""The pages of warnings that ended long ago: written once, then one line of the tree's record for a hundred warnings.

Each such group keeps a record of its own beside the tree's. A release compares one digest a group and looks at no file
of it; what a new wording, a damaged file or a rebuilding asks for is done a few warnings at a time, where nobody waits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from geowarn_channels.archive_shelves import Part
from geowarn_channels.feed_items import cap_files
from geowarn_channels.files import write_all
from geowarn_channels.site_entry import MAP
from geowarn_channels.site_pages import Pages
from geowarn_channels.site_view import Shown
from geowarn_channels.tree_record import TreeRecord

_AT_ONCE = 5  # warnings that are written while a release may have to wait
_SAVE_EVERY = 4  # steps
Step = Callable[[], None]


def frozen_key(shown: Shown) -> str:
    """Under which the frozen files of a bulletin stand in a record."""
    return f"f.{shown.bulletin.id}"


def frozen_count(shown: Shown) -> int:
    """How many files of the tree a bulletin has frozen: its CAP messages and its map."""
    return 1 + sum(path.startswith("website/cap/") for path in shown.bulletin.artefacts)


def write_frozen(root: Path, record: TreeRecord, shown: Shown) -> None:
    """The CAP messages and the map of one bulletin, byte for byte; read from the store only where missing."""
    key = frozen_key(shown)
    if record.keep_group(key, frozen_count(shown)):
        return
    artefacts = shown.published.artefacts
    files = cap_files(artefacts) | {f"w/{shown.bulletin.slug}/map.svg": artefacts[MAP]}
    write_all(root, files)
    record.note_group(key, files)


def count(parts: Iterable[Part]) -> int:
    """How many steps it takes to write these."""
    return sum(-(-len(part.chains) // _AT_ONCE) for part in parts)


class ArchiveTree:
    """What the tree at `root` has of warnings in which nothing moves any more."""

    def __init__(self, root: Path, record: TreeRecord, pages: Pages) -> None:
        self._root, self._record, self._pages = root, record, pages
        self._closed = pages.archive.closed()

    def moving(self) -> list[Shown]:
        """The bulletins of all others; a group that moves again is taken back into the tree's own record."""
        closed = {id(part) for part in self._closed}
        found = [part for part in self._pages.archive.parts if id(part) not in closed]
        for part in found:
            line = self._pages.archive.line_of(part)
            if self._record.part_with([line.path], []):
                own = TreeRecord(self._root, line.path)
                self._record.take_over(own.everything())
                own.dissolve()
        return [shown for part in found for chain in part.chains for shown in chain]

    def write_new(self, tell: Callable[[int, int], None], save: Callable[[], None]) -> None:
        """Write the groups that the tree has not or shows otherwise; one that is left half done goes on from there."""
        missing = [part for part in self._closed if self._record.pressing(self._pages.archive.line_of(part))]
        steps = (step for part in missing for step in self._steps(part))
        for done, step in enumerate(steps, 1):
            step()
            tell(done, count(missing))
            if done % _SAVE_EVERY == 0:
                save()

    def due(self) -> list[Part]:
        """The groups that are drawn otherwise by now, or are to be looked at."""
        return [part for part in self._closed if self._record.lacks(self._pages.archive.line_of(part))]

    def rest(self, due: list[Part], sequence: int) -> Iterator[Step]:
        """A few warnings a step: what is due, or else one group whose files are looked at in turn."""
        in_turn = [self._closed[sequence % len(self._closed)]] if self._closed and not due else []
        for part in (*due, *in_turn):
            yield from self._steps(part)

    def _steps(self, part: Part) -> Iterator[Step]:
        line = self._pages.archive.line_of(part)
        own = TreeRecord(self._root, line.path)
        chains = part.chains
        for start in range(0, len(chains), _AT_ONCE):
            some = [shown for chain in chains[start : start + _AT_ONCE] for shown in chain]
            last = start + _AT_ONCE >= len(chains)
            yield lambda some=some, last=last: self._write(part, own, some, last)  # type: ignore[misc]

    def _write(self, part: Part, own: TreeRecord, some: list[Shown], last: bool) -> None:
        pages = list(self._pages.bulletins(some))
        own.take_over(self._record.part_with([page.path for page in pages], map(frozen_key, some)))
        for shown in some:
            write_frozen(self._root, own, shown)
        own.write(pages)
        own.save()
        if last:
            self._record.note_line(self._pages.archive.line_of(part))
