"""What the tree was made of: a key for each page, so that what would come out the same is neither drawn nor written."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
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

    The part of the key before the last point says what the page shows of warnings, what comes after it what merely
    passes with time: pages in which the first changes are not to wait.
    """

    path: str
    key: str
    body: Callable[[], bytes]

    @property
    def warns(self) -> str:
        """What the page shows of warnings."""
        return self.key.rpartition(".")[0]


def short(*parts: object) -> str:
    """A digest of values that print the same when they are the same."""
    return hashlib.sha256(repr(parts).encode()).hexdigest()[:20]


class TreeRecord:
    """Key, size and time of every page of the tree at `root`; a file that was touched since counts as unknown."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._entries = _read(root / RECORD)
        self._saved = dict(self._entries)
        self._seen: set[str] = set()  # files of the tree that is being written

    @property
    def entries(self) -> Mapping[str, object]:
        """What was written of each file, by its path: another value where it was written anew."""
        return {path: tuple(entry) for path, entry in self._entries.items()}

    def pressing(self, page: Page) -> bool:
        """Whether the tree lacks the page, or the page was to show something else of warnings than it would now."""
        entry = self._entries.get(page.path)
        if entry is None or not entry[0] or _stat(self._root / page.path) is None:
            return True
        return str(entry[0]).rpartition(".")[0] != page.warns

    def lacks(self, page: Page) -> bool:
        """Whether the tree has the page not at all or otherwise than it would be drawn now."""
        return self._known(page.path) != page.key

    def size(self, page: Page) -> int:
        """The bytes of the page in the tree, as it was last written."""
        return int(self._entries[page.path][1])

    def write(self, pages: Iterable[Page]) -> None:
        """Draw and write the pages that would come out differently; raises OSError."""
        waiting = (page for page in pages if not self._keep(page))
        for batch in batches(waiting, BATCH):
            write_all(self._root, {page.path: page.body() for page in batch})
            for page in batch:
                self._note(page.path, page.key)

    def keep_group(self, key: str, count: int) -> bool:
        """Whether the `count` files last written under this key are still as they were; they count as the tree's."""
        paths = [path for path in self._groups.get(key, ()) if self._known(path) == key]
        if len(paths) != count:
            return False
        self._seen.update(paths)
        return True

    def note_group(self, key: str, paths: Iterable[str]) -> None:
        """Remember files that were just written under one key."""
        for path in paths:
            self._note(path, key)

    @cached_property
    def _groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for path, (key, *_) in self._entries.items():
            found.setdefault(str(key), []).append(path)
        return found

    def own(self, paths: Iterable[str]) -> None:
        """Count files among the tree's that are written another way."""
        for path in paths:
            self._seen.add(path)
            self._entries.setdefault(path, ["", 0, 0])

    def drop_left_behind(self, folders: tuple[str, ...]) -> None:
        """Remove the files below these folders that an earlier tree had and the one just written has not."""
        for path in [path for path in self._entries if path not in self._seen and path.startswith(folders)]:
            (self._root / path).unlink(missing_ok=True)
            del self._entries[path]

    def save(self) -> None:
        """Keep the record for the next writer; what is still to be written stands in it as it stands in the tree."""
        if self._entries != self._saved:
            write_whole(self._root / RECORD, json.dumps(self._entries, separators=(",", ":")).encode())
            self._saved = dict(self._entries)

    def _keep(self, page: Page) -> bool:
        if self.lacks(page):
            return False
        self._seen.add(page.path)
        return True

    def _known(self, path: str) -> str | None:
        entry = self._entries.get(path)
        if entry is None:
            return None
        key, size, modified = entry
        found = _stat(self._root / path)
        return str(key) if key and found == (size, modified) else None

    def _note(self, path: str, key: str) -> None:
        self._seen.add(path)
        self._entries[path] = [key, *(_stat(self._root / path) or (0, 0))]


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
