"""What an act at the desk needs: store, clock, channels, policy, settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.errors import NotFound
from geowarn.domain.policy import Policy
from geowarn.domain.warning import HazardWarning, Proposal, ProposalStatus
from geowarn.pipeline.lint_texts import Linter
from geowarn.ports import Channel, Clock, Store, UnitOfWork, Vault


@dataclass(frozen=True, slots=True)
class Desk:
    """The ports of review and release; `facts` are the effective settings by section."""

    store: Store
    clock: Clock
    channels: Mapping[str, Channel]
    policy: Policy
    facts: Mapping[str, Mapping[str, Any]]
    default_slots: Mapping[str, str]  # pre-approved texts by slot key, every level and language
    vault: Vault
    linter: Linter | None = None  # None: texts are not read before signing

    @property
    def zone(self) -> ZoneInfo:
        """The installation's zone."""
        return ZoneInfo(str(self.facts["installation"]["zone"]))

    @property
    def synthetic(self) -> bool:
        """Whether the installation runs on synthetic input."""
        return bool(self.facts["installation"]["synthetic"])

    def next_update(self, now: datetime) -> datetime:
        """The full hour by which the public page promises its next update."""
        later = now + timedelta(hours=int(self.facts["site"]["next_update_hours"]))
        return later.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1 if later.minute else 0)


def find_warning(work: UnitOfWork, name: str) -> HazardWarning:
    """The warning of this id, or the one a bulletin's slug or number belongs to; raises NotFound."""
    found = work.warnings.get(name)
    if found is not None:
        return found
    bulletin = work.bulletins.by_slug(name) or work.bulletins.by_number(name)
    found = work.warnings.get(bulletin.warning_id) if bulletin else None
    if found is None:
        raise NotFound("warnings.unknown", warning=name)
    return found


def newest(work: UnitOfWork, warning_id: str) -> Proposal | None:
    """The newest version of the warning's content, whatever its status."""
    versions = work.proposals.of_warning(warning_id)
    return versions[0] if versions else None


def under_review(work: UnitOfWork, warning_id: str) -> Proposal:
    """The version under review; raises Refused when there is none."""
    proposal = newest(work, warning_id)
    if proposal is None or proposal.status not in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
        raise NotFound("review.nothing-open", warning=warning_id)
    return proposal
