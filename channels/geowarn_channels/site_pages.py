"""Renders every page of the public tree, in both languages, from the view of the state."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.exercise import PREFIX
from geowarn.domain.level import Level
from geowarn.ports import Templates
from geowarn_channels.moments import ceil_hour, floor_hour, moment_words
from geowarn_channels.site_entry import LANGUAGES, page_path
from geowarn_channels.site_incidents import ShownIncident
from geowarn_channels.site_view import Row, Shown, SiteView
from geowarn_channels.svg_map import Pin, draw_map, map_base

_LISTED = (AreaKind.COUNTY, AreaKind.ZONE)
_RECENT = 3  # warnings named on a calm home page


class Pages:
    """All pages of one state; paths are relative to the tree."""

    def __init__(self, templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView) -> None:
        self._templates = templates
        self._facts = facts
        self._view = view
        self._zone = str(facts["installation"]["zone"])
        self._children = _children(view.state.areas)
        self.base = map_base(view.state.areas, facts.get("map", {}).get("land"))
        self.map_label = self._say("map_label", "zh") if view.state.synthetic else ""
        if view.exercise:
            self.map_label = f"{PREFIX['zh']}{self.map_label}"
        self._maps = {language: self._map(language) for language in LANGUAGES}

    def homes(self) -> Iterator[tuple[str, bytes]]:
        """The two home pages, which are written last."""
        for language in LANGUAGES:
            recent = self._view.chains(self._view.real)[:_RECENT]
            yield self._page("home", "", language, recent=recent, map=self._maps[language])

    def inner(self) -> Iterator[tuple[str, bytes]]:
        """Every other page."""
        for language in LANGUAGES:
            yield self._page("areas", "areas/", language, counties=self._counties(), children=self._children)
            yield self._page("archive", "archive/", language, years=self._years())
            yield self._page("feeds", "feeds/", language)
            yield self._page("about", "about/", language)
            yield self._page("incidents", "incidents/", language)
            for incident in self._view.incidents:
                yield from self._incident(incident, language)
            for shown in self._view.real:
                yield self._bulletin(shown, language)
            for area in self._view.state.areas.values():
                yield self._area(area, language)

    def map_title(self, language: str) -> str:
        """The map's text alternative: every area under a warning by name."""
        return self._say("map_title", language, rows=self._view.rows)

    def _map(self, language: str, pin: Pin | None = None) -> str:
        title = self.map_title(language)
        return draw_map(self._templates, self.base, self._view.levels, language, title, pin=pin)

    def _bulletin(self, shown: Shown, language: str) -> tuple[str, bytes]:
        article = shown.published.artefacts[page_path(language)].decode()
        chain = self._view.chain(shown)
        place = chain.index(shown)
        return self._page(
            "bulletin",
            f"w/{shown.bulletin.slug}/",
            language,
            shown=shown,
            article=article,
            chain=chain,
            previous=chain[place - 1] if place else None,
            following=chain[place + 1] if place + 1 < len(chain) else None,
        )

    def _incident(self, incident: ShownIncident, language: str) -> Iterator[tuple[str, bytes]]:
        """The page of an incident, and one a version that stays as it was."""
        yield self._page("incident", f"incidents/{incident.id}/", language, incident=incident)
        for published in incident.published.publications:
            old = replace(incident, version=published.version)
            yield self._page("incident", f"incidents/{incident.id}/v{published.version}/", language, incident=old)

    def _area(self, area: Area, language: str) -> tuple[str, bytes]:
        held = self._view.row_for(area.code)
        named = self._view.state.areas.get(held[1]) if held else None
        within = self._view.rows_within(area.code) if held is None else []
        county = next((c for c in self._line(area)[1:] if c.kind in _LISTED), None)
        pin = self._pin(area, language)
        return self._page(
            "area",
            f"areas/{area.code}/",
            language,
            area=area,
            row=held[0] if held else None,
            named=named,
            within=within,
            county=county,
            siblings=[a for a in self._children.get(area.parent or "", ()) if a.code != area.code] if county else [],
            children=self._children.get(area.code, ()),
            counties=[c for c in self._counties() if c.code != area.code],
            map=self._map(language, pin) if pin else self._maps[language],
            pinned=pin is not None,
        )

    def _pin(self, area: Area, language: str) -> Pin | None:
        at = self.base.points.get(area.code)
        if at is None or area.kind is AreaKind.CITY:
            return None
        return Pin(*at, area.name(language))

    def _line(self, area: Area) -> list[Area]:
        return [self._view.state.areas[code] for code in ancestors(area.code, self._view.state.areas)]

    def _counties(self) -> list[Area]:
        """Counties and zones, those under a warning first."""
        found = [area for area in self._view.state.areas.values() if area.kind in _LISTED]
        return sorted(found, key=lambda area: -self.level_of(area))

    def level_of(self, area: Area) -> Level:
        """The level an area has or inherits."""
        held = self._view.row_for(area.code)
        return held[0].level if held else Level.NONE

    def _years(self) -> list[tuple[int, list[list[Shown]]]]:
        return _by_year(self._view.chains(self._view.real))

    def _page(self, name: str, place: str, language: str, **values: Any) -> tuple[str, bytes]:
        path = place if language == "zh" else f"en/{place}"
        root = "../" * path.count("/")
        body = self._templates.render(
            f"website/{name}.html.j2",
            **self._common(language),
            place=place,
            path=path,
            root=root,
            here=root if language == "zh" else f"{root}en/",
            there=f"{root}en/{place}index.html" if language == "zh" else f"{root}{place}index.html",
            **values,
        )
        return f"{path}index.html", body.encode()

    def _common(self, language: str) -> dict[str, Any]:
        state, installation, issuer = self._view.state, self._facts["installation"], self._facts["issuer"]
        until = floor_hour(state.next_update, self._zone)
        return {
            "language": language,
            "view": self._view,
            "synthetic": state.synthetic,
            "name": installation[f"name_{language}"],
            "city": installation[f"place_{language}"],
            "approval": installation["map_approval"],
            "url": self._facts["site"]["public_url"],
            "issuer": issuer[f"name_{language}"],
            "joint": issuer[f"joint_{language}"],
            "tv": issuer[f"tv_{language}"],
            "radio": issuer[f"radio_{language}"],
            "duty_phone": issuer["duty_phone"],
            "now": state.generated,
            "asof": self._hour(state.generated, language),
            "asof_iso": floor_hour(state.generated, self._zone).isoformat(timespec="minutes"),
            "next": moment_words(until, language),
            "next_hour": f"{until.hour}时" if language == "zh" else f"{until:%H}:00",
            "hour": lambda moment: self._hour(moment, language),
            "end": lambda bulletin: self._end(bulletin, language),
            "promise": lambda row_or_shown: self._promise(row_or_shown, language),
            "level_of": self.level_of,
            "promised": lambda moment: moment_words(ceil_hour(moment, self._zone), language),
            "year_of": lambda moment: floor_hour(moment, self._zone).year,
        }

    def _hour(self, moment: datetime, language: str) -> str:
        return moment_words(floor_hour(moment, self._zone), language)

    def _end(self, bulletin: Bulletin, language: str) -> dict[str, str]:
        local = ceil_hour(bulletin.content.expires, self._zone)
        weekday = "一二三四五六日"[local.weekday()] if language == "zh" else f"{local:%A}"
        return {"words": moment_words(local, language), "weekday": weekday}

    def _promise(self, shown: Shown | Row, language: str) -> str:
        """By when the warning itself promised its next word; empty once that time has passed."""
        bulletin = (shown.shown if isinstance(shown, Row) else shown).bulletin
        promised = ceil_hour(bulletin.content.next_update, self._zone)
        return moment_words(promised, language) if promised > self._view.state.generated else ""

    def _say(self, part: str, language: str, **values: Any) -> str:
        text = self._templates.render(f"website/phrases.{language}.txt.j2", part=part, **({"rows": ()} | values))
        return " ".join(text.split())


def _children(areas: Mapping[str, Area]) -> dict[str, list[Area]]:
    found: dict[str, list[Area]] = {}
    for area in areas.values():
        if area.parent is not None:
            found.setdefault(area.parent, []).append(area)
    return found


def _by_year(chains: list[list[Shown]]) -> list[tuple[int, list[list[Shown]]]]:
    years: dict[int, list[list[Shown]]] = {}
    for chain in chains:
        years.setdefault(chain[0].bulletin.year, []).append(chain)
    return sorted(years.items(), reverse=True)
