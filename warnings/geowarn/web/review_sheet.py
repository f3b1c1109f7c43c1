"""Everything the review page shows of one warning, gathered in one consistent read."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from geowarn.domain.area import Area, by_code
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.exercise import TARGET
from geowarn.domain.level import Level
from geowarn.domain.package import Package
from geowarn.domain.people import Role, Shift, SignOff, User
from geowarn.domain.policy import Lack, lacks, valid
from geowarn.domain.rain import Forecast
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, AreaLevel, HazardWarning, Proposal, ProposalStatus, Series
from geowarn.pipeline.actor import codes_of, roles_over
from geowarn.pipeline.course_held import decisions, told
from geowarn.pipeline.desk import Desk, find_warning, newest
from geowarn.pipeline.escalation_acts import handed_on
from geowarn.pipeline.fitness import consulted
from geowarn.pipeline.view import ASKED
from geowarn.ports import UnitOfWork
from geowarn.web.review_counsel import CounselSheet, counsel_of


@dataclass(frozen=True, slots=True)
class Change:
    """Areas that go the same way: `way` is new, up, same, down or the act of an ending."""

    level: Level
    way: str
    areas: tuple[AreaLevel, ...]


@dataclass(frozen=True, slots=True)
class Seat:
    """One place of the signature chain: who signed in this role, or who may."""

    role: Role
    signed: SignOff | None
    candidates: tuple[User, ...]

    def names(self, language: str) -> list[str]:
        """Who may sign here."""
        return [user.display(language) for user in self.candidates]


@dataclass(frozen=True, slots=True)
class Sheet:
    """One warning under review or decided."""

    warning: HazardWarning
    proposal: Proposal
    first_version: Proposal
    package: Package
    signoffs: tuple[SignOff, ...]
    missing: tuple[Lack, ...]
    seats: tuple[Seat, ...]
    run: AssessmentRun | None
    inputs: tuple[Forecast, ...]
    areas: Mapping[str, Area]
    earlier: tuple[Bulletin, ...]
    task: Task | None
    shift: Shift | None
    users: Mapping[str, User]
    registrations: Mapping[tuple[str, str, str], int]
    versions: tuple[Proposal, ...]  # of this review, newest first
    decided: tuple[dict[str, Any], ...]  # what the runs called for: behind this version, and since
    asked: tuple[Task, ...]  # what the newest runs ask people to decide
    counsel: CounselSheet

    @property
    def open(self) -> bool:
        """Whether it can be signed or released."""
        return self.proposal.status is ProposalStatus.OPEN

    @property
    def editable(self) -> bool:
        """Whether its slots can be changed."""
        return self.proposal.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED)

    @property
    def levels(self) -> dict[str, Level]:
        """Every proposed area's level, internal ones too."""
        return {area.code: area.level for area in self.proposal.content.areas}

    def changes(self) -> tuple[Change, ...]:
        """What rises first: by level, highest first, within a level by the way it goes."""
        content = self.proposal.content
        groups: dict[tuple[Level, str], list[AreaLevel]] = {}
        for area in sorted(content.areas, key=lambda found: -found.level):
            way = content.act.value if content.act in _ENDINGS else _way(area)
            groups.setdefault((area.level, way), []).append(area)
        return tuple(Change(level, way, tuple(found)) for (level, way), found in groups.items())

    def assessment(self, code: str) -> Assessment | None:
        """The default model's finding for an area."""
        return self.run.for_area(code) if self.run else None

    def signable_by(self, user: User) -> Role | None:
        """The role in which this person's signature is still missing, or None."""
        if not self.open or any(seat.signed and seat.signed.user == user.name for seat in self.seats):
            return None
        free = [seat.role for seat in self.seats if seat.signed is None and user in seat.candidates]
        return free[0] if free else None

    def shown(self, names: Iterable[str], language: str) -> list[str]:
        """Accounts by the names that pages show."""
        return [self.users[name].display(language) if name in self.users else name for name in names]

    def heard_at(self) -> datetime:
        """When the clock began: the forecast's arrival, or the first version a person wrote."""
        return self.inputs[0].received_at if self.inputs else self.first_version.edited_at

    def reached(self, level: Level, language: str = "") -> int:
        """Registrations in areas whose highest level, their own or an outer one's, is `level`."""
        levels = self.levels
        count = 0
        exercise = self.warning.series is Series.EXERCISE
        for (code, read, role), registered in self.registrations.items():
            if (role == TARGET) is exercise and language in ("", read) and _highest(code, self.areas, levels) is level:
                count += registered
        return count


