"""Where templates and configuration lie: inside an installed package, or at the top of a checkout."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def _folder(name: str) -> Path:
    installed = Path(str(files("geowarn"))) / name
    return installed if installed.is_dir() else Path(__file__).resolve().parents[2] / name


def templates_dir() -> Path:
    """The shipped templates."""
    return _folder("templates")


def config_dir() -> Path:
    """The shipped configuration."""
    return _folder("config")
