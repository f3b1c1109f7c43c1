"""Which role may call which route of the console, and which scope which route of the interface, for partners."""

from __future__ import annotations

from geowarn.domain.partner import Scope
from geowarn.domain.people import Role

_SEE = frozenset({Role.ADMINISTRATOR, Role.AUDITOR})
_DO = frozenset({Role.ADMINISTRATOR})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/partners"): _SEE,
    ("GET", "/console/partners/hooks/{hook}"): _SEE,
    ("POST", "/console/partners/keys"): _DO,
    ("POST", "/console/partners/keys/{key}/revoke"): _DO,
    ("POST", "/console/partners/hooks"): _DO,
    ("POST", "/console/partners/hooks/{hook}/test"): _DO,
    ("POST", "/console/partners/hooks/{hook}/enable"): _DO,
    ("POST", "/console/partners/hooks/{hook}/remove"): _DO,
}

_EVERY = frozenset(Scope)
_READ = frozenset({Scope.READ})
_INTERNAL = frozenset({Scope.INTERNAL})
_HOOKS = frozenset({Scope.WEBHOOKS})

SCOPES: dict[tuple[str, str], frozenset[Scope]] = {
    ("GET", "/api/v1/key"): _EVERY,
    ("GET", "/api/v1/warnings"): _READ,
    ("GET", "/api/v1/warnings/{name}"): _READ,
    ("GET", "/api/v1/warnings/{name}/package"): _INTERNAL,
    ("GET", "/api/v1/warnings/{name}/package/{path}"): _INTERNAL,
    ("GET", "/api/v1/bulletins"): _READ,
    ("GET", "/api/v1/bulletins/{slug}"): _READ,
    ("GET", "/api/v1/bulletins/{slug}/dispatches"): _READ,
    ("GET", "/api/v1/bulletins/{slug}/artefacts/{path}"): _READ,
    ("GET", "/api/v1/areas"): _READ,
    ("GET", "/api/v1/areas/{code}"): _READ,
    ("GET", "/api/v1/assessments/newest"): _INTERNAL,
    ("POST", "/api/v1/proposals"): frozenset({Scope.PROPOSE}),
    ("POST", "/api/v1/warnings/{name}/signoffs"): frozenset({Scope.COSIGN}),
    ("POST", "/api/v1/bulletins/{slug}/receipts"): frozenset({Scope.RECEIPTS}),
    ("GET", "/api/v1/webhooks"): _HOOKS,
    ("POST", "/api/v1/webhooks"): _HOOKS,
    ("DELETE", "/api/v1/webhooks/{hook}"): _HOOKS,
    ("POST", "/api/v1/webhooks/{hook}/test"): _HOOKS,
    ("GET", "/api/v1/webhooks/{hook}/deliveries"): _HOOKS,
}
# Open without a key: what they say is nobody's secret.
OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/api/v1/problems/{key}"),
        # Answers for paths and methods that are none.
        *((method, "/api/{path}") for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")),
    }
)
