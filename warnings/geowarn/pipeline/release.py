"""Signed proposal → frozen bulletin, its dispatches and its ledger entry, in one transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from geowarn.domain.area import by_code
from geowarn.domain.bulletin import Bulletin, Standing, standing
from geowarn.domain.dispatch import Dispatch
from geowarn.domain.errors import Refused
from geowarn.domain.exercise import is_exercise, trial_targets
from geowarn.domain.package import Package
from geowarn.domain.people import Role
from geowarn.domain.policy import lacks, valid
from geowarn.domain.warning import (
    STATUS_AFTER,
    Act,
    Content,
    HazardWarning,
    Proposal,
    ProposalStatus,
    Series,
    WarningStatus,
    content_from_json,
)
from geowarn.pipeline.actor import Actor, Doer, codes_of
from geowarn.pipeline.calls import call_out
from geowarn.pipeline.collisions import through
from geowarn.pipeline.course_acts import ALL_CLEAR_DUE, LEVELS_MOVED
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.exercise_guard import Confirmation, confirm
from geowarn.pipeline.fanout import dispatches_for
from geowarn.pipeline.fitness import consulted, refuse_unchecked, refuse_unfit, refuse_unseen
from geowarn.pipeline.frozen import freeze
from geowarn.pipeline.mailing import mailing_list
from geowarn.pipeline.numbering import late_values, take_number
from geowarn.pipeline.owed import RETRACTED, settle
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.second_factor import trying
from geowarn.pipeline.signoff import factor_given, on_shift
from geowarn.pipeline.told import dispatched
from geowarn.ports import UnitOfWork

RELEASERS = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF)
_ENDED = frozenset({WarningStatus.LIFTED, WarningStatus.CANCELLED, WarningStatus.RETRACTED})


def _check_complete(desk: Desk, work: UnitOfWork, proposal: Proposal) -> None:
    missing = lacks(
        desk.policy,
        proposal.content,
        work.signoffs.of_proposal(proposal.id),
        proposal.package_sha256,
        proposal.edited_by,
        consulted(work, proposal),
    )
    roles = ", ".join(lack.role.value for lack in missing if lack.role is not None)
    if roles:
        raise Refused("release.unsigned", roles=roles, version=proposal.version)
    if missing:
        raise Refused("release.only-editor", user=proposal.edited_by)


def check_current(work: UnitOfWork, warning: HazardWarning, proposal: Proposal, now: datetime) -> None:
    """Raise Refused where this version is not the one to release now."""
    if proposal.status is not ProposalStatus.OPEN:
        raise Refused("release.not-open", warning=warning.id, status=proposal.status.value)
    if proposal.content.expires <= now:
        raise Refused("release.expired", warning=warning.id, end=proposal.content.expires.isoformat())
    released = work.bulletins.of_warning(warning.id)
    last = released[-1].id if released else None
    if proposal.content.previous_bulletin != last:
        raise Refused("release.overtaken", warning=warning.id)


@through
def release(
    desk: Desk,
    warning_id: str,
    actor: Actor,
    package_sha256: str | None = None,
    *,
    confirmation: Confirmation | None = None,
) -> Bulletin:
    """Release the signed version: number, `sent`, bytes and dispatches are fixed here and never change again.

    `package_sha256` is the digest the person saw: nobody releases what another has changed meanwhile. Raises Refused
    when a signature or the secrecy check is missing, the last editor would be the only signer, the content moved on,
    or it is already released; for an exercise without its `confirmation`.
    """
    actor.need_somewhere(*RELEASERS)
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        confirm(work, proposal.content.series, confirmation)
        actor.need(*RELEASERS, work=work, areas=codes_of(proposal.content))
        check_current(work, warning, proposal, desk.clock.now())
        refuse_unseen(work, proposal, package_sha256)
        _check_complete(desk, work, proposal)
        refuse_unfit(desk, work, proposal)
        refuse_unchecked(desk, work, proposal)
        bulletin = put_out(desk, work, warning, proposal, actor)
        work.commit()
    return bulletin


def put_out(
    desk: Desk,
    work: UnitOfWork,
    warning: HazardWarning,
    proposal: Proposal,
    actor: Doer,
    marks: Mapping[str, Any] | None = None,
) -> Bulletin:
    """Release a version inside the caller's transaction; `marks` say in the ledger what is special about it.

    The caller has seen to the signatures; that the bytes are those of the package is seen to here.
    """
    check_current(work, warning, proposal, desk.clock.now())
    package = work.proposals.package(proposal.id)
    if package.sha256 != proposal.package_sha256:
        raise Refused("signoff.package-changed", version=proposal.version)
    signers = [
        {"user": s.user, "role": s.role.value, "at": s.at.isoformat(), "via": s.via, "second_factor": s.second_factor}
        for s in valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    ]
    bulletin = _issue(desk, work, warning, proposal.id, proposal.content, package, {}, actor, signers, marks)
    work.proposals.save_status(replace(proposal, status=ProposalStatus.RELEASED))
    work.tasks.close("review", warning.id, bulletin.released_at)
    for kind in ("extend-or-lift", LEVELS_MOVED, ALL_CLEAR_DUE):
        work.tasks.close(kind, warning.id, bulletin.released_at)
    follow(desk, work, warning.id)
    return bulletin


def retraction_words(bulletin: Bulletin) -> tuple[str, str]:
    """What a person types to confirm a retraction, in Chinese and English; other words in an exercise."""
    if is_exercise(bulletin):
        return f"演练撤回{bulletin.serial}号", f"retract exercise {bulletin.slug}"
    return f"撤回{bulletin.serial}号", f"retract {bulletin.slug}"


@through
def retract(desk: Desk, warning_id: str, typed: str, actor: Actor, code: str = "") -> Bulletin:
    """Send the retraction that was signed with the bulletin in force: one officer, one act, typed confirmation.

    `code` is the second factor's, where the bulletin's levels ask for it.
    """
    actor.need_somewhere(*desk.policy.retract)
    with trying(desk.store, desk.clock, actor.user, code), desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        chain = work.bulletins.of_warning(warning.id)
        if not chain or warning.status in _ENDED or chain[-1].series is Series.INTERNAL:
            raise Refused("release.nothing-to-retract", warning=warning.id)
        last = chain[-1]
        actor.need(*desk.policy.retract, work=work, areas=codes_of(last.content))
        if Role.DUTY_OFFICER in desk.policy.retract and not on_shift(work, actor.user, desk.clock.now()):
            raise Refused("signoff.off-shift", user=actor.user.name)
        if typed.strip() not in retraction_words(last):
            raise Refused("release.confirmation", words=" / ".join(retraction_words(last)))
        prepared = work.proposals.package(last.proposal_id).retraction
        if prepared is None:
            raise Refused("release.nothing-to-retract", warning=warning.id)
        content = replace(content_from_json(prepared.content), previous_bulletin=last.id)
        original = {f"original.{name}": value for name, value in last.late.items()}
        factor = factor_given(desk, work, content, actor, code)
        role = next(role.value for role in desk.policy.retract if role in actor.user.roles)
        at = desk.clock.now().isoformat()
        by = {"user": actor.user.name, "role": role, "at": at, "via": actor.via, "second_factor": factor}
        bulletin = _issue(desk, work, warning, last.proposal_id, content, prepared, original, actor, [by])
        _drop_review(desk, work, warning, actor)
        settle(work, warning.id, bulletin.released_at, RETRACTED, actor.label)
        work.commit()
    return bulletin


def _drop_review(desk: Desk, work: UnitOfWork, warning: HazardWarning, actor: Actor) -> None:
    """A version still under review has nothing to follow once its warning is retracted."""
    now = desk.clock.now()
    for kind in ("extend-or-lift", LEVELS_MOVED, ALL_CLEAR_DUE):
        work.tasks.close(kind, warning.id, now)
    for proposal in work.proposals.of_warning(warning.id)[:1]:
        if proposal.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
            work.signoffs.void(proposal.id, now)
            work.proposals.save_status(replace(proposal, status=ProposalStatus.DISMISSED, status_reason="retracted"))
            work.tasks.close("review", warning.id, now)
            work.ledger.append(now, actor.label, "proposal.dismissed", warning.id, {"proposal": proposal.id})
    follow(desk, work, warning.id)


def issue_unsigned(desk: Desk, work: UnitOfWork, warning: HazardWarning, proposal: Proposal, actor: Doer) -> Bulletin:
    """The notice by which the machine ends an exercise: nobody signs it; raises Refused for anything real."""
    if proposal.content.series is not Series.EXERCISE:
        raise Refused("release.unsigned", roles="-", version=proposal.version)
    package = work.proposals.package(proposal.id)
    bulletin = _issue(desk, work, warning, proposal.id, proposal.content, package, {}, actor, [])
    work.proposals.save_status(replace(proposal, status=ProposalStatus.RELEASED))
    return bulletin


def _issue(
    desk: Desk,
    work: UnitOfWork,
    warning: HazardWarning,
    proposal_id: str,
    content: Content,
    package: Package,
    original: Mapping[str, str],
    actor: Doer,
    signers: list[dict[str, str]],
    marks: Mapping[str, Any] | None = None,
) -> Bulletin:
    """Freeze and store one bulletin with everything that follows from it, inside the caller's transaction."""
    release_at = desk.clock.now()
    sent = release_at.replace(microsecond=0)
    number = take_number(desk, work, content, sent)
    late = {**original, **late_values(desk, number, sent)}
    artefacts = freeze(desk, package, late)
    bulletin = Bulletin(
        id=new_id("b"),
        warning_id=warning.id,
        proposal_id=proposal_id,
        series=number.series,
        year=number.year,
        serial=number.serial,
        number=number.text,
        slug=number.slug,
        released_at=sent,
        content=content,
        package_sha256=package.sha256,
        late=late,
        artefacts={artefact.path: artefact.sha256 for artefact in artefacts},
    )
    earlier = work.bulletins.of_warning(warning.id)
    work.bulletins.add(bulletin, artefacts)
    overtaken = work.dispatches.overtake([b.id for b in earlier], release_at, "overtaken")
    dispatches = _dispatches(desk, work, bulletin, earlier, release_at)
    work.dispatches.add_all(dispatches)
    status = STATUS_AFTER[content.act]
    warning.may_become(status)
    work.warnings.save(replace(warning, status=status, ended_at=release_at if status in _ENDED else None))
    payload = {
        "bulletin": bulletin.id,
        "number": bulletin.number,
        "slug": bulletin.slug,
        "act": content.act.value,
        "package_sha256": package.sha256,
        "late": dict(late),
        "artefacts": dict(bulletin.artefacts),
        "signed_by": signers,
        "dispatches": Counter(dispatch.channel for dispatch in dispatches),
        "overtaken": overtaken,
        "release_at": release_at.isoformat(),
        **(marks or {}),
    }
    work.ledger.append(release_at, actor.label, "bulletin.released", warning.id, payload)
    call_out(desk, work, bulletin, earlier, release_at)
    return bulletin


