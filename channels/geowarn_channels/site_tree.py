"""Writes the public tree: what a warning touches first, then feeds, then state and the home page; the rest after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.ports import SiteState, Templates
from geowarn_channels.feed_items import cap_files, feed_files
from geowarn_channels.files import locked, sweep, write_all, write_whole
from geowarn_channels.print_pdf import Undrawn
from geowarn_channels.print_sheet import SHEET
from geowarn_channels.site_entry import LANGUAGES, MAP
from geowarn_channels.site_incidents import ANSWER_FORMAT, incident_json
from geowarn_channels.site_pages import SHELLS, Pages
from geowarn_channels.site_state import current_geojson, current_json, picture
from geowarn_channels.site_view import Shown, SiteView
from geowarn_channels.sitemap import FOLDER as SITEMAPS
from geowarn_channels.sitemap import robots
from geowarn_channels.svg_map import MapBases
from geowarn_channels.taken import vendored
from geowarn_channels.tree_record import BATCH, Page, TreeRecord, batches

STATE = "current.json"
_WRITING = ".writing"  # is there while a tree is being written: after a crash it says that something may lie about
_SAVE_EVERY = 4  # groups of the rest
_STATIC = ("tokens.css", "public.css", "map.js")
_FEEDS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")
Facts = Mapping[str, Mapping[str, Any]]


def tree_of(data_dir: Path, exercise: bool) -> Path:
    """The folder of the public tree, or of the exercises' own one, which no public server carries."""
    return data_dir / "exercise" / "public" if exercise else data_dir / "public"


@dataclass(frozen=True)
class Rest:
    """What of a state may wait: pages on which nothing but the hour has changed."""

    root: Path
    record: TreeRecord
    pages: Sequence[Page]
    sequence: int
    last: Sequence[Page] = ()  # and what only machines and printers read
    sheets: Sequence[Page] = ()  # PDFs, which may fail to be drawn
    leading: Callable[[Mapping[str, int]], Iterable[Page]] = lambda printed: ()  # the pages that lead to them
    undrawn: list[str] = field(default_factory=list)  # what failed, each with its reason

    def write(self) -> bool:
        """Write it, a group at a time; returns False where a newer state came in between, which writes its own.

        Raises OSError.
        """
        groups = chain(batches(self.pages, BATCH), self._printed(), ([self._drawn(page)] for page in self.last))
        for number, batch in enumerate(groups, 1):
            with _writing(self.root):
                if _sequence(self.root) != self.sequence:
                    return False
                self.record.write(batch)
                if number % _SAVE_EVERY == 0:
                    self.record.save()
        with _writing(self.root):
            if _sequence(self.root) != self.sequence:
                return False
            # Pages of areas that no longer exist would say "no warning" for ever; bulletins always stay.
            # A search that pages no longer lead to would go on answering from an old page.
            self.record.drop_left_behind(("areas/", "en/areas/", SITEMAPS, SHEET, f"en/{SHEET}", *SHELLS))
            self.record.save()
        return True

    def _printed(self) -> Iterator[Sequence[Page]]:
        """The PDFs, then the pages that lead to them: to those that the tree has by then, and to no other."""
        for page in self.sheets:
            try:
                drawn = self._drawn(page)
            except Undrawn as fault:
                self.undrawn.append(f"{page.path}: {fault}")
            else:
                yield [drawn]
        yield list(self.leading(_there(self.record, self.sheets, self.record.lacks)))

    def _drawn(self, page: Page) -> Page:
        """The page with its bytes: these take long, and no release is to wait for the lock meanwhile."""
        if not self.record.lacks(page):
            return page
        body = page.body()
        return replace(page, body=lambda: body)


