"""`geowarn subscribers`: who gets warnings by mail, counted; and the end of it at somebody's request."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.cli.common import AsJson, Data, line, operator, put_json, put_table, system_of
from geowarn.pipeline.subscribing import remove

app = typer.Typer(help="Subscribers of mail · 邮件订阅", no_args_is_help=True)


@app.command()
def stats(as_json: AsJson = False, data: Data = None) -> None:
    """How many by role, language and lowest level, never who · 按身份、语言、级别统计"""
    system = system_of(data)
    with system.store.read() as work:
        counts = sorted(work.subscribers.counts().items())
    if as_json:
        put_json([{"role": r, "language": lang, "least": least, "count": n} for (r, lang, least), n in counts])
        return
    put_table(["role", "language", "level", "count"], [[r, lang, least, str(n)] for (r, lang, least), n in counts])


@app.command("remove")
def remove_(
    address: Annotated[str, typer.Argument(help="The mail address · 邮箱")],
    reason: Annotated[str, typer.Option("--reason", help="Why, kept in the ledger · 理由，入台账")],
    data: Data = None,
) -> None:
    """Delete an address at its owner's request, or because mail to it comes back · 应本人要求删除邮箱"""
    system = system_of(data)
    removed = remove(system.store, system.vault, system.clock, address, reason, operator())
    line("subscriber-removed", subscriber=removed)
