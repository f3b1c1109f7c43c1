"""Proposal → a recorded secrecy check (保密审查), without which no leader signs where the policy asks for it."""

from __future__ import annotations

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role
from geowarn.domain.review import SecrecyCheck, standing_check
from geowarn.domain.warning import Content, ProposalStatus
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.fitness import refuse_unseen
from geowarn.pipeline.signoff import on_shift
from geowarn.pipeline.versions import new_id
from geowarn.ports import UnitOfWork


def check_secrecy(desk: Desk, warning_id: str, actor: Actor, package_sha256: str | None = None) -> SecrecyCheck:
    """Record that the version under review holds nothing secret; `package_sha256` is the digest the person saw.

    Raises Refused for a person without the right, for the last editor where the policy says so, and when another
    version is under review meanwhile.
    """
    actor.need_somewhere(*desk.policy.review.secrecy_check)
    now = desk.clock.now()
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        if proposal.status is ProposalStatus.RETURNED:
            raise Refused("signoff.returned", warning=warning.id, reason=proposal.status_reason)
        refuse_unseen(work, proposal, package_sha256)
        role = _role(desk, work, proposal.content, actor)
        if proposal.edited_by == actor.user.name and not desk.policy.review.secrecy_own_edit:
            raise Refused("secrecy.own-edit", user=actor.user.name, version=proposal.version)
        if standing_check(work.counsel.checks(proposal.id), proposal) is not None:
            raise Refused("secrecy.done", warning=warning.id, version=proposal.version)
        check = SecrecyCheck(
            new_id("k"), proposal.id, proposal.package_sha256, actor.user.name, role, now, actor.via, actor.origin
        )
        work.counsel.add_check(check)
        facts = {"version": proposal.version, "package_sha256": proposal.package_sha256, "role": role.value}
        work.ledger.append(now, actor.label, "proposal.secrecy-checked", warning.id, facts)
        follow(desk, work, warning.id)
        work.commit()
    return check


def _role(desk: Desk, work: UnitOfWork, content: Content, actor: Actor) -> Role:
    """The role by which this person may check; a duty officer only on shift. Raises Refused."""
    allowed, areas = desk.policy.review.secrecy_check, codes_of(content)
    actor.need(*allowed, work=work, areas=areas)
    held = [role for role in allowed if role in actor.roles_over(work, areas)]
    fit = [role for role in held if role is not Role.DUTY_OFFICER or on_shift(work, actor.user, desk.clock.now())]
    if not fit:
        raise Refused("signoff.off-shift", user=actor.user.name)
    return fit[0]
