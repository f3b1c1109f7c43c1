"""Reports of the far end, many threads at once → few transactions.

A provider reports each message with a request of its own. Whoever comes first waits a moment and stores what has come
meanwhile together with its own; everyone answers only after the common transaction is committed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from weakref import WeakKeyDictionary

from geowarn.ports import Store

GATHER_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Report:
    """What the far end says about one message."""

    dispatch_id: str
    provider_id: str
    status: str
    error_code: str = ""


Storing = Callable[[Sequence[Report]], frozenset[Report]]


@dataclass
class _Group:
    reports: list[Report] = field(default_factory=list)
    stored: threading.Event = field(default_factory=threading.Event)
    news: frozenset[Report] = frozenset()
    error: Exception | None = None


class Gathering:
    """Gathers the reports for one store and channel."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._open: _Group | None = None

    def add(self, report: Report, store_all: Storing) -> bool:
        """Returns whether the report was news once it is stored; raises what storing raised."""
        with self._lock:
            leading = self._open is None
            group = self._open = self._open or _Group()
            group.reports.append(report)
        if leading:
            self._lead(group, store_all)
        group.stored.wait()
        if group.error is not None:
            raise group.error
        return report in group.news

    def _lead(self, group: _Group, store_all: Storing) -> None:
        time.sleep(GATHER_SECONDS)
        with self._lock:
            self._open = None
        try:
            group.news = store_all(group.reports)
        except Exception as error:
            group.error = error
        finally:
            group.stored.set()


_of_store: WeakKeyDictionary[Store, dict[str, Gathering]] = WeakKeyDictionary()
_making = threading.Lock()


def gathering(store: Store, channel: str) -> Gathering:
    """The one gathering of this store and channel in this process."""
    with _making:
        return _of_store.setdefault(store, {}).setdefault(channel, Gathering())