def write_state(
    root: Path,
    templates: Templates,
    facts: Facts,
    state: SiteState,
    beside: Mapping[str, bytes] | None = None,
    bases: MapBases | None = None,
    exercise: bool = False,
) -> Rest | None:
    """Bring the tree at `root` to `state`, with the files `beside`; returns what may wait, None where a newer one is.

    The public tree holds nothing of exercises, that of exercises nothing real. Raises OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    view = SiteView(state, exercise)
    pages = Pages(templates, facts, view, bases or MapBases())
    with _writing(root):
        if _sequence(root) > state.sequence:
            return None
        record = TreeRecord(root)
        sheets = pages.for_printers()
        pages.leading(_there(record, sheets, record.pressing))  # a sheet that is an hour old shows the same warnings
        later, last = _write_state(root, record, templates, facts, view, pages, dict(beside or {}))
        record.save()
    return Rest(root, record, later, state.sequence, last, sheets, pages.leading)


def _there(record: TreeRecord, sheets: Iterable[Page], lacking: Callable[[Page], bool]) -> dict[str, int]:
    return {page.path: record.size(page) for page in sheets if not lacking(page)}


@contextmanager
def _writing(root: Path) -> Iterator[None]:
    """The one writer of a tree; first removes what a killed one left half-written, which in a large tree takes long."""
    with locked(root / ".lock"):
        mark = root / _WRITING
        if mark.exists() or not (root / STATE).exists():
            sweep(root)
        mark.touch()
        yield
        mark.unlink(missing_ok=True)


def _write_state(
    root: Path,
    record: TreeRecord,
    templates: Templates,
    facts: Facts,
    view: SiteView,
    pages: Pages,
    beside: Mapping[str, bytes],
) -> tuple[list[Page], list[Page]]:
    """Everything that shows a change of the state, the home page last; returns the pages that can wait."""
    files = _files(templates, facts, view) | dict(beside)
    write_all(root, files)
    for shown in view.real:
        _write_frozen(root, record, shown)
    record.write(pages.bulletins())
    areas, last = list(pages.areas()), list(pages.for_machines())
    pressing = [page for page in areas if record.pressing(page)]
    record.write((*pages.archive_data(), *pages.archive(), *pressing))
    _write_always(root, record, pages.lists())
    feeds = feed_files(templates, facts, view)
    pictures = _pictures(pages, root)
    write_all(root, feeds | pictures)
    write_all(root, {"current.geojson": current_geojson(facts, view), STATE: current_json(facts, view)})
    homes = sorted(pages.homes(), key=lambda page: page.path, reverse=True)
    for page in homes:  # index.html last of what people look at
        write_whole(root / page.path, page.body())
    record.own((*files, *feeds, *pictures, *(page.path for page in homes)))
    after = [page for page in last if record.pressing(page)]  # the map for the paper takes half a second to draw
    record.write(after)
    done = {page.path for page in (*pressing, *after)}
    return [page for page in areas if page.path not in done], [page for page in last if page.path not in done]


def _write_always(root: Path, record: TreeRecord, pages: Iterable[Page]) -> None:
    found = {page.path: page.body() for page in pages}
    write_all(root, found)
    record.own(found)


def _write_frozen(root: Path, record: TreeRecord, shown: Shown) -> None:
    """The CAP messages and the map of one bulletin, byte for byte; read from the store only where missing."""
    key, frozen = f"f.{shown.bulletin.id}", shown.bulletin.artefacts
    if record.keep_group(key, 1 + sum(path.startswith("website/cap/") for path in frozen)):
        return
    artefacts = shown.published.artefacts
    files = cap_files(artefacts) | {f"w/{shown.bulletin.slug}/map.svg": artefacts[MAP]}
    write_all(root, files)
    record.note_group(key, files)


def bulletin_files(bulletin: Bulletin, artefacts: Mapping[str, bytes]) -> tuple[str, ...]:
    """The files of the tree that show one bulletin: its CAP messages, its pages, the feeds."""
    pages = [f"{'' if language == 'zh' else 'en/'}w/{bulletin.slug}/index.html" for language in LANGUAGES]
    return (*cap_files(artefacts), *pages, *_FEEDS)


def shows(state: Path, slug: str) -> bool:
    """Whether the public state file is complete and the tree around it already has this bulletin's page."""
    return state.is_file() and (state.parent / "w" / slug / "index.html").is_file()


def _sequence(root: Path) -> int:
    try:
        found = json.loads((root / STATE).read_bytes())["sequence"]
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return -1
    return found if isinstance(found, int) else -1


def _files(templates: Templates, facts: Facts, view: SiteView) -> dict[str, bytes]:
    files = {f"static/{name}": templates.render(f"website/static/{name}").encode() for name in _STATIC}
    files |= {f"static/{name}": body for name, body in vendored().items()}
    files["robots.txt"] = robots(facts["site"]["public_url"], hidden=view.exercise or view.state.synthetic)
    for incident in view.incidents:
        files[f"incidents/{incident.id}/incident.json"] = incident_json(incident, facts)
    for answer in view.answers:
        files[f"answers/{answer.id}/answer.json"] = incident_json(answer, facts, "answers", ANSWER_FORMAT)
    if view.state.checkpoint is not None:
        files["ledger/checkpoint"] = canonical_json(view.state.checkpoint).encode() + b"\n"
    return files


def _pictures(pages: Pages, root: Path) -> dict[str, bytes]:
    svg = pages.picture().encode()
    found = {"map.svg": svg}
    drawn = root / "map.png"
    unchanged = drawn.is_file() and (root / "map.svg").is_file() and (root / "map.svg").read_bytes() == svg
    found["map.png"] = drawn.read_bytes() if unchanged else picture(svg.decode())
    return found
