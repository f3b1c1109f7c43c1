"""Who must sign what: rules are data, the check is here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from geowarn.domain.calls import CallRules
from geowarn.domain.clock import ClockRules
from geowarn.domain.level import Level
from geowarn.domain.people import Role, SignOff
from geowarn.domain.review import ReviewRules
from geowarn.domain.voice import VoiceRules
from geowarn.domain.votes import CourseRules
from geowarn.domain.warning import Act, Content


@dataclass(frozen=True, slots=True)
class Policy:
    """Roles whose signature each level needs; `retract` needs its own; `publish_from` is the public level.

    `course` holds the numbers by which levels are held, lowered and extended.
    """

    signers: Mapping[Level, tuple[Role, ...]]
    retract: tuple[Role, ...]
    publish_from: Level
    incident: tuple[Role, ...] = (Role.LEADER,)  # who signs a statement after a disaster, beside the secrecy check
    course: CourseRules = field(default_factory=CourseRules)
    second_factor: frozenset[Level] = frozenset({Level.ORANGE, Level.RED})  # where signing asks for it again
    clock: ClockRules = field(default_factory=ClockRules)
    review: ReviewRules = field(default_factory=ReviewRules)
    answer: tuple[Role, ...] = (Role.LEADER,)  # who signs a published answer, beside the secrecy check
    voices: VoiceRules = field(default_factory=VoiceRules)
    calls: CallRules = field(default_factory=CallRules)

    def ranking(self, names: Iterable[str]) -> Policy:
        """The same with these sources as the best first, unless the policy names its own."""
        return self if self.course.sources else replace(self, course=replace(self.course, sources=tuple(names)))

    def required(self, content: Content) -> tuple[Role, ...]:
        """The roles that must sign this content: those of the highest level now or before."""
        if content.act is Act.RETRACT:
            return self.retract
        return self.signers[weight(content)]

    def needs_secrecy_check(self, content: Content) -> bool:
        """Whether leaders may sign this only after the secrecy check."""
        return content.act is not Act.RETRACT and weight(content) in self.review.secrecy_levels

    def consultation_counts(self, content: Content) -> bool:
        """Whether a recorded consultation stands in for the observatory's co-signature."""
        return weight(content) in self.review.consultation_counts

    def asks_factor(self, content: Content) -> bool:
        """Whether who signs or retracts this content must give the second factor again."""
        return weight(content) in self.second_factor


def weight(content: Content) -> Level:
    """The level by which a version is reviewed: the highest of any area now or before, at least blue."""
    highest = max((max(a.level, a.before) for a in content.areas), default=Level.BLUE)
    return max(highest, Level.BLUE)


@dataclass(frozen=True, slots=True)
class Lack:
    """One thing that still keeps a proposal from release."""

    key: str  # "role-missing", "only-editor"
    role: Role | None = None


def valid(signoffs: Iterable[SignOff], package_sha256: str) -> tuple[SignOff, ...]:
    """The signatures that stand on exactly these bytes."""
    return tuple(s for s in signoffs if s.package_sha256 == package_sha256 and s.voided_at is None)


def lacks(
    policy: Policy,
    content: Content,
    signoffs: Iterable[SignOff],
    package_sha256: str,
    last_editor: str,
    consulted: bool = False,
) -> tuple[Lack, ...]:
    """What is missing before release; empty when nothing is (house rule 2: the last editor never alone).

    Every required role needs a person of its own: one person's signature counts for one role. `consulted`: the
    observatory agreed by word of mouth to exactly these bytes, which counts only where the policy says so.
    """
    standing = valid(signoffs, package_sha256)
    users_taken: set[str] = set()
    missing: list[Lack] = []
    for role in policy.required(content):
        found = next((s for s in standing if s.role is role and s.user not in users_taken), None)
        if found is None and role is Role.OBSERVATORY and consulted and policy.consultation_counts(content):
            continue
        if found is None:
            missing.append(Lack("role-missing", role))
        else:
            users_taken.add(found.user)
    if content.act is not Act.RETRACT and not missing and users_taken <= {last_editor}:
        missing.append(Lack("only-editor"))
    return tuple(missing)
