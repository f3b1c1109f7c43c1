"""`geowarn serve` and `geowarn demo`.

The web, the ticks and the demonstration are imported when they are asked for: every other command starts in half the
time without them.
"""

from __future__ import annotations

import signal
import threading
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer

from geowarn.cli.common import Data, line, system_of
from geowarn.domain.errors import Refused

_PARTS = "web,scheduler,worker"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(demo)
    app.command()(serve)


def stop_on_signal() -> threading.Event:
    """An event that SIGTERM and SIGINT set."""
    stop = threading.Event()

    def ask(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, ask)
    signal.signal(signal.SIGINT, ask)
    return stop


def serve(
    host: Annotated[str, typer.Option("--host")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port")] = 8765,
    only: Annotated[str, typer.Option("--only", help=_PARTS)] = _PARTS,
    data: Data = None,
) -> None:
    """Run web, scheduler and worker in one process, or one part of it · 启动服务"""
    from geowarn.serving import PARTS, serve_until

    parts = {part.strip() for part in only.split(",")}
    if not parts <= set(PARTS):
        raise Refused("serve.unknown-part", parts=", ".join(sorted(parts - set(PARTS))), known=_PARTS)
    system = system_of(data)
    stop = stop_on_signal()
    if "web" in parts:
        line("serving", public=f"http://{host}:{port}/", console=f"http://{host}:{port}/console/")
    try:
        serve_until(system, stop, host, port, parts)
    finally:
        system.store.dispose()  # folds the log into geowarn.db, so that the file alone is a whole copy


def demo(
    auto: Annotated[bool, typer.Option("--auto", help="Play the officers, print what happened, end")] = False,
    data: Data = None,
    port: Annotated[int, typer.Option("--port", help="0: any free port")] = 8765,
) -> None:
    """The whole line on embedded defaults with a labelled synthetic storm · 演示全流程"""
    from geowarn.demo.run import run_demo

    run_demo(data if data is not None else Path("demo-data"), port, auto, stop_on_signal())
