"""The rows of other issuers' feeds in the table of every role against every route."""

from __future__ import annotations

from geowarn.domain.people import Role

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("POST", "/console/outside/feeds/{feed}/seen"): frozenset(
        {Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY}
    ),
}
