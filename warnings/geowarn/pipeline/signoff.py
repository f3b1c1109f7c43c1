"""Proposal → signatures, each bound to the bytes of one package."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from geowarn.domain.errors import NotEntitled, Refused
from geowarn.domain.people import Role, SignOff, User
from geowarn.domain.policy import valid
from geowarn.domain.warning import Content, Proposal, ProposalStatus
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation_acts import stands_in
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.second_factor import prove, trying
from geowarn.ports import UnitOfWork

SIGNERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY)


def on_shift(work: UnitOfWork, user: User, now: datetime) -> bool:
    """Whether the person is the officer on the current shift or its named deputy."""
    return any(user.name in (shift.officer, shift.deputy) for shift in work.shifts.at(now))


def _role_to_sign(desk: Desk, work: UnitOfWork, proposal: Proposal, actor: Actor) -> Role:
    """The required role this person can still sign in; raises Refused naming what is in the way."""
    actor.need(*SIGNERS, work=work, areas=codes_of(proposal.content))
    standing = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    if any(signoff.user == actor.user.name for signoff in standing):
        raise Refused("signoff.already", user=actor.user.name, version=proposal.version)
    required = desk.policy.required(proposal.content)
    taken = {signoff.role for signoff in standing}
    here = actor.roles_over(work, codes_of(proposal.content))
    entrusted = here | stands_in(desk, work, proposal.warning_id, actor.user)
    held = [role for role in required if role in entrusted]
    if not held:
        raise NotEntitled("signoff.not-needed", user=actor.user.name, roles=", ".join(role.value for role in required))
    free = [role for role in held if role not in taken]
    if not free:
        raise Refused("signoff.role-taken", user=actor.user.name, role=held[0].value)
    if free[0] is Role.DUTY_OFFICER and not on_shift(work, actor.user, desk.clock.now()):
        if len(free) > 1:
            return free[1]
        raise Refused("signoff.off-shift", user=actor.user.name)
    return free[0]


def factor_given(desk: Desk, work: UnitOfWork, content: Content, actor: Actor, code: str) -> str:
    """Prove the second factor where the policy asks for it: "totp", "recovery", or "none" where it does not."""
    if not desk.policy.asks_factor(content):
        return "none"
    return prove(work, desk.vault, actor.user, code, desk.clock.now())


def sign(desk: Desk, warning_id: str, actor: Actor, package_sha256: str | None = None, code: str = "") -> SignOff:
    """Sign the package under review; `package_sha256` is the digest the person saw, refused when it moved on.

    `code` is the second factor's, asked for at the levels the policy names; it is used up with the signature.
    """
    actor.need_somewhere(*SIGNERS)
    now = desk.clock.now()
    with trying(desk.store, desk.clock, actor.user, code), desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        if proposal.status is ProposalStatus.RETURNED:
            raise Refused("signoff.returned", warning=warning.id, reason=proposal.status_reason)
        if package_sha256 is not None and package_sha256 != proposal.package_sha256:
            raise Refused("signoff.moved-on", version=proposal.version, digest=proposal.package_sha256[:12])
        if work.proposals.package(proposal.id).sha256 != proposal.package_sha256:
            raise Refused("signoff.package-changed", version=proposal.version)
        role = _role_to_sign(desk, work, proposal, actor)
        factor = factor_given(desk, work, proposal.content, actor, code)
        signoff = SignOff(
            id=new_id("s"),
            proposal_id=proposal.id,
            package_sha256=proposal.package_sha256,
            user=actor.user.name,
            role=role,
            at=now,
            via=actor.via,
            origin=actor.origin,
            second_factor=factor,
        )
        work.signoffs.add(signoff)
        shift = next((s.id for s in work.shifts.at(now) if actor.user.name in (s.officer, s.deputy)), None)
        facts: dict[str, Any] = {
            "version": proposal.version,
            "package_sha256": proposal.package_sha256,
            "role": role.value,
        }
        facts |= {"shift": shift, "second_factor": factor}
        if role not in actor.user.roles:
            facts["stands_in"] = role.value
        work.ledger.append(now, actor.label, "proposal.signed", warning.id, facts)
        follow(desk, work, warning.id)
        work.commit()
    return signoff
