"""Renders every page of the public tree, in both languages, from the view of the state."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import cached_property, partial
from importlib.metadata import version
from typing import Any

from geowarn.domain.bulletin import Bulletin, Standing
from geowarn.domain.exercise import PREFIX
from geowarn.ports import Templates
from geowarn_channels.archive_pages import ArchivePages
from geowarn_channels.archive_shelves import standings
from geowarn_channels.area_list import AreaList
from geowarn_channels.area_pages import AreaPages
from geowarn_channels.moments import ceil_hour, floor_hour, moment_words
from geowarn_channels.page_head import article_words, head_tags, image_of, installed, labelled_title
from geowarn_channels.print_pdf import drawn_by
from geowarn_channels.print_sheet import PrintSheet, kilobytes
from geowarn_channels.site_entry import LANGUAGES, page_path
from geowarn_channels.site_view import Row, Shown, SiteView
from geowarn_channels.sitemap import places, sitemap_pages
from geowarn_channels.statement_pages import statement_pages
from geowarn_channels.svg_draw import LABEL, Drawing
from geowarn_channels.svg_map import MapBases, fingerprint
from geowarn_channels.tree_record import Page, short

SHELLS = tuple(f"{start}{name}.html" for name in ("search", "subscribe", "say") for start in ("", "en/"))
_FEEDS = "feeds"
_RECENT = 3  # warnings named on a calm home page


class Pages:
    """All pages of one state; paths are relative to the tree."""

    def __init__(
        self, templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView, bases: MapBases
    ) -> None:
        self._templates = templates
        self._facts = facts
        self._view = view
        self._zone = str(facts["installation"]["zone"])
        mark = fingerprint(view.state.areas)
        self.base = bases.of(view.state.areas, facts.get("map", {}).get("land"), mark)
        self.printed: Mapping[str, int] = {}
        self.map_label = self._label("zh")
        self._drawings = {
            language: Drawing(templates, self.base, view.levels, language, self.map_title(language))
            for language in LANGUAGES
        }
        # What every page depends on: the program, the wording, the installation, the areas.
        self._lasting = short(
            version("geowarn"),
            templates.digest("website"),
            facts,
            mark,
            view.state.synthetic,
            view.exercise,
            view.state.checkpoint is not None,
        )

    def homes(self) -> Iterator[Page]:
        """The two home pages, which are written last."""
        recent = self._view.chains(self._view.real)[:_RECENT]
        for language in LANGUAGES:
            picture = self._areas[language].whole_map("" if language == "zh" else "../")
            yield self._page("home", "", language, "", recent=recent, map=picture)

    def lists(self) -> Iterator[Page]:
        """Lists and what stands by itself; few, and drawn every time."""
        for language in LANGUAGES:
            rows = AreaList(self._templates, self._view, language, "../")
            yield self._page("areas", "areas/", language, "", areas=rows.drawn())
            yield from (self._page(name, f"{name}/", language, "") for name in (_FEEDS, "about", "others"))
            yield from statement_pages(self._view, language, self._page)
            shells = {"search": self._searchable, "subscribe": self._subscribable, "say": self._sayable}
            yield from (self._shell(name, language) for name, there in shells.items() if there)

    @cached_property
    def archive(self) -> ArchivePages:
        """Every warning by year, as pages and as data."""
        return ArchivePages(self._facts, self._view, self._page, self._lasting, self._hours)

    def sheets(self) -> Iterator[Page]:
        """The map on paper."""
        for sheet in self._sheets:
            yield from sheet.pages(self._lasting, self._hours)

    def site_map(self) -> Iterator[Page]:
        """The map of the site for search engines; exercises have none."""
        if not self._view.exercise:
            found = places(self._view, self.archive.shelves, self._zone)
            yield from sitemap_pages(found, str(self._facts["site"]["public_url"]))

    def for_printers(self) -> list[Page]:
        """The map on paper as PDF, where what draws it is installed."""
        hour = floor_hour(self._view.state.generated, self._zone)
        return [sheet.printed(self._lasting, self._hours, hour) for sheet in self._sheets if drawn_by()]

    def leading(self, printed: Mapping[str, int]) -> list[Page]:
        """Have pages lead to these PDFs, by path with their size; returns the pages that this may change."""
        changed, self.printed = printed != self.printed, printed
        live = [self._bulletin(shown, language) for shown in self._view.in_force for language in LANGUAGES]
        return live + [self._page(_FEEDS, f"{_FEEDS}/", language, "") for language in LANGUAGES if changed]

    @cached_property
    def _sheets(self) -> list[PrintSheet]:
        return [self._sheet(language) for language in LANGUAGES] if self._facts["site"]["print_map"] else []

    def _sheet(self, language: str) -> PrintSheet:
        common = self._common(language)
        told = {key: common[key] for key in ("city", "asof", "next", "url", "issuer", "joint", "approval")}
        return PrintSheet(
            self._templates, self._drawings[language], self._view, language, self._label(language),
            lambda part, **values: self._say(part, language, **told, **values),
            lambda shown: self._end(shown.bulletin, language)["words"],
        )  # fmt: skip

    @property
    def _searchable(self) -> bool:
        """Whether pages lead to the search; exercises are never found, so theirs do not."""
        return bool(self._facts["site"]["search"]) and not self._view.exercise

    @property
    def _sayable(self) -> bool:
        return bool(self._facts["say"]["open"]) and not self._view.exercise

    @property
    def _subscribable(self) -> bool:
        """Whether pages lead to subscriptions by mail; exercises are no warnings to subscribe to."""
        return "mail" in self._facts.get("channels", {}).get("enabled", ()) and not self._view.exercise

    def _shell(self, name: str, language: str) -> Page:
        """A page the program puts its answers into; it stands beside the home page, as its address does."""
        path = name if language == "zh" else f"en/{name}"
        return Page(f"{path}.html", "", lambda: self._drawn(name, name, path, language, {}))

    def bulletins(self, shown: Iterable[Shown]) -> Iterator[Page]:
        """A page for each of these bulletins; one that ended days ago is history and bears no hour any more."""
        for one in shown:
            for language in LANGUAGES:
                yield self._bulletin(one, language)

    def areas(self) -> Iterator[Page]:
        """A page for every area."""
        for language in LANGUAGES:
            yield from self._areas[language]

    @cached_property
    def _hours(self) -> str:
        """What changes on every page as time passes, though nothing happens."""
        state = self._view.state
        stamps = (floor_hour(state.generated, self._zone), floor_hour(state.next_update, self._zone))
        return short(stamps, self._view.uncalibrated)

    def picture(self) -> str:
        """The map as a picture for any viewer, with the label a synthetic one must bear."""
        return self._drawings["zh"].standalone(self.map_label)

    def map_title(self, language: str) -> str:
        """The map's text alternative: every area under a warning by name."""
        return self._title_of(language, self._view.rows)

    def _title_of(self, language: str, rows: Sequence[Any] | None) -> str:
        """In words what a map shows; None: nothing but that it is the map."""
        return self._say("map_name" if rows is None else "map_title", language, rows=rows or ())

    @cached_property
    def _areas(self) -> dict[str, AreaPages]:
        return {
            language: AreaPages(
                self._templates, self._view, self._drawings[language], language, self._page,
                partial(self._title_of, language), short(self._lasting, self._hours),
            )
            for language in LANGUAGES
        }  # fmt: skip

    def _bulletin(self, shown: Shown, language: str) -> Page:
        chain = self._view.chain(shown)
        place = chain.index(shown)
        history = shown.settled(self._view.state.generated)
        promised = "" if history else self._promise(shown, language)
        printed = kilobytes(self.printed, language) if shown.standing is Standing.IN_FORCE else 0
        where = standings([chain])
        moving = short(self._lasting, self._hours, promised, where, printed)
        key = f"{short(where)}.{self._lasting}" if history else f"{moving}."
        return self._page(
            "bulletin",
            f"w/{shown.bulletin.slug}/",
            language,
            key,
            shown=shown,
            chain=chain,
            previous=chain[place - 1] if place else None,
            following=chain[place + 1] if place + 1 < len(chain) else None,
            history=history,
            uncalibrated=not shown.bulletin.content.calibrated if history else self._view.uncalibrated,
        )

    def _page(self, name: str, place: str, language: str, key: str, **values: Any) -> Page:
        path = place if language == "zh" else f"en/{place}"
        return Page(f"{path}index.html", key, lambda: self._drawn(name, place, path, language, values))

    def _drawn(self, name: str, place: str, path: str, language: str, values: Mapping[str, Any]) -> bytes:
        root = "../" * path.count("/")
        other = f"{place}.html" if place == name else f"{place}index.html"
        body = self._templates.render(
            f"website/{name}.html.j2",
            **self._common(language),
            **self._head(name, language, path, values),
            place=place,
            path=path,
            root=root,
            here=root if language == "zh" else f"{root}en/",
            there=f"{root}en/{other}" if language == "zh" else f"{root}{other}",
            **({"history": False, "uncalibrated": self._view.uncalibrated} | dict(values)),
        )
        return body.encode()

    def _head(self, name: str, language: str, path: str, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the head of a page is made of; its title and description are known to the template only."""
        base, picture = self._facts["site"]["public_url"], image_of(name, values)
        image = f"{base}/{picture}" if picture else ""

        def tags(title: Any, description: Any, column: str, event: str) -> list[tuple[str, Any]]:
            known = article_words(values, event, self._zone, language)
            told = {"title": title, "description": description, "column": column, "event": event}
            return head_tags(self._facts, name, language, {**known, **told, "url": f"{base}/{path}", "image": image})

        return {
            "page": name,
            "tags": tags,
            "image": image,
            "image_alt": self._title_of(language, None),  # the same on every page, whatever is in force
            "image_high": self.base.height + (LABEL if self.map_label else 0),
            "titled": lambda title, synthetic: labelled_title(title, language, synthetic, self._view.exercise),
        }

    def _common(self, language: str) -> dict[str, Any]:
        state = self._view.state
        until = floor_hour(state.next_update, self._zone)
        return {
            "language": language,
            "view": self._view,
            "searchable": self._searchable,
            "sayable": self._sayable,
            "subscribable": self._subscribable,
            "synthetic": state.synthetic,
            **installed(self._facts, language),
            "print_kb": kilobytes(self.printed, language),
            "now": state.generated,
            "asof": self._hour(state.generated, language),
            "asof_iso": floor_hour(state.generated, self._zone).isoformat(timespec="minutes"),
            "next": moment_words(until, language),
            "next_hour": f"{until.hour}时" if language == "zh" else f"{until:%H}:00",
            "hour": lambda moment: self._hour(moment, language),
            "end": lambda bulletin: self._end(bulletin, language),
            "article_of": lambda shown: shown.published.artefacts[page_path(language)].decode(),
            "promise": lambda row_or_shown: self._promise(row_or_shown, language),
            "level_of": lambda area: self._view.level_of(area.code),
            "promised": lambda moment: moment_words(ceil_hour(moment, self._zone), language),
            "year_of": lambda moment: floor_hour(moment, self._zone).year,
        }

    def _label(self, language: str) -> str:
        """What a picture must bear: that it is of an exercise, that its rain is made up."""
        made_up = self._say("map_label", language) if self._view.state.synthetic else ""
        parts = (PREFIX[language] if self._view.exercise else "", made_up)
        return ("" if language == "zh" else " ").join(part for part in parts if part)

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
