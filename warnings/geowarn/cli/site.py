"""`geowarn site`: the public tree."""

from __future__ import annotations

from typing import cast

import typer

from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import Data, line, system_of
from geowarn.cli.progress import advancing
from geowarn.domain.errors import Refused
from geowarn.ports import Rebuilding

app = typer.Typer(help="The public site · 公众网站", no_args_is_help=True)


@app.callback()
def _group() -> None:
    """Without it typer would make the only command the group itself."""


@app.command("rebuild")
def rebuild(data: Data = None) -> None:
    """Draw and compare every file again, page by page; broken off, it goes on where it stopped · 重建公众网站"""
    system = system_of(data)
    channels = [cast(Rebuilding, one) for one in system.channels.values() if hasattr(one, "rebuild")]
    if not channels:
        raise Refused("cli.site-none")
    try:
        with advancing(0, say("cli.site-progress", terminal_language())) as advance:
            for channel in channels:
                channel.rebuild(advance)
    except KeyboardInterrupt:
        raise Refused("cli.site-stopped") from None
    line("site-rebuilt", folder=str(system.public_dir))
