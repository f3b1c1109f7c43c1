"""The web application: public tree, stations, provider callbacks, console, operation."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response

from geowarn.bootstrap import System
from geowarn.catalogue import explain
from geowarn.domain.errors import NotEntitled, NotFound, Refused, TooOften
from geowarn.web import (
    account,
    acts,
    answers,
    board,
    calls,
    clock,
    exercise,
    home,
    hooks,
    inputs,
    integrators,
    issuers,
    ledger_page,
    login,
    operation,
    outside,
    partners,
    people,
    review,
    review_acts,
    roster,
    roster_acts,
    say,
    search,
    sign_page,
    stations,
    subscribe,
    voices,
)
from geowarn.web.access import ACCOUNT, MustEnrol, NotSignedIn, language_of, render, system_of, to_login, token_of
from geowarn.web.api_problem import problem
from geowarn.web.guard import Guard
from geowarn.web.haste import Haste
from geowarn.web.integrators import no_route
from geowarn.web.live import Live
from geowarn.web.map_drawing import MapDrawer
from geowarn.web.public_tree import MEDIA_TYPES, PublicTree, Shelf, resolve, send_stored
from geowarn.web.sessions import signed_in

_STATIC = Path(__file__).parent / "static"
_FORMS = ("/say",)  # public pages that take a form: a refusal leads back to them
_MACHINES = ("/broadcast/", "/hooks/", "/metrics", "/healthz", "/readyz")
_RETRY_SECONDS = "30"
_STATUS = {NotFound: 404, NotEntitled: 403, TooOften: 429}


def explained(request: Request, refusal: Refused, status: int) -> Response:
    """A refusal as a page in the reader's language, or as JSON for a machine."""
    if request.url.path.startswith("/api/"):
        return problem(request, refusal, status)
    if request.url.path.startswith(_MACHINES):
        return JSONResponse({"error": refusal.key, "message": explain(refusal, "en")}, status)
    text = explain(refusal, language_of(request))
    who = None
    if request.url.path.startswith("/console") and token_of(request) and status != 500:
        who = signed_in(system_of(request), token_of(request), quiet=True)
    back = request.url.path if request.url.path.removeprefix("/en") in _FORMS else ""
    return render(request, "refusal", status, who, text=text, status=status, back=back)


def _absent(request: Request, status: int) -> Response:
    page = render(request, "absent", status, None, status=status)
    if status == 503:
        page.headers["Retry-After"] = _RETRY_SECONDS
    return page


def _public(request: Request, path: str) -> Response:
    tree: PublicTree = request.app.state.tree
    answer = tree.answer(request, path)
    return answer if isinstance(answer, Response) else _absent(request, answer)


def _exercise_tree(request: Request, path: str = "") -> Response:
    """The pages of exercises: never where the public looks, and nothing for a search engine."""
    tree: PublicTree = request.app.state.trial_tree
    answer = tree.answer(request, path) if tree.complete() else 404
    page = answer if isinstance(answer, Response) else _absent(request, answer)
    page.headers["X-Robots-Tag"] = "noindex"
    return page


def _no_page(request: Request) -> Response:
    return _absent(request, 404)


def _static(request: Request, path: str) -> Response:
    shelf: Shelf = request.app.state.shelf
    found = resolve(_STATIC, path)
    if found is None or not found.is_file():
        return _absent(request, 404)
    return send_stored(request, shelf.get(found), MEDIA_TYPES[found.suffix], "public, max-age=3600")


def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)  # noqa: S101 - registered for it
    answer = explained(request, error, _STATUS.get(type(error), 409))
    if isinstance(error, TooOften):
        answer.headers["Retry-After"] = str(error.facts["seconds"])
    return answer


def _malformed(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101 - registered for it
    first = error.errors()[0]
    where = ".".join(str(part) for part in first["loc"])
    return explained(request, Refused("web.malformed", field=where, reason=str(first["msg"])), 422)


def _http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if request.url.path.startswith("/api/"):
        return no_route(request)
    if request.url.path.startswith(_MACHINES):
        return JSONResponse({"error": error.detail}, error.status_code, headers=error.headers)
    if error.status_code == 404:
        return _absent(request, 404)
    return explained(request, Refused("web.method", method=request.method), error.status_code)


def _handlers(app: FastAPI) -> None:
    app.add_exception_handler(Refused, _refused)
    app.add_exception_handler(RequestValidationError, _malformed)
    app.add_exception_handler(HTTPException, _http)
    app.add_exception_handler(NotSignedIn, lambda _, error: to_login(getattr(error, "wanted", "")))
    app.add_exception_handler(MustEnrol, lambda *_: RedirectResponse(ACCOUNT, 303))
    app.add_exception_handler(
        stations.NoKey,
        lambda *_: JSONResponse({"error": "bearer key needed"}, 401, headers={"WWW-Authenticate": "Bearer"}),
    )
    app.add_exception_handler(hooks.NotSigned, lambda *_: JSONResponse({"error": "not signed"}, 403))


def create_app(system: System) -> FastAPI:
    """The application over an opened installation; it starts nothing in the background."""
    app = FastAPI(
        title="geowarn",
        version=importlib.metadata.version("geowarn"),
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        redirect_slashes=False,
    )
    app.state.system = system
    app.state.tree = PublicTree(system.public_dir)
    app.state.shelf = Shelf()
    app.state.trial_tree = PublicTree(system.data_dir / "exercise" / "public", "/exercise")
    app.state.live = Live(system.store)
    app.state.haste = Haste()
    app.state.say_map = None
    app.state.map = MapDrawer(system.facts.get("map", {}).get("land"))
    for part in (
        operation,
        stations,
        hooks,
        search,
        say,
        subscribe,
        login,
        account,
        people,
        outside,
        issuers,
        home,
        review,
        acts,
        review_acts,
        sign_page,
        clock,
        board,
        calls,
        exercise,
        inputs,
        ledger_page,
        partners,
        voices,
        answers,
        roster,
        roster_acts,
    ):
        app.include_router(part.router)
    integrators.add_routes(app)
    app.add_api_route("/console/static/{path:path}", _static, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/console/{path:path}", _no_page, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/exercise/{path:path}", _exercise_tree, methods=["GET", "HEAD"], include_in_schema=False)
    app.add_api_route("/{path:path}", _public, methods=["GET", "HEAD"], include_in_schema=False)
    _handlers(app)
    app.add_middleware(
        Guard, explain=explained, strict_transport=system.settings.site.public_url.startswith("https://")
    )
    return app
