"""The door of the console."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.web.access import (
    HOME,
    LOGIN,
    Visiting,
    language_of,
    origin_of,
    render,
    safe_next,
    set_token,
    system_of,
    token_of,
)
from geowarn.web.forms import fields
from geowarn.web.sessions import log_in, log_out

router = APIRouter(include_in_schema=False)


@router.get("/console")
def door() -> Response:
    """The address people type."""
    return RedirectResponse(HOME, 308)


@router.get(LOGIN)
def ask(request: Request) -> Response:
    """Ask for name and password."""
    return render(
        request, "login", 200, None, next=safe_next(request.query_params.get("next", HOME)), fault="", name=""
    )


@router.post(LOGIN)
def enter(request: Request) -> Response:
    """Let a person in, or say why not."""
    form, system = fields(request), system_of(request)
    wanted = safe_next(form.get("next", HOME))
    name = form.get("name", "")
    try:
        token = log_in(system, name, form.get("password", ""), origin_of(request), token_of(request))
    except Refused as refusal:
        too_many = refusal.key in ("web.locked", "web.wait")
        fault = explain(refusal, language_of(request))
        page = render(request, "login", 429 if too_many else 401, None, next=wanted, fault=fault, name=name[:64])
        if too_many:
            page.headers["Retry-After"] = str(refusal.facts.get("seconds", 900))
        return page
    response = RedirectResponse(wanted, 303)
    set_token(response, system, token)
    return response


@router.post("/console/logout")
def leave(visit: Visiting) -> Response:
    """End the session."""
    visit.form()
    log_out(visit.system, token_of(visit.request))
    response = RedirectResponse(LOGIN, 303)
    set_token(response, visit.system, "")
    return response
