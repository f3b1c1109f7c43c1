"""What rings at the console: taking it in hand, the figures for the script, and the review owed after a release."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from geowarn.domain.calls import UNANSWERED
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import User
from geowarn.domain.task import Task
from geowarn.pipeline.after_review import owed_by, role_after, sign_after
from geowarn.pipeline.clock_view import TaskClock, clock_of_review, clocks
from geowarn.pipeline.escalation_acts import acknowledge, acknowledge_task
from geowarn.pipeline.owed import still_missing
from geowarn.ports import UnitOfWork
from geowarn.web.access import HOME, Visit, Visiting
from geowarn.web.asking import factor_asked
from geowarn.web.wording import Words

router = APIRouter(prefix="/console", include_in_schema=False)


def page_of(task: Task) -> str:
    """Where a task is dealt with."""
    if task.kind == "after-review":
        return f"/console/warnings/{task.facts['warning']}/after-review"
    if task.kind in ("voice", "voice-danger"):
        return f"/console/voices/{task.subject}"
    if task.kind == "voice-overdue":
        return f"/console/voices?kind={task.subject}"
    if task.kind in ("voice-dangers", "voice-full"):
        return "/console/voices?state=new"
    if task.kind == "answer-review":
        return f"/console/answers/{task.subject}"
    if task.kind == UNANSWERED:
        return f"/console/warnings/{task.subject}/calls"
    return f"/console/warnings/{task.subject}" if task.subject.startswith("w-") else HOME


def names_of(words: Words, people: tuple[str, ...], users: Mapping[str, User]) -> str:
    """Accounts as the page calls them."""
    return words.names(users[name].display(words.language) if name in users else name for name in people)


def clock_values(visit: Visit, work: UnitOfWork) -> dict[str, Any]:
    """What the first page shows of the clock: what rings by the task's id, and the reviews by their warning."""
    found = clocks(work, visit.now)
    return {
        "clocks": {clock.task.id: clock for clock in found},
        "review_clocks": {clock.task.subject: clock for clock in found if clock.task.kind == "review"},
        "page_of": page_of,
        "names_of": names_of,
    }


def review_values(visit: Visit, work: UnitOfWork, warning_id: str) -> dict[str, Any]:
    """What the review page shows of the clock."""
    return {"clock": clock_of_review(work, warning_id, visit.now), "names_of": names_of}


@router.get("/ring.json")
def ring(visit: Visiting) -> Response:
    """What rings for this person, for the script that makes it heard; asked with `quiet` it keeps no session awake."""
    with visit.system.store.read() as work:
        found = [clock for clock in clocks(work, visit.now) if visit.user.name in clock.asks]
    return JSONResponse([_ringing(visit, clock) for clock in found])


def _ringing(visit: Visit, clock: TaskClock) -> dict[str, Any]:
    words, level = visit.words, clock.steps[0].one.level
    key = f"ring.{clock.task.kind}"
    text = words(key, level=words.level(level)) if words.has(key) else words("ring.task")
    return {
        "id": clock.task.id,
        "text": str(text),
        "page": page_of(clock.task),
        "rings": clock.rings_for(visit.user.name),
        "until": clock.until.isoformat(),
    }


@router.post("/warnings/{name}/acknowledge")
def take_review(visit: Visiting, name: str) -> Response:
    """Take the review in hand, and look at it."""
    visit.form()
    task = acknowledge(visit.system.desk, name, visit.actor)
    return visit.go(page_of(task))


@router.post("/tasks/{task_id}/acknowledge")
def take_task(visit: Visiting, task_id: str) -> Response:
    """Take another task in hand."""
    visit.form()
    return visit.go(page_of(acknowledge_task(visit.system.desk, task_id, visit.actor)))


@router.get("/warnings/{name}/after-review")
def owed(visit: Visiting, name: str) -> Response:
    """What was released before its review, and who must still sign it."""
    with visit.system.store.read() as work:
        found = owed_by(work, name)
        bulletin = work.bulletins.get(found.bulletin_id)
        if bulletin is None:
            raise NotFound("web.no-version", warning=name)
        missing = still_missing(work, found)
        try:
            mine = role_after(visit.system.desk, work, found, bulletin, visit.actor)
        except Refused:  # somebody else's to sign
            mine = None
        signed = [s for s in work.signoffs.of_proposal(found.proposal_id) if s.voided_at is None]
        values: dict[str, Any] = {
            "owed": found,
            "bulletin": bulletin,
            "content": bulletin.content,
            "missing": missing,
            "factor": factor_asked(visit, work, bulletin.content),
            "signed": signed,
            "mine": mine,
            "areas": {area.code: area for area in work.areas.all()},
            "users": {user.name: user for user in work.users.all()},
        }
    return visit.page("after_review", **values)


@router.post("/warnings/{name}/after-review")
def sign_owed(visit: Visiting, name: str) -> Response:
    """Sign what was released; the digest is the one the page showed."""
    form = visit.form()
    signed = sign_after(
        visit.system.desk, name, visit.actor, form.get("package_sha256", "-") or "-", form.get("code", "")
    )
    with visit.system.store.read() as work:
        proposal = work.proposals.get(signed.proposal_id)
    return visit.go(f"/console/warnings/{proposal.warning_id if proposal else name}/board")
