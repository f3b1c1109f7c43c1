"""What every command shares: the data folder, the acting person, output, and refusals as one line."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.table import Table

from geowarn.bootstrap import System, open_system
from geowarn.catalogue import say, terminal_language
from geowarn.domain.errors import Refused
from geowarn.domain.period import to_utc
from geowarn.pipeline.actor import Actor, find_user
from geowarn.security import os_user

Data = Annotated[
    Path | None,
    typer.Option("--data", envvar="GEOWARN_DATA", help="The folder of the installation · 安装所在的文件夹"),
]
AsJson = Annotated[bool, typer.Option("--json", help="Machine-readable output · 以 JSON 输出")]
As = Annotated[str, typer.Option("--as", help="The person acting · 办理人")]


def line(key: str, /, **facts: object) -> None:
    """Print one sentence of the catalogue in the terminal's language."""
    typer.echo(say(f"cli.{key}", terminal_language(), **facts))


def system_of(data: Path | None) -> System:
    """The installation in the folder named, else in the current folder."""
    return open_system(data if data is not None else Path())


def acting(system: System, name: str) -> Actor:
    """The person `--as` names: whoever may read the data folder's keys is trusted to say so."""
    with system.store.read() as work:
        user = find_user(work, name)
    return Actor(user, "command line", f"OS user {os_user()}")


def operator() -> str:
    """How the ledger names someone at the command line who is not acting as a person of the roster."""
    return f"command line, OS user {os_user()}"


def put_json(value: Any) -> None:
    """Print plain JSON."""
    typer.echo(json.dumps(value, ensure_ascii=False, indent=1))


def put_table(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table whose column heads are keys of the catalogue; wide enough for a pipe too."""
    language = terminal_language()
    put_rows([say(f"cli.col-{column}", language) for column in columns], rows)


def put_rows(heads: list[str], rows: list[list[str]]) -> None:
    """Print a table under heads that are words already."""
    console = Console(soft_wrap=False)
    if not console.is_terminal:
        console = Console(width=200)
    table = Table(box=None, pad_edge=False, header_style="bold")
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*row)
    console.print(table)


def local_time(system: System, iso: str | None) -> str:
    """An ISO 8601 time as people read it: in the installation's zone, to the second."""
    if iso is None:
        return "-"
    zone = ZoneInfo(system.settings.installation.zone)
    return datetime.fromisoformat(iso).astimezone(zone).isoformat(sep=" ", timespec="seconds")


def moment(text: str, name: str) -> datetime:
    """An ISO 8601 time with its offset, in UTC; raises Refused."""
    try:
        return to_utc(datetime.fromisoformat(text))
    except ValueError:
        raise Refused("cli.bad-time", option=name, value=text) from None
