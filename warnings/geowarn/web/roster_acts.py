"""What people do with the roster at the console; every rule is the use case's."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.duty import Part
from geowarn.domain.errors import Refused
from geowarn.domain.roster import wall_moment
from geowarn.pipeline import roster, roster_asks, roster_handover, roster_swaps
from geowarn.pipeline.roster_import import import_roster
from geowarn.web.access import Visit, Visiting
from geowarn.web.roster import CHANGE

router = APIRouter(prefix="/console/roster", include_in_schema=False)
_PAGE = "/console/roster"


def _moment(visit: Visit, form: dict[str, str], name: str) -> datetime:
    """A field's wall clock; a time that the change of the clocks skips or repeats is refused."""
    try:
        return wall_moment(form.get(name, ""), visit.words.zone)
    except ValueError:
        raise Refused("web.moment", field=name) from None


def _part(form: dict[str, str]) -> Part:
    try:
        return Part(form.get("part", ""))
    except ValueError:
        raise Refused("web.malformed", field="part", reason=", ".join(part.value for part in Part)) from None


@router.post("/assign")
def assign(visit: Visiting) -> Response:
    """Put people on duty."""
    form = visit.form()
    names = (form.get("officer", ""), form.get("deputy") or None, form.get("leader") or None)
    times = (_moment(visit, form, "start"), _moment(visit, form, "end"))
    roster.assign(visit.system.roster_desk, visit.actor, *names, *times)
    return visit.go(_PAGE)


@router.post("/remove")
def remove(visit: Visiting) -> Response:
    """Take a shift out that has not begun."""
    roster.remove(visit.system.roster_desk, visit.actor, visit.form().get("shift", ""))
    return visit.go(_PAGE)


@router.post("/swap")
def swap(visit: Visiting) -> Response:
    """Ask for a swap; a leader's is carried out at once."""
    form = visit.form()
    start, end = (_moment(visit, form, name) if form.get(name) else None for name in ("start", "end"))
    roster_swaps.ask_swap(
        visit.system.roster_desk,
        visit.actor,
        form.get("shift", ""),
        _part(form),
        form.get("taker", ""),
        form.get("reason", ""),
        start,
        end,
    )
    return visit.go(CHANGE)


@router.post("/swap/{swap_id}/agree")
def agree(visit: Visiting, swap_id: str) -> Response:
    """Agree to take over."""
    visit.form()
    roster_swaps.agree(visit.system.roster_desk, swap_id, visit.actor)
    return visit.go(CHANGE)


@router.post("/swap/{swap_id}/approve")
def approve(visit: Visiting, swap_id: str) -> Response:
    """Approve a swap that is agreed."""
    visit.form()
    roster_swaps.decide(visit.system.roster_desk, swap_id, visit.actor, approve=True)
    return visit.go(_PAGE)


@router.post("/swap/{swap_id}/refuse")
def refuse(visit: Visiting, swap_id: str) -> Response:
    """Refuse a swap, or take one's own question back."""
    visit.form()
    roster_swaps.decide(visit.system.roster_desk, swap_id, visit.actor, approve=False)
    return visit.go(CHANGE)


@router.post("/confirm")
def confirm(visit: Visiting) -> Response:
    """Confirm one's shift with the code of the text, or note what somebody said by telephone."""
    form = visit.form()
    shift, _, person = form.get("shift", "").partition(" ")
    answer = "no" if form.get("answer") == "no" else "yes"
    roster_asks.confirm(visit.system.roster_desk, shift, visit.actor, form.get("code", ""), person or None, answer)
    return visit.go(_PAGE)


@router.post("/hand-over")
def hand_over(visit: Visiting) -> Response:
    """Sign one's shift away."""
    roster_handover.hand_over(visit.system.roster_desk, visit.actor, visit.form().get("notes", ""))
    return visit.go(_PAGE)


@router.post("/take-over")
def take_over(visit: Visiting) -> Response:
    """Sign for the shift before."""
    roster_handover.take_over(visit.system.roster_desk, visit.form().get("handover", ""), visit.actor)
    return visit.go(_PAGE)


@router.post("/import")
def take_in(visit: Visiting) -> Response:
    """Take in the text of an iCalendar file or a CSV."""
    import_roster(visit.system.roster_desk, visit.actor, visit.form().get("text", ""), "console")
    return visit.go(_PAGE)
