"""What the tree was made of: a key for each page, so that what would come out the same is neither drawn nor written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from pathlib import Path

from geowarn_channels.files import write_all, write_whole

RECORD = ".tree.json"
BATCH = 250  # pages of one group


@dataclass(frozen=True, slots=True)
class Page:
    """A page that is drawn when its key is another than the tree's; the key changes whenever the bytes might.

    The part of the key before the point says what the page warns of: pages in which that changes come first.
    """

    path: str
    key: str
    body: Callable[[], bytes]

    @property
    def warns(self) -> str:
        """What the page warns of."""
        return self.key.partition(".")[0]


def short(*parts: object) -> str:
    """A digest of values that print the same when they are the same."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


class TreeRecord:
    """Key, size and time of every page of the tree at `root`; a file that was touched since counts as unknown."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._before = _read(root / RECORD)
        self._now: dict[str, list[str | int]] = {}

    def pressing(self, page: Page) -> bool:
        """Whether the tree lacks the page, or the page warns of something else than what it would warn of now."""
        known = self._known(page.path)
        return known is None or known.partition(".")[0] != page.warns

    def write(self, pages: Iterable[Page]) -> None:
        """Draw and write the pages that would come out differently; raises OSError."""
        waiting = (page for page in pages if not self._keep(page))
        for batch in batches(waiting, BATCH):
            write_all(self._root, {page.path: page.body() for page in batch})
            for page in batch:
                self._note(page)

    def keep_group(self, key: str, count: int) -> bool:
        """Whether the `count` files last written under this key are still as they were; they count as the tree's."""
        paths = [path for path in self._groups.get(key, ()) if self._known(path) == key]
        if len(paths) != count:
            return False
        self._now |= {path: self._before[path] for path in paths}
        return True

    def note_group(self, key: str, paths: Iterable[str]) -> None:
        """Remember files that were just written under one key."""
        for path in paths:
            self._note(Page(path, key, bytes))

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, (key, *_) in self._before.items():
            found.setdefault(str(key), []).append(path)
        return found

    def own(self, paths: Iterable[str]) -> None:
        """Count files among the tree's that are written another way."""
        for path in paths:
            self._now.setdefault(path, ["", 0, 0])

    def left_behind(self) -> tuple[str, ...]:
        """Files of an earlier tree that this one does not have."""
        return tuple(sorted(set(self._before) - set(self._now)))

    def save(self) -> None:
        """Keep the record for the next writer."""
        if self._now != self._before:
            write_whole(self._root / RECORD, json.dumps(self._now, separators=(",", ":")).encode())

    def _keep(self, page: Page) -> bool:
        if self._known(page.path) != page.key:
            return False
        self._now[page.path] = self._before[page.path]
        return True

    def _known(self, path: str) -> str | None:
        entry = self._before.get(path)
        if entry is None:
            return None
        key, size, modified = entry
        found = _stat(self._root / path)
        return str(key) if key and found == (size, modified) else None

    def _note(self, page: Page) -> None:
        found = _stat(self._root / page.path)
        self._now[page.path] = [page.key, *(found or (0, 0))]


def _stat(path: Path) -> tuple[int, int] | None:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_size, found.st_mtime_ns


def _read(path: Path) -> dict[str, list[str | int]]:
    """The record of the last writer; nothing where it is missing, damaged or of an older form."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    if isinstance(found, list):  # before keys were kept: only which files there were
        return {str(name): ["", 0, 0] for name in found}
    right = isinstance(found, dict) and all(isinstance(one, list) and len(one) == 3 for one in found.values())
    return found if right else {}


def batches(pages: Iterable[Page], size: int) -> Iterator[list[Page]]:
    """The pages in groups of at most `size`."""
    left = iter(pages)
    while batch := list(islice(left, size)):
        yield batch
