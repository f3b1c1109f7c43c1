"""What the store keeps of warnings, proposals, signatures, bulletins and incidents."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.incident import Draft, Incident, Publication
from geowarn.domain.package import Artefact, Package
from geowarn.domain.people import SignOff
from geowarn.domain.warning import HazardWarning, Proposal, Series, WarningStatus


class Warnings(Protocol):
    """Warnings of the store."""

    def add(self, warning: HazardWarning) -> None: ...

    def get(self, warning_id: str) -> HazardWarning | None: ...

    def save(self, warning: HazardWarning) -> None: ...

    def all(self) -> tuple[HazardWarning, ...]:
        """Newest opened first."""
        ...

    def standing(self, *statuses: WarningStatus) -> tuple[HazardWarning, ...]:
        """Those with one of these statuses, by id; only looked at, so nobody waits for it."""
        ...


class Proposals(Protocol):
    """Proposals of the store."""

    def add(self, proposal: Proposal, package: Package) -> None:
        """Store this version with every byte of its package and its retraction."""
        ...

    def get(self, proposal_id: str) -> Proposal | None: ...

    def save_status(self, proposal: Proposal) -> None:
        """Store `status` and `status_reason`; nothing else of a version ever changes."""
        ...

    def of_warning(self, warning_id: str) -> tuple[Proposal, ...]:
        """All versions, newest first."""
        ...

    def open(self) -> tuple[Proposal, ...]:
        """Open and returned versions of all warnings, oldest first."""
        ...

    def package(self, proposal_id: str) -> Package:
        """The stored package with its retraction; raises NotFound."""
        ...


class SignOffs(Protocol):
    """SignOffs of the store."""

    def add(self, signoff: SignOff) -> None: ...

    def of_proposal(self, proposal_id: str) -> tuple[SignOff, ...]:
        """In order of time, voided ones included."""
        ...

    def void(self, proposal_id: str, at: datetime) -> int:
        """Void every standing signature of this version; returns how many."""
        ...


class Bulletins(Protocol):
    """Bulletins of the store."""

    def next_serial(self, series: Series, year: int) -> int:
        """Take the next gapless number inside this transaction; concurrent releases wait."""
        ...

    def hold_order(self) -> None:
        """Let releases wait for this transaction's end: for one that enters something in the ledger before it adds."""
        ...

    def add(self, bulletin: Bulletin, artefacts: Iterable[Artefact]) -> None:
        """Store the frozen bulletin with its bytes; a row once written refuses UPDATE and DELETE."""
        ...

    def get(self, bulletin_id: str) -> Bulletin | None: ...

    def by_slug(self, slug: str) -> Bulletin | None: ...

    def of_warning(self, warning_id: str) -> tuple[Bulletin, ...]:
        """In order of release."""
        ...

    def all(self) -> tuple[Bulletin, ...]:
        """Newest first; what is wanted often asks for less."""
        ...

    def by_number(self, number: str) -> Bulletin | None: ...

    def after(self, bulletin_id: str | None) -> tuple[Bulletin, ...]:
        """Those released after this one (None: every one), oldest first; raises NotFound where it is not there.

        Releases commit in this order, so whoever goes on from the last one seen misses none.
        """
        ...

    def since(self, moment: datetime) -> tuple[Bulletin, ...]:
        """Released at or after `moment`, newest first."""
        ...

    def newest(self, count: int, series: Collection[Series] = tuple(Series)) -> tuple[Bulletin, ...]:
        """The newest of these series, at most so many, newest first."""
        ...

    def slugs(self, series: Collection[Series], holding: str = "") -> tuple[str, ...]:
        """The slugs of these series, newest first; `holding`: only bulletins with an artefact of this path."""
        ...

    def warnings_in(self, series: Collection[Series]) -> frozenset[str]:
        """The warnings that have a bulletin of these series."""
        ...

    def artefacts(self, bulletin_id: str) -> dict[str, bytes]:
        """Path to frozen bytes."""
        ...

    def artefacts_at(self, path: str, bulletin_ids: Collection[str]) -> dict[str, bytes]:
        """Bulletin to the frozen bytes at `path`, of those among these that have it."""
        ...


class Incidents(Protocol):
    """Incidents of the store."""

    def add(self, incident: Incident) -> None: ...

    def get(self, incident_id: str) -> Incident | None: ...

    def all(self) -> tuple[Incident, ...]:
        """Newest opened first."""
        ...

    def save_draft(self, draft: Draft) -> None: ...

    def drafts(self, incident_id: str) -> tuple[Draft, ...]:
        """Every draft, newest first."""
        ...

    def add_signoff(self, signoff: SignOff) -> None:
        """`proposal_id` is the draft's id, `package_sha256` its statement's digest."""
        ...

    def signoffs(self, draft_id: str) -> tuple[SignOff, ...]:
        """In order of time."""
        ...

    def publish(self, publication: Publication) -> None:
        """Freeze a version; a row once written refuses UPDATE and DELETE."""
        ...

    def publications(self, incident_id: str) -> tuple[Publication, ...]:
        """Every published version, oldest first."""
        ...
