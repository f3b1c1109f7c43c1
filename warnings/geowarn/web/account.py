"""My account: what I may do and where, my second factor, my password, where I am logged in."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import RedirectResponse, Response

from geowarn.catalogue import explain
from geowarn.domain.errors import Refused
from geowarn.pipeline import second_factor
from geowarn.pipeline.accounts import end_sessions, sessions_of
from geowarn.pipeline.people import check_password, set_password
from geowarn.security import hash_password, verify_password
from geowarn.web.access import ACCOUNT, LOGIN, Visit, Visiting, origin_of, set_token
from geowarn.web.asking import factor_field
from geowarn.web.guessing import count_try, take_back
from geowarn.web.qr import qr_image

router = APIRouter(prefix=ACCOUNT, include_in_schema=False)


@router.get("")
def account(visit: Visiting) -> Response:
    """The person's own page."""
    return _page(visit)


def _page(visit: Visit, status: int = 200, fault: str = "", at: str = "") -> Response:
    with visit.system.store.read() as work:
        factor = work.factors.get(visit.user.name)
        return visit.page(
            "account",
            status,
            factor=factor if factor and factor.in_use else None,
            pending=bool(factor and factor.pending),
            asked=factor_field(visit, work),
            left=work.factors.recovery_left(visit.user.name),
            sessions=sessions_of(work, visit.user.name, visit.now),
            areas={area.code: area for area in work.areas.plain()},
            fault=fault,
            at=at,
        )


def _refused(visit: Visit, refusal: Refused, at: str) -> Response:
    return _page(visit, 409, explain(refusal, visit.words.language), at)


@router.post("/factor")
def enrol(visit: Visiting) -> Response:
    """A new secret, shown this once; who has a factor proves it first."""
    form, system, user = visit.form(), visit.system, visit.user
    code = form.get("code", "")
    try:
        with second_factor.trying(system.store, system.clock, user, code), system.store.begin() as work:
            if second_factor.factor_in_use(work, user.name):
                second_factor.prove(work, system.vault, user, code, visit.now)
            made = second_factor.enrol(work, system.vault, user, system.settings.installation.name_en, visit.now)
            work.ledger.append(visit.now, visit.actor.label, "factor.enrolled", user.name, {})
            work.commit()
    except Refused as refusal:
        return _refused(visit, refusal, "factor")
    return visit.page("factor", secret=made.secret, picture=qr_image(made.uri), fault="")


@router.post("/factor/confirm")
def confirm(visit: Visiting) -> Response:
    """The generator's first code takes the new secret into use; the recovery codes are shown this once."""
    form, system, user = visit.form(), visit.system, visit.user
    code = form.get("code", "")
    try:
        with second_factor.trying(system.store, system.clock, user, code), system.store.begin() as work:
            codes = second_factor.confirm(work, system.vault, user, code, visit.now, visit.actor.label)
            work.commit()
    except Refused as refusal:
        return visit.page("factor", 409, secret="", picture="", fault=explain(refusal, visit.words.language))
    return visit.page("recovery", codes=codes, ended=True)


@router.post("/recovery")
def renew(visit: Visiting) -> Response:
    """New recovery codes, shown this once; proved by a code of the generator."""
    form, system, user = visit.form(), visit.system, visit.user
    code = form.get("code", "")
    try:
        with second_factor.trying(system.store, system.clock, user, code), system.store.begin() as work:
            second_factor.prove(work, system.vault, user, code, visit.now)
            codes = second_factor.renew_recovery(work, system.vault, user, visit.now, visit.actor.label)
            work.commit()
    except Refused as refusal:
        return _refused(visit, refusal, "recovery")
    return visit.page("recovery", codes=codes, ended=False)


@router.post("/password")
def password(visit: Visiting) -> Response:
    """A new password, proved by the present one; every session ends."""
    form, system, user = visit.form(), visit.system, visit.user
    try:
        check_password(form.get("new", ""))
        notes = count_try(system.store, user.name, origin_of(visit.request), visit.now)
        if not verify_password(form.get("old", "")[:1024], user.password_hash):
            raise Refused("identity.wrong-old-password")
        with system.store.begin() as work:
            take_back(work, notes)
            work.commit()
        set_password(system.store, system.clock, hash_password, user.name, form["new"][:1024], visit.actor.label)
    except Refused as refusal:
        return _refused(visit, refusal, "password")
    response = RedirectResponse(LOGIN, 303)
    set_token(response, system, "")
    return response


@router.post("/sessions/{handle}/end")
def end(visit: Visiting, handle: str) -> Response:
    """End one of my sessions, or all of them (`all`)."""
    visit.form()
    chosen = None if handle == "all" else handle
    end_sessions(visit.system.store, visit.system.clock, visit.user.name, chosen, visit.actor)
    return visit.go(ACCOUNT)
