"""`geowarn voices`: what people say, and what is done with it."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import As, AsJson, Data, acting, local_time, put_json, put_rows, system_of
from geowarn.domain.errors import Refused
from geowarn.domain.voice import OPEN, Voice, VoiceKind, VoiceState
from geowarn.pipeline.voice_acts import act, link, read_contact
from geowarn.pipeline.voice_keeping import erase, keep_voices
from geowarn.pipeline.voice_sealed import said_in
from geowarn.pipeline.voices import find_voice
from geowarn.ports import VoiceChoice

app = typer.Typer(help="What people say · 来信", no_args_is_help=True)
Number = Annotated[str, typer.Argument(metavar="NUMBER", help="Of the receipt, such as 2026-0042")]
Note = Annotated[str, typer.Option("--note", help="The person reads it with the receipt · 来信人可见")]
_STATES = {"open": OPEN, "all": frozenset[VoiceState]()} | {one.value: frozenset({one}) for one in VoiceState}
_KINDS = {"all": None} | {one.value: one for one in VoiceKind}


def _said(key: str, voice: Voice) -> None:
    typer.echo(say(f"voices.{key}", terminal_language(), number=voice.number, state=voice.state.value))


def _choice(state: str, kind: str, area: str) -> VoiceChoice:
    for value, known in ((state, [*_STATES]), (kind, [*_KINDS])):
        if value not in known:
            raise Refused("voices.choice", value=value[:20], known=", ".join(known))
    return VoiceChoice(_STATES[state], _KINDS[kind], frozenset({area} if area else ()), most=1000)


def _view(system: System, voice: Voice) -> dict[str, Any]:
    return {
        "number": voice.number,
        "kind": voice.kind.value,
        "sign": voice.sign,
        "state": voice.state.value,
        "area": voice.area,
        "received_at": voice.received_at.isoformat(),
        "due_at": voice.due_at.isoformat(),
        "late": voice.state in OPEN and voice.due_at <= system.clock.now(),
        "owner": voice.owner,
        "photo": voice.photo,
        "contact": voice.contact_masked,
        "warning": voice.warning_id,
        "incident": voice.incident_id,
        "answer": voice.answer_id,
        "erased_at": voice.erased_at.isoformat() if voice.erased_at else None,
    }


@app.command("list")
def list_(
    state: Annotated[str, typer.Option("--state", help="open, all, new, taken, answered, closed …")] = "open",
    kind: Annotated[str, typer.Option("--kind", help="all, observation, complaint, question")] = "all",
    area: Annotated[str, typer.Option("--area", help="Code of an area")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List voices, newest first, without their words · 列出来信（不含内容）"""
    system = system_of(data)
    with system.store.read() as work:
        views = [_view(system, voice) for voice in work.voices.list(_choice(state, kind, area))]
    if as_json:
        put_json(views)
        return
    rows = [
        [v["number"], f"{v['kind']} {v['sign']}".strip(), v["state"], v["area"] or "-", v["owner"] or "-",
         local_time(system, v["due_at"])]
        for v in views
    ]  # fmt: skip
    put_rows(["number", "kind", "state", "area", "owner", "due"], rows)


@app.command()
def show(number: Number, data: Data = None) -> None:
    """Show one as JSON, with its words and what was done · 查看来信"""
    system = system_of(data)
    with system.store.read() as work:
        voice = find_voice(work, number)
        acts = work.voices.acts(voice.id)
    said = said_in(system.vault, voice)
    put_json(
        _view(system, voice)
        | {"text": said.text, "place": said.place, "lon": said.lon, "lat": said.lat}
        | {"acts": [{"at": a.at.isoformat(), "by": a.user, "act": a.act, "note": a.note} for a in acts]}
    )


@app.command()
def take(number: Number, as_: As, data: Data = None) -> None:
    """Take it in hand · 接办"""
    system = system_of(data)
    _said("done", act(system.desk, number, "take", acting(system, as_)))


@app.command()
def answer(number: Number, note: Note, as_: As, data: Data = None) -> None:
    """Answer the person; for an answer to everybody see `geowarn answers` · 答复本人"""
    system = system_of(data)
    _said("done", act(system.desk, number, "answer", acting(system, as_), note))


@app.command()
def close(number: Number, note: Note, as_: As, data: Data = None) -> None:
    """Settle or refuse it, with the reason · 办结或不予受理"""
    system = system_of(data)
    _said("done", act(system.desk, number, "close", acting(system, as_), note))


@app.command("pass-on")
def pass_on(number: Number, note: Note, as_: As, data: Data = None) -> None:
    """Pass it on, saying to whom · 转办"""
    system = system_of(data)
    _said("done", act(system.desk, number, "pass-on", acting(system, as_), note))


@app.command()
def reopen(number: Number, as_: As, data: Data = None) -> None:
    """Open it again · 重新办理"""
    system = system_of(data)
    _said("done", act(system.desk, number, "reopen", acting(system, as_)))


@app.command("link")
def link_(
    number: Number,
    as_: As,
    warning: Annotated[str | None, typer.Option("--warning")] = None,
    incident: Annotated[str | None, typer.Option("--incident")] = None,
    answer: Annotated[str | None, typer.Option("--answer")] = None,
    data: Data = None,
) -> None:
    """Tie it to a warning, an incident or an answer; an empty name unties · 关联"""
    system = system_of(data)
    actor = acting(system, as_)
    for what, name in (("warning", warning), ("incident", incident), ("answer", answer)):
        if name is not None:
            _said("done", link(system.desk, number, actor, what, name))


@app.command()
def contact(number: Number, as_: As, data: Data = None) -> None:
    """Show how to reach the person; the ledger has it that you looked · 看联系方式（记台账）"""
    system = system_of(data)
    typer.echo(read_contact(system.desk, number, acting(system, as_)))


@app.command("erase")
def erase_(number: Number, as_: As, data: Data = None) -> None:
    """Delete what was written at the person's request; the chain holds · 应本人要求删除"""
    system = system_of(data)
    _said("gone", erase(system.desk, number, acting(system, as_)))


@app.command()
def prune(data: Data = None) -> None:
    """Delete what has been kept for its days, as the scheduler does every hour · 删除到期内容"""
    system = system_of(data)
    typer.echo(say("voices.pruned", terminal_language(), count=keep_voices(system.desk)))
