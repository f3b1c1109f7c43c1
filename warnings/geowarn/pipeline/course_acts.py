"""Decision on a course of events → a version by the machine, or a task for people; with its facts in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.area import Area, effective
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.course import Answer, Decision, Way, decide
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.policy import valid
from geowarn.domain.task import Task
from geowarn.domain.warning import Act, AreaLevel, Content, Proposal, ProposalStatus, Series
from geowarn.pipeline.actor import SYSTEM
from geowarn.pipeline.course_held import DECIDED, Course, Heard, levels_of
from geowarn.pipeline.desk import Desk
from geowarn.pipeline.versions import area_levels, new_id, open_warning, slots_for, store_version
from geowarn.ports import UnitOfWork

LEVELS_MOVED, ALL_CLEAR_DUE = "levels-moved", "all-clear-due"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of a decision; `changed` says whether there is anything to commit."""

    proposal: Proposal | None = None
    changed: bool = False


def act_on(
    desk: Desk,
    work: UnitOfWork,
    course: Course,
    areas: Mapping[str, Area],
    heard: Heard,
    run: AssessmentRun,
    editor: str,
    label: str,
) -> Outcome:
    """Decide, and do what follows inside the caller's transaction."""
    runs = [found for name, found in heard.read.items() if name not in course.answered]
    rules, now = desk.policy.course, desk.clock.now()
    decision = decide(areas, course.held, runs, rules, desk.policy.publish_from, now)
    if course.warning is None and decision.way is not Way.RISE:
        return Outcome()
    waits = decision.way is not Way.NOTHING and not _may_replace(work, course, decision, editor)
    if waits and editor != SYSTEM and course.review is not None:
        raise Refused("change.under-review", warning=course.review.warning_id, version=course.review.version)
    proposal = None
    if decision.way is not Way.NOTHING and not waits:
        proposal = _propose(desk, work, course, areas, heard, decision, editor, label)
    warning_id = proposal.warning_id if proposal else course.warning.id if course.warning else ""
    asked = _tasks(desk, work, course, decision, waits, warning_id)
    unread = [found.id for found in runs if found.id not in course.known]
    if proposal is None and not asked and not unread:
        return Outcome()
    record = {"run": run.id, "runs": sorted(unread), "proposal": proposal.id if proposal else None, "waits": waits}
    work.ledger.append(now, label, DECIDED, warning_id, {**record, **_facts(decision)})
    return Outcome(proposal, changed=True)


def _may_replace(work: UnitOfWork, course: Course, decision: Decision, editor: str) -> bool:
    """Whether a version may take the place of the one under review.

    A person who asks may; the machine only replaces its own, and where somebody has signed that, only for a rise:
    a signature is not lost for a level that falls or an end that moves.
    """
    review = course.review
    if review is None or (editor != SYSTEM and review.content.act not in (Act.LIFT, Act.CANCEL)):
        return True
    if review.edited_by != SYSTEM or review.status is ProposalStatus.RETURNED:
        return False
    signed = valid(work.signoffs.of_proposal(review.id), review.package_sha256)
    return decision.way is Way.RISE or not signed


def _propose(
    desk: Desk,
    work: UnitOfWork,
    course: Course,
    areas: Mapping[str, Area],
    heard: Heard,
    decision: Decision,
    editor: str,
    label: str,
) -> Proposal:
    content = _content(desk, work, course, areas, heard, decision)
    if course.warning is None:
        return open_warning(desk, work, content, editor, label)
    return store_version(desk, work, course.warning.id, content, editor, label)


