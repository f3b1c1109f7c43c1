"""What a partner reads when something is not done: problem details (RFC 9457) in Chinese and English."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import Response

from geowarn.catalogue import LANGUAGES, explain, say, sentences
from geowarn.domain.errors import NotEntitled, NotFound, Refused
from geowarn.pipeline.partner_keys import TooMany

MEDIA_TYPE = "application/problem+json"
_RETRY_SECONDS = "30"
_STATUS: Mapping[str, int] = {
    "partners.no-key": 401,
    "partners.key-ended": 401,
    "partners.key-waits": 401,
    "partners.not-signed": 401,
    "partners.bad-signature": 401,
    "partners.old-signature": 401,
    "partners.scope-missing": 403,
    "partners.needs-account": 403,
    "partners.media-type": 415,
    "partners.too-many": 429,
    "partners.no-idempotency-key": 400,
    "partners.cursor": 400,
    "level.unknown": 422,
}
# Every refusal of these parts and keys says that what was sent cannot be meant.
_UNPROCESSABLE = (
    "propose.",
    "partners.other-request",
    "partners.invalid",
    "partners.bad-",
    "partners.hook-address",
    "partners.hook-https",
    "partners.hook-private",
    "partners.hook-synthetic",
    "package.marker-in-text",
    "web.malformed",
    "web.aired",
)
TITLED = (400, 401, 403, 404, 405, 409, 413, 415, 422, 429, 500, 503)


class Invalid(Refused):
    """A body that is not what the interface describes; `fields` names each place and what is wrong there."""

    def __init__(self, fields: list[dict[str, str]]) -> None:
        super().__init__("partners.invalid", field=fields[0]["field"], reason=fields[0]["reason"])
        self.fields = fields

    @classmethod
    def of(cls, error: ValidationError) -> Invalid:
        """From what pydantic found."""
        return cls(
            [{"field": ".".join(map(str, one["loc"])) or "body", "reason": one["msg"]} for one in error.errors()]
        )


class NoSuchMethod(Refused):
    """The path is there, the method is not."""

    def __init__(self, method: str, allowed: list[str]) -> None:
        super().__init__("partners.method", method=method, allowed=", ".join(allowed))
        self.allowed = allowed


def status_of(refusal: Refused, default: int) -> int:
    """The HTTP status of a refusal at the interface; `default` where it has none of its own."""
    if isinstance(refusal, NoSuchMethod):
        return 405
    if isinstance(refusal, NotFound):
        return 404
    if isinstance(refusal, NotEntitled):
        return 403
    if refusal.key in _STATUS:
        return _STATUS[refusal.key]
    if refusal.key.startswith("store."):
        return 503
    if refusal.key.startswith("identity.code"):
        return 403
    return 422 if default == 409 and refusal.key.startswith(_UNPROCESSABLE) else default


def language_asked(request: Request) -> str:
    """The language of `Accept-Language`, by its weights; Chinese where it says nothing of either."""
    best, weight = LANGUAGES[0], 0.0
    for part in request.headers.get("accept-language", "")[:200].split(","):
        tag, _, quality = part.strip().partition(";q=")
        try:
            given = float(quality or 1)
        except ValueError:
            continue
        language = tag.strip().lower().split("-")[0]
        if language in LANGUAGES and given > weight:
            best, weight = language, given
    return best


def problem(request: Request, refusal: Refused, default: int = 409) -> Response:
    """A refusal as problem details."""
    status, language = status_of(refusal, default), language_asked(request)
    body: dict[str, Any] = {
        "type": f"{request.app.state.system.settings.site.public_url}/api/v1/problems/{refusal.key}",
        "title": say(f"partners.title-{status}", language) if status in TITLED else str(status),
        "status": status,
        "detail": explain(refusal, language),
        "key": refusal.key,
    }
    if isinstance(refusal, Invalid):
        body["errors"] = refusal.fields
    tag = "zh-CN" if language == "zh" else "en"
    headers = {"Content-Language": tag, "Vary": "Accept-Language", **_headers(refusal, status)}
    headers |= getattr(request.state, "limits", {})
    text = json.dumps(body, ensure_ascii=False)
    return Response(text, status, headers=headers, media_type=MEDIA_TYPE)


def _headers(refusal: Refused, status: int) -> dict[str, str]:
    if isinstance(refusal, TooMany):
        return {"Retry-After": str(refusal.resets_in), **limit_headers(refusal.most, 0, refusal.resets_in)}
    if isinstance(refusal, NoSuchMethod):
        return {"Allow": ", ".join(refusal.allowed)}
    if status == 401:
        return {"WWW-Authenticate": 'Bearer realm="geowarn"'}
    return {"Retry-After": _RETRY_SECONDS} if status == 503 else {}


def limit_headers(most: int, left: int, resets_in: int) -> dict[str, str]:
    """`RateLimit-Policy` and `RateLimit` as the IETF httpapi draft writes them: calls a minute, calls left, seconds."""
    return {"RateLimit-Policy": f'"minute";q={most};w=60', "RateLimit": f'"minute";r={left};t={resets_in}'}


def explained_problem(key: str) -> dict[str, str]:
    """The sentences of one kind of problem, with their blanks; raises NotFound for a key that is none."""
    if key not in sentences("en"):
        raise NotFound("partners.no-problem", key=key[:80])
    return {"key": key, **{language: sentences(language)[key] for language in LANGUAGES}}
