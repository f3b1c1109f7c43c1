"""Reads scenarios of exercises from `config/exercises/`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.exercise import Scenario
from geowarn.domain.level import Level
from geowarn.policy_file import read_toml
from geowarn.resources import config_dir

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def _folders(data_dir: Path) -> tuple[Path, ...]:
    return data_dir / "config" / "exercises", config_dir() / "exercises"


def scenario_names(data_dir: Path) -> tuple[str, ...]:
    """The scenarios of an installation and the shipped ones, in order of name."""
    found = {path.stem for folder in _folders(data_dir) for path in folder.glob("*.toml")}
    return tuple(sorted(name for name in found if _NAME.fullmatch(name)))


def load_scenario(data_dir: Path, name: str) -> Scenario:
    """One scenario; raises NotFound for a name that is none, Refused naming file and key for a wrong one."""
    if name not in scenario_names(data_dir):
        raise NotFound("exercise.unknown-scenario", name=name, known=", ".join(scenario_names(data_dir)) or "-")
    path = next(file for folder in _folders(data_dir) if (file := folder / f"{name}.toml").is_file())
    table = read_toml(path)
    hours, levels = table.get("hours", 24), table.get("levels", {})
    texts = [table.get(key) for key in ("title_zh", "title_en")]
    if not all(isinstance(text, str) and text.strip() for text in texts):
        raise Refused("config.invalid", file=path.name, key="title_zh, title_en", reason="texts are needed")
    if not isinstance(hours, int) or not 1 <= hours <= 72:
        raise Refused("config.invalid", file=path.name, key="hours", reason="1 to 72")
    if not isinstance(levels, Mapping) or not levels:
        raise Refused("config.invalid", file=path.name, key="levels", reason="area code = level")
    parsed = {str(code): Level.parse(str(level)) for code, level in levels.items()}
    return Scenario(name, str(texts[0]), str(texts[1]), parsed, hours, bool(table.get("synthetic", False)))


def chosen_scenario(levels: Mapping[str, Level], hours: int = 24) -> Scenario:
    """A scenario of areas and levels that a person chose."""
    return Scenario("chosen", "导演选定的地区与级别", "areas and levels chosen by the director", dict(levels), hours)
