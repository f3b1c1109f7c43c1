"""The list of all areas: rows alike in all but names are one pattern, filled for each of thousands."""

from __future__ import annotations

from collections.abc import Iterable

from markupsafe import Markup, escape

from geowarn.domain.area import Area
from geowarn.domain.level import Level
from geowarn.ports import Templates
from geowarn_channels.area_pages import AREA, children_of, counties_of
from geowarn_channels.page_pattern import Pattern, slot
from geowarn_channels.site_view import SiteView


class AreaList:
    """The rows of the page of areas in one language; `here` leads from the page to the root of that language."""

    def __init__(self, templates: Templates, view: SiteView, language: str, here: str) -> None:
        self._templates, self._view, self._language, self._here = templates, view, language, here
        self._patterns: dict[tuple[str, Level, bool], Pattern] = {}

    def drawn(self) -> Markup:
        """Every county, those under a warning first, with what lies in it."""
        children = children_of(self._view.state.areas)
        rows = (self._row("county", county, children.get(county.code, ())) for county in counties_of(self._view))
        return Markup("".join(rows))  # noqa: S704 -- names are escaped one by one

    def _row(self, kind: str, area: Area, children: Iterable[Area]) -> str:
        inside = "".join(self._row("place", child, ()) for child in children)
        pattern = self._pattern(kind, self._view.level_of(area.code), bool(inside))
        name = str(escape(area.name(self._language)))
        return pattern.fill({"code": str(escape(area.code)), "name": name, "inside": inside})

    def _pattern(self, kind: str, level: Level, filled: bool) -> Pattern:
        key = (kind, level, filled)
        if key not in self._patterns:
            values = {"language": self._language, "here": self._here, "level": level.code, "area": AREA}
            inside = slot("inside") if filled else ""
            text = self._templates.render(f"website/areas-{kind}.html.j2", inside=inside, **values)
            self._patterns[key] = Pattern(text)
        return self._patterns[key]
