"""Polygons as they are held in memory: the numbers themselves, unfolded to GeoJSON only when somebody looks."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

Rings = tuple[tuple[int, ...], ...]  # positions of each ring, by polygon


class Outline(Mapping[str, Any]):
    """A GeoJSON Polygon or MultiPolygon of 16 bytes a position, where lists of lists would take about 130."""

    __slots__ = ("kind", "numbers", "rings")

    def __init__(self, kind: str, rings: Rings, numbers: Iterable[float]) -> None:
        self.kind, self.rings, self.numbers = kind, rings, array("d", numbers)

    def __getitem__(self, key: str) -> Any:
        if key == "type":
            return self.kind
        if key != "coordinates":
            raise KeyError(key)
        numbers = iter(self.numbers)
        polygons = [[[[next(numbers), next(numbers)] for _ in range(size)] for size in part] for part in self.rings]
        return polygons if self.kind == "MultiPolygon" else polygons[0]

    def __iter__(self) -> Iterator[str]:
        return iter(("type", "coordinates"))

    def __len__(self) -> int:
        return 2

    def __repr__(self) -> str:
        return repr(dict(self))


def folded(geometry: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same geometry as an `Outline`; as it is where it is more or other than polygons of two floats a position."""
    kind = geometry.get("type")
    if isinstance(geometry, Outline) or kind not in ("Polygon", "MultiPolygon") or len(geometry) != 2:
        return geometry
    try:
        polygons = geometry["coordinates"] if kind == "MultiPolygon" else [geometry["coordinates"]]
        positions = [position for polygon in polygons for ring in polygon for position in ring]
        numbers = [number for lon, lat in positions for number in (lon, lat)]
        rings = tuple(tuple(len(ring) for ring in polygon) for polygon in polygons)
    except (KeyError, TypeError, ValueError):
        return geometry
    return Outline(kind, rings, numbers) if all(type(number) is float for number in numbers) else geometry
