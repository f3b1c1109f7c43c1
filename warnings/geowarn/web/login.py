"""The door of the console."""

from __future__ import annotations

from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from geowarn.bootstrap import System
from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.pipeline.accounts import accept
from geowarn.security import hash_password
from geowarn.web.access import (
    ACCOUNT,
    HOME,
    LOGIN,
    Visiting,
    language_of,
    origin_of,
    render,
    safe_next,
    set_token,
    system_of,
    to_login,
    token_of,
)
from geowarn.web.forms import fields
from geowarn.web.guessing import count_try, take_back
from geowarn.web.sessions import Entry, give_code, log_in, log_out, waits_for_code

router = APIRouter(include_in_schema=False)
CODE = "/console/login/code"
WELCOME = "/console/welcome"
_TOO_MANY = ("web.locked", "web.wait", "identity.code-locked", "identity.code-wait")


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
    browser = request.headers.get("user-agent", "")
    try:
        entry = log_in(system, name, form.get("password", ""), origin_of(request), token_of(request), browser)
    except Refused as refusal:
        return _again(request, "login", refusal, next=wanted, name=name[:64])
    return _entered(system, entry, wanted)


def _again(request: Request, page: str, refusal: Refused, **values: object) -> Response:
    """The form once more, with what was wrong; one that has to wait is told for how long."""
    too_many = refusal.key in _TOO_MANY
    fault = explain(refusal, language_of(request))
    answer = render(request, page, 429 if too_many else 401, None, fault=fault, **values)
    if too_many:
        answer.headers["Retry-After"] = str(refusal.facts.get("seconds", 900))
    return answer


def _entered(system: System, entry: Entry, wanted: str) -> Response:
    path = f"{CODE}?{urlencode({'next': wanted})}" if entry.waits else wanted
    response = RedirectResponse(path, 303)
    set_token(response, system, entry.token)
    return response


@router.get(CODE)
def ask_code(request: Request) -> Response:
    """Ask for the second factor, of whoever has just given the password."""
    wanted = safe_next(request.query_params.get("next", HOME))
    if not waits_for_code(system_of(request), token_of(request)):
        return to_login(wanted)
    return render(request, "login_code", 200, None, next=wanted, fault="")


@router.post(CODE)
def enter_code(request: Request) -> Response:
    """Let the person in whose code is right."""
    form, system = fields(request), system_of(request)
    wanted = safe_next(form.get("next", HOME))
    if not waits_for_code(system, token_of(request)):
        return to_login(wanted)
    try:
        entry = give_code(system, token_of(request), form.get("code", ""), origin_of(request))
    except Refused as refusal:
        return _again(request, "login_code", refusal, next=wanted)
    return _entered(system, entry, wanted)


@router.get(WELCOME)
def ask_welcome(request: Request) -> Response:
    """Ask an invited person for name, code and the password they choose."""
    return render(request, "welcome", 200, None, fault="", name=request.query_params.get("name", "")[:64])


@router.post(WELCOME)
def welcome(request: Request) -> Response:
    """Use the invitation up; then the person logs in like everyone."""
    form, system = fields(request), system_of(request)
    name, chosen = form.get("name", "").strip()[:64], form.get("password", "")[:1024]
    origin, now = origin_of(request), system.clock.now()
    try:
        # Counted like a log-in: hashing costs as much, and codes shall not be tried by list.
        notes = count_try(system.store, f"invitation {name}", origin, now)
        accept(system.store, system.vault, system.clock, hash_password, name, form.get("code", ""), chosen, origin)
    except Refused as refusal:
        return _again(request, "welcome", refusal, name=name)
    with system.store.begin() as work:
        take_back(work, notes)
        work.commit()
    return to_login(ACCOUNT)


@router.post("/console/logout")
def leave(visit: Visiting) -> Response:
    """End the session."""
    visit.form()
    log_out(visit.system, token_of(visit.request))
    response = RedirectResponse(LOGIN, 303)
    set_token(response, visit.system, "")
    return response
