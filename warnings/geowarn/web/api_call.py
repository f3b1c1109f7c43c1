"""One call of a partner: whose key it is, what it may do, and how it is answered."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from fastapi import Depends
from pydantic import BaseModel, ValidationError
from starlette.requests import Request
from starlette.responses import Response

from geowarn.bootstrap import System
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.partner import ApiKey, Scope
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.one_transaction import Answer, Once, once
from geowarn.pipeline.partner_keys import Admitted, admit
from geowarn.ports import Store
from geowarn.web.access import origin_of, system_of
from geowarn.web.api_problem import MEDIA_TYPE, Invalid, limit_headers

Model = TypeVar("Model", bound=BaseModel)
Item = TypeVar("Item")
_IDEMPOTENCY_KEY = re.compile(r"[!-~]{8,128}")
_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
_WHY = {
    400: "The request lacks something, or its cursor is none of ours",
    401: "No key, a key that works no longer, or a signature that does not hold",
    403: "The key lacks the scope, or its person the role",
    404: "Not there, or not for this key",
    405: "No such method here",
    409: "Not possible as things stand",
    413: "Larger than 64 KB",
    415: "Not application/json",
    422: "The request cannot be meant as it is",
    429: "Too many calls in this minute",
    500: "A fault of ours; nothing was changed",
    503: "The database cannot be reached; try again after Retry-After",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, with the installation that is called."""

    request: Request
    system: System
    admitted: Admitted

    @property
    def key(self) -> ApiKey:
        """The key."""
        return self.admitted.key

    @property
    def internal(self) -> bool:
        """Whether it may see what is not public."""
        return Scope.INTERNAL in self.key.scopes

    @property
    def owner(self) -> tuple[str, bool]:
        """Whose hooks are its own."""
        return self.key.owner, self.key.of_account

    @property
    def actor(self) -> Actor:
        """The person it acts as; raises Refused for a partner's key."""
        return self.admitted.actor(origin_of(self.request))

    @property
    def label(self) -> str:
        """How the ledger names it."""
        kind = "" if self.key.of_account else "partner "
        return f"{kind}{self.key.owner} (api, {self.key.prefix}, {origin_of(self.request)})"


def _token(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def by_key(scope: Scope | None) -> Any:
    """A dependency that lets in keys with this scope; None: every key that works."""

    def caller(request: Request) -> Caller:
        system = system_of(request)
        admitted = admit(system.store, system.clock, _token(request))
        most = admitted.key.per_minute
        request.state.limits = limit_headers(most, admitted.left, admitted.resets_in)
        if scope is not None:
            admitted.need(scope)
        return Caller(request, system, admitted)

    return Depends(caller)


def says(
    operation: str,
    scope: Scope | Literal[""] | None,
    answer: type[BaseModel] | None,
    *errors: int,
    body: type[BaseModel] | None = None,
    status: int = 200,
) -> dict[str, Any]:
    """How a route describes itself: its scope, what it takes, what it answers, and every error.

    Scope None: every key that works; "": no key at all.
    """
    usual = {500, 503} if scope == "" else {401, 429, 500, 503} | ({403} if scope is not None else set())
    if body is not None:
        usual |= {400, 413, 415, 422}
    listed = sorted(usual | set(errors))
    extra: dict[str, Any] = {} if scope == "" else {"x-scope": scope or ""}
    if body is not None:
        content = {"application/json": {"schema": {"$ref": f"#/components/schemas/{body.__name__}"}}}
        extra["requestBody"] = {"required": True, "content": content}
        extra["x-body"] = body.__name__
    described: dict[str, Any] = {
        "operation_id": operation,
        "status_code": status,
        "openapi_extra": extra,
        "responses": {code: {"description": _WHY[code], **_PROBLEM} for code in listed},
    }
    if answer is not None:
        described["response_model"] = answer
    return described


def read_body(request: Request, model: type[Model]) -> Model:
    """The body as the model; raises Refused where it is not JSON or not that."""
    media_type = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if media_type != "application/json":
        raise Refused("partners.media-type", media_type=media_type[:60] or "-")
    try:
        return model.model_validate_json(request.state.body)
    except ValidationError as error:
        raise Invalid.of(error) from None


def answered(request: Request, body: BaseModel) -> Response:
    """A read's answer with its validator; 304 where the caller has it already."""
    text = body.model_dump_json(exclude_unset=True)
    return with_tag(request, text.encode(), "application/json")


def with_tag(request: Request, body: bytes, media_type: str, digest: str | None = None) -> Response:
    """Bytes with their ETag; 304 where the caller has them already."""
    tag = f'"{digest or sha256_hex(body)[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache", **getattr(request.state, "limits", {})}
    known = [one.strip().removeprefix("W/") for one in request.headers.get("if-none-match", "").split(",")]
    if tag in known or known == ["*"]:
        return Response(status_code=304, headers=headers)
    return Response(body, headers=headers, media_type=media_type)


def performed(caller: Caller, act: Callable[[Store], tuple[int, BaseModel, str]], way: Once = once) -> Response:
    """Do `act` once for this idempotency key: (status, answer, location); its repeat gets the same answer."""
    request, system = caller.request, caller.system
    key = request.headers.get("idempotency-key", "")
    if not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Refused("partners.no-idempotency-key")
    target = target_of(request)
    fingerprint = sha256_hex("\n".join([request.method, target, sha256_hex(request.state.body)]))

    def do(store: Store) -> Answer:
        status, body, location = act(store)
        return Answer(status, body.model_dump_json(exclude_unset=True), location)

    hours = system.settings.partners.idempotency_hours
    made = way(system.store, system.clock, system.vault, caller.key.id, key, fingerprint, hours, do)
    headers = {"Idempotency-Replayed": "true" if made.replayed else "false", **request.state.limits}
    if made.location:
        headers["Location"] = made.location
    return Response(made.body, made.status, headers=headers, media_type="application/json")


def target_of(request: Request) -> str:
    """Path and query as they were sent, before anything was decoded."""
    path = bytes(request.scope.get("raw_path") or request.url.path.encode()).split(b"?")[0].decode("ascii", "replace")
    query = bytes(request.scope.get("query_string", b"")).decode("ascii", "replace")
    return f"{path}?{query}" if query else path


def page(items: Sequence[Item], name: Callable[[Item], str], limit: int, cursor: str) -> tuple[list[Item], str | None]:
    """The items after the cursor, and the cursor of the next page; raises Refused for a cursor that is none.

    A cursor names the last item seen, so what comes in front meanwhile moves nothing.
    """
    start = 0
    if cursor:
        last = _decoded(cursor)
        found = [index for index, item in enumerate(items) if name(item) == last]
        if not found:
            raise Refused("partners.cursor", cursor=cursor[:60])
        start = found[0] + 1
    shown = list(items[start : start + limit])
    more = start + limit < len(items)
    return shown, base64.urlsafe_b64encode(name(shown[-1]).encode()).decode().rstrip("=") if more else None


def _decoded(cursor: str) -> str:
    try:
        return base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise Refused("partners.cursor", cursor=cursor[:60]) from None
