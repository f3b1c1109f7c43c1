"""Which role may call which route of the console; what is open to everyone; and how the rights test fills them in."""

from __future__ import annotations

from geowarn.domain.people import Role

_ALL = frozenset(Role)
_SEE_PEOPLE = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
_ADMIN = frozenset({Role.ADMINISTRATOR})
_DECIDE = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF})
_SIGN = _DECIDE | {Role.OBSERVATORY}
_PROPOSE = _DECIDE | {Role.OBSERVATORY}

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("POST", "/console/logout"): _ALL,
    ("GET", "/console/"): _ALL,
    ("GET", "/console/account"): _ALL,
    # One's own account, never anyone else's.
    ("POST", "/console/account/factor"): _ALL,
    ("POST", "/console/account/factor/confirm"): _ALL,
    ("POST", "/console/account/recovery"): _ALL,
    ("POST", "/console/account/password"): _ALL,
    ("POST", "/console/account/sessions/{handle}/end"): _ALL,
    ("GET", "/console/people"): _SEE_PEOPLE,
    ("GET", "/console/people/{name}"): _SEE_PEOPLE,
    ("POST", "/console/people/invite"): _ADMIN,
    ("POST", "/console/people/{name}/roles"): _ADMIN,
    ("POST", "/console/people/{name}/disable"): _ADMIN,
    ("POST", "/console/people/{name}/enable"): _ADMIN,
    ("POST", "/console/people/{name}/drop-factor"): _ADMIN,
    ("POST", "/console/people/{name}/end-sessions"): _ADMIN,
    ("POST", "/console/people/changes/{change}/confirm"): _ADMIN,
    ("POST", "/console/people/changes/{change}/refuse"): _ADMIN,
    ("GET", "/console/warnings"): _ALL,
    ("GET", "/console/warnings/{name}"): _ALL,
    ("GET", "/console/warnings/{name}/files/{path}"): _ALL,
    ("POST", "/console/warnings/{name}/edit"): _SIGN,
    ("POST", "/console/warnings/{name}/adopt"): _PROPOSE,
    ("POST", "/console/warnings/{name}/return"): _SIGN,
    ("POST", "/console/warnings/{name}/dismiss"): _DECIDE,
    ("POST", "/console/warnings/{name}/sign"): _SIGN,
    ("POST", "/console/warnings/{name}/release"): _DECIDE,
    ("POST", "/console/warnings/{name}/retract"): frozenset({Role.DUTY_OFFICER}),
    ("GET", "/console/propose"): _ALL,
    ("POST", "/console/propose"): _PROPOSE,
    ("GET", "/console/outside"): _ALL,
    ("POST", "/console/outside"): _PROPOSE,
    ("POST", "/console/outside/{warning}/end"): _PROPOSE,
    ("GET", "/console/inputs"): _ALL,
    ("GET", "/console/ledger"): _ALL,
    ("POST", "/console/ledger/export"): frozenset({Role.DISCLOSURE, Role.LEADER, Role.CHIEF}),
}

# Open without logging in: the door itself, what is public anyway, and what carries a key or a signature of its own.
OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/console"),
        ("GET", "/console/login"),
        ("POST", "/console/login"),
        ("GET", "/console/login/code"),
        ("POST", "/console/login/code"),
        ("GET", "/console/welcome"),
        ("POST", "/console/welcome"),
        ("GET", "/console/static/{path}"),
        ("GET", "/console/{path}"),
        ("GET", "/{path}"),
        ("GET", "/healthz"),
        ("GET", "/readyz"),
        ("GET", "/metrics"),
        ("GET", "/api/v1/openapi.json"),
        # The way in from a text message: the link and the typed code are the proof, and each holds for one person.
        ("GET", "/broadcast/v1/feed.atom"),
        ("GET", "/broadcast/v1/items"),
        ("POST", "/broadcast/v1/items/{item}/aired"),
        ("POST", "/hooks/twilio/status"),
        ("POST", "/hooks/twilio/inbound"),
    }
)

_PERSON = {"name": "victim"}
# What stands in a path's braces where it is not the warning under review.
FILLED: dict[tuple[str, str], dict[str, str]] = {
    ("GET", "/console/people/{name}"): _PERSON,
    ("POST", "/console/people/{name}/roles"): _PERSON,
    ("POST", "/console/people/{name}/disable"): _PERSON,
    ("POST", "/console/people/{name}/enable"): _PERSON,
    ("POST", "/console/people/{name}/drop-factor"): _PERSON,
    ("POST", "/console/people/{name}/end-sessions"): _PERSON,
    ("GET", "/console/warnings/{name}/act/{act}"): {"act": "lift"},
    ("POST", "/console/warnings/{name}/act/{act}"): {"act": "lift"},
}
# Fields that a form must hold before anything else is looked at.
FORMS: dict[tuple[str, str], dict[str, str]] = {
    ("POST", "/console/warnings/{name}/edit"): {"version": "1"},
    ("POST", "/console/propose"): {"level": "yellow", "hours": "12", "area": "370687"},
}
