"""The documents hold: what a person is told to type exists, links lead somewhere, every dependency has its reason."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import typer.main
from packaging.requirements import Requirement

from geowarn.cli import app

TOP = Path(__file__).parents[2]
DOCUMENTS = sorted([*TOP.glob("*.md"), *(TOP / "docs").rglob("*.md")])
FENCE = re.compile(r"^(<!-- run -->\n)?```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
COMMANDS: Any = typer.main.get_command(app)  # typer's own copy of click


def blocks(document: Path, *, marked: bool) -> list[str]:
    return [body for mark, body in FENCE.findall(document.read_text("utf-8")) if bool(mark) or not marked]


def shell_lines() -> list[tuple[str, str]]:
    """Every `geowarn …` line of every shell block, continued lines joined."""
    found = []
    for document in DOCUMENTS:
        for body in blocks(document, marked=False):
            for line in body.replace("\\\n", " ").splitlines():
                command = line.split(" #")[0].strip().removeprefix(".venv/bin/")
                if command.startswith("geowarn "):
                    found.append((document.name, command))
    return found


def unknown_words(command: str) -> list[str]:
    """Sub-commands and options of one line that the program does not have."""
    here = COMMANDS
    strange = []
    for word in shlex.split(command)[1:]:
        if word.startswith("--"):
            options = {option for parameter in here.params for option in (*parameter.opts, *parameter.secondary_opts)}
            strange += [word] if word.split("=")[0] not in options | {"--help"} else []
        elif hasattr(here, "get_command"):
            within = here.get_command(None, word)
            if within is None:
                return [*strange, word]
            here = within
    return strange


@pytest.mark.parametrize(("document", "command"), shell_lines())
def test_the_program_knows(document: str, command: str) -> None:
    assert not unknown_words(command), f"{document}: {command}"


def test_the_check_notices_what_does_not_exist() -> None:
    assert unknown_words("geowarn demo --no-such-option") == ["--no-such-option"]
    assert unknown_words("geowarn no-such-command") == ["no-such-command"]


@pytest.mark.parametrize("body", [body for document in DOCUMENTS for body in blocks(document, marked=True)])
def test_a_marked_block_runs(body: str, tmp_path: Path) -> None:
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**os.environ, "PATH": path, "GEOWARN_DATA": str(tmp_path / "data")}
    done = subprocess.run(
        ["sh", "-eu", "-c", body],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(TOP).as_posix())
def test_links_lead_somewhere(document: Path) -> None:
    links = re.findall(r"\]\(([^)\s#]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    assert not [link for link in links if "://" not in link and not (document.parent / link).exists()]


def test_every_make_target_named_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (TOP / "Makefile").read_text("utf-8"), re.MULTILINE))
    named = {name for document in DOCUMENTS for name in re.findall(r"`make ([a-z]+)", document.read_text("utf-8"))}
    assert named <= targets


def test_every_dependency_is_justified() -> None:
    project = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))
    lines = [
        *project["project"]["dependencies"],
        *(line for extra in project["project"]["optional-dependencies"].values() for line in extra),
        *project["dependency-groups"]["dev"],
    ]
    record = (TOP / "docs" / "adr" / "0008-dependencies.md").read_text("utf-8")
    assert not [name for line in lines if f"`{(name := Requirement(line).name)}`" not in record]
