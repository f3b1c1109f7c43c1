"""Exercises at the console: start one, sign and release in it, end it, and read what it showed."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import JSONResponse, Response

from geowarn.domain.area import AreaKind
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.exercise import PERMIT_HOLDS, TYPED, Exercise, Scenario, closed_windows, in_group, trial_targets
from geowarn.domain.level import Level
from geowarn.domain.warning import Series
from geowarn.pipeline import exercise as exercises
from geowarn.pipeline import signoff
from geowarn.pipeline.assess import evidence_short
from geowarn.pipeline.desk import newest
from geowarn.pipeline.escalation_acts import need_signer
from geowarn.pipeline.exercise_end import finish
from geowarn.pipeline.exercise_guard import Confirmation, need_running
from geowarn.pipeline.exercise_report import report_of
from geowarn.pipeline.release import RELEASERS, release
from geowarn.ports import UnitOfWork
from geowarn.scenario_file import chosen_scenario, load_scenario, scenario_names
from geowarn.web.access import Visit, Visiting
from geowarn.web.board_state import target_names
from geowarn.web.channel_texts import channel_texts
from geowarn.web.review_rows import area_rows, steps
from geowarn.web.review_sheet import sheet_of

router = APIRouter(prefix="/console/exercise", include_in_schema=False)
HERE = "/console/exercise"
_CHOSEN = "chosen"
_LENGTHS = (30, 60, 90, 120)


@router.get("")
def show(visit: Visiting) -> Response:
    """The exercise that runs, or how to start one."""
    return _page(visit)


def _page(visit: Visit, code: str = "") -> Response:
    with visit.system.store.read() as work:
        drill = work.exercises.running()
        values = _running(visit, work, drill) if drill else _idle(visit, work)
        past = [found for found in work.exercises.all() if found.id != (drill.id if drill else "")]
        users = {user.name: user.display(visit.words.language) for user in work.users.all()}
    director = users.get(drill.director, drill.director) if drill else ""
    typed = TYPED[0 if visit.words.language == "zh" else 1]
    shared: dict[str, Any] = {
        "drill": drill,
        "exercise": drill,
        "director": director,
        "target_names": target_names(visit.system.facts["channels"], visit.words.language),
        "past": past[:20],
        "people": users,
    }
    return visit.page("exercise", code=code, typed=typed, **shared, **values)


def _idle(visit: Visit, work: UnitOfWork) -> dict[str, Any]:
    around = timedelta(hours=24)
    kinds = (AreaKind.COUNTY, AreaKind.ZONE)
    return {
        "against": exercises.hindrances(work, visit.now),
        "permits": [one for one in work.exercises.permits(visit.now - PERMIT_HOLDS) if one.holds(visit.now)],
        "windows": closed_windows(work.shifts.between(visit.now - around, visit.now + around)),
        "scenarios": [load_scenario(visit.system.data_dir, name) for name in scenario_names(visit.system.data_dir)],
        "places": [area for area in work.areas.plain() if area.kind in kinds],
        "lengths": _LENGTHS,
        "may_start": bool(visit.user.roles.intersection(exercises.DIRECTORS)),
        "may_permit": bool(visit.user.roles.intersection(exercises.PERMITTERS)),
        "group": sum(1 for found in work.recipients.all() if in_group(found)),
        "trials": sorted(trial_targets(visit.system.facts)),
    }


def _running(visit: Visit, work: UnitOfWork, drill: Exercise) -> dict[str, Any]:
    desk, w = visit.system.desk, visit.words
    sheet = sheet_of(desk, work, drill.warning_id)
    if sheet is None:
        raise NotFound("web.no-version", warning=drill.warning_id)
    spoken = visit.system.templates, w.language, str(w.zone)
    texts = channel_texts(sheet.package, sheet.proposal.content.slots, w, {})
    slugs = work.bulletins.slugs((Series.EXERCISE,))
    return {
        "sheet": sheet,
        "content": sheet.proposal.content,
        "rows": area_rows(sheet, lambda found: evidence_short(spoken[0], found, *spoken[1:])),
        "steps": steps(sheet, visit.now),
        "map": visit.request.app.state.map.draw(sheet.areas, sheet.levels, w.language),
        "texts": [found for found in texts if found.channel == "sms"],
        "my_role": sheet.signable_by(visit.user),
        "report": report_of(work, drill),
        "publish_from": desk.policy.publish_from,
        "next_serial": 1 + sum(slug.startswith(f"ex-{drill.year}-") for slug in slugs),
        "reached": sum(1 for found in work.recipients.all() if in_group(found)),
        "trials": sorted(trial_targets(visit.system.facts)),
        "may_end": bool(visit.user.roles.intersection(exercises.DIRECTORS)),
    }


def _scenario(visit: Visit, form: dict[str, str]) -> Scenario:
    if form.get("scenario", "") != _CHOSEN:
        return load_scenario(visit.system.data_dir, form.get("scenario", ""))
    return chosen_scenario({form.get("area", ""): Level.parse(form.get("level", ""))})


@router.post("/start")
def start(visit: Visiting) -> Response:
    """Begin; the page that follows is the only one that ever shows the exercise's own code."""
    form = visit.form()
    if not form.get("minutes", "").isdigit():
        raise Refused("web.number", field="minutes")
    scenario, typed = _scenario(visit, form), form.get("typed", "")
    _, code = exercises.start(visit.system.desk, scenario, typed, int(form["minutes"]), visit.actor)
    return _page(visit, code)


