"""SVG → PNG with the font we carry, in a process of its own: while the library draws, nothing else runs in ours."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib.resources import as_file, files
from pathlib import Path

FONT = "NotoSansCJKsc-Bold-subset.otf"
_FAMILY = "Noto Sans CJK SC"
_DPI = 96  # of lengths in millimetres; the library assumes none
_SECONDS = 60  # the map of 3,000 areas takes a fifth of one
_CHILD = Path(__file__).with_name("picture_child.py")


class Undrawn(Exception):
    """Something could not be drawn; the text says why."""


def picture(svg: str, width: int = 1000) -> bytes:
    """The SVG as PNG, so many dots wide, the same on every machine; raises Undrawn."""
    with as_file(files("geowarn_channels") / "fonts" / FONT) as font:
        command = [sys.executable, "-P", "-B", str(_CHILD), str(font), _FAMILY, str(_DPI), str(width)]
        try:
            done = subprocess.run(  # noqa: S603
                command, input=svg.encode(), capture_output=True, timeout=_SECONDS, check=False
            )
        except (OSError, subprocess.TimeoutExpired) as fault:
            raise Undrawn(str(fault)) from fault
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        said = done.stderr.decode("utf-8", "replace").strip().splitlines() or [f"exit {done.returncode}"]
        raise Undrawn(said[-1])
    return done.stdout


def begun(draw: Callable[[], bytes]) -> Callable[[], bytes]:
    """Let something be drawn while other work is done; the call returned waits for it, and raises what it raised."""
    pool = ThreadPoolExecutor(1)
    drawing = pool.submit(draw)
    pool.shutdown(wait=False)
    return drawing.result
