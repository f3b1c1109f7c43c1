"""Which roles may use the routes of the board, of previews and of exercises; every other is refused by the use case."""

from __future__ import annotations

from geowarn.domain.people import Role

EVERYONE = frozenset(Role)
DIRECTORS = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.ADMINISTRATOR})
OFFICERS = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF})
SIGNERS = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF, Role.OBSERVATORY})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/warnings/{name}/board"): EVERYONE,
    ("GET", "/console/warnings/{name}/board/events"): EVERYONE,
    ("GET", "/console/warnings/{name}/retract"): EVERYONE,
    ("GET", "/console/warnings/{name}/act/{act}"): EVERYONE,
    ("POST", "/console/warnings/{name}/act/{act}"): OFFICERS,
    ("POST", "/console/warnings/{name}/act/{act}/preview"): OFFICERS,
    ("GET", "/console/exercise"): EVERYONE,
    ("GET", "/console/exercise/{name}"): EVERYONE,
    ("GET", "/console/exercise/{name}/report.json"): EVERYONE,
    ("POST", "/console/exercise/start"): DIRECTORS,
    ("POST", "/console/exercise/permit"): frozenset({Role.LEADER, Role.CHIEF}),
    ("POST", "/console/exercise/sign"): SIGNERS,
    ("POST", "/console/exercise/release"): OFFICERS,
    ("POST", "/console/exercise/end"): DIRECTORS,
}

# The exercise's own tree of pages, with a mark on each that it is one.
OPEN: set[tuple[str, str]] = {("GET", "/exercise/{path}")}
FILLED: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/console/warnings/{name}/act/{act}/preview"): {"act": "lift"}
}
# Fields that a form must hold before anything else is looked at.
FORMS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/console/exercise/start"): {"minutes": "60", "scenario": "storm"},
}
