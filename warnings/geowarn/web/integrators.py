"""`/api/v1` as a whole: its routes, its description, and what is said of a path that is none."""

from __future__ import annotations

import re
from typing import Any, Literal

from fastapi import APIRouter, FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel
from pydantic.json_schema import models_json_schema
from starlette.requests import Request
from starlette.responses import Response

from geowarn.domain.errors import NotFound
from geowarn.web import api_acts, api_hooks, api_read
from geowarn.web.api_act_models import REQUESTS
from geowarn.web.api_models import PlainError, Problem
from geowarn.web.api_problem import NoSuchMethod, problem

PREFIX = "/api/v1"
_PARTS: tuple[APIRouter, ...] = (api_read.router, api_acts.router, api_hooks.router)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_REFERENCE = "#/components/schemas/{model}"
_ABOUT = (
    "Read warnings, bulletins and counts; propose; co-sign; record receipts; subscribe to events. "
    "Every call carries `Authorization: Bearer <key>`; every POST an `Idempotency-Key`. "
    "Errors are problem details (RFC 9457) in Chinese or English, by `Accept-Language`. See docs/api.md."
)
_PLAIN = {"application/json": {"schema": {"$ref": "#/components/schemas/PlainError"}}}
_LIMITS = {
    "RateLimit": {"description": "Calls left in this minute", "schema": {"type": "string"}},
    "RateLimit-Policy": {"description": "Calls a minute", "schema": {"type": "string"}},
}


def add_routes(app: FastAPI) -> None:
    """Every route of the interface, its description, and an answer for what is no route."""
    for part in _PARTS:
        app.include_router(part)
    app.add_api_route("/api/{path:path}", no_route, methods=_METHODS, include_in_schema=False)
    app.openapi = lambda: described(app)  # type: ignore[method-assign]


def _allowed() -> list[tuple[re.Pattern[str], frozenset[str]]]:
    found = [(f"{PREFIX}/openapi.json", {"GET", "HEAD"})]
    for part in _PARTS:
        found += [(str(getattr(route, "path", "")), set(getattr(route, "methods", ()))) for route in part.routes]
    patterns: list[tuple[re.Pattern[str], frozenset[str]]] = []
    for path, methods in found:
        whole = re.sub(r"\{\w+:path\}", ".+", path)
        patterns.append((re.compile(re.sub(r"\{\w+\}", "[^/]+", whole)), frozenset(methods)))
    return patterns


def no_route(request: Request) -> Response:
    """404 for a path that is none, 405 with what is allowed for a method that is not there."""
    allowed = {method for pattern, methods in _allowed() if pattern.fullmatch(request.url.path) for method in methods}
    if allowed:
        return problem(request, NoSuchMethod(request.method, sorted(allowed)))
    return problem(request, NotFound("partners.no-route", path=request.url.path[:80]))


def described(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI 3.1 document: shapes of every body, answer and error, and which scope each route takes."""
    if app.openapi_schema is None:
        document = get_openapi(
            title="geowarn", version=app.version, openapi_version="3.1.0", description=_ABOUT, routes=app.routes
        )
        components = document.setdefault("components", {})
        components["schemas"] = _shapes() | components.get("schemas", {})
        for unused in ("HTTPValidationError", "ValidationError"):
            components["schemas"].pop(unused, None)
        components["securitySchemes"] = {
            "key": {"type": "http", "scheme": "bearer", "description": "A key of `geowarn partners key add`"},
            "callSignature": {
                "type": "apiKey",
                "in": "header",
                "name": "X-Geowarn-Signature",
                "description": "HMAC over the call with the key's second secret",
            },
        }
        for path, methods in document["paths"].items():
            for method, operation in methods.items():
                _finish(path, method, operation)
        app.openapi_schema = document
    return app.openapi_schema


def _shapes() -> dict[str, Any]:
    every: tuple[type[BaseModel], ...] = (*REQUESTS, Problem, PlainError)
    models: list[tuple[type[BaseModel], Literal["validation", "serialization"]]] = [
        (one, "validation") for one in every
    ]
    _, found = models_json_schema(models, ref_template=_REFERENCE)
    return dict(found["$defs"])


def _finish(path: str, method: str, operation: dict[str, Any]) -> None:
    """Name the scope, the headers of limits and of repeats."""
    scope, body = operation.pop("x-scope", None), operation.pop("x-body", None)
    if not path.startswith(f"{PREFIX}/"):
        if "422" in operation["responses"]:
            operation["responses"]["422"]["content"] = _PLAIN
        return
    if scope is not None:
        operation["security"] = [{"key": [scope] if scope else []}]
        for answer in operation["responses"].values():
            answer["headers"] = dict(_LIMITS)
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "header":
            parameter["required"] = True
            parameter["schema"].pop("default", None)
            if parameter["name"] == "X-Geowarn-Signature":
                operation["security"] = [{"key": [scope], "callSignature": []}]
    if method == "post" and body is None:
        operation.pop("requestBody", None)
    if method == "get":
        for code, answer in list(operation["responses"].items()):
            if code == "200":
                answer.setdefault("headers", {})["ETag"] = {"schema": {"type": "string"}}
        operation["responses"]["304"] = {"description": "The caller's `If-None-Match` names what is there"}
