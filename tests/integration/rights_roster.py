"""Who may call which route of the roster; the use case decides, the page only shows it."""

from __future__ import annotations

from geowarn.domain.people import Role

EVERYONE = frozenset(Role)
RULERS = frozenset({Role.LEADER, Role.ADMINISTRATOR})
ON_DUTY = frozenset({Role.DUTY_OFFICER})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/roster"): EVERYONE,
    ("GET", "/console/roster/change"): EVERYONE,
    ("GET", "/console/roster/shifts/{shift_id}"): EVERYONE,
    ("GET", "/console/roster/export.{kind}"): EVERYONE,
    ("POST", "/console/roster/assign"): RULERS,
    ("POST", "/console/roster/remove"): RULERS,
    ("POST", "/console/roster/import"): RULERS,
    ("POST", "/console/roster/swap"): RULERS | ON_DUTY | {Role.CHIEF},
    ("POST", "/console/roster/swap/{swap_id}/agree"): RULERS | ON_DUTY | {Role.CHIEF},
    ("POST", "/console/roster/swap/{swap_id}/approve"): RULERS,
    ("POST", "/console/roster/swap/{swap_id}/refuse"): RULERS | ON_DUTY | {Role.CHIEF},
    ("POST", "/console/roster/confirm"): RULERS | ON_DUTY | {Role.CHIEF},
    ("POST", "/console/roster/hand-over"): ON_DUTY,
    ("POST", "/console/roster/take-over"): ON_DUTY,
}

_TIMES = {"start": "2031-01-01T08:00", "end": "2031-01-01T20:00"}
# Fields that a form must hold before anything else is looked at.
FORMS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/console/roster/assign"): {"officer": "someone", **_TIMES},
    ("POST", "/console/roster/swap"): {"part": "officer", "taker": "someone", **_TIMES},
}
