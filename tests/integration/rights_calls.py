"""Who may call the routes of call and answer; read by the one table of every role against every route."""

from __future__ import annotations

from geowarn.domain.people import Role

EVERYONE = frozenset(Role)
RECORDERS = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF})
_ANSWER = ("POST", "/console/warnings/{name}/calls/{call_id}/answer")

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/warnings/{name}/calls"): EVERYONE,
    ("GET", "/console/warnings/{name}/doors"): EVERYONE,
    _ANSWER: RECORDERS,
}
FORMS = {_ANSWER: {"via": "telephone", "said_by": "值班室"}}
