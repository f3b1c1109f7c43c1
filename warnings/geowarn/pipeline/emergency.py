"""Release first, review after (先发布后补签): what the silence of a whole chain leads to where the policy says so."""

from __future__ import annotations

from datetime import datetime

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.clock import AFTER_REVIEW
from geowarn.domain.escalation import Pass, release_first_bars
from geowarn.domain.level import Level
from geowarn.domain.people import Role
from geowarn.domain.policy import valid, weight
from geowarn.domain.warning import Proposal, ProposalStatus
from geowarn.pipeline.actor import SYSTEM, Machine
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation import open_passes, rule_of, standing_of
from geowarn.pipeline.escalation_follow import follow_task, missing_of
from geowarn.pipeline.fitness import refuse_unfit, unchecked
from geowarn.pipeline.owed import owe
from geowarn.pipeline.propose import new_id
from geowarn.pipeline.release import put_out
from geowarn.pipeline.ringing import tell_released_first
from geowarn.ports import Emergency, Rung, UnitOfWork

NOT_RUNG, OTHERS_ANSWER = "not-rung", "others-answer"


def bars_of(desk: Desk, work: UnitOfWork, one: Pass) -> tuple[str, ...]:
    """What forbids releasing first now that this pass is over; empty when nothing does."""
    proposal = under_review(work, one.subject)
    returned = proposal.status is ProposalStatus.RETURNED
    now = desk.clock.now()
    rung = all(ring.at + one.window <= now for ring in work.escalations.rung(one.id))
    present = rule_of(desk, one.kind, weight(proposal.content)).on_silence
    alone = _one_person_only(work, proposal)
    bars = release_first_bars(proposal.content, one.on_silence, present, returned, alone, not_rung=not rung)
    others = (other for other in open_passes(work, one.task_id) if other.id != one.id)
    return bars if all(_gone_through(work, other, now) for other in others) else (*bars, OTHERS_ANSWER)


def _gone_through(work: UnitOfWork, other: Pass, now: datetime) -> bool:
    """Whether the chain of a step beside it has been silent once too."""
    standing = standing_of(work, other, now)
    return standing.over or (other.number > 1 and standing.holder is None)


def _one_person_only(work: UnitOfWork, proposal: Proposal) -> bool:
    """Whether one person alone stands behind these words; the machine's own are pre-approved texts."""
    if proposal.edited_by == SYSTEM:
        return False
    signed = valid(work.signoffs.of_proposal(proposal.id), proposal.package_sha256)
    return {signoff.user for signoff in signed} <= {proposal.edited_by}


def release_first(desk: Desk, work: UnitOfWork, one: Pass) -> Bulletin:
    """Release the version under review without the signatures it lacks, marked so, and open the review that is owed.

    Inside the caller's transaction; raises Refused where the version cannot be released at all.
    """
    now = desk.clock.now()
    warning = find_warning(work, one.subject)
    proposal = under_review(work, warning.id)
    missing = tuple(role for role in missing_of(desk, work, proposal) if role is not None)
    level = weight(proposal.content)
    marks = {
        "released_first": {
            "missing": [role.value for role in missing],
            "rung": [{"person": r.person, "at": r.at.isoformat(), "told": r.told} for r in _rung(work, one.task_id)],
            "secrecy_unchecked": unchecked(desk, work, proposal),
            "policy": f"clock.{level.code}.on_silence",
        }
    }
    refuse_unfit(desk, work, proposal)
    bulletin = put_out(desk, work, warning, proposal, Machine(), marks)
    tell_released_first(desk, work, one, bulletin, missing)
    if missing:
        _owe(desk, work, level, bulletin, proposal, missing, now)
    return bulletin


def _rung(work: UnitOfWork, task_id: str) -> list[Rung]:
    return [ring for one in work.escalations.of_task(task_id) for ring in work.escalations.rung(one.id)]


def _owe(
    desk: Desk,
    work: UnitOfWork,
    level: Level,
    bulletin: Bulletin,
    proposal: Proposal,
    missing: tuple[Role, ...],
    now: datetime,
) -> None:
    due = now + rule_of(desk, AFTER_REVIEW, level).after_review
    owed = Emergency(
        bulletin.id, bulletin.warning_id, proposal.id, bulletin.package_sha256, missing, bulletin.released_at, due
    )
    work.emergencies.add(owed)
    task = owe(work, owed, new_id("t"), bulletin.slug, level.code)
    facts = {"kind": task.kind, "missing": task.facts["missing"], "due": due.isoformat()}
    work.ledger.append(now, SYSTEM, "task.opened", bulletin.warning_id, facts)
    follow_task(desk, work, task)
