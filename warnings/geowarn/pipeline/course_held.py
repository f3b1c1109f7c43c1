"""What a decision on the course of events reads: the runs, and what is held with everything people said about it."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.course import Answer, Held
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.level import Level
from geowarn.domain.votes import CourseRules, Run, Say
from geowarn.domain.warning import Act, Content, HazardWarning, Proposal, ProposalStatus, Series, WarningStatus
from geowarn.pipeline.actor import SYSTEM
from geowarn.ports import UnitOfWork

DECIDED = "course.decided"
HORIZON = timedelta(hours=48)  # older runs are not heard: their windows, 24 h at most, are long over
_ENDED = frozenset({WarningStatus.DISMISSED, WarningStatus.LIFTED, WarningStatus.CANCELLED, WarningStatus.RETRACTED})
_CLOSING = frozenset({Act.LIFT, Act.CANCEL, Act.RETRACT})
_REMEMBERED = timedelta(hours=72)  # the longest validity: a refusal older than that has nothing left to hold back


@dataclass(frozen=True, slots=True)
class Heard:
    """The assessment runs a decision may read, and how it reads each; by id."""

    stored: Mapping[str, AssessmentRun]
    read: Mapping[str, Run]


@dataclass(frozen=True, slots=True)
class Course:
    """The course that forecasts belong to, or none; `known` are the runs that an earlier decision has read."""

    held: Held
    warning: HazardWarning | None = None
    latest: Proposal | None = None  # the newest version
    last: Bulletin | None = None
    known: frozenset[str] = frozenset()
    answered: frozenset[str] = frozenset()  # runs that were known when a person ended an earlier course

    @property
    def review(self) -> Proposal | None:
        """The version under review, or None."""
        if self.latest is None or self.latest.status not in (ProposalStatus.OPEN, ProposalStatus.RETURNED):
            return None
        return self.latest


def runs_to_hear(work: UnitOfWork, run: AssessmentRun, now: datetime) -> Heard:
    """The deciding runs of the last 48 h of this run's model that looked ahead when they were made."""
    found = {one.id: one for one in work.assessments.between(now - HORIZON, now) if one.model == run.model}
    found[run.id] = run
    stored = {name: one for name, one in found.items() if one.window.end > one.created_at}
    return Heard(stored, {name: _read(work, one) for name, one in stored.items()})


def _read(work: UnitOfWork, run: AssessmentRun) -> Run:
    forecast = work.forecasts.get(run.forecast_id)
    source = (forecast.origin or forecast.source) if forecast else ""
    if forecast is not None and forecast.part:
        source = f"{source}/{forecast.part}"
    says = {found.area: Say(found.level, _complete(run, found)) for found in run.assessments}
    return Run(run.id, source, run.run_time, run.created_at, run.window, says)


def _complete(run: AssessmentRun, found: Assessment) -> bool:
    """Classified, with all the rain known, from a run that was not stale."""
    stale = run.stale_reason is not None or bool(found.evidence.get("stale"))
    return found.level is not None and not found.lower_bound and not stale


def levels_of(content: Content) -> dict[str, Level]:
    """Every area's level in a version."""
    return {area.code: area.level for area in content.areas}


def decisions(work: UnitOfWork, warning_id: str) -> tuple[dict[str, Any], ...]:
    """What was decided in a course, oldest first, as the ledger keeps it, with `at` in ISO 8601."""
    return _of_kind(work.ledger.entries(subject=warning_id), DECIDED)


def told(records: tuple[dict[str, Any], ...], versions: tuple[Proposal, ...]) -> tuple[dict[str, Any], ...]:
    """The decision that last made a version of this review, and the newest one since; versions newest first."""
    previous = versions[0].content.previous_bulletin if versions else None
    round_ids = {version.id for version in versions if version.content.previous_bulletin == previous}
    made = [record for record in records if record["proposal"] in round_ids][-1:]
    return (*made, *(record for record in records[-1:] if record not in made))


def _of_kind(entries: Iterable[LedgerEntry], kind: str) -> tuple[dict[str, Any], ...]:
    return tuple({**json.loads(entry.payload), "at": entry.at} for entry in entries if entry.kind == kind)


