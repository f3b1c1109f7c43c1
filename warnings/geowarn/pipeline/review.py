"""Proposal → a better proposal, back to the editor, or dismissed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from geowarn.domain.errors import Refused
from geowarn.domain.package import refuse_markers
from geowarn.domain.people import Role
from geowarn.domain.policy import valid
from geowarn.domain.warning import Proposal, ProposalStatus, WarningStatus
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.course_acts import LEVELS_MOVED
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.kept_words import kept_words
from geowarn.pipeline.propose import store_version
from geowarn.ports import UnitOfWork

LONGEST_SLOT = 200  # characters


EDITORS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)
DECIDERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF)


def _checked(slots: Mapping[str, str], allowed: Mapping[str, str]) -> dict[str, str]:
    for name, text in slots.items():
        if name not in allowed:
            raise Refused("review.unknown-slot", slot=name, slots=", ".join(sorted(allowed)))
        if not text.strip() or len(text) > LONGEST_SLOT or any(ord(c) < 32 for c in text):
            raise Refused("review.slot-text", slot=name, longest=LONGEST_SLOT)
        refuse_markers(text, name)
    return {name: text.strip() for name, text in slots.items()}


def refuse_moved_on(proposal: Proposal, expected_version: int | None) -> None:
    """Raise Refused when the person wrote over another version than the one under review."""
    if expected_version is not None and proposal.version != expected_version:
        raise Refused("review.moved-on", version=proposal.version, expected=expected_version)


def refuse_while_others_sign(work: UnitOfWork, proposal: Proposal, actor: Actor) -> None:
    """Raise Refused while another person's signature stands: it is given back with a reason first, for all to see."""
    standing = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    others = sorted({signoff.user for signoff in standing} - {actor.user.name})
    if others:
        raise Refused("review.being-signed", version=proposal.version, users=", ".join(others))


def edit(
    desk: Desk, warning_id: str, slots: Mapping[str, str], actor: Actor, expected_version: int | None = None
) -> Proposal:
    """Change slots: makes a new version and voids every signature (house rule 2).

    Raises Refused for a slot that does not exist, an empty or overlong text, a version that moved on, and while
    somebody else's signature stands: whoever wants to change a signed text returns it first, with a reason.
    """
    actor.need_somewhere(*EDITORS)
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        actor.need(*EDITORS, work=work, areas=codes_of(proposal.content))
        refuse_moved_on(proposal, expected_version)
        refuse_while_others_sign(work, proposal, actor)
        changed = _checked(slots, proposal.content.slots)
        if all(proposal.content.slots[name] == text for name, text in changed.items()):
            raise Refused("review.nothing-changed", warning=warning.id)
        content = replace(proposal.content, slots={**proposal.content.slots, **changed})
        edited = store_version(desk, work, warning.id, content, actor.user.name, actor.label)
        work.commit()
    return edited


def close_review(
    desk: Desk, work: UnitOfWork, proposal: Proposal, reason: str, actor: Actor, status: ProposalStatus
) -> Proposal:
    """Return or dismiss this version inside the caller's transaction: signatures are void, the reason is kept."""
    now, warning = desk.clock.now(), find_warning(work, proposal.warning_id)
    closed = replace(proposal, status=status, status_reason=reason.strip())
    voided = work.signoffs.void(proposal.id, now)
    work.proposals.save_status(closed)
    if status is ProposalStatus.DISMISSED:
        work.tasks.close("review", warning.id, now)
        work.tasks.close(LEVELS_MOVED, warning.id, now)
        if warning.status is WarningStatus.PROPOSED:
            warning.may_become(WarningStatus.DISMISSED)
            work.warnings.save(replace(warning, status=WarningStatus.DISMISSED, ended_at=now))
    facts = {"proposal": proposal.id, "version": proposal.version, "reason": reason.strip(), "voided": voided}
    work.ledger.append(now, actor.label, f"proposal.{status.value}", warning.id, facts)
    follow(desk, work, warning.id)
    return closed


def _close(
    desk: Desk, warning_id: str, reason: str, actor: Actor, status: ProposalStatus, roles: tuple[Role, ...]
) -> Proposal:
    actor.need_somewhere(*roles)
    why = kept_words(reason, "reason", "review.reason-missing")
    with desk.store.begin() as work:
        proposal = under_review(work, find_warning(work, warning_id).id)
        actor.need(*roles, work=work, areas=codes_of(proposal.content))
        closed = close_review(desk, work, proposal, why, actor, status)
        work.commit()
    return closed


def return_for_edit(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Give the proposal back to be edited; signatures are void, the reason is required."""
    return _close(desk, warning_id, reason, actor, ProposalStatus.RETURNED, EDITORS)


def dismiss(desk: Desk, warning_id: str, reason: str, actor: Actor) -> Proposal:
    """Decide not to issue; the reason is required and kept. A warning in force stays in force."""
    return _close(desk, warning_id, reason, actor, ProposalStatus.DISMISSED, DECIDERS)
