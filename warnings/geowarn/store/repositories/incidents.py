"""Incidents with their drafts, signatures and frozen publications."""

from __future__ import annotations

from sqlalchemy import select

from geowarn.domain.incident import Draft, DraftStatus, Incident, Publication, statement_from_json
from geowarn.domain.people import Role, SignOff
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import incidents


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

    tables = incidents

    def add(self, given: Incident) -> None:
        """Add one; its number must be new."""
        self._add(self.tables.opened, [values_of(given)])

    def get(self, incident_id: str) -> Incident | None:
        """One, or None."""
        row = self._row(select(self.tables.opened).where(self.tables.opened.c.id == incident_id))
        return Incident(**row._mapping) if row else None

    def all(self) -> tuple[Incident, ...]:
        """Newest opened first."""
        order = (self.tables.opened.c.opened_at.desc(), self.tables.opened.c.id.desc())
        return tuple(Incident(**row._mapping) for row in self._rows(select(self.tables.opened).order_by(*order)))

    def save_draft(self, draft: Draft) -> None:
        """Insert or replace by id."""
        row = values_of(draft) | {"statement": draft.statement.as_json(), "status": draft.status.value}
        self._put(self.tables.draft, [row])

    def drafts(self, incident_id: str) -> tuple[Draft, ...]:
        """Every draft, newest first."""
        found = select(self.tables.draft).where(self.tables.draft.c.incident_id == incident_id)
        order = (self.tables.draft.c.version.desc(), self.tables.draft.c.edited_at.desc(), self.tables.draft.c.id)
        return tuple(_draft(row) for row in self._rows(found.order_by(*order)))

    def add_signoff(self, signoff: SignOff) -> None:
        """Add one signature."""
        row = renamed(values_of(signoff), proposal_id="draft_id", package_sha256="digest")
        row.pop("voided_at")  # an edit makes a new draft, and signatures stay with the old one
        self._add(self.tables.signoff, [row | {"role": signoff.role.value}])

    def signoffs(self, draft_id: str) -> tuple[SignOff, ...]:
        """In order of time."""
        found = select(self.tables.signoff).where(self.tables.signoff.c.draft_id == draft_id)
        order = (self.tables.signoff.c.at, self.tables.signoff.c.id)
        return tuple(_signoff(row) for row in self._rows(found.order_by(*order)))

    def publish(self, publication: Publication) -> None:
        """Freeze a version; a row once written refuses UPDATE and DELETE."""
        row = values_of(publication) | {
            "statement": publication.statement.as_json(),
            "digest": publication.statement.digest,
            "signed_by": [list(pair) for pair in publication.signed_by],
        }
        self._add(self.tables.publication, [row])

    def publications(self, incident_id: str) -> tuple[Publication, ...]:
        """Every published version, oldest first."""
        found = select(self.tables.publication).where(self.tables.publication.c.incident_id == incident_id)
        return tuple(_publication(row) for row in self._rows(found.order_by(self.tables.publication.c.version)))
