"""Signing from a telephone: GET shows what would be signed, only a POST with the code signs.

The page is public as its address is: who holds the reference may read what is under review, until the code's time is
over. No visit of any kind changes anything, so no preview of a link can sign.
"""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from geowarn.catalogue import explain
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import User
from geowarn.domain.review import SignCode
from geowarn.domain.warning import ProposalStatus
from geowarn.pipeline.agreement import agreement_of, most_telling
from geowarn.pipeline.assess import evidence_short
from geowarn.pipeline.sign_codes import ask_again, find_code, refuse_dead, return_by_code, sign_by_code
from geowarn.ports import UnitOfWork
from geowarn.web.access import language_of, origin_of, render, system_of, token_of, words_of
from geowarn.web.channel_texts import Measuring, channel_texts
from geowarn.web.forms import fields
from geowarn.web.review_exposed import exposed_in, reach_of, threatened
from geowarn.web.review_rows import area_rows
from geowarn.web.review_sheet import Sheet, sheet_of
from geowarn.web.review_verdicts import disputed, verdict_rows, why_line
from geowarn.web.sessions import signed_in

router = APIRouter(prefix="/sign", include_in_schema=False)
_measuring = Measuring()


def _visitor(request: Request) -> User | None:
    """Who is logged in in this browser, if anybody: they cannot use a code that was sent to somebody else."""
    token = token_of(request)
    who = signed_in(system_of(request), token, quiet=True) if token else None
    return who.user if who else None


@router.api_route("", methods=["GET", "HEAD"])
def door(request: Request) -> Response:
    """Ask for the reference in the text, for telephones to which no link can be sent."""
    reference = "".join(request.query_params.get("reference", "").upper().split())[:20]
    if reference.isalnum() and reference.isascii():
        return RedirectResponse(f"/sign/{reference}", 303)
    return render(request, "sign-door", 200, None)


@router.api_route("/{reference}", methods=["GET", "HEAD"])
def show(request: Request, reference: str) -> Response:
    """What would be signed, or why this code no longer counts."""
    return _page(request, reference)


@router.post("/{reference}")
def sign(request: Request, reference: str) -> Response:
    """Sign with the code, and with the generator's where the level asks for it."""
    form, desk = fields(request), system_of(request).desk
    try:
        given = (form.get("code", ""), origin_of(request), form.get("factor", ""))
        sign_by_code(desk, reference, *given, visitor=_visitor(request))
    except NotFound:
        raise
    except Refused as refusal:
        return _page(request, reference, explain(refusal, language_of(request)))
    return RedirectResponse(f"/sign/{reference}", 303)


@router.post("/{reference}/return")
def give_back(request: Request, reference: str) -> Response:
    """Disagree: give the version back with a reason; the code is used up."""
    form, desk = fields(request), system_of(request).desk
    try:
        given = (form.get("code", ""), form.get("reason", ""), origin_of(request))
        return_by_code(desk, reference, *given, visitor=_visitor(request))
    except NotFound:
        raise
    except Refused as refusal:
        return _page(request, reference, explain(refusal, language_of(request)))
    return RedirectResponse(f"/sign/{reference}", 303)


@router.post("/{reference}/again")
def again(request: Request, reference: str) -> Response:
    """Send the same person a new code for the version under review now."""
    try:
        ask_again(system_of(request).desk, reference)
    except NotFound:
        raise
    except Refused as refusal:
        return _page(request, reference, explain(refusal, language_of(request)))
    return render(request, "sign-sent", 200, None)


def _page(request: Request, reference: str, fault: str = "") -> Response:
    system = system_of(request)
    with system.store.read() as work:
        held = find_code(work, reference)
        sheet = sheet_of(system.desk, work, held.warning_id)
        user = work.users.get(held.user)
        state = _state(request, work, held, sheet)
        shown = _values(request, work, held, sheet) if state == "open" and sheet is not None else {}
    common = {"held": held, "sheet": sheet, "person": user, "fault": fault, "state": state}
    return render(request, "sign", 409 if fault else 200, None, **common, **shown)


def _state(request: Request, work: UnitOfWork, held: SignCode, sheet: Sheet | None) -> str:
    """open, signed, returned, moved, or dead: what became of this code."""
    signed = work.signoffs.of_proposal(held.proposal_id)
    if held.used_at is not None:
        return "signed" if any(s.user == held.user and s.at == held.used_at for s in signed) else "returned"
    same = sheet is not None and sheet.proposal.id == held.proposal_id
    if not same or sheet is None or sheet.proposal.status is not ProposalStatus.OPEN:
        return "moved"
    try:
        refuse_dead(system_of(request).desk, work, held)
    except Refused:
        return "dead"
    return "open"


def _values(request: Request, work: UnitOfWork, held: SignCode, sheet: Sheet) -> dict[str, Any]:
    system, w = system_of(request), words_of(request)
    desk, content = system.desk, sheet.proposal.content
    measures = _measuring.of(desk, work, sheet.proposal)
    texts = channel_texts(sheet.package, content.slots, w, measures)
    exposed = exposed_in(sheet)
    voices = agreement_of(work, sheet.run) if sheet.run else None
    rate = float(system.settings.sms.segments_per_second)
    rows = area_rows(sheet, lambda found: evidence_short(system.templates, found, w.language, str(w.zone)))
    return {
        "content": content,
        "texts": texts,
        "rows": rows,
        "why_line": why_line(rows, w) if content.source == "forecast" else None,
        "gaps": most_telling(voices.disagreements, sheet.areas) if voices else [],
        "disputed": disputed(verdict_rows(sheet, voices)),
        "reach": reach_of(sheet, texts, rate, desk.policy.publish_from),
        "threatened": threatened(sheet, exposed, desk.policy.publish_from),
        "publish_from": desk.policy.publish_from,
        "factor": desk.policy.asks_factor(content),
        "left": held.expires_at - system.clock.now(),
    }
