"""What of a state may wait once everything that shows its change is written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path

from geowarn_channels.archive_shelves import Part
from geowarn_channels.archive_tree import ArchiveTree, Step, count, write_frozen
from geowarn_channels.picture import Undrawn
from geowarn_channels.print_sheet import SHEET
from geowarn_channels.site_pages import SHELLS
from geowarn_channels.site_view import Shown
from geowarn_channels.sitemap import FOLDER as SITEMAPS
from geowarn_channels.tree_record import BATCH, Page, TreeRecord, batches
from geowarn_channels.tree_writing import sequence_of, writing

_SAVE_EVERY = 4  # groups of the rest
Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Rest:
    """What of a state may wait: pages on which nothing but the hour has changed, and what ended long ago."""

    root: Path
    record: TreeRecord
    pages: Sequence[Page]
    sequence: int
    archive: ArchiveTree
    frozen: Sequence[Shown] = ()  # whose files are looked at
    last: Callable[[], Iterable[Page]] = tuple  # and what only machines and printers read
    sheets: Sequence[Page] = ()  # PDFs, which may fail to be drawn
    leading: Callable[[Mapping[str, int]], Iterable[Page]] = lambda printed: ()  # the pages that lead to them
    undrawn: list[str] = field(default_factory=list)  # what failed, each with its reason

    def write(self, tell: Tell = lambda _done, _of: None) -> bool:
        """Write it, a group at a time; returns False where a newer state came in between, which writes its own.

        `tell` hears how many groups are done, of how many. Raises OSError.
        """
        due = self.archive.due()
        of = count(due) + -(-len(self.pages) // BATCH)
        for number, step in enumerate(self._steps(due), 1):
            with writing(self.root):
                if sequence_of(self.root) != self.sequence:
                    return False
                step()
                if number % _SAVE_EVERY == 0:
                    self.record.save()
            tell(min(number, of), of)
        with writing(self.root):
            if sequence_of(self.root) != self.sequence:
                return False
            # Pages of areas that no longer exist would say "no warning" for ever; bulletins always stay.
            # A search that pages no longer lead to would go on answering from an old page.
            self.record.drop_left_behind(("areas/", "en/areas/", SITEMAPS, SHEET, f"en/{SHEET}", *SHELLS))
            self.record.save()
        return True

    def _steps(self, due: list[Part]) -> Iterator[Step]:
        for batch in chain(batches(self.pages, BATCH), self._printed()):
            yield partial(self.record.write, batch)
        yield from self.archive.rest(due, self.sequence)
        for shown in self.frozen:
            yield partial(write_frozen, self.root, self.record, shown)
        for page in self.last():
            with self._noting(page.path):
                yield partial(self.record.write, [self._drawn(page)])

    def _printed(self) -> Iterator[Sequence[Page]]:
        """The PDFs, then the pages that lead to them: to those that the tree has by then, and to no other."""
        for page in self.sheets:
            with self._noting(page.path):
                yield [self._drawn(page)]
        yield list(self.leading(there(self.record, self.sheets, self.record.lacks)))

    @contextmanager
    def _noting(self, path: str) -> Iterator[None]:
        """What cannot be drawn is told and left out, and holds up nothing else."""
        try:
            yield
        except Undrawn as fault:
            self.undrawn.append(f"{path}: {fault}")

    def _drawn(self, page: Page) -> Page:
        """The page with its bytes: these take long, and no release is to wait for the lock meanwhile."""
        if not self.record.lacks(page):
            return page
        body = page.body()
        return replace(page, body=lambda: body)


def there(record: TreeRecord, sheets: Iterable[Page], lacking: Callable[[Page], bool]) -> dict[str, int]:
    """The sheets that the tree has, by path with their size in bytes."""
    return {page.path: record.size(page) for page in sheets if not lacking(page)}
