"""What people add to a proposal beside signatures: comments, consultations, secrecy checks, codes to sign with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.warning import Proposal


@dataclass(frozen=True, slots=True)
class ReviewRules:
    """The policy of the review: who checks for secrets and where, what a consultation counts for, how codes live."""

    secrecy_levels: frozenset[Level] = frozenset()  # empty: no check is asked for
    secrecy_check: tuple[Role, ...] = (Role.DISCLOSURE,)
    secrecy_own_edit: bool = False  # whether the last editor may do the check
    consultation_counts: frozenset[Level] = frozenset()  # where a recorded consultation stands in for the co-signature
    code_minutes: int = 15
    code_tries: int = 5
    lint_blocks: frozenset[str] = frozenset()  # findings of the linter that keep a version from being signed


@dataclass(frozen=True, slots=True)
class Comment:
    """A remark on one version of a proposal (备注); never public."""

    id: str
    warning_id: str
    proposal_id: str
    version: int
    user: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Consultation:
    """What was agreed by word of mouth with the observatory (会商), as the duty officer wrote it down: no signature."""

    id: str
    proposal_id: str
    package_sha256: str
    spoke_with: str  # name and post of the person at the observatory
    spoken_at: datetime
    agreed: bool
    words: str
    user: str  # who recorded it
    at: datetime
    via: str
    origin: str


@dataclass(frozen=True, slots=True)
class SecrecyCheck:
    """A person found nothing secret in exactly these bytes (保密审查)."""

    id: str
    proposal_id: str
    package_sha256: str
    user: str
    role: Role
    at: datetime
    via: str
    origin: str


@dataclass(frozen=True, slots=True)
class SignCode:
    """A code with which one person may sign exactly these bytes once; the code itself is kept nowhere.

    `id` is the reference that the message and the address of the page name; it is no secret that signs.
    """

    id: str
    code_key: str  # keyed hash of the code
    warning_id: str
    proposal_id: str
    package_sha256: str
    user: str
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    tries: int = 0
    used_at: datetime | None = None


def standing_check(checks: Iterable[SecrecyCheck], proposal: Proposal) -> SecrecyCheck | None:
    """The newest check of exactly this version's bytes, or None."""
    found = [check for check in checks if check.package_sha256 == proposal.package_sha256]
    return found[-1] if found else None


def standing_consultation(held: Iterable[Consultation], proposal: Proposal) -> Consultation | None:
    """The newest consultation about exactly this version's bytes, or None: a later "no" takes an earlier "yes" back."""
    found = [one for one in held if one.package_sha256 == proposal.package_sha256]
    return found[-1] if found else None
