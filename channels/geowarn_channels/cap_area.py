"""Warning areas as CAP areas: a polygon wherever there is one, else the nearest thing that warns the right people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.warning import AreaLevel
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels.polygons import cap_polygons, circle, middle
from geowarn_channels.texts import area_name, words

POINT_KILOMETRES = 1.0  # round a hazard point
UNIT_KILOMETRES = 10.0  # round the seat of a unit that neither it nor what holds it has lines for


@dataclass(frozen=True, slots=True)
class CapArea:
    """One `area` element; `drawn_as` is the code of the area whose outline stands for it, else its own."""

    code: str
    drawn_as: str
    polygons: tuple[str, ...] = ()
    circle: str = ""

    def description(self, draft: BulletinDraft, templates: Templates, language: str) -> str:
        """The full name, saying so when another area's outline stands for it."""
        name = area_name(draft, self.code, language)
        if self.drawn_as == self.code:
            return name
        drawn = words(templates, language)["drawn_as"].format(parent=area_name(draft, self.drawn_as, language))
        return f"{name}（{drawn}）" if language == "zh" else f"{name} ({drawn})"


def cap_areas(draft: BulletinDraft, areas: Sequence[AreaLevel]) -> tuple[CapArea, ...]:
    """The CAP areas of these warning areas, in the same order."""
    simplify = float(draft.facts["cap"]["simplify_degrees"])
    return tuple(_cap_area(draft, area.code, simplify) for area in areas)


def _cap_area(draft: BulletinDraft, code: str, simplify: float) -> CapArea:
    area = draft.areas.get(code)
    if area is None:
        return CapArea(code, code)
    own = cap_polygons(area.geometry, simplify)
    if own:
        return CapArea(code, code, own)
    at = _place(area)
    if area.kind is AreaKind.POINT and at:
        return CapArea(code, code, circle=circle(*at, POINT_KILOMETRES))
    for holder, polygons in _holders(draft, code, simplify):
        return CapArea(code, holder, polygons)
    for holder in ancestors(code, draft.areas):  # the nearest seat, its own first
        if seat := _place(draft.areas[holder]):
            return CapArea(code, holder, circle=circle(*seat, UNIT_KILOMETRES))
    return CapArea(code, code)


def _holders(draft: BulletinDraft, code: str, simplify: float) -> Iterator[tuple[str, tuple[str, ...]]]:
    for holder in ancestors(code, draft.areas)[1:]:
        polygons = cap_polygons(draft.areas[holder].geometry, simplify)
        if polygons:
            yield holder, polygons


def _place(area: Area) -> tuple[float, float] | None:
    """Latitude and longitude: its own, else of a line or point that was given for its outline."""
    if area.lat is not None and area.lon is not None:
        return area.lat, area.lon
    return middle(area.geometry)
