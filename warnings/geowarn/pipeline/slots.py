"""The texts a person may change, and their pre-approved defaults."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable

from geowarn.domain.level import Level
from geowarn.ports import Templates

_PUBLISHABLE = (Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE)


def default_slots(templates: Templates, levels: Iterable[Level] = _PUBLISHABLE) -> dict[str, str]:
    """Slot key (`action.red.zh`) to default text for these levels, in every language of `bulletin/slots.toml`."""
    slots = tomllib.loads(templates.render("bulletin/slots.toml"))
    return {
        f"{slot}.{level.code}.{language}": text
        for slot, by_level in slots.items()
        for level in levels
        for language, text in by_level.get(level.code, {}).items()
    }
