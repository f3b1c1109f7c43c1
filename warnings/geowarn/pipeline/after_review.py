"""After an emergency release: the signatures it lacked, on the bytes that went out."""

from __future__ import annotations

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.clock import AFTER_REVIEW
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, SignOff
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning
from geowarn.pipeline.escalation import open_task
from geowarn.pipeline.escalation_acts import SIGNERS, need_signer, stands_in
from geowarn.pipeline.escalation_follow import close_passes, follow_task
from geowarn.pipeline.owed import SIGNED, settle, still_missing
from geowarn.pipeline.second_factor import trying
from geowarn.pipeline.signoff import by_rule, factor_given, keep, on_shift
from geowarn.ports import Emergency, UnitOfWork


def owed_by(work: UnitOfWork, name: str) -> Emergency:
    """The emergency release of a warning whose review is owed, the oldest first; raises NotFound."""
    warning = find_warning(work, name)
    found = next((owed for owed in work.emergencies.of_warning(warning.id) if owed.settled_at is None), None)
    if found is None:
        raise NotFound("clock.nothing-owed", warning=warning.id)
    return found


def sign_after(desk: Desk, name: str, actor: Actor, package_sha256: str | None = None, code: str = "") -> SignOff:
    """Sign what was released before its review; the last signature settles it. `code` is the second factor's.

    Binds to the released package's digest like any other signature. Who does not agree retracts, or proposes an
    update or a cancellation: nothing else closes the task.
    """
    now = desk.clock.now()
    need_signer(desk, actor)
    with trying(desk.store, desk.clock, actor.user, code), desk.store.begin() as work:
        owed = owed_by(work, name)
        bulletin = work.bulletins.get(owed.bulletin_id)
        assert bulletin is not None  # noqa: S101 - the row refers to it
        role = role_after(desk, work, owed, bulletin, actor)
        if package_sha256 not in (None, owed.package_sha256):
            raise Refused("clock.other-package", number=bulletin.number, digest=owed.package_sha256[:12])
        factor = factor_given(desk, work, bulletin.content, actor, code)
        signoff = keep(work, owed.proposal_id, owed.package_sha256, actor, role, factor, now)
        facts = {"bulletin": owed.bulletin_id, "package_sha256": owed.package_sha256, "role": role.value}
        facts |= {"second_factor": factor, **by_rule(work, bulletin.content, actor, role)}
        work.ledger.append(now, actor.label, "bulletin.after-signed", owed.warning_id, facts)
        task = open_task(work, AFTER_REVIEW, bulletin.slug)
        if not still_missing(work, owed):
            settle(work, owed.warning_id, now, SIGNED, actor.label, owed.bulletin_id)
            close_passes(desk, work, AFTER_REVIEW, bulletin.slug)
        elif task is not None:
            follow_task(desk, work, task)
        work.commit()
    return signoff


def role_after(desk: Desk, work: UnitOfWork, owed: Emergency, bulletin: Bulletin, actor: Actor) -> Role:
    """The missing role this person signs in, held or come to them by the written rule; raises Refused.

    One person, one role, as before a release.
    """
    handed = stands_in(desk, work, open_task(work, AFTER_REVIEW, bulletin.slug), actor.user)
    areas = codes_of(bulletin.content)
    if not handed:
        actor.need(*SIGNERS, work=work, areas=areas)
    if any(s.user == actor.user.name and s.voided_at is None for s in work.signoffs.of_proposal(owed.proposal_id)):
        raise Refused("clock.signed-already", user=actor.user.name, bulletin=owed.bulletin_id)
    missing = still_missing(work, owed)
    held = [role for role in missing if role in actor.roles_over(work, areas) | handed]
    if not held:
        roles = ", ".join(role.value for role in missing)
        raise Refused("clock.not-yours", user=actor.user.name, roles=roles)
    at_desk = on_shift(work, actor.user, desk.clock.now())
    fit = [role for role in held if role is not Role.DUTY_OFFICER or at_desk]
    if not fit:
        raise Refused("signoff.off-shift", user=actor.user.name)
    return fit[0]
