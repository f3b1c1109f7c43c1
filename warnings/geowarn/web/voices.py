"""What people say, at the console: the list, one of them with photo and place, and what is done with it."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.area import by_code
from geowarn.domain.errors import NotFound
from geowarn.domain.voice import ACTS, OPEN, Said, Voice, VoiceKind, VoiceState
from geowarn.pipeline.voice_acts import HANDLERS, act, link, may_over, may_read, read_contact
from geowarn.pipeline.voice_keeping import ERASERS, erase
from geowarn.pipeline.voice_sealed import photo_of, said_in
from geowarn.pipeline.voices import find_voice, leading
from geowarn.ports import UnitOfWork, VoiceChoice
from geowarn.web.access import Visit, Visiting
from geowarn.web.say_form import Typed
from geowarn.web.say_map import Window

router = APIRouter(prefix="/console/voices", include_in_schema=False)
HERE = "/console/voices"
_ALL = "all"
_BEGINNING = 60  # characters of a text that the list shows
_BESIDE = 20  # others of the same area beside one


def choice_of(visit: Visit) -> tuple[VoiceChoice, dict[str, str]]:
    """What the address narrows the list to; what makes no sense narrows nothing. As shipped: what is open."""
    asked = visit.request.query_params
    state, kind, area = (asked.get(name, "") for name in ("state", "kind", "area"))
    states = OPEN if not state else frozenset() if state == _ALL else _known_state(state)
    kinds = {one.value: one for one in VoiceKind}
    shown = {"state": state, "kind": kind if kind in kinds else "", "area": area}
    return VoiceChoice(states, kinds.get(kind), frozenset({area} if area else ())), shown


def _known_state(state: str) -> frozenset[VoiceState]:
    return frozenset({VoiceState(state)}) if state in {one.value for one in VoiceState} else frozenset()


@router.get("")
def listing(visit: Visiting) -> Response:
    """The newest first, narrowed by state, kind and area."""
    may_read(visit.actor)
    choice, shown = choice_of(visit)
    with visit.system.store.read() as work:
        voices = work.voices.list(choice)
        areas = by_code(work.areas.plain())
        counts = work.voices.counts()
        used = sorted({voice.area for voice in work.voices.list(VoiceChoice()) if voice.area})
        users = {user.name: user for user in work.users.all()}
    return visit.page(
        "voices",
        voices=voices,
        beginnings={voice.id: _beginning(visit, voice) for voice in voices},
        areas=areas,
        used=used,
        counts=counts,
        shown=shown,
        states=list(VoiceState),
        kinds=list(VoiceKind),
        open_count=sum(counts.get(state.value, 0) for state in OPEN),
        late=sum(voice.state in OPEN and voice.due_at <= visit.now for voice in voices),
        users=users,
    )


def _beginning(visit: Visit, voice: Voice) -> str:
    text = " ".join(said_in(visit.system.vault, voice).text.split())
    return text if len(text) <= _BEGINNING else f"{text[:_BEGINNING]}…"


@router.get("/{number}")
def one(visit: Visiting, number: str) -> Response:
    """One of them."""
    return _page(visit, number)


def _page(visit: Visit, number: str, **more: Any) -> Response:
    may_read(visit.actor)
    with visit.system.store.read() as work:
        voice = find_voice(work, number)
        values = _values(visit, work, voice)
        values["may"], values["erases"] = (may_over(visit.actor, roles, work, voice) for roles in (HANDLERS, ERASERS))
    values |= {"contact": "", **more}
    return visit.page("voice", **values)


def _values(visit: Visit, work: UnitOfWork, voice: Voice) -> dict[str, Any]:
    said, areas = said_in(visit.system.vault, voice), by_code(work.areas.plain())
    around = VoiceChoice(states=OPEN, areas=frozenset({voice.area}), most=_BESIDE)
    beside = work.voices.list(around) if voice.area else ()
    answer = work.answers.publications(voice.answer_id) if voice.answer_id else ()
    warning = work.bulletins.of_warning(voice.warning_id) if voice.warning_id else ()
    return {
        "voice": voice,
        "said": said,
        "picture": _picture(visit, said),
        "area": areas.get(voice.area),
        "areas": areas,
        "acts": work.voices.acts(voice.id),
        "can": [name for name, (_, allowed) in ACTS.items() if voice.state in allowed],
        "repeats": work.voices.repeats(voice.id),
        "lead": leading(work, voice) if voice.folded_into else None,
        "beside": [one for one in beside if one.id != voice.id],
        "answered": bool(answer),
        "slug": warning[-1].slug if warning else "",
        "users": {user.name: user for user in work.users.all()},
    }


def _picture(visit: Visit, said: Said) -> str:
    """The address of the map of the place marked; empty where none is."""
    if said.lon is None or said.lat is None:
        return ""
    typed = Typed(lon=str(said.lon), lat=str(said.lat), window=Window(1, said.lon, said.lat))
    return typed.picture(visit.system.vault, "/say", visit.words.language)


@router.get("/{number}/photo")
def photo(visit: Visiting, number: str) -> Response:
    """Its photo."""
    may_read(visit.actor)
    with visit.system.store.read() as work:
        body = photo_of(visit.system.vault, work, find_voice(work, number))
    return Response(body, media_type="image/png", headers={"Content-Disposition": "inline"})


@router.post("/{number}/contact")
def contact(visit: Visiting, number: str) -> Response:
    """How to reach the person, shown this once; the ledger says who looked."""
    visit.form()
    return _page(visit, number, contact=read_contact(visit.system.desk, number, visit.actor))


@router.post("/{number}/link")
def tie(visit: Visiting, number: str) -> Response:
    """Tie it to a warning, an incident or an answer."""
    form = visit.form()
    link(visit.system.desk, number, visit.actor, form.get("what", ""), form.get("name", "")[:60])
    return visit.go(f"{HERE}/{number}")


@router.post("/{number}/erase")
def delete(visit: Visiting, number: str) -> Response:
    """Delete what was written, at the person's request."""
    visit.form()
    erase(visit.system.desk, number, visit.actor)
    return visit.go(f"{HERE}/{number}")


@router.post("/{number}/acts/{name}")
def do(visit: Visiting, number: str, name: str) -> Response:
    """Take, answer, close, pass on or reopen."""
    form = visit.form()
    visit.actor.need_somewhere(*HANDLERS)
    if name not in ACTS:
        raise NotFound("voices.act", act=name[:20])
    act(visit.system.desk, number, name, visit.actor, form.get("note", ""))
    return visit.go(f"{HERE}/{number}")
