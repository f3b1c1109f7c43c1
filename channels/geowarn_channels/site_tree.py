"""Writes the public tree: what a warning touches first, then feeds, then state and the home page; the rest after."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.ports import SiteState, Templates
from geowarn_channels.archive_shelves import Part
from geowarn_channels.archive_tree import ArchiveTree, Step, count, frozen_count, frozen_key, write_frozen
from geowarn_channels.feed_items import cap_files, feed_files
from geowarn_channels.files import locked, sweep, write_all, write_whole
from geowarn_channels.print_pdf import Undrawn
from geowarn_channels.print_sheet import SHEET
from geowarn_channels.site_entry import LANGUAGES
from geowarn_channels.site_incidents import ANSWER_FORMAT, incident_json
from geowarn_channels.site_pages import SHELLS, Pages
from geowarn_channels.site_state import current_geojson, current_json, picture
from geowarn_channels.site_view import Shown, SiteView
from geowarn_channels.sitemap import FOLDER as SITEMAPS
from geowarn_channels.sitemap import robots
from geowarn_channels.svg_map import MapBases
from geowarn_channels.taken import vendored
from geowarn_channels.tree_record import BATCH, RECORD, Page, TreeRecord, batches

STATE = "current.json"
_WRITING = ".writing"  # is there while a tree is being written: after a crash it says that something may lie about
_REBUILDING = ".rebuilding"  # is there from when every file is to be drawn again until that is done
_SAVE_EVERY = 4  # groups of the rest
_STATIC = ("tokens.css", "public.css", "map.js")
_FEEDS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")
Facts = Mapping[str, Mapping[str, Any]]


def tree_of(data_dir: Path, exercise: bool) -> Path:
    """The folder of the public tree, or of the exercises' own one, which no public server carries."""
    return data_dir / "exercise" / "public" if exercise else data_dir / "public"


Tell = Callable[[int, int], None]


@dataclass(frozen=True)
class Rest:
    """What of a state may wait: pages on which nothing but the hour has changed, and what ended long ago."""

    root: Path
    record: TreeRecord
    pages: Sequence[Page]
    sequence: int
    archive: ArchiveTree
    frozen: Sequence[Shown] = ()  # whose files are looked at
    last: Callable[[], Iterable[Page]] = tuple  # and what only machines and printers read
    sheets: Sequence[Page] = ()  # PDFs, which may fail to be drawn
    leading: Callable[[Mapping[str, int]], Iterable[Page]] = lambda printed: ()  # the pages that lead to them
    undrawn: list[str] = field(default_factory=list)  # what failed, each with its reason

    def write(self, tell: Tell = lambda _done, _of: None) -> bool:
        """Write it, a group at a time; returns False where a newer state came in between, which writes its own.

        `tell` hears how many groups are done, of how many. Raises OSError.
        """
        due = self.archive.due()
        of = count(due) + -(-len(self.pages) // BATCH)
        for number, step in enumerate(self._steps(due), 1):
            with _writing(self.root):
                if _sequence(self.root) != self.sequence:
                    return False
                step()
                if number % _SAVE_EVERY == 0:
                    self.record.save()
            tell(min(number, of), of)
        with _writing(self.root):
            if _sequence(self.root) != self.sequence:
                return False
            # Pages of areas that no longer exist would say "no warning" for ever; bulletins always stay.
            # A search that pages no longer lead to would go on answering from an old page.
            self.record.drop_left_behind(("areas/", "en/areas/", SITEMAPS, SHEET, f"en/{SHEET}", *SHELLS))
            self.record.save()
        return True

    def _steps(self, due: list[Part]) -> Iterator[Step]:
        for batch in chain(batches(self.pages, BATCH), self._printed()):
            yield partial(self.record.write, batch)
        yield from self.archive.rest(due, self.sequence)
        for shown in self.frozen:
            yield partial(write_frozen, self.root, self.record, shown)
        for page in self.last():
            yield partial(self.record.write, [self._drawn(page)])

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
    tell: Tell = lambda _done, _of: None,
) -> Rest | None:
    """Bring the tree at `root` to `state`, with the files `beside`; returns what may wait, None where a newer one is.

    The public tree holds nothing of exercises, that of exercises nothing real. `tell` hears how much of an archive that
    is missing has been written. Raises OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    view = SiteView(state, exercise)
    with _writing(root):
        if _sequence(root) > state.sequence:
            return None
        record = TreeRecord(root)
        write_all(root, dict(beside or {}))
        for shown in _new(view.in_force, record):  # whoever polls for the message itself waits for no page
            write_frozen(root, record, shown)
        pages = Pages(templates, facts, view, bases or MapBases())
        sheets = pages.for_printers()
        pages.leading(_there(record, sheets, record.pressing))  # a sheet that is an hour old shows the same warnings
        rest = _write_state(root, record, templates, facts, view, pages, dict(beside or {}), tell)
        record.save()
    return replace(rest, sheets=sheets, leading=pages.leading)


def _new(shown: Iterable[Shown], record: TreeRecord) -> list[Shown]:
    return [one for one in shown if not record.has_group(frozen_key(one), frozen_count(one))]


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
    tell: Tell,
) -> Rest:
    """Everything that shows a change of the state, the home page last; returns what can wait."""
    files = _files(templates, facts, view) | dict(beside)
    write_all(root, files)
    archive = ArchiveTree(root, record, pages)
    moving = archive.moving()
    new = _new(moving, record)
    for shown in new:
        write_frozen(root, record, shown)
    written = {id(shown) for shown in new}
    kept = [shown for shown in moving if id(shown) not in written]
    bulletins = list(pages.bulletins(moving))
    pressing = [page for page in bulletins if record.pressing(page)]
    record.write(pressing)
    archive.write_new(tell, record.save)
    others = [*pages.archive.data(), *pages.archive.pages(), *pages.areas()]
    every = [*bulletins, *others]
    pressing_too = [page for page in others if record.pressing(page)]
    record.write(pressing_too)
    _write_always(root, record, pages.lists())
    feeds = feed_files(templates, facts, view)
    pictures = _pictures(pages, root)
    write_all(root, feeds | pictures)
    write_all(root, {"current.geojson": current_geojson(facts, view), STATE: current_json(facts, view)})
    homes = sorted(pages.homes(), key=lambda page: page.path, reverse=True)
    for page in homes:  # index.html last of what people look at
        write_whole(root / page.path, page.body())
    record.own((*files, *feeds, *pictures, *(page.path for page in homes)))
    sheets = list(pages.sheets())
    after = [page for page in sheets if record.pressing(page)]  # the map for the paper takes half a second to draw
    record.write(after)
    done = {page.path for page in (*pressing, *pressing_too, *after)}
    later = [page for page in every if page.path not in done]
    left = [page for page in sheets if page.path not in done]
    return Rest(root, record, later, view.state.sequence, archive, kept, lambda: chain(left, pages.site_map()))


def _write_always(root: Path, record: TreeRecord, pages: Iterable[Page]) -> None:
    found = {page.path: page.body() for page in pages}
    write_all(root, found)
    record.own(found)


def doubt_tree(root: Path) -> None:
    """Let the next publications draw and compare every file again, unless that was begun and is not over."""
    with _writing(root):
        if (root / _REBUILDING).exists():
            return
        for name in (RECORD, *(path.name for path in root.glob(".archive-*.json"))):
            record = TreeRecord(root, name)
            record.doubt()
            record.save()
        (root / _REBUILDING).touch()


def rebuilt(root: Path) -> None:
    """Every file was drawn and compared again."""
    (root / _REBUILDING).unlink(missing_ok=True)


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