def _dispatches(
    desk: Desk, work: UnitOfWork, bulletin: Bulletin, earlier: tuple[Bulletin, ...], release_at: datetime
) -> tuple[Dispatch, ...]:
    if bulletin.series is Series.INTERNAL:
        return ()
    return dispatches_for(
        bulletin,
        channels=desk.channels,
        recipients=work.recipients.all(),
        areas=by_code(work.areas.plain()),
        stations=tuple(desk.facts["channels"].get("stations", {})),
        partners=tuple(desk.facts["channels"].get("webhooks", {})),
        trials=trial_targets(desk.facts),
        mailing=mailing_list(work, desk.facts),
        earlier=dispatched(work, earlier),
        publish_from=desk.policy.publish_from,
        release_at=release_at,
    )


def in_force(work: UnitOfWork, now: datetime) -> tuple[Bulletin, ...]:
    """The public bulletins in force at `now`, newest first."""
    found = []
    for bulletin in work.bulletins.all():
        if bulletin.series is not Series.REAL or bulletin.act in (Act.LIFT, Act.CANCEL, Act.RETRACT):
            continue
        if standing(bulletin, work.bulletins.of_warning(bulletin.warning_id), now) is Standing.IN_FORCE:
            found.append(bulletin)
    return tuple(found)
