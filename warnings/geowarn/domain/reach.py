"""The levels of a bulletin as they reach places above and below the areas that it names."""

from __future__ import annotations

from collections.abc import Mapping

from geowarn.domain.area import Area, ancestors, effective
from geowarn.domain.level import Level


class Reach:
    """Each place is looked up once: ten thousand people cost what their places cost."""

    def __init__(self, levels: Mapping[str, Level], areas: Mapping[str, Area]) -> None:
        self._levels, self._areas = levels, areas
        self.highest = max(levels.values(), default=Level.NONE)
        self._inside: dict[str, Level] = {}
        self._over: dict[str, Level] = {}
        for code, level in levels.items():
            for holder in ancestors(code, areas):
                self._inside[holder] = max(level, self._inside.get(holder, Level.NONE))

    def over(self, area: str) -> Level:
        """The level that holds in a place: its own, or that of what it belongs to."""
        if area not in self._over:
            self._over[area] = effective(area, self._levels, self._areas)
        return self._over[area]

    def anywhere_in(self, area: str) -> Level:
        """The highest level that holds in a place or in any area inside it."""
        return max(self.over(area), self._inside.get(area, Level.NONE))
