"""One request at the console: who asks, in which language, and how the answer is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from geowarn.bootstrap import System
from geowarn.catalogue import LANGUAGES
from geowarn.domain.errors import Refused
from geowarn.domain.people import User
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.second_factor import factor_in_use
from geowarn.web.forms import fields
from geowarn.web.head import head_values
from geowarn.web.sessions import SignedIn, signed_in
from geowarn.web.wording import Words, words_for

LANGUAGE_COOKIE = "geowarn-language"
LOGIN = "/console/login"
HOME = "/console/"
ACCOUNT = "/console/account"
_WITHOUT_FACTOR = (ACCOUNT, "/console/logout")  # open to who must enrol first


class MustEnrol(Exception):
    """The installation asks everyone for a second factor, and this person has none yet."""


class NotSignedIn(Exception):
    """The page is for people who have logged in; `wanted` is where they wanted to go."""

    def __init__(self, wanted: str) -> None:
        super().__init__(wanted)
        self.wanted = wanted


def system_of(request: Request) -> System:
    """The installation this application serves."""
    system: System = request.app.state.system
    return system


def language_of(request: Request) -> str:
    """The page's language: the address, then the cookie, else Chinese."""
    english = "en" if request.url.path.startswith("/en/") else None
    for chosen in (request.query_params.get("lang"), english, request.cookies.get(LANGUAGE_COOKIE)):
        if chosen in LANGUAGES:
            return chosen
    return LANGUAGES[0]


def words_of(request: Request) -> Words:
    """The wording of this request's language and zone."""
    system = system_of(request)
    return words_for(language_of(request), system.settings.installation.zone, system.data_dir / "templates")


def origin_of(request: Request) -> str:
    """The network address the request came from."""
    return request.client.host if request.client else "?"


def cookie_name(system: System) -> str:
    """`__Host-` binds the cookie to this host and to TLS."""
    return "__Host-geowarn" if system.settings.web.secure_cookie else "geowarn"


def token_of(request: Request) -> str:
    """The session token the browser sent, or an empty text."""
    return request.cookies.get(cookie_name(system_of(request)), "")


def set_token(response: Response, system: System, token: str) -> None:
    """Give the browser its token for as long as a session may last; an empty token takes it away."""
    response.set_cookie(
        cookie_name(system),
        token,
        max_age=system.settings.web.session_hours * 3600 if token else 0,
        path="/",
        secure=system.settings.web.secure_cookie,
        httponly=True,
        samesite="lax",
    )


def safe_next(wanted: str) -> str:
    """`wanted` when it is a page of the console, else its first page: never a way out of the site."""
    plain = wanted.startswith(HOME) and wanted.isascii() and wanted.isprintable()
    inside = plain and "\\" not in wanted and "//" not in wanted and not wanted.startswith(LOGIN)
    return wanted if inside else HOME


def language_switch(request: Request, other: str) -> str:
    """This page in the other language."""
    others = [(name, value) for name, value in request.query_params.multi_items() if name not in ("lang", "quiet")]
    return f"{quote(request.url.path)}?{urlencode([*others, ('lang', other)])}"


def render_text(request: Request, name: str, /, **values: Any) -> str:
    """`templates/console/<name>.html.j2` in the request's language."""
    system, words = system_of(request), words_of(request)
    page = f"console/{name}.html.j2"
    return system.templates.render(page, w=words, settings=system.settings, now=system.clock.now(), **values)


def render(request: Request, name: str, status: int, who: SignedIn | None, /, **values: Any) -> HTMLResponse:
    """Draw `templates/console/<name>.html.j2` in the request's language."""
    switch = language_switch(request, words_of(request).other_language())
    html = render_text(request, name, who=who, switch=switch, **values)
    response = HTMLResponse(html, status)
    chosen = request.query_params.get("lang")
    if chosen in LANGUAGES:
        response.set_cookie(LANGUAGE_COOKIE, chosen, max_age=365 * 86400, path="/", samesite="lax", httponly=True)
    return response


@dataclass(frozen=True, slots=True)
class Visit:
    """One request of a person who has logged in."""

    request: Request
    system: System
    who: SignedIn
    words: Words
    now: datetime

    @property
    def user(self) -> User:
        """The person."""
        return self.who.user

    @property
    def actor(self) -> Actor:
        """The person as the ledger names them."""
        return Actor(self.who.user, "console", origin_of(self.request))

    def page(self, name: str, /, status: int = 200, **values: Any) -> Response:
        """Draw one page."""
        with self.system.store.read() as work:
            head = head_values(work, self.user.name, self.now)
        return render(self.request, name, status, self.who, **head, **values)

    def form(self) -> dict[str, str]:
        """The fields of a form this session was given; raises Refused for any other."""
        found = fields(self.request)
        if not self.who.owns(found.pop("form_token", "")):
            raise Refused("web.stale-form")
        return found

    def go(self, path: str) -> Response:
        """Look at `path` next."""
        return RedirectResponse(path, 303)


def visit(request: Request) -> Visit:
    """The visit of a signed-in person; raises NotSignedIn."""
    system = system_of(request)
    token = token_of(request)
    who = signed_in(system, token, "quiet" in request.query_params) if token else None
    if who is None:
        wanted = request.url.path if request.method in ("GET", "HEAD") else HOME
        raise NotSignedIn(wanted)
    if system.settings.web.second_factor == "required" and not request.url.path.startswith(_WITHOUT_FACTOR):
        with system.store.read() as work:
            if not factor_in_use(work, who.user.name):
                raise MustEnrol
    return Visit(request, system, who, words_of(request), system.clock.now())


Visiting = Annotated[Visit, Depends(visit)]


def to_login(wanted: str) -> Response:
    """Where someone who must log in is sent."""
    return RedirectResponse(f"{LOGIN}?{urlencode({'next': safe_next(wanted)})}", 303)
