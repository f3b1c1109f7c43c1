"""Keeps what can be found in step with what is public: soon after each release and publication, and as a whole.

Never inside the transaction that releases: no fault of the search and no number of areas may hold a warning up.
A further kind of page is one function that lists its documents (`KINDS`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from geowarn.domain.area import Area, by_code
from geowarn.domain.search import Document
from geowarn.domain.warning import Series
from geowarn.pipeline.search_documents import (
    ANSWER,
    AREA,
    BULLETIN,
    ENTRY,
    INCIDENT,
    area_document,
    bulletin_document,
    bulletin_key,
    incident_documents,
)
from geowarn.pipeline.search_pages import PAGE, page_documents
from geowarn.ports import Store, UnitOfWork

_BATCH = 20  # documents of one transaction: a release that comes meanwhile waits for no more than these
Progress = Callable[[int, int], None]


def put_areas(work: UnitOfWork, codes: Iterable[str]) -> None:
    """Let areas be found by their names as they are now, and those inside them by theirs."""
    areas, changed = by_code(work.areas.plain()), set(codes)
    work.search.put(area_document(area, areas) for area in areas.values() if _lies_in(area, changed, areas))


def _lies_in(area: Area, codes: set[str], areas: Mapping[str, Area]) -> bool:
    seen: Area | None = area
    for _ in range(len(areas)):
        if seen is None or seen.code in codes:
            return seen is not None
        seen = areas.get(seen.parent or "")
    return False


@dataclass(frozen=True, slots=True)
class Sources:
    """Where documents come from beside the store: the public tree, and the zone its days are counted in."""

    store: Store
    public_dir: Path
    zone: str


@dataclass(frozen=True, slots=True)
class Waiting:
    """One document by its key, and how to make it; None where it turns out not to be public."""

    key: str
    make: Callable[[UnitOfWork], Document | None]


def _bulletins(sources: Sources, work: UnitOfWork) -> Iterator[Waiting]:
    areas = by_code(work.areas.plain())

    def made(later: UnitOfWork, slug: str) -> Document | None:
        found = later.bulletins.by_slug(slug)
        if found is None:
            return None
        return bulletin_document(found, later.bulletins.artefacts(found.id), areas, sources.zone)

    public = work.bulletins.slugs((Series.REAL,), ENTRY)
    return (Waiting(bulletin_key(slug), partial(made, slug=slug)) for slug in reversed(public))


def _incidents(sources: Sources, work: UnitOfWork) -> Iterator[Waiting]:
    for incident in reversed(work.incidents.all()):
        yield from _made(incident_documents(incident, work.incidents.publications(incident.id), sources.zone))


def _answers(sources: Sources, work: UnitOfWork) -> Iterator[Waiting]:
    for answer in reversed(work.answers.all()):
        yield from _made(incident_documents(answer, work.answers.publications(answer.id), sources.zone, ANSWER))


def _areas(_sources: Sources, work: UnitOfWork) -> Iterator[Waiting]:
    areas = by_code(work.areas.plain())
    return _made(area_document(area, areas) for area in areas.values())


def _pages(sources: Sources, _work: UnitOfWork) -> Iterator[Waiting]:
    return _made(page_documents(sources.public_dir))


def _made(documents: Iterable[Document]) -> Iterator[Waiting]:
    return (Waiting(one.key, lambda _work, one=one: one) for one in documents)  # type: ignore[misc]


# Every kind of page that can be found, oldest first within each.
KINDS: Mapping[str, Callable[[Sources, UnitOfWork], Iterator[Waiting]]] = {
    AREA: _areas,
    PAGE: _pages,
    BULLETIN: _bulletins,
    INCIDENT: _incidents,
    ANSWER: _answers,
}
NEW = (BULLETIN, INCIDENT, ANSWER)  # kinds that somebody has just published and looks for
# Change under their keys: pages with the program's wording, an incident's version once a newer one is there.
_READ_AGAIN = frozenset({PAGE, INCIDENT, ANSWER})


def catch_up(sources: Sources, kinds: Iterable[str] = tuple(KINDS)) -> int:
    """Let everything public of these kinds be found that is not yet, and nothing that is gone; how many were wrong.

    Each document is written in a transaction that others do not wait long for, so this may run beside releases.
    """
    return _bring(sources, tuple(kinds), anew=False, tell=lambda _done, _of: None)


def rebuild(sources: Sources, tell: Progress) -> int:
    """Write every document again with its terms; returns how many there are. `tell` hears (done, of)."""
    return _bring(sources, tuple(KINDS), anew=True, tell=tell)


def _bring(sources: Sources, kinds: Sequence[str], anew: bool, tell: Progress) -> int:
    with sources.store.read() as work:
        held = {kind: work.search.keys(kind) for kind in kinds}
        found = {kind: list(KINDS[kind](sources, work)) for kind in kinds}
    wanted = [
        one
        for kind, all_of in found.items()
        for one in all_of
        if anew or kind in _READ_AGAIN or one.key not in held[kind]
    ]
    changed = 0
    for start in range(0, len(wanted), _BATCH):
        changed += _write(sources.store, wanted[start : start + _BATCH], anew)
        tell(min(start + _BATCH, len(wanted)), len(wanted))
    gone = [key for kind in kinds for key in held[kind] - {one.key for one in found[kind]}]
    if gone:
        with sources.store.begin() as work:
            work.search.drop(gone)
            work.commit()
    return len(wanted) if anew else changed + len(gone)


def _write(store: Store, waiting: Sequence[Waiting], anew: bool) -> int:
    with store.read() as work:
        documents = [document for one in waiting if (document := one.make(work)) is not None]
    with store.begin() as work:
        changed = work.search.put(documents, anew)
        work.commit()
    return changed
