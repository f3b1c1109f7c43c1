"""What stands beside the signatures of a version, as JSON for `warnings show` and the disclosure pack."""

from __future__ import annotations

from typing import Any

from geowarn.domain.policy import Policy
from geowarn.domain.review import Comment, Consultation, SecrecyCheck, standing_check
from geowarn.domain.warning import Proposal
from geowarn.ports import UnitOfWork


def counsel_view(work: UnitOfWork, proposal: Proposal | None, policy: Policy) -> dict[str, Any]:
    """Secrecy check, consultations and comments of the newest version; a consultation is never among signatures."""
    if proposal is None:
        return {"secrecy_check": None, "consultations": [], "comments": []}
    check = standing_check(work.counsel.checks(proposal.id), proposal)
    return {
        "secrecy_check": _check(check) if check else None,
        "secrecy_needed": policy.needs_secrecy_check(proposal.content),
        "consultations": [_talk(one) for one in work.counsel.consultations(proposal.id)],
        "comments": [_comment(one) for one in work.counsel.comments(proposal.warning_id)],
    }


def counsel_of_version(work: UnitOfWork, proposal: Proposal) -> dict[str, Any]:
    """The same for one version of a pack, whatever became of it."""
    comments = [one for one in work.counsel.comments(proposal.warning_id) if one.proposal_id == proposal.id]
    return {
        "secrecy_checks": [_check(one) for one in work.counsel.checks(proposal.id)],
        "consultations": [_talk(one) for one in work.counsel.consultations(proposal.id)],
        "comments": [_comment(one) for one in comments],
    }


def _check(one: SecrecyCheck) -> dict[str, Any]:
    return {"user": one.user, "role": one.role.value, "at": one.at.isoformat(), "package_sha256": one.package_sha256}


def _talk(one: Consultation) -> dict[str, Any]:
    return {
        "spoke_with": one.spoke_with,
        "spoken_at": one.spoken_at.isoformat(),
        "agreed": one.agreed,
        "words": one.words,
        "recorded_by": one.user,
        "recorded_at": one.at.isoformat(),
        "package_sha256": one.package_sha256,
    }


def _comment(one: Comment) -> dict[str, Any]:
    return {"user": one.user, "at": one.at.isoformat(), "version": one.version, "text": one.text}
