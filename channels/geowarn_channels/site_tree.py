"""Writes the public tree: what a warning touches first, then feeds, then state and the home page; the rest after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.ports import SiteState, Templates
from geowarn_channels.archive_tree import ArchiveTree, frozen_count, frozen_key, write_frozen
from geowarn_channels.feed_items import cap_files, feed_files
from geowarn_channels.files import write_all, write_whole
from geowarn_channels.picture import Undrawn, begun, picture
from geowarn_channels.site_entry import LANGUAGES
from geowarn_channels.site_incidents import ANSWER_FORMAT, incident_json
from geowarn_channels.site_pages import Pages
from geowarn_channels.site_state import current_geojson, current_json
from geowarn_channels.site_view import Shown, SiteView
from geowarn_channels.sitemap import robots
from geowarn_channels.svg_map import MapBases
from geowarn_channels.taken import vendored
from geowarn_channels.tree_record import RECORD, Page, TreeRecord
from geowarn_channels.tree_rest import Rest, Tell, there
from geowarn_channels.tree_writing import STATE, sequence_of, writing

_REBUILDING = ".rebuilding"  # is there from when every file is to be drawn again until that is done
_STATIC = ("tokens.css", "public.css", "map.js")
_FEEDS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")
Facts = Mapping[str, Mapping[str, Any]]


def tree_of(data_dir: Path, exercise: bool) -> Path:
    """The folder of the public tree, or of the exercises' own one, which no public server carries."""
    return data_dir / "exercise" / "public" if exercise else data_dir / "public"


def write_messages(root: Path, artefacts: Mapping[str, bytes]) -> None:
    """Write the CAP messages of a bulletin before anything leads to them; raises OSError."""
    root.mkdir(parents=True, exist_ok=True)
    with writing(root):
        write_all(root, cap_files(artefacts))


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
    with writing(root):
        if sequence_of(root) > state.sequence:
            return None
        record = TreeRecord(root)
        write_all(root, dict(beside or {}))
        for shown in _new(view.in_force, record):  # whoever polls for the message itself waits for no page
            write_frozen(root, record, shown)
        pages = Pages(templates, facts, view, bases or MapBases())
        sheets = pages.for_printers()
        pages.leading(there(record, sheets, record.pressing))  # a sheet that is an hour old shows the same warnings
        rest = _write_state(root, record, templates, facts, view, pages, dict(beside or {}), tell)
        record.save()
    return replace(rest, sheets=sheets, leading=pages.leading)


def _new(shown: Iterable[Shown], record: TreeRecord) -> list[Shown]:
    return [one for one in shown if not record.has_group(frozen_key(one), frozen_count(one))]


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
    pictures = _pictures(pages, root)
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
    drawn, undrawn = pictures()
    write_all(root, feeds | drawn)
    write_all(root, {"current.geojson": current_geojson(facts, view), STATE: current_json(facts, view)})
    homes = sorted(pages.homes(), key=lambda page: page.path, reverse=True)
    for page in homes:  # index.html last of what people look at
        write_whole(root / page.path, page.body())
    record.own((*files, *feeds, *drawn, *(page.path for page in homes)))
    sheets = list(pages.sheets())
    after = [page for page in sheets if record.pressing(page)]  # the map for the paper takes half a second to draw
    undrawn += _written(root, record, after)
    done = {page.path for page in (*pressing, *pressing_too, *after)}
    later = [page for page in every if page.path not in done]
    left = [page for page in sheets if page.path not in done]
    return Rest(
        root, record, later, view.state.sequence, archive, kept, lambda: chain(left, pages.site_map()), undrawn=undrawn
    )


def _written(root: Path, record: TreeRecord, pages: Iterable[Page]) -> list[str]:
    """Write these pages; one that cannot be drawn is taken away, for it shows other levels. Returns which, and why."""
    undrawn = []
    for page in pages:
        try:
            record.write([page])
        except Undrawn as fault:
            (root / page.path).unlink(missing_ok=True)
            undrawn.append(f"{page.path}: {fault}")
    return undrawn


def _write_always(root: Path, record: TreeRecord, pages: Iterable[Page]) -> None:
    found = {page.path: page.body() for page in pages}
    write_all(root, found)
    record.own(found)


def doubt_tree(root: Path) -> None:
    """Let the next publications draw and compare every file again, unless that was begun and is not over."""
    with writing(root):
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


_Pictures = tuple[dict[str, bytes], list[str]]


def _pictures(pages: Pages, root: Path) -> Callable[[], _Pictures]:
    """Begin to draw the map; the call returned gives the files, and what could not be drawn with the reason.

    A warning does not wait for a picture that cannot be drawn; one of other levels is taken away.
    """
    svg, path = pages.picture(), root / "map.png"
    body = svg.encode()
    if path.is_file() and (root / "map.svg").is_file() and (root / "map.svg").read_bytes() == body:
        return lambda: ({"map.svg": body, "map.png": path.read_bytes()}, [])
    drawing = begun(lambda: picture(svg))

    def drawn() -> _Pictures:
        try:
            return {"map.svg": body, "map.png": drawing()}, []
        except Undrawn as fault:
            path.unlink(missing_ok=True)
            return {"map.svg": body}, [f"map.png: {fault}"]

    return drawn
