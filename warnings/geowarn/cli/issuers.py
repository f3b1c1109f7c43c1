"""`geowarn issuers`: warnings that other offices publish as CAP."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from geowarn.bootstrap import System
from geowarn.catalogue import explain, say, terminal_language
from geowarn.cli.common import AsJson, Data, operator, put_json, system_of
from geowarn.domain.errors import Refused
from geowarn.domain.issuers import Issuer
from geowarn.issuer_service import issuer_desk, issuer_of, issuers_of
from geowarn.pipeline.issuer_poll import note_plan, poll
from geowarn.pipeline.issuer_view import Other, standing_now
from geowarn.pipeline.issuers import Came, take_message

app = typer.Typer(help="Warnings of other offices · 其他机关的预警", no_args_is_help=True)


@app.command("list")
def list_(data: Data = None, as_json: AsJson = False) -> None:
    """Every configured feed with when it was last heard, and what its messages say now · 来源与现行预警"""
    system = system_of(data)
    issuers = issuers_of(system.data_dir, system.settings)
    with system.store.read() as work:
        feeds = {feed.name: feed for feed in work.issued.feeds()}
        found = standing_now(work, system.clock.now())
    if as_json:
        put_json([_json(issuer, feeds, [one for one in found if one.feed.name == issuer.name]) for issuer in issuers])
        return
    language, console = terminal_language(), Console(soft_wrap=True)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in ("name", "kind", "signature", "heard", "holds"):
        table.add_column(say(f"issuers.head-{head}", language), overflow="fold")
    for issuer in issuers:
        feed = feeds.get(issuer.name)
        heard = f"{feed.heard_at:%Y-%m-%d %H:%M}Z" if feed and feed.heard_at else "-"
        state = heard if issuer.enabled else say("issuers.off", language)
        holds = sum(one.feed.name == issuer.name and one.standing in ("in-force", "held") for one in found)
        title = issuer.name_zh if language == "zh" else issuer.name_en
        table.add_row(f"{issuer.name} {title}", issuer.kind, issuer.demand.value, state, str(holds))
    console.print(table)


@app.command("poll")
def poll_(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    again: Annotated[bool, typer.Option("--again", help="Read everything anew · 全部重读")] = False,
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Look into one feed or its folder now · 立即读取一个来源"""
    system, issuer = _opened(data, name)
    polled = poll(issuer_desk(system), issuer, again)
    if polled.came or polled.fault is None:
        _say(polled.came, as_json)
    if polled.fault is not None:
        raise polled.fault


@app.command("take")
def take(
    name: Annotated[str, typer.Argument(metavar="NAME")],
    files: Annotated[list[Path], typer.Argument(metavar="FILE…")],
    data: Data = None,
    as_json: AsJson = False,
) -> None:
    """Take in files as if they had come through one feed · 按某一来源收取文件"""
    system, issuer = _opened(data, name)
    desk, came = issuer_desk(system), []
    for file in files:
        try:
            body = file.read_bytes()
        except OSError:
            raise Refused("ingest.no-file", file=file.name) from None
        came.append(take_message(desk, issuer, body, file.name, operator()))
    _say(tuple(came), as_json)
    refused = [one.refusal for one in came if one.refusal is not None]
    if refused:
        raise refused[0]


def _opened(data: Path | None, name: str) -> tuple[System, Issuer]:
    system = system_of(data)
    issuer = issuer_of(system, name)
    note_plan(system.store, issuers_of(system.data_dir, system.settings), system.clock.now())
    return system, issuer


def _say(came: tuple[Came, ...], as_json: bool) -> None:
    language = terminal_language()
    if as_json:
        put_json([{"id": one.id, "what": one.what, "ended": list(one.ended)} for one in came])
        return
    for one in came:
        if one.refusal is None:
            typer.echo(f"{one.id} {say(f'issuers.said-{one.what}', language)}")
        else:
            typer.echo(explain(one.refusal, language), err=True)
    refused = sum(one.refusal is not None for one in came)
    typer.echo(say("issuers.polled", language, count=len(came), refused=refused))


def _json(issuer: Issuer, feeds: object, found: list[Other]) -> dict[str, object]:
    feed = feeds.get(issuer.name) if isinstance(feeds, dict) else None
    return {
        "name": issuer.name,
        "kind": issuer.kind,
        "enabled": issuer.enabled,
        "signature": issuer.demand.value,
        "heard_at": feed.heard_at.isoformat() if feed and feed.heard_at else None,
        "silent_since": feed.silent_since.isoformat() if feed and feed.silent_since else None,
        "messages": [
            {
                "id": one.message.id,
                "sender": one.message.sender,
                "identifier": one.message.identifier,
                "sent": one.message.sent.isoformat(),
                "status": one.message.status,
                "standing": one.standing.value,
                "areas": list(one.message.codes),
                "remarks": list(one.message.remarks),
                "signed_by": one.message.signed_by,
            }
            for one in found
        ],
    }
