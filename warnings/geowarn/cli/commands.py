"""What stands in which module: a command loads its own and no other, which halves the time until it begins."""

from __future__ import annotations

from functools import cache
from importlib import import_module

import typer
from typer.core import TyperGroup
from typer.main import get_group

# A command, by the module that registers it.
_COMMANDS = {
    "demo": "run",
    "serve": "run",
    "drill": "drill",
    "init": "installation",
    "ingest": "forecast",
    "assess": "forecast",
    "replay": "forecast",
    "disclose": "ledger",
    "score": "score",
}
# A group of commands: the module and the name of its own, then modules that add to it.
_GROUPS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "warnings": ("warnings", "app", ("warning_acts", "review", "clock")),
    "tasks": ("clock", "tasks", ()),
    "incidents": ("incidents", "app", ()),
    "voices": ("voices", "app", ()),
    "answers": ("answers", "app", ()),
    "areas": ("areas", "app", ()),
    "recipients": ("recipients", "app", ()),
    "contacts": ("contacts", "app", ()),
    "subscribers": ("subscribers", "app", ()),
    "users": ("people", "users", ()),
    "roster": ("roster", "app", ("roster_acts",)),
    "channels": ("channels", "app", ()),
    "issuers": ("issuers", "app", ()),
    "partners": ("partners", "app", ()),
    "rules": ("rules", "app", ()),
    "search": ("search", "app", ()),
    "site": ("site", "app", ()),
    "db": ("installation", "db", ()),
    "config": ("installation", "config", ()),
    "ledger": ("ledger", "app", ()),
}


@cache
def part(name: str) -> typer.Typer:
    """The command or group of this name, in an application of its own; KeyError where there is none."""
    found = typer.Typer()
    if name in _COMMANDS:
        import_module(f"geowarn.cli.{_COMMANDS[name]}").register(found)
        return found
    module, attribute, more = _GROUPS[name]
    group: typer.Typer = getattr(import_module(f"geowarn.cli.{module}"), attribute)
    for other in more:
        import_module(f"geowarn.cli.{other}").register(group)
    found.add_typer(group, name=name)
    return found


class Commands(TyperGroup):
    """The commands of `geowarn`, each loaded when it is asked for; the list in the order of a duty's course."""

    def list_commands(self, ctx: typer.Context) -> list[str]:  # type: ignore[override]
        """Every name."""
        return [*_COMMANDS, *_GROUPS]

    def get_command(self, ctx: typer.Context, cmd_name: str):  # type: ignore[no-untyped-def, override]
        """The command of this name, or None."""
        if cmd_name not in self.commands and cmd_name in (*_COMMANDS, *_GROUPS):
            loaded = get_group(part(cmd_name)).commands[cmd_name]
            self.commands[cmd_name] = loaded
        return super().get_command(ctx, cmd_name)
