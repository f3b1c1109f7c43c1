"""The review page: what rises, where, why, what each channel will say, and who must sign."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.errors import NotFound
from geowarn.domain.level import Level
from geowarn.domain.warning import ProposalStatus, Series, WarningStatus
from geowarn.pipeline.actor import codes_of
from geowarn.pipeline.agreement import agreement_of, most_telling
from geowarn.pipeline.assess import evidence_sentence, evidence_short
from geowarn.pipeline.desk import find_warning, newest
from geowarn.pipeline.release import RELEASERS
from geowarn.pipeline.sign_codes import may_be_asked
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting
from geowarn.web.asking import factor_asked
from geowarn.web.channel_texts import Measuring, channel_texts
from geowarn.web.clock import review_values
from geowarn.web.rain_pictures import rain_pictures
from geowarn.web.review_diff import diff_of, whys
from geowarn.web.review_exposed import exposed_in, reach_of, threatened
from geowarn.web.review_remarks import adjustable, next_up, remarks_on
from geowarn.web.review_rows import area_rows, quiet_line, steps
from geowarn.web.review_sheet import Sheet, sheet_of
from geowarn.web.review_verdicts import disputed, verdict_rows, why_line

router = APIRouter(prefix="/console", include_in_schema=False)
_measuring = Measuring()
_COURSES = 50  # of one page of the list

# An artefact is shown as it will be, but nothing in it may act on the console.
_SANDBOX = "default-src 'none'; style-src 'self'; img-src 'self' data:; sandbox"


@router.get("/warnings")
def listing(visit: Visiting, page: int = 1) -> Response:
    """Every course of events, newest first, so many to a page."""
    start = max(page - 1, 0) * _COURSES
    with visit.system.store.read() as work:
        every = work.warnings.all()
        shown = every[start : start + _COURSES]
        rows = [(w, newest(work, w.id), work.bulletins.of_warning(w.id)) for w in shown]
    newer = page - 1 if start and every else 0
    older = page + 1 if start + _COURSES < len(every) else 0
    return visit.page("warnings", rows=rows, newer=newer, older=older)


@router.get("/warnings/{name}")
def show(visit: Visiting, name: str) -> Response:
    """One warning: under review, or its release board once decided."""
    return review_page(visit, name)


def review_page(visit: Visit, name: str, fault: str = "") -> Response:
    """The same after an act of which only a part was done; `fault` says which."""
    with visit.system.store.read() as work:
        sheet = sheet_of(visit.system.desk, work, name)
        if sheet is None:
            raise NotFound("web.no-version", warning=name)
        if sheet.warning.series is Series.EXERCISE and sheet.editable:
            return visit.go("/console/exercise")
        if not sheet.editable and sheet.earlier:
            return visit.go(f"/console/warnings/{sheet.warning.id}/board")
        values = _values(visit, work, sheet)
    return visit.page("review", 409 if fault else 200, fault=fault, **values)


def _values(visit: Visit, work: UnitOfWork, sheet: Sheet) -> dict[str, Any]:
    desk, w = visit.system.desk, visit.words
    content = sheet.proposal.content
    measures = _measuring.of(desk, work, sheet.proposal)
    spoken = visit.system.templates, w.language, str(w.zone)
    rows = area_rows(sheet, lambda found: evidence_short(spoken[0], found, *spoken[1:]))
    first = sheet.assessment(rows[0].area.code) if rows else None
    voices = agreement_of(work, sheet.run) if sheet.run else None
    texts = channel_texts(sheet.package, content.slots, w, measures)
    verdicts = verdict_rows(sheet, voices)
    askable = [one for one in may_be_asked(desk, work, sheet.proposal) if one.name != visit.user.name]
    exposed, remarks = exposed_in(sheet), remarks_on(desk, work, sheet, w)
    ringing = review_values(visit, work, sheet.warning.id)
    return {
        **ringing,
        "sheet": sheet,
        "base": f"/console/warnings/{sheet.warning.id}",
        "content": content,
        "rows": rows,
        "why": evidence_sentence(spoken[0], first, *spoken[1:]) if first and content.source == "forecast" else "",
        "why_line": why_line(rows, w) if content.source == "forecast" else None,
        "verdicts": verdicts,
        "disputed": disputed(verdicts),
        "quiet": quiet_line(sheet, w.language),
        "agreement": voices,
        "gaps": most_telling(voices.disagreements, sheet.areas) if voices else [],
        "map": visit.request.app.state.map.draw(sheet.areas, sheet.levels, w.language),
        "rain": rain_pictures(sheet, visit.request.app.state.map, w.language, w.zone),
        "steps": steps(sheet, visit.now, ringing["clock"]),
        "texts": texts,
        "files": sum(len(found.texts) for found in texts),
        "my_role": sheet.signable_by(visit.user),
        "factor": factor_asked(visit, work, content),
        "may_release": bool(visit.actor.roles_over(work, codes_of(content)).intersection(RELEASERS)),
        "publish_from": desk.policy.publish_from,
        "heard": sheet.heard_at(),
        "reach": reach_of(sheet, texts, float(visit.system.settings.sms.segments_per_second), desk.policy.publish_from),
        "exposed": exposed,
        "threatened": threatened(sheet, exposed, Level.ORANGE) or threatened(sheet, exposed, desk.policy.publish_from),
        "remarks": remarks,
        "others": adjustable(sheet),
        "askable": askable,
        "next_up": next_up(sheet, askable),
        "codes": [c for c in work.sign_codes.of_warning(sheet.warning.id) if c.proposal_id == sheet.proposal.id],
        "code_minutes": desk.policy.review.code_minutes,
        "may_adjust": bool(visit.actor.roles_over(work, codes_of(content)).intersection(RELEASERS)),
        "diff": diff_of(sheet.earlier[-1].content, content, sheet.versions, sheet.areas) if sheet.earlier else None,
        "whys": whys(sheet.decided, sheet.areas, desk.policy.course, w),
        "returned": sheet.proposal.status is ProposalStatus.RETURNED,
        "dismissed": sheet.warning.status is WarningStatus.DISMISSED or not sheet.editable,
    }


@router.get("/warnings/{name}/files/{path:path}")
def file(visit: Visiting, name: str, path: str) -> Response:
    """One file of the package under review, byte for byte, late fields still marked."""
    with visit.system.store.read() as work:
        proposal = newest(work, find_warning(work, name).id)
        package = work.proposals.package(proposal.id) if proposal else None
    artefact = next((a for a in package.artefacts if a.path == path), None) if package else None
    if artefact is None:
        raise NotFound("web.no-file", file=path)
    media_type = artefact.media_type
    if media_type.split(";")[0] not in ("image/svg+xml", "image/png", "text/html"):
        media_type = "text/plain; charset=utf-8"
    return Response(artefact.body, headers={"Content-Type": media_type, "Content-Security-Policy": _SANDBOX})
