"""Versions of a warning's content: each rendered, stored and entered in the ledger; the first one opens a course."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime

from geowarn.domain.area import by_code
from geowarn.domain.errors import NotFound
from geowarn.domain.level import Level
from geowarn.domain.task import Task
from geowarn.domain.warning import AreaLevel, Content, HazardWarning, Proposal, ProposalStatus, WarningStatus
from geowarn.pipeline.desk import Desk, newest
from geowarn.pipeline.escalation_follow import follow
from geowarn.pipeline.exercise_guard import guard_series
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.render import render_package
from geowarn.ports import UnitOfWork

__all__ = ["area_levels", "new_id", "open_warning", "slots_for", "store_version"]


def slots_for(desk: Desk, areas: Iterable[AreaLevel], written: Mapping[str, str]) -> dict[str, str]:
    """The slots of every level present: what was written before, else the pre-approved text."""
    levels = {area.level.code for area in areas} | {area.before.code for area in areas}
    wanted = {key: text for key, text in desk.default_slots.items() if key.split(".")[1] in levels}
    return {key: written.get(key, text) for key, text in wanted.items()}


def store_version(desk: Desk, work: UnitOfWork, warning_id: str, content: Content, editor: str, label: str) -> Proposal:
    """Render `content` and store it as the newest version; any earlier one is superseded, its signatures void.

    A real version stops a running exercise, in the same transaction; an exercise's needs one that runs.
    """
    guard_series(work, content.series, desk.clock.now(), label)
    return write_version(desk, work, warning_id, content, editor, label)


def write_version(desk: Desk, work: UnitOfWork, warning_id: str, content: Content, editor: str, label: str) -> Proposal:
    """`store_version` without a look at exercises, for whoever has looked and for the act that begins one."""
    proposal = unreviewed_version(desk, work, warning_id, content, editor, label)
    facts = {"level": content.highest.code}
    work.tasks.open(Task(new_id("t"), "review", warning_id, proposal.edited_at, facts=facts))
    follow(desk, work, warning_id, editor)
    return proposal


def unreviewed_version(
    desk: Desk, work: UnitOfWork, warning_id: str, content: Content, editor: str, label: str
) -> Proposal:
    """A version rendered, stored and entered in the ledger; nobody is asked to review it."""
    now = desk.clock.now()
    before = newest(work, warning_id)
    package = render_package(desk, work, content, warning_id)
    voided = 0
    if before is not None and before.status in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
        voided = work.signoffs.void(before.id, now)
        work.proposals.save_status(replace(before, status=ProposalStatus.SUPERSEDED))
    version = before.version + 1 if before else 1
    proposal = Proposal(new_id("p"), warning_id, version, content, package.sha256, editor, now)
    work.proposals.add(proposal, package)
    work.ledger.append(
        now,
        label,
        "proposal.version",
        warning_id,
        {
            "proposal": proposal.id,
            "version": version,
            "package_sha256": package.sha256,
            "voided": voided,
            "content": content.as_json(),
        },
    )
    return proposal


def open_warning(desk: Desk, work: UnitOfWork, content: Content, editor: str, label: str) -> Proposal:
    """Begin a course of events with its first proposal."""
    now = desk.clock.now()
    guard_series(work, content.series, now, label)  # before the first entry: others wait there for what it takes
    warning = warning_of(work, content, now, label)
    return write_version(desk, work, warning.id, content, editor, label)


def warning_of(work: UnitOfWork, content: Content, now: datetime, label: str) -> HazardWarning:
    """The course that this content opens, stored without a version."""
    warning = HazardWarning(new_id("w"), content.series, WarningStatus.PROPOSED, now)
    work.warnings.add(warning)
    opened = {"series": warning.series.value, "source": content.source, "reason": content.reason}
    work.ledger.append(now, label, "warning.opened", warning.id, opened)
    return warning


def area_levels(work: UnitOfWork, levels: Mapping[str, Level], before: Mapping[str, Level]) -> tuple[AreaLevel, ...]:
    """The areas named with their levels, highest first; raises NotFound for a code that is not an area."""
    known = by_code(work.areas.all())
    for code in levels:
        if code not in known:
            raise NotFound("propose.unknown-area", code=code)
    named = [AreaLevel(code, level, before.get(code, Level.NONE)) for code, level in levels.items()]
    return tuple(sorted(named, key=lambda area: (-area.level, area.code)))
