"""Proposal → signatures, each bound to the bytes of one package."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role, SignOff, User
from geowarn.domain.policy import valid
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.fitness import refuse_unchecked, refuse_unfit, refuse_unseen
from geowarn.pipeline.propose import new_id
from geowarn.ports import UnitOfWork

# Who signs for the office: only after the secrecy check, where the policy asks for it.
_AFTER_CHECK = (Role.LEADER, Role.CHIEF)


def on_shift(work: UnitOfWork, user: User, now: datetime) -> bool:
    """Whether the person is the officer on the current shift or its named deputy."""
    return any(user.name in (shift.officer, shift.deputy) for shift in work.shifts.at(now))


def _role_to_sign(desk: Desk, work: UnitOfWork, proposal: Proposal, actor: Actor) -> Role:
    """The required role this person can still sign in; raises Refused naming what is in the way."""
    standing = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    if any(signoff.user == actor.user.name for signoff in standing):
        raise Refused("signoff.already", user=actor.user.name, version=proposal.version)
    required = desk.policy.required(proposal.content)
    taken = {signoff.role for signoff in standing}
    held = [role for role in required if role in actor.user.roles]
    if not held:
        raise Refused("signoff.not-needed", user=actor.user.name, roles=", ".join(role.value for role in required))
    free = [role for role in held if role not in taken]
    if not free:
        raise Refused("signoff.role-taken", user=actor.user.name, role=held[0].value)
    if free[0] is Role.DUTY_OFFICER and not on_shift(work, actor.user, desk.clock.now()):
        if len(free) > 1:
            return free[1]
        raise Refused("signoff.off-shift", user=actor.user.name)
    return free[0]


def sign(desk: Desk, warning_id: str, actor: Actor, package_sha256: str | None = None) -> SignOff:
    """Sign the package under review; `package_sha256` is the digest the person saw, refused when it moved on."""
    now = desk.clock.now()
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        if proposal.status is ProposalStatus.RETURNED:
            raise Refused("signoff.returned", warning=warning.id, reason=proposal.status_reason)
        refuse_unseen(work, proposal, package_sha256)
        role = _role_to_sign(desk, work, proposal, actor)
        refuse_unfit(desk, work, proposal)
        if role in _AFTER_CHECK:
            refuse_unchecked(desk, work, proposal)
        signoff = SignOff(
            id=new_id("s"),
            proposal_id=proposal.id,
            package_sha256=proposal.package_sha256,
            user=actor.user.name,
            role=role,
            at=now,
            via=actor.via,
            origin=actor.origin,
            second_factor="none",
        )
        work.signoffs.add(signoff)
        shift = next((s.id for s in work.shifts.at(now) if actor.user.name in (s.officer, s.deputy)), None)
        facts = {"version": proposal.version, "package_sha256": proposal.package_sha256, "role": role.value}
        work.ledger.append(now, actor.label, "proposal.signed", warning.id, {**facts, "shift": shift})
        work.commit()
    return signoff
