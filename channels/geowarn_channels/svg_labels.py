"""Where names stand on a map, so that none covers another."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from geowarn.domain.level import Level
from geowarn_channels.svg_map import Outline

Box = tuple[float, float, float, float]  # west, north, east, south

# Where a name may stand round its point, best first.
_AROUND = ((0, 12), (0, -24), (0, 48), (52, 12), (-52, 12), (40, -24), (40, 48))
_DROPPED_ENDINGS = {
    "zh": ("市", "区", "县"),
    "en": (" District", " City", " County"),
}


def short_name(name: str, language: str) -> str:
    """The name as a map carries it: without the word for its kind where more than that is left."""
    for ending in _DROPPED_ENDINGS[language]:
        if name.endswith(ending) and len(name) > len(ending) + 1:
            return name.removesuffix(ending)
    return name


def placed(
    outlines: Iterable[Outline], levels: Mapping[str, Level], language: str, dense: bool = False
) -> dict[str, tuple[str, int, int]]:
    """Name and base line for each area, levelled ones first; a name that would cover another one stays away.

    On a dense map a name stands on its own area or nowhere: beside it, it would stand on another.
    """
    taken = _Taken()
    found: dict[str, tuple[str, int, int]] = {}
    for o in sorted(outlines, key=lambda o: (-levels.get(o.code, Level.NONE), o.small)):
        level = levels.get(o.code, Level.NONE)
        name = _label(o, level, language)
        if level > Level.NONE:
            taken.add((o.x - 40, o.y - 64, o.x + 40, o.y + 14))
        for dx, dy in [(0, 50)] if level > Level.NONE else _around(o, dense):
            half = len(name) * (19 if language == "zh" else 10)
            box = (o.x + dx - half, o.y + dy - 34, o.x + dx + half, o.y + dy + 6)
            if name and (level > Level.NONE or not taken.covers(box)):
                taken.add(box)
                found[o.code] = (name, o.x + dx, o.y + dy)
                break
    return found


def _around(outline: Outline, dense: bool) -> tuple[tuple[int, int], ...]:
    """Where its name may stand, best first."""
    if not dense:
        return _AROUND
    west, north, east, south = outline.box
    return _AROUND[:1] + tuple(
        (dx, dy)
        for dx, dy in _AROUND[1:]
        if west <= outline.x + dx <= east and north <= outline.y + dy - _AROUND[0][1] <= south
    )


class _Taken:
    """Boxes on the map that are spoken for, found by the squares they lie in."""

    def __init__(self) -> None:
        self._squares: dict[tuple[int, int], list[Box]] = {}

    def add(self, box: Box) -> None:
        for square in _squares(box):
            self._squares.setdefault(square, []).append(box)

    def covers(self, box: Box) -> bool:
        return any(_overlap(box, other) for square in _squares(box) for other in self._squares.get(square, ()))


def _squares(box: Box) -> list[tuple[int, int]]:
    west, north, east, south = (int(side // 100) for side in box)
    return [(x, y) for x in range(west, east + 1) for y in range(north, south + 1)]


def _overlap(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]


def _label(outline: Outline, level: Level, language: str) -> str:
    name = short_name(outline.name_zh if language == "zh" else outline.name_en, language)
    longest = 4 if language == "zh" else 12
    return name if level > Level.NONE or len(name) <= longest else ""