_ENDINGS = (Act.LIFT, Act.CANCEL, Act.RETRACT)


def _way(area: AreaLevel) -> str:
    if area.before is Level.NONE:
        return "new"
    if area.level == area.before:
        return "same"
    return "up" if area.level > area.before else "down"


def _highest(code: str, areas: Mapping[str, Area], levels: Mapping[str, Level]) -> Level:
    highest, at = Level.NONE, areas.get(code)
    for _ in range(8):  # an area tree is never deeper
        if at is None:
            break
        highest = max(highest, levels.get(at.code, Level.NONE))
        at = areas.get(at.parent or "")
    return highest


def _may_sign(user: User, role: Role, shift: Shift | None, here: frozenset[Role]) -> bool:
    if not user.active or role not in here:
        return False
    return role is not Role.DUTY_OFFICER or (shift is not None and user.name in (shift.officer, shift.deputy))


def _seats(
    desk: Desk,
    proposal: Proposal,
    standing: tuple[SignOff, ...],
    users: Mapping[str, User],
    shift: Shift | None,
    areas: Mapping[str, Area],
    handed: Mapping[str, frozenset[Role]],
) -> tuple[Seat, ...]:
    here = {user.name: roles_over(user, areas, codes_of(proposal.content)) for user in users.values()}
    return tuple(
        Seat(
            role,
            next((s for s in standing if s.role is role), None),
            tuple(
                u for u in users.values() if _may_sign(u, role, shift, here[u.name]) or role in handed.get(u.name, ())
            ),
        )
        for role in desk.policy.required(proposal.content)
    )


def _inputs(work: UnitOfWork, run: AssessmentRun | None) -> tuple[Forecast, ...]:
    found = [work.forecasts.get(name) for name in run.inputs] if run else []
    return tuple(forecast for forecast in found if forecast is not None)


def sheet_of(desk: Desk, work: UnitOfWork, name: str) -> Sheet | None:
    """The sheet of a warning by id, slug or number; None when it has no version. Raises NotFound."""
    warning = find_warning(work, name)
    proposal = newest(work, warning.id)
    if proposal is None:
        return None
    content = proposal.content
    run = work.assessments.get(content.assessment_id) if content.assessment_id else None
    signoffs = work.signoffs.of_proposal(proposal.id)
    areas = by_code(work.areas.all())
    users = {user.name: user for user in work.users.all()}
    shift = next(iter(work.shifts.at(desk.clock.now())), None)
    standing = valid(signoffs, proposal.package_sha256)
    every = work.proposals.of_warning(warning.id)
    handed = handed_on(desk, work, warning.id, users)
    versions = tuple(v for v in every if v.content.previous_bulletin == content.previous_bulletin)
    tasks = [task for task in work.tasks.pending() if task.subject == warning.id]
    return Sheet(
        warning=warning,
        proposal=proposal,
        first_version=versions[-1],
        package=work.proposals.package(proposal.id),
        signoffs=signoffs,
        missing=lacks(
            desk.policy,
            content,
            signoffs,
            proposal.package_sha256,
            proposal.edited_by,
            consulted(work, proposal),
        ),
        counsel=counsel_of(desk, work, proposal, versions),
        seats=_seats(desk, proposal, standing, users, shift, areas, handed),
        run=run,
        inputs=_inputs(work, run),
        areas=areas,
        earlier=work.bulletins.of_warning(warning.id),
        task=next((task for task in tasks if task.kind == "review"), None),
        shift=shift,
        users=users,
        registrations=work.recipients.counts(),
        versions=versions,
        decided=told(decisions(work, warning.id), every),
        asked=tuple(task for task in tasks if task.kind in ASKED),
    )
