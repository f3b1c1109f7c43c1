"""What a warning looks like from outside: the JSON of `warnings show`."""

from __future__ import annotations

from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.policy import Policy, lacks
from geowarn.domain.warning import HazardWarning, Proposal, ProposalStatus
from geowarn.pipeline.counsel_view import counsel_view
from geowarn.pipeline.course_acts import ALL_CLEAR_DUE, LEVELS_MOVED
from geowarn.pipeline.course_held import decisions, told
from geowarn.pipeline.desk import newest
from geowarn.pipeline.fitness import consulted
from geowarn.ports import UnitOfWork

ASKED = (LEVELS_MOVED, ALL_CLEAR_DUE)


def warning_view(work: UnitOfWork, warning: HazardWarning, policy: Policy) -> dict[str, Any]:
    """One warning with its newest version, signatures, bulletins and counts of dispatches; no personal data.

    `decided` says what the runs called for: why the version is as it is, and what has been decided since.
    """
    proposal = newest(work, warning.id)
    chain = work.bulletins.of_warning(warning.id)
    last = chain[-1] if chain else None
    content = proposal.content if proposal else None
    return {
        "id": warning.id,
        "number": last.number if last else None,
        "slug": last.slug if last else None,
        "status": warning.status.value,
        "series": warning.series.value,
        "level": content.highest.code if content else "none",
        "areas": [{"code": a.code, "level": a.level.code} for a in content.areas] if content else [],
        "onset": content.onset.isoformat() if content else None,
        "expires": content.expires.isoformat() if content else None,
        "reason": content.reason if content else "",
        "source": content.source if content else "",
        "assessment": content.assessment_id if content else None,
        "slots": dict(content.slots) if content else {},
        "version": proposal.version if proposal else None,
        "proposal_status": proposal.status.value if proposal else None,
        "package_sha256": last.package_sha256 if _released_last(last, proposal) and last else _digest(proposal),
        "signoffs": _signoffs(work, proposal),
        **counsel_view(work, proposal, policy),
        "missing": _missing(work, proposal, policy),
        "bulletins": [_bulletin(work, bulletin) for bulletin in chain],
        "dispatches": _counts(work, last),
        "decided": list(told(decisions(work, warning.id), work.proposals.of_warning(warning.id))),
        "tasks": [
            {"kind": t.kind, **t.facts} for t in work.tasks.pending() if t.subject == warning.id and t.kind in ASKED
        ],
    }


def _digest(proposal: Proposal | None) -> str | None:
    return proposal.package_sha256 if proposal else None


def _released_last(last: Bulletin | None, proposal: Proposal | None) -> bool:
    return last is not None and (proposal is None or proposal.status is not ProposalStatus.OPEN)


def _signoffs(work: UnitOfWork, proposal: Proposal | None) -> list[dict[str, Any]]:
    if proposal is None:
        return []
    return [
        {
            "user": s.user,
            "role": s.role.value,
            "at": s.at.isoformat(),
            "package_sha256": s.package_sha256,
            "voided": s.voided_at is not None,
        }
        for s in work.signoffs.of_proposal(proposal.id)
    ]


def _missing(work: UnitOfWork, proposal: Proposal | None, policy: Policy) -> list[str]:
    if proposal is None or proposal.status is not ProposalStatus.OPEN:
        return []
    found = lacks(
        policy,
        proposal.content,
        work.signoffs.of_proposal(proposal.id),
        proposal.package_sha256,
        proposal.edited_by,
        consulted(work, proposal),
    )
    return [lack.role.value if lack.role else lack.key for lack in found]


def _bulletin(work: UnitOfWork, bulletin: Bulletin) -> dict[str, Any]:
    return {
        "id": bulletin.id,
        "number": bulletin.number,
        "slug": bulletin.slug,
        "act": bulletin.act.value,
        "msg_type": bulletin.msg_type.value,
        "sent": bulletin.late.get("sent"),
        "package_sha256": bulletin.package_sha256,
        "dispatches": _counts(work, bulletin),
    }


def _counts(work: UnitOfWork, bulletin: Bulletin | None) -> dict[str, dict[str, int]]:
    if bulletin is None:
        return {}
    counts = work.dispatches.counts(bulletin.id)
    return {channel: {state.value: n for state, n in states.items()} for channel, states in counts.items()}