@router.post("/permit")
def permit(visit: Visiting) -> Response:
    """A leader allows one exercise although something speaks against it."""
    exercises.permit(visit.system.desk, visit.form().get("reason", ""), visit.actor)
    return visit.go(HERE)


def _confirmed(form: dict[str, str]) -> Confirmation:
    return Confirmation(form.get("typed", ""), form.get("code", ""))


@router.post("/sign")
def sign(visit: Visiting) -> Response:
    """Sign what the exercise proposes, with the word and the exercise's own code."""
    form = visit.form()
    need_signer(visit.system.desk, visit.actor)
    digest, given = form.get("package_sha256", "") or "-", _confirmed(form)
    signoff.sign(visit.system.desk, _warning(visit), visit.actor, digest, confirmation=given)
    return visit.go(HERE)


@router.post("/release")
def issue(visit: Visiting) -> Response:
    """Release to the test targets."""
    given = _confirmed(visit.form())
    visit.actor.need_somewhere(*RELEASERS)
    bulletin = release(visit.system.desk, _warning(visit), visit.actor, confirmation=given)
    return visit.go(f"/console/warnings/{bulletin.warning_id}/board")


def _warning(visit: Visit) -> str:
    with visit.system.store.read() as work:
        return need_running(work).warning_id


@router.post("/end")
def end(visit: Visiting) -> Response:
    """End it; everyone who had the exercise is told."""
    visit.form()
    ended = finish(visit.system.desk, visit.actor)
    return visit.go(f"{HERE}/{ended.id}")


def _found(visit: Visit, work: UnitOfWork, name: str) -> Exercise:
    found = work.exercises.get(name) or next((e for e in work.exercises.all() if e.number == name), None)
    if found is None:
        raise NotFound("web.no-page")
    return found


@router.get("/{name}")
def report(visit: Visiting, name: str) -> Response:
    """What an exercise showed, also to be printed."""
    with visit.system.store.read() as work:
        found = _found(visit, work, name)
        told = report_of(work, found)
        proposal = newest(work, found.warning_id)
        users = {user.name: user.display(visit.words.language) for user in work.users.all()}
    director = users.get(found.director, found.director)
    content = proposal.content if proposal else None
    values: dict[str, Any] = {"report": told, "exercise": found, "director": director, "content": content}
    values["target_names"] = target_names(visit.system.facts["channels"], visit.words.language)
    return visit.page("exercise_report", **values)


@router.get("/{name}/report.json")
def report_json(visit: Visiting, name: str) -> Response:
    """The same for machines."""
    with visit.system.store.read() as work:
        return JSONResponse(report_of(work, _found(visit, work, name)).as_json())
