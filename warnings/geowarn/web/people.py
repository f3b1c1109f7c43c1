"""People: who may do what and where, invitations, changes that wait for a second administrator."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from geowarn.domain.area import AreaKind, by_code
from geowarn.domain.people import Role
from geowarn.pipeline import accounts, second_factor, two_person
from geowarn.web.access import Visit, Visiting
from geowarn.web.forms import pairs

PEOPLE = "/console/people"
router = APIRouter(prefix=PEOPLE, include_in_schema=False)
_SEE = (Role.ADMINISTRATOR, Role.AUDITOR)


@router.get("")
def people(visit: Visiting) -> Response:
    """Everyone with an account, and what waits for a second person."""
    visit.actor.need_somewhere(*_SEE)
    return visit.page("people", **_values(visit))


@router.get("/{name}")
def person(visit: Visiting, name: str) -> Response:
    """One person, with the forms that change what they may do."""
    visit.actor.need_somewhere(*_SEE)
    values = _values(visit)
    found = accounts.account(values["by_name"], name)
    places = [a for a in values["areas"].values() if a.kind in (AreaKind.COUNTY, AreaKind.ZONE)]
    return visit.page("person", person=found, places=places, **values)


def _values(visit: Visit) -> dict[str, Any]:
    with visit.system.store.read() as work:
        users = work.users.all()
        standing = [one.user for one in work.sessions.all() if one.ends_at > visit.now and not one.waits_for_code]
        return {
            "people": users,
            "by_name": {user.name: user for user in users},
            "factors": {user.name for user in users if second_factor.factor_in_use(work, user.name)},
            "sessions": {name: standing.count(name) for name in standing},
            "invited": work.invitations.open_until(visit.now),
            "changes": work.pending_changes.waiting(),
            "areas": by_code(work.areas.plain()),
            "administers": Role.ADMINISTRATOR in visit.user.held_over(()),
            "all_roles": tuple(Role),
        }


@router.post("/invite")
def invite(visit: Visiting) -> Response:
    """Invite a new person, or one whose password is lost; the code is shown this once."""
    form, system = visit.form(), visit.system
    display = form.get("display_zh", ""), form.get("display_en", "")
    name = form.get("name", "").strip()
    invitation, code = accounts.invite(system.store, system.vault, system.clock, name, display, visit.actor)
    return visit.page("invited", invitation=invitation, code=code)


def _chosen(request: Request, field: str) -> list[str]:
    """Every value of a field that may be ticked several times."""
    return [value for name, value in pairs(request) if name == field]


@router.post("/{name}/roles")
def roles(visit: Visiting, name: str) -> Response:
    """Ask for other roles, and the areas they hold in."""
    visit.form()
    wanted = _chosen(visit.request, "role")
    areas = {role: found for role in wanted if (found := _chosen(visit.request, f"area.{role}"))}
    accounts.change_roles(visit.system.store, visit.system.clock, name, wanted, areas, visit.actor)
    return visit.go(f"{PEOPLE}/{name}")


@router.post("/{name}/disable")
def disable(visit: Visiting, name: str) -> Response:
    """Switch an account off at once."""
    visit.form()
    accounts.disable(visit.system.store, visit.system.clock, name, visit.actor)
    return visit.go(f"{PEOPLE}/{name}")


@router.post("/{name}/enable")
def enable(visit: Visiting, name: str) -> Response:
    """Ask to switch an account on again."""
    visit.form()
    accounts.enable(visit.system.store, visit.system.clock, name, visit.actor)
    return visit.go(f"{PEOPLE}/{name}")


@router.post("/{name}/drop-factor")
def drop_factor(visit: Visiting, name: str) -> Response:
    """Take a lost second factor away."""
    visit.form()
    second_factor.drop(visit.system.store, visit.system.clock, name, visit.actor)
    return visit.go(f"{PEOPLE}/{name}")


@router.post("/{name}/end-sessions")
def end_sessions(visit: Visiting, name: str) -> Response:
    """End every session of a person."""
    visit.form()
    visit.actor.need(Role.ADMINISTRATOR)
    accounts.end_sessions(visit.system.store, visit.system.clock, name, None, visit.actor)
    return visit.go(f"{PEOPLE}/{name}")


@router.post("/changes/{change}/confirm")
def confirm(visit: Visiting, change: str) -> Response:
    """Confirm a change that another administrator asked for."""
    visit.form()
    two_person.decide(visit.system.store, visit.system.clock, change, True, visit.actor)
    return visit.go(PEOPLE)


@router.post("/changes/{change}/refuse")
def refuse(visit: Visiting, change: str) -> Response:
    """Refuse a change of rights."""
    visit.form()
    two_person.decide(visit.system.store, visit.system.clock, change, False, visit.actor)
    return visit.go(PEOPLE)
