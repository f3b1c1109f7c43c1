"""The public form: what people see, doubt and ask, with a receipt; the page of the tree, with the form in it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from geowarn.bootstrap import System
from geowarn.catalogue import explain
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.voice import LONGEST_CONTACT, LONGEST_PLACE, LONGEST_TEXT, SIGNS, VoiceKind
from geowarn.domain.voice_limits import takes_photo
from geowarn.photo import drawn_anew
from geowarn.pipeline.voices import Incoming, Receipt, leading, look_over, look_up, receive
from geowarn.web.access import origin_of, render, system_of
from geowarn.web.haste import Pace, keep_pace
from geowarn.web.multipart import Form, form_of
from geowarn.web.public_tree import PublicTree
from geowarn.web.say_form import TRAP, Typed, nearer, pressed, typed_of, view_in, wrong_of
from geowarn.web.say_map import STEPS, SayMap, Window
from geowarn.web.say_token import new_token, read_token
from geowarn.web.shell import HERE, filled, shell_of

router = APIRouter(include_in_schema=False)

_ADDRESS = {"zh": "say", "en": "../en/say"}
_PICTURES = {"zh": "say", "en": "../say"}
_MOST_PLACES = 400  # areas that a list to choose from holds
_KEPT = timedelta(minutes=10)  # outlines of the map, until areas are looked at again
_LOOKING = Pace("say look", 12, 600, 600)
_READING = Pace("say page", 240, 12_000, 60)
_SENDING = Pace("say send", 40, 4000, 60)
_DRAWING = Pace("say map", 240, 12_000, 60)


@router.api_route("/say", methods=["GET", "HEAD"])
def chinese(request: Request) -> Response:
    """The form in Chinese."""
    keep_pace(request, _READING)
    return _page(request, "zh", typed=Typed())


@router.api_route("/en/say", methods=["GET", "HEAD"])
def english(request: Request) -> Response:
    """The form in English."""
    keep_pace(request, _READING)
    return _page(request, "en", typed=Typed())


@router.post("/say")
def said_chinese(request: Request) -> Response:
    """What somebody did with the form in Chinese."""
    return _done(request, "zh")


@router.post("/en/say")
def said_english(request: Request) -> Response:
    """What somebody did with the form in English."""
    return _done(request, "en")


@router.get("/say/map.svg")
def picture(request: Request) -> Response:
    """The map that the form shows, and with it the place that is marked."""
    keep_pace(request, _DRAWING)
    system, asked = system_of(request), request.query_params
    drawn = _map(request)
    if not drawn.drawable:
        raise NotFound("web.no-page")
    window, mark = view_in(system.vault, asked.get("v", ""))
    found = drawn.picture(window, mark, "en" if asked.get("l") == "en" else "zh")
    svg = system.templates.render("website/say-map.svg.j2", picture=found)
    return Response(svg, media_type="image/svg+xml", headers={"Cache-Control": "private, max-age=300"})


def _map(request: Request) -> SayMap:
    """The map of the areas as they are; looked at again once in a while."""
    system, state = system_of(request), request.app.state
    now = system.clock.now()
    if state.say_map is None or not timedelta(0) <= now - state.say_map[0] < _KEPT:
        with system.store.read() as work:
            state.say_map = (now, SayMap({area.code: area for area in work.areas.all()}))
    found: SayMap = state.say_map[1]
    return found


def _done(request: Request, language: str) -> Response:
    keep_pace(request, _SENDING)
    form = form_of(request)
    typed, act = typed_of(form.fields), form.fields.get("do", "send")
    token = form.fields.get("token", "")
    if "at.x" in form.fields:
        return _marked(request, language, form, typed, token)
    if act in ("wider", "unmark"):
        step = max(typed.window.step - 1, 0)
        window = Window() if act == "unmark" or not step else replace(typed.window, step=step)
        lonlat = {"lon": "", "lat": ""} if act == "unmark" else {}
        return _page(request, language, typed=replace(typed, window=window, **lonlat), token=token, at_map=True)
    try:
        if act == "look":
            keep_pace(request, _LOOKING)
            return _looked_up(request, language, typed, form.fields.get("word", ""))
        receipt, lost = _received(request, language, form, typed, token)
    except Refused as refusal:
        wrong = wrong_of(refusal, explain(refusal, language))
        fresh = "" if refusal.key == "say.stale" else token
        return _page(request, language, 422, typed=typed, token=fresh, wrong=wrong, looking=act == "look")
    return _page(request, language, receipt=receipt, lost=lost, typed=Typed())


def _marked(request: Request, language: str, form: Form, typed: Typed, token: str) -> Response:
    """The place that was pressed, with the map nearer around it."""
    mark = pressed(form.fields, typed, _map(request))
    if mark is None:
        wrong = wrong_of(Refused("say.keyboard"), explain(Refused("say.keyboard"), language))
        return _page(request, language, typed=typed, token=token, wrong=wrong, at_map=True)
    found = replace(typed, lon=f"{mark[0]:.5f}", lat=f"{mark[1]:.5f}", window=nearer(typed.window, mark))
    return _page(request, language, typed=found, token=token, at_map=True)


def _received(request: Request, language: str, form: Form, typed: Typed, token: str) -> tuple[Receipt, str]:
    """The receipt, and why the photo was not taken with it (or empty): what somebody saw is never lost over a photo."""
    system = system_of(request)
    settings, now = system.settings.say, system.clock.now()
    nonce = read_token(system.vault, token, now, timedelta(hours=settings.form_hours))
    if form.fields.get(TRAP, "").strip():
        raise Refused("say.trap")
    area = typed.area or (_map(request).area_at(*typed.mark) if typed.mark else "")
    body, limits = form.files.get("photo"), settings.limits
    came = Incoming(
        nonce, typed.kind, typed.sign, language, typed.said(), area, typed.contact, None,
        sha256_hex(body) if body else "", origin_of(request), _in_force(request),
    )  # fmt: skip
    found = look_over(system.desk, came, limits)  # a photo costs most, so everything else is looked at before
    if isinstance(found, Receipt):
        return found, explain(Refused("photo.before"), language) if body and not found.voice.photo else ""
    photo, lost = _photo(system, body, takes_photo(found, limits), language)
    receipt = receive(system.desk, replace(came, photo=photo), limits)
    return receipt, "" if receipt.voice.photo else lost


def _photo(system: System, body: bytes | None, taken: bool, language: str) -> tuple[bytes | None, str]:
    settings = system.settings.say
    if body is None:
        return None, ""
    try:
        if not taken:
            raise Refused("photo.busy")
        return drawn_anew(body, settings.photo_megabytes << 20, settings.photo_megapixels * 1_000_000), ""
    except Refused as refusal:
        return None, explain(refusal, language)


def _in_force(request: Request) -> bool:
    """Whether a public warning is in force, as the public tree has it."""
    tree: PublicTree = request.app.state.tree
    try:
        return json.loads(tree.shelf.get(tree.root / "current.json").body)["none_in_force"] is False
    except (OSError, ValueError, KeyError):
        return False


def _looked_up(request: Request, language: str, typed: Typed, word: str) -> Response:
    system = system_of(request)
    voice = look_up(system.desk, typed.number, word)
    with system.store.read() as work:
        lead = leading(work, voice)
        told = [act for act in work.voices.acts(lead.id) if act.told]
        answered = lead.answer_id if lead.answer_id and work.answers.publications(lead.answer_id) else ""
    return _page(request, language, typed=Typed(), standing=(voice, lead, told, answered))


def _page(request: Request, language: str, status: int = 200, /, **values: Any) -> Response:
    """The page of the tree with what belongs between its marks."""
    system, tree = system_of(request), request.app.state.tree
    shell = shell_of(tree, "say", language) if system.settings.say.open else 404
    if isinstance(shell, int):
        return render(request, "absent", shell, None, status=shell)
    page = filled(shell, "say", language, _drawn(request, system, language, values), "say")
    headers = {"Cache-Control": "no-store"} | ({"X-Robots-Tag": "noindex"} if request.method == "POST" else {})
    return HTMLResponse(page, status, headers=headers)


def _drawn(request: Request, system: System, language: str, values: dict[str, Any]) -> str:
    now, typed = system.clock.now(), values["typed"]
    zone = ZoneInfo(system.settings.installation.zone)
    due = system.policy.voices.due
    rows = _places(system)
    known: dict[str, Any] = {
        "language": language,
        "here": HERE[language],
        "action": _ADDRESS[language],
        "token": new_token(system.vault, now),
        "trap": TRAP,
        "kinds": list(VoiceKind),
        "signs": SIGNS,
        "places": rows,
        "map": typed.picture(system.vault, _PICTURES[language], language) if _map(request).drawable else "",
        "map_size": (_map(request).height if _map(request).drawable else 0),
        "furthest": len(STEPS) - 1,
        "most": {"text": LONGEST_TEXT, "place": LONGEST_PLACE, "contact": LONGEST_CONTACT},
        "settings": system.settings,
        "keep_days": system.policy.voices.keep_days,
        "minutes": {kind.value: int(due[kind].total_seconds() // 60) for kind in VoiceKind},
        "local": lambda moment: moment.astimezone(zone),
        "wrong": None,
        "receipt": None,
        "standing": None,
        "lost": "",
        "looking": False,
        "at_map": False,
    }
    given = {name: value for name, value in values.items() if name != "token" or value}
    return system.templates.render("website/say-form.html.j2", **(known | given))


def _places(system: System) -> list[tuple[Area, list[Area]]]:
    """Counties and zones, each with what lies in it; only the former where the whole would be no list any more."""
    with system.store.read() as work:
        areas = work.areas.plain()
    tops = [area for area in areas if area.kind in (AreaKind.COUNTY, AreaKind.ZONE)]
    inner = [area for area in areas if area.kind is AreaKind.TOWNSHIP]
    if len(tops) + len(inner) > _MOST_PLACES:
        return [(top, []) for top in tops]
    return [(top, [area for area in inner if area.parent == top.code]) for top in tops]
