"""A photo somebody sends → a picture of our own: decoded in a process of its own, drawn anew, nothing else of it left.

What is kept is a PNG of pixels only: no EXIF, no position, no name, no thumbnail, nothing that follows the picture.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import geowarn
from geowarn.domain.errors import Refused
from geowarn.domain.photo import MOST_KEPT, Picture, look_at

MEMORY = 1 << 30  # bytes of address space
SECONDS = 20  # until the child is ended
AT_ONCE = 2  # children at a time
WAITING = 4  # that wait for their turn; with more, photos would hold the threads that the console answers with
PATIENCE = 3.0  # seconds that one waits
_line = threading.BoundedSemaphore(AT_ONCE + WAITING)
_turn = threading.BoundedSemaphore(AT_ONCE)


def drawn_anew(body: bytes, most_bytes: int, most_pixels: int) -> bytes:
    """The photo as PNG; raises Refused with a sentence for whoever sent it."""
    if len(body) > most_bytes:
        raise Refused("photo.large", megabytes=most_bytes // (1 << 20))
    picture = look_at(body, most_pixels)
    if not _line.acquire(blocking=False):
        raise Refused("photo.busy")
    try:
        return _in_turn(body, picture)
    finally:
        _line.release()


def _in_turn(body: bytes, picture: Picture) -> bytes:
    if not _turn.acquire(timeout=PATIENCE):
        raise Refused("photo.busy")
    try:
        return _in_child(body, picture)
    finally:
        _turn.release()


def _in_child(body: bytes, picture: Picture) -> bytes:
    sizes = (picture.width, picture.height, picture.orientation)
    told = [str(number) for number in (os.getpid(), MEMORY, SECONDS, MOST_KEPT, *sizes)]
    command = [sys.executable, "-P", "-B", "-m", "geowarn.photo_child", *told, picture.kind]
    environment = {"PYTHONPATH": str(Path(geowarn.__file__).parents[1]), "PATH": os.environ.get("PATH", "")}
    try:
        done = subprocess.run(  # noqa: S603
            command, input=body, capture_output=True, timeout=SECONDS, env=environment, cwd="/", check=False
        )
    except subprocess.TimeoutExpired:
        raise Refused("photo.unreadable") from None
    if done.returncode or not done.stdout.startswith(b"\x89PNG"):
        raise Refused("photo.unreadable")
    return done.stdout
