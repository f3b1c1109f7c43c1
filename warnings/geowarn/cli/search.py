"""`geowarn search`: what the public search finds."""

from __future__ import annotations

import typer

from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import Data, line, system_of
from geowarn.cli.progress import advancing
from geowarn.pipeline.search_index import catch_up, rebuild

app = typer.Typer(help="The public search · 公众搜索", no_args_is_help=True)


@app.command("rebuild")
def rebuild_(data: Data = None) -> None:
    """Write everything that can be found again; releases and searches go on meanwhile · 重建搜索目录"""
    system = system_of(data)
    with advancing(0, say("cli.search-progress", terminal_language())) as advance:
        count = rebuild(system.search_sources, advance)
    line("search-rebuilt", count=count)


@app.command("catch-up")
def catch_up_(data: Data = None) -> None:
    """Add what is public and not yet found; the scheduler does it by itself · 补录漏掉的内容"""
    line("search-caught-up", count=catch_up(system_of(data).search_sources))
