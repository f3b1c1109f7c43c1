"""The `geowarn` command loads what is asked for, and lists all there is."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import typer.main

from geowarn.cli import app
from geowarn.cli.commands import part

COMMANDS: Any = typer.main.get_command(app)


def test_whatever_a_module_registers_is_listed_and_whatever_is_listed_loads() -> None:
    listed = COMMANDS.list_commands(None)
    assert len(set(listed)) == len(listed) > 25
    for name in listed:
        loaded = COMMANDS.get_command(None, name)
        assert loaded.name == name
        assert loaded.help
        assert set(typer.main.get_group(part(name)).commands) <= set(listed)
    assert COMMANDS.get_command(None, "no-such-command") is None


def test_a_command_loads_no_other() -> None:
    code = (
        "import json, sys; from geowarn.cli.commands import part; part('areas');"
        "print(json.dumps(sorted(n for n in sys.modules if n.startswith('geowarn.cli.') or n == 'geowarn.scheduler')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == ["geowarn.cli.areas", "geowarn.cli.commands", "geowarn.cli.common"]
