"""Everything the ledger holds about one course of events, or about one bulletin of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.case import payload_of
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.warning import HazardWarning
from geowarn.ports import UnitOfWork


def entries_about(work: UnitOfWork, warning: HazardWarning) -> tuple[LedgerEntry, ...]:
    """Of its forecasts, assessments, versions, rings, bulletins, messages and exercise, in order of sequence."""
    subjects = dict.fromkeys(_subjects(work, warning))
    found = [entry for subject in subjects for entry in work.ledger.entries(subject=subject)]
    return tuple(sorted(found, key=lambda entry: entry.sequence))


def about_bulletin(
    entries: Iterable[LedgerEntry], chain: Iterable[Bulletin], bulletin: Bulletin
) -> Iterator[LedgerEntry]:
    """Of those, what led to one bulletin since the one before it, and what became of its messages."""
    ordered = sorted(entries, key=lambda entry: entry.sequence)
    releases = {payload_of(e).get("bulletin"): e.sequence for e in ordered if e.kind == "bulletin.released"}
    others = {one.id for one in chain if one.id != bulletin.id}
    until = releases.get(bulletin.id, 0)
    since = max((sequence for one, sequence in releases.items() if one in others and sequence < until), default=0)
    for entry in ordered:
        slug = payload_of(entry).get("slug") if entry.kind in ("bulletin.aired", "bulletin.receipt") else None
        if slug is not None:
            if slug == bulletin.slug:
                yield entry
        elif entry.subject == bulletin.id or (entry.subject not in others and since < entry.sequence <= until):
            yield entry


def _subjects(work: UnitOfWork, warning: HazardWarning) -> Iterator[str]:
    yield warning.id
    yield from (bulletin.id for bulletin in work.bulletins.of_warning(warning.id))
    yield from _assessments(work, warning)
    yield from (exercise.id for exercise in work.exercises.all() if exercise.warning_id == warning.id)
    for one in work.escalations.of_subject(warning.id):
        yield from (f"{one.id} {rung.number}" for rung in work.escalations.rung(one.id))


def _assessments(work: UnitOfWork, warning: HazardWarning) -> Iterator[str]:
    """The runs that its versions rest on, those beside them, and the forecasts they were made from."""
    for proposal in work.proposals.of_warning(warning.id):
        run = work.assessments.get(proposal.content.assessment_id) if proposal.content.assessment_id else None
        if run is None:
            continue
        yield from run.inputs
        yield run.id
        yield from (beside.id for beside in work.assessments.beside(run.id))
