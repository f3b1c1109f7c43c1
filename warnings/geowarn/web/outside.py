"""Other issuers' warnings, entered by hand."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.errors import Refused
from geowarn.pipeline import outside
from geowarn.web.access import Visiting
from geowarn.web.issuers import desk_values

router = APIRouter(prefix="/console/outside", include_in_schema=False)


@router.get("")
def listing(visit: Visiting) -> Response:
    """What others have issued, and the form for one more."""
    with visit.system.store.read() as work:
        current = work.outside_warnings.current(visit.now)
        users = {user.name: user for user in work.users.all()}
        feeds = desk_values(visit, work)
    may = bool(visit.user.roles.intersection(outside.MAY_ENTER))
    return visit.page("outside", current=current, by_name=users, may=may, **feeds)


@router.post("")
def enter(visit: Visiting) -> Response:
    """Note one."""
    form = visit.form()
    visit.actor.need_somewhere(*outside.MAY_ENTER)
    try:
        until = datetime.fromisoformat(form.get("until", "")).replace(tzinfo=visit.words.zone)
    except ValueError:
        raise Refused("web.moment", field="until") from None
    outside.enter(visit.system.desk, form, until, visit.actor)
    return visit.go("/console/outside")


@router.post("/{warning}/end")
def end(visit: Visiting, warning: str) -> Response:
    """Take one away."""
    visit.form()
    outside.end(visit.system.desk, warning, visit.actor)
    return visit.go("/console/outside")
