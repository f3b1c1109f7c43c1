"""Who may call the routes of the review; read by the one table of every role against every route."""

from __future__ import annotations

from geowarn.domain.people import Role

_OFFICE = frozenset({Role.DUTY_OFFICER, Role.LEADER, Role.CHIEF})
_REMARK = _OFFICE | {Role.OBSERVATORY, Role.DISCLOSURE}

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    # By the shipped policy; a duty officer only on shift.
    ("POST", "/console/warnings/{name}/secrecy"): frozenset({Role.DISCLOSURE, Role.DUTY_OFFICER}),
    ("POST", "/console/warnings/{name}/comment"): _REMARK,
    ("POST", "/console/warnings/{name}/consult"): frozenset({Role.DUTY_OFFICER}),
    ("POST", "/console/warnings/{name}/adjust"): _OFFICE,
    ("POST", "/console/warnings/{name}/ask-code"): _OFFICE,
}

# Open to whoever holds the reference in the text: only the code, bound to person and bytes, does anything.
PUBLIC: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/sign"),
        ("GET", "/sign/{reference}"),
        ("POST", "/sign/{reference}"),
        ("POST", "/sign/{reference}/return"),
        ("POST", "/sign/{reference}/again"),
    }
)
