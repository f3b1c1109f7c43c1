"""What stands beside the signatures on the review page: secrecy check, talks with the observatory, comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from geowarn.domain.area import by_code
from geowarn.domain.people import Role, User
from geowarn.domain.review import (
    Comment,
    Consultation,
    SecrecyCheck,
    standing_check,
    standing_consultation,
)
from geowarn.domain.warning import Proposal
from geowarn.pipeline.actor import codes_of, roles_over
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.signoff import on_shift
from geowarn.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class CounselSheet:
    """Checks and talks of this version, those of versions before it that no longer hold, and every comment."""

    check_needed: bool
    check: SecrecyCheck | None
    void_checks: tuple[SecrecyCheck, ...]
    checkers: tuple[Role, ...]
    consultation: Consultation | None
    counts: bool  # whether a talk stands in for the co-signature at this level
    talks: tuple[Consultation, ...]
    comments: tuple[Comment, ...]
    on_duty: frozenset[str]  # who is on shift now
    own_edit: bool
    edited_by: str
    here: Mapping[str, frozenset[Role]]  # what each person holds over every area under review

    @property
    def stands_in(self) -> bool:
        """Whether the observatory's agreement is there by word of mouth, and counts."""
        return self.counts and self.consultation is not None and self.consultation.agreed

    def may_check(self, user: User) -> bool:
        """Whether this person could do the secrecy check that is still missing."""
        if not self.check_needed or self.check is not None or (user.name == self.edited_by and not self.own_edit):
            return False
        held = self.here.get(user.name, frozenset()).intersection(self.checkers)
        return bool(held - {Role.DUTY_OFFICER}) or (bool(held) and user.name in self.on_duty)

    def may_record(self, user: User) -> bool:
        """Whether this person may write down a talk with the observatory."""
        return Role.DUTY_OFFICER in self.here.get(user.name, ()) and user.name in self.on_duty


def counsel_of(desk: Desk, work: UnitOfWork, proposal: Proposal, versions: tuple[Proposal, ...]) -> CounselSheet:
    """Everything beside the signatures; `versions` are those of this review, newest first."""
    checks = work.counsel.checks(proposal.id)
    before = [check for version in versions[1:] for check in work.counsel.checks(version.id)]
    talks = [talk for version in reversed(versions) for talk in work.counsel.consultations(version.id)]
    now, users, known = desk.clock.now(), work.users.all(), by_code(work.areas.plain())
    return CounselSheet(
        check_needed=desk.policy.needs_secrecy_check(proposal.content),
        check=standing_check(checks, proposal),
        void_checks=tuple(before),
        checkers=desk.policy.review.secrecy_check,
        consultation=standing_consultation(work.counsel.consultations(proposal.id), proposal),
        counts=desk.policy.consultation_counts(proposal.content),
        talks=tuple(talks),
        comments=work.counsel.comments(proposal.warning_id),
        on_duty=frozenset(user.name for user in users if on_shift(work, user, now)),
        own_edit=desk.policy.review.secrecy_own_edit,
        edited_by=proposal.edited_by,
        here={user.name: roles_over(user, known, codes_of(proposal.content)) for user in users},
    )
