"""Incidents with their drafts, signatures and frozen publications."""

from __future__ import annotations

from sqlalchemy import select

from geowarn.domain.incident import Draft, DraftStatus, Incident, Publication, statement_from_json
from geowarn.domain.people import Role, SignOff
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import incident, incident_draft, incident_publication, incident_signoff


def _draft(row: AnyRow) -> Draft:
    values = row._asdict()
    statement, status = statement_from_json(values.pop("statement")), DraftStatus(values.pop("status"))
    return Draft(**values, statement=statement, status=status)


def _publication(row: AnyRow) -> Publication:
    values = row._asdict()
    values.pop("digest")
    signed = tuple((role, name) for role, name in values.pop("signed_by"))
    return Publication(**values | {"statement": statement_from_json(values["statement"]), "signed_by": signed})


def _signoff(row: AnyRow) -> SignOff:
    values = renamed(row._asdict(), draft_id="proposal_id", digest="package_sha256")
    return SignOff(**values | {"role": Role(values["role"])})


class SqlIncidents(Repository):
    """`ports.Incidents`; another kind of statement with the same flow names tables of its own."""

    subjects, draft_rows = incident, incident_draft
    signoff_rows, publication_rows = incident_signoff, incident_publication

    def add(self, given: Incident) -> None:
        """Add one; its number must be new."""
        self._add(self.subjects, [values_of(given)])

    def get(self, incident_id: str) -> Incident | None:
        """One, or None."""
        row = self._row(select(self.subjects).where(self.subjects.c.id == incident_id))
        return Incident(**row._mapping) if row else None

    def all(self) -> tuple[Incident, ...]:
        """Newest opened first."""
        order = (self.subjects.c.opened_at.desc(), self.subjects.c.id.desc())
        return tuple(Incident(**row._mapping) for row in self._rows(select(self.subjects).order_by(*order)))

    def save_draft(self, draft: Draft) -> None:
        """Insert or replace by id."""
        row = values_of(draft) | {"statement": draft.statement.as_json(), "status": draft.status.value}
        self._put(self.draft_rows, [row])

    def drafts(self, incident_id: str) -> tuple[Draft, ...]:
        """Every draft, newest first."""
        found = select(self.draft_rows).where(self.draft_rows.c.incident_id == incident_id)
        order = (self.draft_rows.c.version.desc(), self.draft_rows.c.edited_at.desc(), self.draft_rows.c.id)
        return tuple(_draft(row) for row in self._rows(found.order_by(*order)))

    def add_signoff(self, signoff: SignOff) -> None:
        """Add one signature."""
        row = renamed(values_of(signoff), proposal_id="draft_id", package_sha256="digest")
        row.pop("voided_at")  # an edit makes a new draft, and signatures stay with the old one
        self._add(self.signoff_rows, [row | {"role": signoff.role.value}])

    def signoffs(self, draft_id: str) -> tuple[SignOff, ...]:
        """In order of time."""
        found = select(self.signoff_rows).where(self.signoff_rows.c.draft_id == draft_id)
        order = (self.signoff_rows.c.at, self.signoff_rows.c.id)
        return tuple(_signoff(row) for row in self._rows(found.order_by(*order)))

    def publish(self, publication: Publication) -> None:
        """Freeze a version; a row once written refuses UPDATE and DELETE."""
        row = values_of(publication) | {
            "statement": publication.statement.as_json(),
            "digest": publication.statement.digest,
            "signed_by": [list(pair) for pair in publication.signed_by],
        }
        self._add(self.publication_rows, [row])

    def publications(self, incident_id: str) -> tuple[Publication, ...]:
        """Every published version, oldest first."""
        found = select(self.publication_rows).where(self.publication_rows.c.incident_id == incident_id)
        return tuple(_publication(row) for row in self._rows(found.order_by(self.publication_rows.c.version)))
