"""Who may call the routes of the clock; read by the one table of every role against every route."""

from __future__ import annotations

from geowarn.domain.people import Role

EVERYONE = frozenset(Role)
# Whom a ring asks is decided by the frozen chain and the shift; a role alone gives no right to answer it.
ASKED = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/ring.json"): EVERYONE,
    ("POST", "/console/warnings/{name}/acknowledge"): ASKED,
    ("POST", "/console/tasks/{task_id}/acknowledge"): ASKED,
    ("GET", "/console/warnings/{name}/after-review"): EVERYONE,
    ("POST", "/console/warnings/{name}/after-review"): ASKED,
}
