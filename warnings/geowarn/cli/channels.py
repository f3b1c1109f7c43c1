"""`geowarn channels`: what carries a bulletin out."""

from __future__ import annotations

import hashlib
import secrets
from typing import Annotated

import typer

from geowarn.cli.common import AsJson, Data, line, put_json, put_table, system_of
from geowarn.domain.errors import NotFound, Refused, SendFailure

app = typer.Typer(help="Channels · 渠道", no_args_is_help=True)


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """List the enabled channels and their limits · 列出渠道"""
    system = system_of(data)
    found = [
        {
            "name": name,
            "languages": list(channel.limits.languages),
            "longest": channel.limits.longest,
            "repeat_is_safe": channel.limits.repeat_is_safe,
            "batch": channel.limits.batch,
            "concurrency": channel.limits.concurrency,
        }
        for name, channel in system.channels.items()
    ]
    if as_json:
        put_json(found)
        return
    put_table(
        ["channel", "languages", "longest", "batch"],
        [
            [name, ", ".join(c.limits.languages), str(c.limits.longest or "-"), str(c.limits.batch)]
            for name, c in system.channels.items()
        ],
    )


@app.command("test")
def probe(name: Annotated[str, typer.Argument(help="Name of the channel")], data: Data = None) -> None:
    """Connect and log in as for a message, without sending one; names the setting that is wrong · 测试渠道"""
    system = system_of(data)
    channel = system.channels.get(name)
    if channel is None:
        raise NotFound("cli.no-channel", channel=name[:40], known=", ".join(system.channels))
    asking = getattr(channel, "probe", None)
    if asking is None:
        raise Refused("cli.no-probe", channel=name)
    try:
        line("channel-answers", channel=name, where=asking())
    except SendFailure as failure:
        raise Refused(failure.reason) from None


@app.command()
def key(station: Annotated[str, typer.Argument(help="Name of the station in channels.toml")]) -> None:
    """Make a bearer key for a station; only its SHA-256 goes into channels.toml · 生成电台电视台密钥"""
    made = secrets.token_urlsafe(32)
    line("station-key", station=station, key=made, digest=hashlib.sha256(made.encode()).hexdigest())
