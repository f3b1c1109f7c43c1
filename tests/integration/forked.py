"""A test's child process without the second it takes to load the program: forked from one that has it loaded.

It dies as any process does, by the signal it gets or gives itself, and its end is looked at from outside.
"""

from __future__ import annotations

import importlib
import multiprocessing
import os
import subprocess
import sys
import tempfile
from multiprocessing.context import BaseContext
from pathlib import Path

PATIENCE = 120.0  # seconds
_LOADED = ["geowarn.bootstrap", "geowarn.scheduler", "geowarn.hook_service"]


def _forks() -> BaseContext:
    if "forkserver" not in multiprocessing.get_all_start_methods():
        return multiprocessing.get_context("spawn")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(_LOADED)
    return context


def _child(module: str, arguments: tuple[str, ...], environment: dict[str, str], said: str) -> None:
    os.environ.update(environment)
    output = os.open(said, os.O_WRONLY | os.O_TRUNC)
    for stream in (1, 2):
        os.dup2(output, stream)
    importlib.import_module(module).main(*arguments)
    sys.stdout.flush()


def ended(module: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Call `main` of a module with these arguments in a process of its own; status and all that it printed."""
    with tempfile.TemporaryDirectory() as folder:
        said = Path(folder) / "said"
        said.touch()
        child = _forks().Process(target=_child, args=(module, arguments, environment, str(said)))  # type: ignore[attr-defined]
        child.start()
        child.join(PATIENCE)
        if child.exitcode is None:
            child.kill()
            child.join()
        status = child.exitcode
        child.close()
        return subprocess.CompletedProcess([module, *arguments], status, said.read_text("utf-8"))
