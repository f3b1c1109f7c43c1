"""The page of every area: pages alike in all but names, links and the map's part are one pattern, filled for each.

A page shows its own warning, its neighbours and the part of the map around it, so that a release touches the pages
near the areas it names and no others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cached_property, partial
from typing import Any

from markupsafe import Markup, escape

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.level import Level
from geowarn.ports import OtherWarning, Templates
from geowarn_channels.page_pattern import Pattern, slot
from geowarn_channels.site_view import Row, SiteView
from geowarn_channels.svg_draw import Drawing, Pin
from geowarn_channels.tree_record import Page, short

LISTED = (AreaKind.COUNTY, AreaKind.ZONE)
MOST_LINKS = 40  # counties named on the page of one area; beyond that the page links to the list of all
MOST_OUTLINES = 150  # drawn on one page; a denser map is shown as the picture of the whole
_PLACE = f"areas/{slot('code')}/"
_ROOT = {"zh": "../../", "en": "../../../"}  # from the page of an area to the root of the tree


class _SlotArea:
    """An area whose code and name are filled in later."""

    def __init__(self, code: str, name: str) -> None:
        self.code, self._name = slot(code), slot(name)

    def name(self, _language: str) -> Markup:
        """The slot for its name."""
        return self._name


AREA, _COUNTY, _NAMED = _SlotArea("code", "name"), _SlotArea("county_code", "county"), _SlotArea("held_code", "held")


class AreaPages:
    """All pages of areas in one language; `page` draws a page of the tree, `title` says what a part of the map shows.

    `mark` is a digest of everything that all of them depend on.
    """

    def __init__(
        self,
        templates: Templates,
        view: SiteView,
        drawing: Drawing,
        language: str,
        page: Callable[..., Page],
        title: Callable[..., str],
        mark: str,
    ) -> None:
        self._templates, self._view, self._drawing, self._language = templates, view, drawing, language
        self._page, self._title, self._mark = page, title, mark
        self._patterns: dict[tuple[Any, ...], Pattern] = {}
        self._titles: dict[tuple[tuple[str, Level], ...], str] = {}
        self._children = children_of(view.state.areas)
        self._held = children_of({code: view.state.areas[code] for code in view.state.areas if code in view.held})

    def __iter__(self) -> Iterator[Page]:
        """Every page, its key made of the warning it bears and of what stands around that.

        What other issuers say stands behind the key's point: no release waits for those pages.
        """
        start = "" if self._language == "zh" else "en/"
        for area in self._view.state.areas.values():
            yield Page(f"{start}areas/{area.code}/index.html", self._key(area), partial(self._body, area))

    def whole_map(self, root: str) -> str:
        """The whole map drawn on a page, or where it is too dense for that the picture beside it."""
        if not self._dense:
            return self._drawing.whole()
        return self._templates.render("website/map-picture.html.j2", title=self._bare_title, root=root)

    @cached_property
    def _dense(self) -> bool:
        return len(self._drawing.base.outlines) > MOST_OUTLINES

    @cached_property
    def _bare_title(self) -> str:
        return self._title(None)

    def _key(self, area: Area) -> str:
        held, pin = self._view.held.get(area.code), self._pin(area)
        rows = [held[0]] if held else self._within(area)
        around = [(code, self._view.level_of(code)) for code in self._linked_and_held(area)]
        beside = self._view.beside.get(area.code, ())
        if not (rows or around or beside or pin):
            return self._calm_key
        return self._key_of(rows, held[1] if held else "", around, pin, beside)

    @cached_property
    def _calm_key(self) -> str:
        return self._key_of((), "", [], None, ())

    def _key_of(
        self,
        rows: Sequence[Row],
        held: str,
        around: list[tuple[str, Level]],
        pin: Pin | None,
        beside: Iterable[OtherWarning],
    ) -> str:
        own = [(row.shown.bulletin.id, row.level) for row in rows]
        others = [(one.id, one.held, one.silent) for one in beside]
        return f"{short(own, held, around, self._drawn(pin))}.{short(self._mark, others)}"

    def _linked_and_held(self, area: Area) -> list[str]:
        """The codes of the areas under a warning that the page names."""
        if not self._view.held:
            return []
        near = [*self._held.get(area.code, ()), *self._siblings(area, self._held), *self._held_counties]
        return [other.code for other in near if other.code != area.code]

    @cached_property
    def _held_counties(self) -> list[Area]:
        return [area for area in self._counties if area.code in self._view.held]

    def _drawn(self, pin: Pin | None) -> object:
        """Everything of warnings that the page's map shows."""
        if pin is not None:
            return self._drawing.levels_round(pin), self._drawing.labels_round(pin)
        return self._bare_title if self._dense else (self._drawing.title, self._seen(None))

    def _seen(self, pin: Pin | None) -> tuple[tuple[str, Level], ...]:
        """Areas under a warning that the page's map shows, with their levels."""
        if pin is not None:
            return self._drawing.levels_round(pin)
        return () if self._dense else tuple(sorted(self._view.levels.items()))

    def _lists(self, area: Area) -> dict[str, list[Area]]:
        return {
            "children": self._children.get(area.code, []),
            "siblings": [other for other in self._siblings(area, self._children) if other.code != area.code],
            "counties": [other for other in self._counties if other.code != area.code],
        }

    def _siblings(self, area: Area, children: Mapping[str, list[Area]]) -> list[Area]:
        """Those of these children that lie in the same area of a county as this one, itself among them."""
        found = children.get(area.parent or "", [])
        return found if found and self._county(area) else []

    def _within(self, area: Area) -> list[Row]:
        return self._view.within.get(area.code, [])

    def _county(self, area: Area) -> Area | None:
        line = [self._view.state.areas[code] for code in ancestors(area.code, self._view.state.areas)[1:]]
        return next((one for one in line if one.kind in LISTED), None)

    def _body(self, area: Area) -> bytes:
        held, pin, county = self._view.held.get(area.code), self._pin(area), self._county(area)
        named = self._view.state.areas.get(held[1]) if held else None
        lists = {name: "".join(self._link[other.code] for other in links) for name, links in self._lists(area).items()}
        seen = self._seen(pin)
        pattern = self._pattern(
            held[0] if held else None,
            named is not None and named.code != area.code,
            () if held else tuple(self._within(area)),
            county is not None,
            pin is not None,
            tuple(name for name, links in lists.items() if links),
            tuple(sorted({level for _, level in seen})),
            self._view.beside.get(area.code, ()),
        )
        names = {"code": area.code, "name": area.name(self._language)}
        names["county"] = county.name(self._language) if county else ""
        names["held"] = named.name(self._language) if named else ""
        drawn = self._drawing.round(pin, self._title_of(seen)) if pin else ""
        return pattern.fill({**{n: str(escape(v)) for n, v in names.items()}, **lists, "map": drawn}).encode()

    def _pattern(
        self,
        row: Row | None,
        inherits: bool,
        within: tuple[Row, ...],
        county: bool,
        pinned: bool,
        filled: tuple[str, ...],
        legend: tuple[Level, ...],
        beside: tuple[OtherWarning, ...],
    ) -> Pattern:
        others = tuple(one.id for one in beside)
        key = (id(row), inherits, tuple(id(one) for one in within), county, pinned, filled, legend, others)
        if key not in self._patterns:
            lists = {name: slot(name) if name in filled else "" for name in ("children", "siblings", "counties")}
            page = self._page(
                "area",
                _PLACE,
                self._language,
                "",
                area=AREA,
                row=row,
                named=(_NAMED if inherits else AREA) if row else None,
                within=within,
                county=_COUNTY if county else None,
                map=slot("map") if pinned else self.whole_map(_ROOT[self._language]),
                pinned=pinned,
                beside=beside,
                more_counties=self._too_many,
                legend_rows=[one for one in self._view.rows if one.level in legend],
                **lists,
            )
            self._patterns[key] = Pattern(page.body().decode())
        return self._patterns[key]

    def _title_of(self, seen: tuple[tuple[str, Level], ...]) -> str:
        """What the part of the map shows, in words."""
        if seen not in self._titles:
            names: dict[Level, list[str]] = {}
            for code, level in seen:
                names.setdefault(level, []).append(self._view.state.areas[code].name(self._language))
            words = {row.level: row.words["word"] for row in self._view.rows}
            rows = [
                {"words": {"names": {self._language: names[level]}, "word": words[level]}}
                for level in sorted(names, reverse=True)
            ]
            self._titles[seen] = self._title(rows)
        return self._titles[seen]

    def _pin(self, area: Area) -> Pin | None:
        at = self._drawing.base.points.get(area.code)
        if at is None or area.kind is AreaKind.CITY:
            return None
        pin = Pin(*at, area.name(self._language))
        return pin if self._drawing.seen_round(pin) <= MOST_OUTLINES else None

    @cached_property
    def _counties(self) -> list[Area]:
        return [] if self._too_many else counties_of(self._view)

    @cached_property
    def _too_many(self) -> bool:
        return sum(area.kind in LISTED for area in self._view.state.areas.values()) > MOST_LINKS

    @cached_property
    def _link(self) -> Mapping[str, str]:
        """The link to each area's page with its level, by code."""
        patterns: dict[Level, Pattern] = {}
        found = {}
        for code, area in self._view.state.areas.items():
            level = self._view.level_of(code)
            if level not in patterns:
                values = {"language": self._language, "level": level.code, "area": AREA, "here": "../../"}
                patterns[level] = Pattern(self._templates.render("website/place-link.html.j2", **values).strip() + "\n")
            names = {"code": str(escape(code)), "name": str(escape(area.name(self._language)))}
            found[code] = patterns[level].fill(names)
        return found


def children_of(areas: Mapping[str, Area]) -> dict[str, list[Area]]:
    """The areas right below each area, by its code."""
    found: dict[str, list[Area]] = {}
    for area in areas.values():
        if area.parent is not None:
            found.setdefault(area.parent, []).append(area)
    return found


def counties_of(view: SiteView) -> list[Area]:
    """Counties and zones, those under a warning first."""
    found = [area for area in view.state.areas.values() if area.kind in LISTED]
    return sorted(found, key=lambda area: -view.level_of(area.code))
