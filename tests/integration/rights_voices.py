"""Which role may call which route of what people say, and what is open to everyone."""

from __future__ import annotations

from geowarn.domain.people import Role

_HANDLE = frozenset({Role.DUTY_OFFICER, Role.DISCLOSURE, Role.LEADER, Role.CHIEF})
_READ = _HANDLE | {Role.AUDITOR}
_ERASE = frozenset({Role.DISCLOSURE, Role.LEADER, Role.CHIEF})
_CHECK = frozenset({Role.DISCLOSURE})

ROUTES: dict[tuple[str, str], frozenset[Role]] = {
    ("GET", "/console/voices"): _READ,
    ("GET", "/console/voices/{number}"): _READ,
    ("GET", "/console/voices/{number}/photo"): _READ,
    ("POST", "/console/voices/{number}/contact"): _HANDLE,
    ("POST", "/console/voices/{number}/link"): _HANDLE,
    ("POST", "/console/voices/{number}/acts/{name}"): _HANDLE,
    ("POST", "/console/voices/{number}/erase"): _ERASE,
    ("GET", "/console/answers"): _READ,
    ("GET", "/console/answers/new"): _READ,
    ("GET", "/console/answers/{answer}"): _READ,
    ("GET", "/console/answers/{answer}/edit"): _READ,
    ("POST", "/console/answers"): _HANDLE,
    ("POST", "/console/answers/{answer}/edit"): _HANDLE,
    ("POST", "/console/answers/{answer}/check"): _CHECK,
    ("POST", "/console/answers/{answer}/sign"): _HANDLE,
    ("POST", "/console/answers/{answer}/publish"): _HANDLE,
}

# The form itself, and the picture in it: whoever sends it is nobody we know.
OPEN: frozenset[tuple[str, str]] = frozenset(
    {
        ("GET", "/say"),
        ("POST", "/say"),
        ("GET", "/en/say"),
        ("POST", "/en/say"),
        ("GET", "/say/map.svg"),
    }
)

_TAKE = {"name": "take"}
FILLED: dict[tuple[str, str], dict[str, str]] = {("POST", "/console/voices/{number}/acts/{name}"): _TAKE}
