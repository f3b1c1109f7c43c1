"""What must be true of a version before it is signed or released: bytes as seen, texts fit, secrecy check done."""

from __future__ import annotations

from geowarn.domain.errors import Refused
from geowarn.domain.review import standing_check, standing_consultation
from geowarn.domain.warning import Proposal, Series
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.lint_texts import blocking
from geowarn.ports import UnitOfWork


def refuse_unseen(work: UnitOfWork, proposal: Proposal, package_sha256: str | None) -> None:
    """Raise Refused when the person saw other bytes than those under review, or the stored ones do not fit."""
    if package_sha256 is not None and package_sha256 != proposal.package_sha256:
        raise Refused("signoff.moved-on", version=proposal.version, digest=proposal.package_sha256[:12])
    if work.proposals.package(proposal.id).sha256 != proposal.package_sha256:
        raise Refused("signoff.package-changed", version=proposal.version)


def refuse_unfit(desk: Desk, work: UnitOfWork, proposal: Proposal) -> None:
    """Raise Refused with the first finding of the linter that the policy lets nobody sign over."""
    if desk.linter is None or not desk.policy.review.lint_blocks:
        return
    package = work.proposals.package(proposal.id)
    for finding in blocking(desk.policy, desk.linter.of(package, proposal.content, work.areas.plain())):
        raise Refused(finding.key, path=finding.path, **finding.facts)


def unchecked(desk: Desk, work: UnitOfWork, proposal: Proposal) -> bool:
    """Whether the policy asks for a secrecy check that these bytes have not had; an exercise discloses nothing."""
    needed = proposal.content.series is not Series.EXERCISE and desk.policy.needs_secrecy_check(proposal.content)
    return needed and standing_check(work.counsel.checks(proposal.id), proposal) is None


def refuse_unchecked(desk: Desk, work: UnitOfWork, proposal: Proposal) -> None:
    """Raise Refused where the secrecy check is asked for and missing."""
    if unchecked(desk, work, proposal):
        roles = ", ".join(role.value for role in desk.policy.review.secrecy_check)
        raise Refused("secrecy.unchecked", warning=proposal.warning_id, version=proposal.version, roles=roles)


def consulted(work: UnitOfWork, proposal: Proposal) -> bool:
    """Whether the newest talk about exactly these bytes ended in agreement."""
    found = standing_consultation(work.counsel.consultations(proposal.id), proposal)
    return found is not None and found.agreed
