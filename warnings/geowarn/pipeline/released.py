"""What was ever released, read from the store once: a bulletin never changes (house rule 3), so only new ones come."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import NotFound
from geowarn.domain.warning import Series
from geowarn.pipeline.search_documents import ENTRY
from geowarn.ports import Store, UnitOfWork

_AHEAD = 200  # entries read at once: a page of the archive shows those of many bulletins beside each other


class Frozen(Mapping[str, bytes]):
    """A bulletin's bytes, read from the store when first looked at: the archive is long, the tree needs little."""

    def __init__(self, shelf: Released, bulletin: Bulletin, place: int) -> None:
        self._shelf, self.bulletin, self._place = shelf, bulletin, place
        self._entry: bytes | None = None
        self._bytes: dict[str, bytes] = {}

    def __getitem__(self, path: str) -> bytes:
        if path not in self.bulletin.artefacts:
            raise KeyError(path)
        if path == ENTRY:
            if self._entry is None:
                self._shelf.read_entries(self._place)
            if self._entry is not None:
                return self._entry
        found = self._bytes or self._shelf.read_all(self.bulletin)
        self._bytes = found
        return found[path]

    def __contains__(self, path: object) -> bool:
        return path in self.bulletin.artefacts

    def __iter__(self) -> Iterator[str]:
        return iter(self.bulletin.artefacts)

    def __len__(self) -> int:
        return len(self.bulletin.artefacts)

    @property
    def without_entry(self) -> bool:
        """Whether its entry is still to be read."""
        return self._entry is None and ENTRY in self.bulletin.artefacts

    def keep_entry(self, entry: bytes | None) -> None:
        """Hold the entry for good; it is small."""
        self._entry = entry

    def forget(self) -> None:
        """Hold no more than the entry: who has ended is looked at no more."""
        self._bytes = {}


class Released:
    """The public bulletins and those of exercises, in order of release; for every thread of a process."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._last: str | None = None
        self._found: list[Frozen] = []

    def catch_up(self) -> None:
        """Read what is there before a transaction that others wait for needs it; only the first time it is much."""
        if self._last is None:
            with self._store.read() as work:
                self.all(work)

    def all(self, work: UnitOfWork) -> Sequence[Frozen]:
        """Oldest first; what this unit of work sees and no earlier call saw is read from it."""
        with self._lock:
            try:
                new = work.bulletins.after(self._last)
            except NotFound:  # another database stands in its place
                self._found, new = [], work.bulletins.after(None)
            for bulletin in new:
                self._last = bulletin.id
                if bulletin.series is not Series.INTERNAL:
                    self._found.append(Frozen(self, bulletin, len(self._found)))
            return tuple(self._found)

    def read_all(self, bulletin: Bulletin) -> dict[str, bytes]:
        """Every byte of one bulletin."""
        with self._store.read() as work:
            return work.bulletins.artefacts(bulletin.id)

    def read_entries(self, place: int) -> None:
        """Read the entries of a bulletin and of those beside it that were not read yet."""
        start = max(place - _AHEAD // 2, 0)
        near = {found.bulletin.id: found for found in self._found[start : start + _AHEAD] if found.without_entry}
        with self._store.read() as work:
            entries = work.bulletins.artefacts_at(ENTRY, near)
        for bulletin_id, entry in entries.items():
            near[bulletin_id].keep_entry(entry)
