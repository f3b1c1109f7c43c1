"""Proposal → signatures, each bound to the bytes of one package."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from geowarn.domain.errors import NotEntitled, Refused
from geowarn.domain.people import Role, SignOff, User
from geowarn.domain.policy import valid
from geowarn.domain.warning import Content, Proposal, ProposalStatus, Series
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation import REVIEW, open_task
from geowarn.pipeline.escalation_acts import SIGNERS, need_signer, stands_in
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.exercise_guard import Confirmation, confirm
from geowarn.pipeline.fitness import refuse_unchecked, refuse_unfit, refuse_unseen
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.second_factor import prove, trying
from geowarn.ports import UnitOfWork

# Who signs for the office: only after the secrecy check, where the policy asks for it.
_AFTER_CHECK = (Role.LEADER, Role.CHIEF)


def on_shift(work: UnitOfWork, user: User, now: datetime) -> bool:
    """Whether the person is the officer on the current shift or its named deputy."""
    return any(user.name in (shift.officer, shift.deputy) for shift in work.shifts.at(now))


def _role_to_sign(desk: Desk, work: UnitOfWork, proposal: Proposal, actor: Actor) -> Role:
    """The required role this person can still sign in; raises Refused naming what is in the way."""
    handed = stands_in(desk, work, open_task(work, REVIEW, proposal.warning_id), actor.user)
    if not handed:
        actor.need(*SIGNERS, work=work, areas=codes_of(proposal.content))
    standing = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    if any(signoff.user == actor.user.name for signoff in standing):
        raise Refused("signoff.already", user=actor.user.name, version=proposal.version)
    required = desk.policy.required(proposal.content)
    taken = {signoff.role for signoff in standing}
    here = actor.roles_over(work, codes_of(proposal.content))
    entrusted = here | handed
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
    if content.series is Series.EXERCISE or not desk.policy.asks_factor(content):
        return "none"
    return prove(work, desk.vault, actor.user, code, desk.clock.now())


def keep(
    work: UnitOfWork, proposal_id: str, package_sha256: str, actor: Actor, role: Role, factor: str, now: datetime
) -> SignOff:
    """Store one signature; that it may be made is the caller's to see to."""
    signoff = SignOff(
        id=new_id("s"),
        proposal_id=proposal_id,
        package_sha256=package_sha256,
        user=actor.user.name,
        role=role,
        at=now,
        via=actor.via,
        origin=actor.origin,
        second_factor=factor,
    )
    work.signoffs.add(signoff)
    return signoff


def by_rule(work: UnitOfWork, content: Content, actor: Actor, role: Role) -> dict[str, str]:
    """What the ledger says beside a signature in a role that the person does not hold there but stands in for."""
    return {} if role in actor.roles_over(work, codes_of(content)) else {"stands_in": role.value}


def put_signature(
    desk: Desk,
    work: UnitOfWork,
    proposal: Proposal,
    actor: Actor,
    package_sha256: str | None,
    factor: Callable[[], str],
    confirmation: Confirmation | None = None,
) -> SignOff:
    """One signature with everything that must be true of it, inside the caller's transaction.

    `factor` proves the second factor, when all else is fit, and says which it was; an exercise needs its own
    `confirmation`, by whatever way somebody signs.
    """
    now = desk.clock.now()
    confirm(work, proposal.content.series, confirmation, needs_code=True)
    if proposal.status is ProposalStatus.RETURNED:
        raise Refused("signoff.returned", warning=proposal.warning_id, reason=proposal.status_reason)
    refuse_unseen(work, proposal, package_sha256)
    role = _role_to_sign(desk, work, proposal, actor)
    refuse_unfit(desk, work, proposal)
    if role in _AFTER_CHECK:
        refuse_unchecked(desk, work, proposal)
    proved = factor()
    signoff = keep(work, proposal.id, proposal.package_sha256, actor, role, proved, now)
    shift = next((s.id for s in work.shifts.at(now) if actor.user.name in (s.officer, s.deputy)), None)
    facts = {"version": proposal.version, "package_sha256": proposal.package_sha256, "role": role.value}
    more: dict[str, Any] = {"shift": shift, "second_factor": proved}
    more |= by_rule(work, proposal.content, actor, role)
    work.ledger.append(now, actor.label, "proposal.signed", proposal.warning_id, {**facts, **more})
    follow(desk, work, proposal.warning_id)
    return signoff


def sign(
    desk: Desk,
    warning_id: str,
    actor: Actor,
    package_sha256: str | None = None,
    code: str = "",
    *,
    confirmation: Confirmation | None = None,
) -> SignOff:
    """Sign the package under review; `package_sha256` is the digest the person saw, refused when it moved on.

    `code` is the second factor's, asked for at the levels the policy names; it is used up with the signature. An
    exercise is signed with its own `confirmation` and code instead, which open nothing real.
    """
    need_signer(desk, actor)
    with trying(desk.store, desk.clock, actor.user, code), desk.store.begin() as work:
        proposal = under_review(work, find_warning(work, warning_id).id)
        signoff = put_signature(
            desk,
            work,
            proposal,
            actor,
            package_sha256,
            lambda: factor_given(desk, work, proposal.content, actor, code),
            confirmation,
        )
        work.commit()
    return signoff
