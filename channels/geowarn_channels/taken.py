"""What others wrote and the tree carries: the very bytes that were taken, with their licence."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files

VENDOR = files("geowarn_channels") / "vendor"
_FILES = ("leaflet-1.9.4.js", "leaflet-1.9.4.css", "LICENSE.leaflet.txt")


@cache
def vendored() -> Mapping[str, bytes]:
    """Leaflet, which a page fetches only when a reader asks for a map that moves."""
    return {name: (VENDOR / name).read_bytes() for name in _FILES}
