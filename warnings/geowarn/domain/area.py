"""Warning areas: counties, townships, functional zones and hazard points."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from geowarn.domain.level import Level


class AreaKind(StrEnum):
    """What an area is in the administrative order."""

    CITY = "city"
    COUNTY = "county"
    TOWNSHIP = "township"
    ZONE = "zone"  # functional zone (功能区): reports rain as a unit, statutory borders may differ
    POINT = "point"  # hazard point (隐患点)


class Susceptibility(StrEnum):
    """Terrain class (易发程度)."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"
    VERY_LOW = "very-low"


@dataclass(frozen=True, slots=True)
class Area:
    """One warning area; geometry is GeoJSON (longitude first, WGS 84) or None, lon/lat its point or label."""

    code: str
    kind: AreaKind
    name_zh: str
    name_en: str
    parent: str | None = None
    lon: float | None = None
    lat: float | None = None
    population: int | None = None
    susceptibility: Susceptibility = Susceptibility.MEDIUM
    surveyed: bool = False  # False: the class is assumed, and every screen says so
    geometry: Mapping[str, Any] | None = None
    official: bool = True  # False: the code is ours, not a statistics code

    def name(self, language: str) -> str:
        """The name in `zh` or `en`."""
        return self.name_zh if language == "zh" else self.name_en


def ancestors(code: str, areas: Mapping[str, Area]) -> tuple[str, ...]:
    """The area's own code, its parent's, and so on to the top."""
    chain: list[str] = []
    current: str | None = code
    while current is not None and current in areas and current not in chain:
        chain.append(current)
        current = areas[current].parent
    return tuple(chain)


def by_code(areas: Iterable[Area]) -> dict[str, Area]:
    """Areas keyed by their code."""
    return {area.code: area for area in areas}


def effective(code: str, levels: Mapping[str, Level], areas: Mapping[str, Area]) -> Level:
    """The level that holds in an area: its own, or a higher one of an area that it belongs to."""
    return max((levels.get(holder, Level.NONE) for holder in ancestors(code, areas)), default=Level.NONE)


def listed(levels: Mapping[str, Level], areas: Mapping[str, Area]) -> dict[str, Level]:
    """The areas a bulletin names: those whose level is above that of every area they belong to.

    A township that only shares its county's level is not listed beside it; a city never is, its counties are.
    """
    named: dict[str, Level] = {}
    for code, level in levels.items():
        if level is Level.NONE or areas[code].kind is AreaKind.CITY:
            continue
        holders = [c for c in ancestors(code, areas)[1:] if areas[c].kind is not AreaKind.CITY]
        if all(levels.get(holder, Level.NONE) < level for holder in holders):
            named[code] = level
    return named
