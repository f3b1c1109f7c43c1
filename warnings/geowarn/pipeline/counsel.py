"""Proposal → what people said of it: comments, and talks with the observatory as the duty officer heard them."""

from __future__ import annotations

from datetime import datetime, timedelta

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role
from geowarn.domain.period import to_utc
from geowarn.domain.review import Comment, Consultation
from geowarn.pipeline.actor import Actor, codes_of
from geowarn.pipeline.desk import Desk, find_warning, under_review
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.fitness import refuse_unseen
from geowarn.pipeline.kept_words import kept_words
from geowarn.pipeline.signoff import on_shift
from geowarn.pipeline.versions import new_id

EARLIEST = timedelta(hours=24)  # a talk before that was about other rain
_REMARKING = (Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY, Role.DISCLOSURE)


def comment(desk: Desk, warning_id: str, text: str, actor: Actor) -> Comment:
    """Put a remark on the version under review; kept with that version, and in the ledger."""
    actor.need_somewhere(*_REMARKING)
    now = desk.clock.now()
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        actor.need(*_REMARKING, work=work, areas=codes_of(proposal.content))
        made = Comment(
            new_id("c"), warning.id, proposal.id, proposal.version, actor.user.name, now, kept_words(text, "text")
        )
        work.counsel.add_comment(made)
        facts = {"comment": made.id, "version": made.version, "text": made.text}
        work.ledger.append(now, actor.label, "proposal.commented", warning.id, facts)
        work.commit()
    return made


def record_consultation(
    desk: Desk,
    warning_id: str,
    spoke_with: str,
    spoken_at: datetime,
    agreed: bool,
    words: str,
    actor: Actor,
    package_sha256: str | None = None,
) -> Consultation:
    """Record a talk with the observatory about exactly the version under review (会商); it is never a signature.

    Only the officer on shift records one. Raises Refused for a talk in the future or more than 24 h ago, for a text
    with a telephone number, and when another version is under review meanwhile.
    """
    actor.need_somewhere(Role.DUTY_OFFICER)
    now, spoken = desk.clock.now(), to_utc(spoken_at)
    with desk.store.begin() as work:
        warning = find_warning(work, warning_id)
        proposal = under_review(work, warning.id)
        actor.need(Role.DUTY_OFFICER, work=work, areas=codes_of(proposal.content))
        refuse_unseen(work, proposal, package_sha256)
        if not on_shift(work, actor.user, now):
            raise Refused("signoff.off-shift", user=actor.user.name)
        if not now - EARLIEST <= spoken <= now:
            raise Refused("counsel.spoken-at", at=spoken.isoformat(timespec="minutes"))
        made = Consultation(
            id=new_id("h"),
            proposal_id=proposal.id,
            package_sha256=proposal.package_sha256,
            spoke_with=kept_words(spoke_with, "spoke_with"),
            spoken_at=spoken,
            agreed=agreed,
            words=kept_words(words, "words"),
            user=actor.user.name,
            at=now,
            via=actor.via,
            origin=actor.origin,
        )
        work.counsel.add_consultation(made)
        facts = {
            "version": proposal.version,
            "package_sha256": proposal.package_sha256,
            "spoke_with": made.spoke_with,
            "spoken_at": spoken.isoformat(),
            "agreed": agreed,
            "words": made.words,
            "counts": agreed and desk.policy.consultation_counts(proposal.content),
        }
        work.ledger.append(now, actor.label, "proposal.consulted", warning.id, facts)
        follow(desk, work, warning.id)
        work.commit()
    return made