def _read_runs(records: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(name for record in records for name in record["runs"])


def current_course(work: UnitOfWork, rules: CourseRules, now: datetime) -> Course:
    """The course that new runs belong to: one that is open or in force, or ended by time alone not long ago.

    A dismissal, an all-clear, a cancellation or a retraction ends a course; what comes after begins a new one, and
    the runs that were known then open nothing.
    """
    courses = _from_forecasts(work, rules, now)
    ended = [(w, versions) for w, versions in courses if w.status in _ENDED]
    answers = tuple(_ending(work, warning, versions) for warning, versions in ended)
    answered = frozenset[str]().union(*(_read_runs(decisions(work, warning.id)) for warning, _ in ended))
    for warning, versions in courses:
        chain = work.bulletins.of_warning(warning.id)
        until = (chain[-1].content if chain else versions[0].content).expires
        if warning.status in _ENDED or until + timedelta(hours=rules.same_course_hours) <= now:
            continue
        entries = work.ledger.entries(subject=warning.id)
        known = _read_runs(_of_kind(entries, DECIDED))
        held = _held(versions, chain, entries, answers)
        return Course(held, warning, versions[0], chain[-1] if chain else None, known, answered)
    return Course(Held(answers=answers), answered=answered)


def _near(warning: HazardWarning, now: datetime, moving: Collection[str]) -> bool:
    """Whether a course may still matter; one whose time ran out does as long as its last bulletin is young."""
    if warning.series is not Series.REAL or (warning.ended_at is not None and warning.ended_at <= now - _REMEMBERED):
        return False
    return warning.status is not WarningStatus.VALIDITY_ENDED or warning.id in moving


def _from_forecasts(
    work: UnitOfWork, rules: CourseRules, now: datetime
) -> list[tuple[HazardWarning, tuple[Proposal, ...]]]:
    """Courses that came from forecasts, newest opened first, those ended long ago left out.

    What a person opened for a crack is another hazard: no run moves it. Others are kept off real ones only: whoever
    ends an exercise has its warnings, and waits for a real version that is being stored.
    """
    since = now - _REMEMBERED - timedelta(hours=rules.same_course_hours)
    moving = {bulletin.warning_id for bulletin in work.bulletins.since(since)}
    near = [one for one in work.warnings.standing(*WarningStatus) if _near(one, now, moving)]
    held = [warning for one in near if (warning := work.warnings.get(one.id)) is not None]
    lately = [w for w in held if w.ended_at is None or w.ended_at > now - _REMEMBERED]
    lately.sort(key=lambda warning: warning.opened_at, reverse=True)
    found = [(warning, work.proposals.of_warning(warning.id)) for warning in lately]
    return [(w, versions) for w, versions in found if versions and versions[0].content.assessment_id is not None]


def _ending(work: UnitOfWork, warning: HazardWarning, versions: tuple[Proposal, ...]) -> Answer:
    """What a person said no to by ending a course, with the end it had before the closing notice."""
    said = [b.content for b in work.bulletins.of_warning(warning.id) if b.act not in _CLOSING]
    content = said[-1] if said else versions[0].content
    reason = versions[0].status_reason or versions[0].content.reason
    at = warning.ended_at or warning.opened_at
    return Answer(levels_of(content), {}, content.expires, at, warning.status.value, reason)


def _held(
    versions: tuple[Proposal, ...], chain: tuple[Bulletin, ...], entries: Iterable[LedgerEntry], ended: Iterable[Answer]
) -> Held:
    newest, last = versions[0], chain[-1] if chain else None
    aside = newest.status is ProposalStatus.DISMISSED or newest.content.act in _CLOSING
    content = last.content if last is not None and aside else newest.content
    machine = {record["proposal"] for record in _of_kind(entries, DECIDED)}
    dismissed = {record["proposal"]: record["at"] for record in _of_kind(entries, "proposal.dismissed")}
    refused = [
        _refusal(version, last.content, datetime.fromisoformat(dismissed[version.id]))
        for version in versions
        if last is not None and version.id in dismissed and version.content.previous_bulletin == last.id
    ]
    return Held(levels_of(content), content.expires, _by_person(versions, machine), (*ended, *refused))


def _refusal(version: Proposal, last: Content, at: datetime) -> Answer:
    """What of a follow-up a person refused: the levels above and below those in force, or the later end."""
    held, refused = levels_of(last), levels_of(version.content)
    rises = {code: level for code, level in refused.items() if level > held.get(code, Level.NONE)}
    falls = {c: refused.get(c, Level.NONE) for c, level in held.items() if refused.get(c, Level.NONE) < level}
    # An all-clear that was not signed refuses nothing that runs could propose.
    until = last.expires if version.content.act in _CLOSING else version.content.expires
    return Answer(rises, falls, until, at, version.status.value, version.status_reason)


def _by_person(versions: tuple[Proposal, ...], machine: set[str | None]) -> dict[str, datetime]:
    """The areas whose level was last set by a person, and when; versions are given newest first."""
    found: dict[str, datetime] = {}
    before: dict[str, Level] = {}
    for version in reversed(versions):
        if version.status is ProposalStatus.DISMISSED or version.content.act in _CLOSING:
            continue
        levels = levels_of(version.content)
        for code in [c for c in {*levels, *before} if levels.get(c) != before.get(c)]:
            found.pop(code, None)
            if version.edited_by != SYSTEM and version.id not in machine:
                found[code] = version.edited_at
        before = levels
    return found
