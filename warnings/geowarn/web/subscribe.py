"""Subscriptions by mail, without logging in and without a script: a form, and the pages behind mailed links.

A link only shows a page; what it is for happens when its button is pressed, because programs look at links too. The
one act that a mail program does by itself, ending a subscription (RFC 8058), needs the token of that mail.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import urlencode

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from geowarn.bootstrap import System
from geowarn.catalogue import explain
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.subscriber import Asked, Wish
from geowarn.pipeline import subscribing
from geowarn.pipeline.mailing import who_leaves
from geowarn.pipeline.subscribing import CHOICES, CONFIRM, Counter
from geowarn.web.access import origin_of, render, system_of
from geowarn.web.forms import pairs
from geowarn.web.shell import HERE, filled, language_of_path, shell_of

router = APIRouter(include_in_schema=False)

_HEADERS = {"Cache-Control": "no-store", "X-Robots-Tag": "noindex", "Referrer-Policy": "same-origin"}
_STATUS = {"mail.too-many": 429, "mail.no-link": 404}
_LISTED = (AreaKind.COUNTY, AreaKind.ZONE)
_OFFERED = (*_LISTED, AreaKind.TOWNSHIP)


@dataclass(frozen=True, slots=True)
class Form:
    """What a form brought."""

    values: dict[str, str]
    areas: tuple[str, ...]

    @classmethod
    def of(cls, request: Request) -> Form:
        """Raises Refused for what is no form."""
        found = pairs(request)
        return cls(dict(found), tuple(value for name, value in found if name == "area"))

    def __call__(self, name: str) -> str:
        return self.values.get(name, "")


@dataclass(frozen=True, slots=True)
class Desk:
    """One request: the installation, the language, and the page it is answered on."""

    request: Request
    system: System
    language: str
    page: str
    counter: Counter

    @property
    def token(self) -> str:
        """What the link carries."""
        return self.request.query_params.get("token", "")[:200]

    def wish(self, form: Form, held: Collection[str] = ()) -> Wish:
        """What the form asks for, of the places it lists and of those that are `held`; raises Refused."""
        known = {area.code for area in self._places()} | set(held)
        lowest = Level.parse(self.system.settings.publish.from_)
        return subscribing.wish_of(form("language"), form.areas, form("least"), known, lowest)

    def show(
        self, step: str, status: int = 200, token: str = "", asked: Asked | None = None, **values: Any
    ) -> Response:
        """The page of the tree with this step in it."""
        shell = shell_of(self.request.app.state.tree, "subscribe", self.language)
        if isinstance(shell, int):
            return render(self.request, "absent", shell, None, status=shell)
        other = f"{self.page}?{urlencode({'token': token})}" if token else self.page
        body = self.system.templates.render(
            "website/subscribe-answer.html.j2",
            language=self.language,
            here=HERE[self.language],
            step=step,
            token=token,
            **({"fault": "", "bad_mail": False, "typed": "", "wish": None} | self._offered(asked) | values),
            asked=asked,
        )
        return HTMLResponse(filled(shell, "subscribe", self.language, body, other), status, headers=_HEADERS)

    def refuse(self, step: str, refusal: Refused, token: str = "", **values: Any) -> Response:
        """The page again, saying what was wrong."""
        status = _STATUS.get(refusal.key, 422)
        told: dict[str, Any] = {
            "fault": explain(refusal, self.language),
            "bad_mail": refusal.key == "mail.not-an-address",
        }
        answer = self.show("no-link" if status == 404 else step, status, token, **told, **values)
        if status == 429:
            answer.headers["Retry-After"] = str(int(str(refusal.facts["minutes"])) * 60)
        return answer

    def _places(self, held: Collection[str] = ()) -> list[Area]:
        with self.system.store.read() as work:
            return [area for area in work.areas.plain() if area.kind in _OFFERED or area.code in held]

    def _offered(self, asked: Asked | None) -> dict[str, Any]:
        """What the form lists; `kept`: what is held and not in its lists, as an office may hold a city or a site."""
        held = asked.wish.areas if asked is not None else ()
        places = self._places(held)
        listed = {area.code for area in places if area.kind in _OFFERED}
        counties = [area for area in places if area.kind in _LISTED]
        least = max(Level.parse(self.system.settings.publish.from_), Level.BLUE)
        return {
            "hours": self.counter.hours,
            "levels": [level.code for level in Level if level >= least],
            "counties": counties,
            "children": {
                county.code: [p for p in places if p.parent == county.code and p.kind is AreaKind.TOWNSHIP]
                for county in counties
            },
            "kept": [code for code in held if code not in listed],
            "names": {area.code: area.name(self.language) for area in places},
        }


def _shown(wish: Wish) -> dict[str, Any]:
    return {"language": wish.language, "areas": wish.areas, "least": wish.least.code}


def _typed(form: Form) -> dict[str, Any]:
    return {"language": form("language"), "areas": form.areas, "least": form("least")}


def _form(desk: Desk) -> Response:
    if desk.request.query_params.get("step") == "asked":
        return desk.show("asked")
    lowest = max(Level.parse(desk.system.settings.publish.from_), Level.BLUE)
    return desk.show("form", wish=_shown(Wish(desk.language, (), lowest)))


def _ask(desk: Desk) -> Response:
    form = Form.of(desk.request)
    try:
        wish = desk.wish(form)
        if not form("homepage"):  # a field that people do not see
            subscribing.ask(desk.counter, form("mail"), wish, origin_of(desk.request))
    except Refused as refusal:
        return desk.refuse("form", refusal, wish=_typed(form), typed=form("mail")[:254])
    return RedirectResponse("subscribe?step=asked", 303, _HEADERS)


def _change_form(desk: Desk) -> Response:
    return desk.show("change")


def _change(desk: Desk) -> Response:
    form = Form.of(desk.request)
    try:
        if not form("homepage"):
            subscribing.ask_change(desk.counter, form("mail"), origin_of(desk.request))
    except Refused as refusal:
        return desk.refuse("change", refusal, typed=form("mail")[:254])
    return RedirectResponse("subscribe?step=asked", 303, _HEADERS)


def _link(kind: str, desk: Desk) -> Response:
    try:
        found = subscribing.asked(desk.counter, kind, desk.token)
    except NotFound as refusal:
        return desk.refuse(kind, refusal)
    return desk.show(kind, token=desk.token, asked=found, wish=_shown(found.wish))


def _confirm(desk: Desk) -> Response:
    try:
        subscribing.confirm(desk.counter, Form.of(desk.request)("token"))
    except NotFound as refusal:
        return desk.refuse(CONFIRM, refusal)
    return desk.show("confirmed")


def _choose(desk: Desk) -> Response:
    form = Form.of(desk.request)
    token = form("token")[:200]
    try:
        found = subscribing.asked(desk.counter, CHOICES, token)
        if form("end"):
            subscribing.end(desk.counter, token)
            return desk.show("ended")
        subscribing.choose(desk.counter, token, desk.wish(form, found.wish.areas))
    except NotFound as refusal:
        return desk.refuse(CHOICES, refusal)
    except Refused as refusal:
        return desk.refuse(CHOICES, refusal, token, asked=found, wish=_typed(form))
    return desk.show("changed")


def _leave_form(desk: Desk) -> Response:
    if who_leaves(desk.system.vault, desk.token) is None:
        return desk.refuse("end", NotFound("mail.no-link"))
    return desk.show("end", token=desk.token)


def _leave(desk: Desk) -> Response:
    """By the button of the page or by a mail program; whatever else the request holds is not looked at."""
    if not subscribing.leave(desk.counter, desk.token):
        return desk.refuse("end", NotFound("mail.no-link"))
    return desk.show("ended")


def _answering(page: str, answer: Callable[[Desk], Response]) -> Callable[[Request], Response]:
    def handler(request: Request) -> Response:
        system = system_of(request)
        if system.postman is None:
            return render(request, "elsewhere", 404, None, page="subscribe")
        counter = Counter(system.store, system.vault, system.clock, system.settings.mail.confirm_hours)
        return answer(Desk(request, system, language_of_path(request.url.path), page, counter))

    return handler


for _page, _get, _post in (
    ("subscribe", _form, _ask),
    ("subscribe-confirm", partial(_link, CONFIRM), _confirm),
    ("subscribe-choices", partial(_link, CHOICES), _choose),
    ("subscribe-change", _change_form, _change),
    ("subscribe-end", _leave_form, _leave),
):
    for _start in ("", "/en"):
        router.add_api_route(f"{_start}/{_page}", _answering(_page, _get), methods=["GET", "HEAD"])
        router.add_api_route(f"{_start}/{_page}", _answering(_page, _post), methods=["POST"])
