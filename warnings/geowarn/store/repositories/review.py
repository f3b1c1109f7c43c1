"""Warnings, the versions under review with every byte of their packages, and signatures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import select, update

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.package import Artefact, Package
from geowarn.domain.people import Role, SignOff
from geowarn.domain.warning import (
    HazardWarning,
    Proposal,
    ProposalStatus,
    Series,
    WarningStatus,
    content_from_json,
)
from geowarn.store.repositories.base import AnyRow, Repository, renamed, values_of
from geowarn.store.tables import blob, hazard_warning, package, package_artefact, proposal, signoff


def _warning(row: AnyRow) -> HazardWarning:
    values = row._mapping
    return HazardWarning(
        **{**values, "series": Series(values["series"]), "status": WarningStatus(values["status"])},
    )


class SqlWarnings(Repository):
    """`ports.Warnings`."""

    def add(self, warning: HazardWarning) -> None:
        """Add one; its id must be new."""
        self._add(hazard_warning, [self._values(warning)])

    @staticmethod
    def _values(warning: HazardWarning) -> dict[str, object]:
        return values_of(warning) | {"series": warning.series.value, "status": warning.status.value}

    def get(self, warning_id: str) -> HazardWarning | None:
        """One warning, or None; a unit of work that writes keeps others off it until the end."""
        self._hold_warning(warning_id)
        row = self._row(select(hazard_warning).where(hazard_warning.c.id == warning_id))
        return _warning(row) if row else None

    def save(self, warning: HazardWarning) -> None:
        """Store where the warning stands; raises NotFound when it was never added."""
        chosen = update(hazard_warning).where(hazard_warning.c.id == warning.id)
        changed = chosen.values(self._values(warning)).returning(hazard_warning.c.id)
        if not self._rows(changed):
            raise NotFound("store.not-found", kind="warning", id=warning.id)

    def all(self) -> tuple[HazardWarning, ...]:
        """Newest opened first."""
        self._hold_warning()
        newest = select(hazard_warning).order_by(hazard_warning.c.opened_at.desc(), hazard_warning.c.id)
        return tuple(_warning(row) for row in self._rows(newest))

    def standing(self, *statuses: WarningStatus) -> tuple[HazardWarning, ...]:
        """Those with one of these statuses, by id; only looked at, so nobody waits for it."""
        chosen = hazard_warning.c.status.in_([status.value for status in statuses])
        return tuple(map(_warning, self._rows(select(hazard_warning).where(chosen).order_by(hazard_warning.c.id))))


def _proposal(row: AnyRow) -> Proposal:
    values = row._mapping
    content, status = content_from_json(values["content"]), ProposalStatus(values["status"])
    return Proposal(**{**values, "content": content, "status": status})


def store_blobs(repository: Repository, artefacts: Iterable[Artefact]) -> None:
    """Keep bytes by digest; in one order everywhere, so that two writers never wait for each other in a ring."""
    bodies = {artefact.sha256: artefact.body for artefact in artefacts}
    repository._add_missing(blob, ({"sha256": digest, "body": bodies[digest]} for digest in sorted(bodies)))


class SqlProposals(Repository):
    """`ports.Proposals`."""

    def add(self, given: Proposal, rendered: Package) -> None:
        """Store this version with every byte of its package and its retraction."""
        if given.package_sha256 != rendered.sha256:
            raise Refused("store.package-differs", proposal=given.id, version=given.version)
        self._hold_warning(given.warning_id)
        self._add_package(rendered)
        content, status = given.content.as_json(), given.status.value
        names = proposal.c.keys()
        self._add(proposal, [{**{n: getattr(given, n) for n in names}, "content": content, "status": status}])

    def _add_package(self, rendered: Package) -> None:
        if rendered.retraction is not None:
            self._add_package(rendered.retraction)
        store_blobs(self, rendered.artefacts)
        digest, retraction = rendered.sha256, rendered.retraction.sha256 if rendered.retraction else None
        self._add_missing(package, [{"sha256": digest, "content": dict(rendered.content), "retraction": retraction}])
        rows = [
            {
                "package_sha256": digest,
                "path": artefact.path,
                "position": position,
                "media_type": artefact.media_type,
                "sha256": artefact.sha256,
            }
            for position, artefact in enumerate(rendered.artefacts)
        ]
        self._add_missing(package_artefact, rows)

    def get(self, proposal_id: str) -> Proposal | None:
        """One version, or None."""
        chosen = select(proposal).where(proposal.c.id == proposal_id)
        row = self._row(chosen)
        if row is not None and self._writing and self._postgres:
            self._hold_warning(row.warning_id)
            row = self._row(chosen)
        return _proposal(row) if row else None

    def save_status(self, given: Proposal) -> None:
        """Store `status` and `status_reason`; nothing else of a version ever changes."""
        chosen = update(proposal).where(proposal.c.id == given.id).returning(proposal.c.id)
        if not self._rows(chosen.values(status=given.status.value, status_reason=given.status_reason)):
            raise NotFound("store.not-found", kind="proposal", id=given.id)

    def of_warning(self, warning_id: str) -> tuple[Proposal, ...]:
        """All versions, newest first."""
        self._hold_warning(warning_id)
        found = select(proposal).where(proposal.c.warning_id == warning_id).order_by(proposal.c.version.desc())
        return tuple(_proposal(row) for row in self._rows(found))

    def open(self) -> tuple[Proposal, ...]:
        """Open and returned versions of all warnings, oldest first."""
        waiting = proposal.c.status.in_((ProposalStatus.OPEN.value, ProposalStatus.RETURNED.value))
        found = select(proposal).where(waiting).order_by(proposal.c.edited_at, proposal.c.version, proposal.c.id)
        return tuple(_proposal(row) for row in self._rows(found))

    def package(self, proposal_id: str) -> Package:
        """The stored package with its retraction; raises NotFound."""
        row = self._row(select(proposal.c.package_sha256).where(proposal.c.id == proposal_id))
        if row is None:
            raise NotFound("store.not-found", kind="proposal", id=proposal_id)
        return self._package(row.package_sha256)

    def _package(self, digest: str) -> Package:
        head = self._rows(select(package).where(package.c.sha256 == digest))[0]
        files = (
            select(package_artefact.c.path, package_artefact.c.media_type, blob.c.body)
            .join(blob, blob.c.sha256 == package_artefact.c.sha256)
            .where(package_artefact.c.package_sha256 == digest)
            .order_by(package_artefact.c.position)
        )
        artefacts = tuple(Artefact(row.path, row.media_type, bytes(row.body)) for row in self._rows(files))
        return Package(head.content, artefacts, self._package(head.retraction) if head.retraction else None)


class SqlSignOffs(Repository):
    """`ports.SignOffs`."""

    def add(self, given: SignOff) -> None:
        """Add one signature."""
        self._add(signoff, [renamed(values_of(given), user="account") | {"role": given.role.value}])

    def of_proposal(self, proposal_id: str) -> tuple[SignOff, ...]:
        """In order of time, voided ones included."""
        found = select(signoff).where(signoff.c.proposal_id == proposal_id).order_by(signoff.c.at, signoff.c.id)
        return tuple(self._signoff(row) for row in self._rows(found))

    @staticmethod
    def _signoff(row: AnyRow) -> SignOff:
        return SignOff(**renamed(row._asdict(), account="user") | {"role": Role(row.role)})

    def void(self, proposal_id: str, at: datetime) -> int:
        """Void every standing signature of this version; returns how many."""
        standing = (signoff.c.proposal_id == proposal_id) & signoff.c.voided_at.is_(None)
        return len(self._rows(update(signoff).where(standing).values(voided_at=at).returning(signoff.c.id)))
