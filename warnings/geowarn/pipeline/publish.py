"""Everything released → the complete public state."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin, Standing, standing
from geowarn.domain.warning import Series
from geowarn.pipeline.issuer_view import others_of
from geowarn.pipeline.released import Frozen, Released
from geowarn.ports import Clock, Incidents, PublishedBulletin, PublishedIncident, SiteState, Store, UnitOfWork

SHARED_SECONDS = 1.0


def _published(frozen: Sequence[Frozen], now: datetime) -> tuple[PublishedBulletin, ...]:
    chains: dict[str, list[Bulletin]] = {}
    for one in frozen:
        chains.setdefault(one.bulletin.warning_id, []).append(one.bulletin)
    found = []
    for one in reversed(frozen):
        chain = tuple(chains[one.bulletin.warning_id])
        after = chain[chain.index(one.bulletin) + 1 :]
        where = standing(one.bulletin, chain, now)
        if where is not Standing.IN_FORCE:
            one.forget()
        found.append(PublishedBulletin(one.bulletin, where, after[0] if after else None, one))
    return tuple(found)


def _incidents(work: UnitOfWork, shelf: Incidents) -> tuple[PublishedIncident, ...]:
    """Every incident or answer with a published version, and the public bulletins of the warnings it names."""
    found = []
    for incident in shelf.all():
        published = shelf.publications(incident.id)
        if not published:
            continue
        chains = [work.bulletins.of_warning(name) for name in published[-1].statement.warnings]
        slugs = tuple(b.slug for chain in chains for b in chain if b.series is not Series.INTERNAL)
        found.append(PublishedIncident(incident, published, slugs))
    return tuple(found)


def _quiet_since(published: tuple[PublishedBulletin, ...], now: datetime) -> datetime | None:
    """When the last real warning stopped being in force; None while one is, or when there never was one."""
    published = tuple(found for found in published if found.bulletin.series is Series.REAL)
    if not published or any(p.standing is Standing.IN_FORCE for p in published):
        return None
    ends = [
        p.bulletin.released_at if p.standing is Standing.CLOSING else min(p.bulletin.content.expires, now)
        for p in published
        if p.standing in (Standing.CLOSING, Standing.VALIDITY_ENDED)
    ]
    return max(ends, default=None)


def next_full_hour(now: datetime, hours: int) -> datetime:
    """The full hour at least `hours` hours ahead."""
    later = now + timedelta(hours=hours)
    whole = later.replace(minute=0, second=0, microsecond=0)
    return whole if whole == later else whole + timedelta(hours=1)


def site_state(
    store: Store,
    clock: Clock,
    facts: Mapping[str, Mapping[str, Any]],
    checkpoint: Callable[[UnitOfWork], Mapping[str, Any] | None],
    released: Released | None = None,
) -> SiteState:
    """The state to publish now, with a sequence number of its own; `released` knows what earlier calls have read."""
    released = released or Released(store)
    released.catch_up()
    with store.begin() as work:
        # The number first: its row lock orders writers on PostgreSQL, so that a higher number never holds less.
        sequence, now = work.counters.next("site"), clock.now().replace(microsecond=0)
        published, areas = _published(released.all(work), now), by_code(work.areas.all())
        state = SiteState(
            sequence=sequence,
            generated=now,
            next_update=next_full_hour(now, int(facts["site"]["next_update_hours"])),
            bulletins=published,
            areas=areas,
            none_in_force_since=_quiet_since(published, now),
            synthetic=bool(facts["installation"]["synthetic"]),
            checkpoint=checkpoint(work),
            incidents=_incidents(work, work.incidents),
            answers=_incidents(work, work.answers),
            others=others_of(work, areas, now),
        )
        work.commit()
    return state


class SharedStates:
    """Lets the channels that carry one bulletin in the same moment share a reading: each holds the database's writer.

    A state that holds the bulletin is right for its delivery; what was released after that reading has deliveries of
    its own.
    """

    def __init__(self, read: Callable[[], SiteState]) -> None:
        self._read, self._lock = read, threading.Lock()
        self._at, self._ids = 0.0, frozenset[str]()
        self._state: SiteState | None = None

    def __call__(self, showing: str = "") -> SiteState:
        """The state now, or one of the last moments that shows this bulletin."""
        if not showing:
            return self._read()
        with self._lock:
            if self._state is None or showing not in self._ids or time.monotonic() - self._at > SHARED_SECONDS:
                self._at, self._state = time.monotonic(), self._read()
                self._ids = frozenset(published.bulletin.id for published in self._state.bulletins)
            return self._state