def _content(
    desk: Desk, work: UnitOfWork, course: Course, areas: Mapping[str, Area], heard: Heard, decision: Decision
) -> Content:
    now, latest, last = desk.clock.now(), course.latest.content if course.latest else None, course.last
    run = heard.stored[decision.run.id] if decision.run else None
    onset = run.window.start if run and decision.way is Way.RISE else now.replace(minute=0, second=0, microsecond=0)
    named = _areas(work, areas, decision.levels, levels_of(last.content) if last else {})
    assert decision.expires is not None  # noqa: S101 - every change has an end
    return Content(
        act=_act(desk, course, decision),
        series=Series.REAL,
        areas=named,
        onset=onset,
        expires=decision.expires,
        next_update=desk.next_update(now),
        slots=slots_for(desk, named, latest.slots if latest else {}),
        source="forecast",
        assessment_id=run.id if run else latest.assessment_id if latest else None,
        previous_bulletin=last.id if last else None,
        synthetic=desk.synthetic or bool(run and run.synthetic) or bool(latest and latest.synthetic),
        calibrated=(run is None or run.calibrated) and (latest is None or latest.calibrated),
    )


def _areas(
    work: UnitOfWork, areas: Mapping[str, Area], levels: Mapping[str, Level], before: Mapping[str, Level]
) -> tuple[AreaLevel, ...]:
    """The areas named; an area that an outer one covered before had that one's level."""
    return area_levels(work, levels, {code: effective(code, before, areas) for code in levels})


def _act(desk: Desk, course: Course, decision: Decision) -> Act:
    """The first bulletin that people see is an alert, whatever was kept inside before."""
    first_public = course.last is None or course.last.series is Series.INTERNAL
    if first_public and (course.last is None or max(decision.levels.values()) >= desk.policy.publish_from):
        return Act.ISSUE
    return Act.EXTEND if decision.way is Way.EXTEND else Act.UPDATE


def _tasks(desk: Desk, work: UnitOfWork, course: Course, decision: Decision, waits: bool, warning_id: str) -> bool:
    """Ask people what only they may do, once, and anew when it changes; returns whether anything was asked."""
    ends = decision.all_clear and course.last is None
    moved = {
        "way": "all-clear" if ends and not waits else decision.way.value,
        "levels": {code: level.code for code, level in sorted(decision.levels.items())},
        "expires": decision.expires.isoformat() if decision.expires else None,
        "version": course.latest.version if course.latest else None,
    }
    rises = decision.way is Way.RISE
    asked = _ask(desk, work, LEVELS_MOVED, warning_id, moved if waits or ends else None, urgent=rises)
    clear = {"expires": moved["expires"]} if decision.all_clear and course.last is not None else None
    return _ask(desk, work, ALL_CLEAR_DUE, warning_id, clear, urgent=False) or asked


def _ask(
    desk: Desk, work: UnitOfWork, kind: str, warning_id: str, facts: Mapping[str, Any] | None, urgent: bool
) -> bool:
    now = desk.clock.now()
    standing = next((t for t in work.tasks.pending() if (t.kind, t.subject) == (kind, warning_id)), None)
    if facts is None:
        return bool(standing and work.tasks.close(kind, warning_id, now))
    if standing is not None and dict(standing.facts) == dict(facts):
        return False
    work.tasks.close(kind, warning_id, now)
    work.tasks.open(Task(new_id("t"), kind, warning_id, now, now if urgent else None, facts=facts))
    work.ledger.append(now, SYSTEM, "task.opened", warning_id, {"kind": kind, **facts})
    return True


def _facts(decision: Decision) -> dict[str, Any]:
    return {
        "way": decision.way.value,
        "levels": {code: level.code for code, level in sorted(decision.levels.items())},
        "expires": decision.expires.isoformat() if decision.expires else None,
        "all_clear": decision.all_clear,
        "areas": [fact.as_json() for fact in decision.facts],
        "answers": [_answer(answer) for answer in decision.answers],
    }


def _answer(answer: Answer) -> dict[str, Any]:
    return {
        "status": answer.status,
        "at": answer.at.isoformat(),
        "reason": answer.reason,
        "rises": {code: level.code for code, level in sorted(answer.rises.items())},
        "falls": {code: level.code for code, level in sorted(answer.falls.items())},
    }
