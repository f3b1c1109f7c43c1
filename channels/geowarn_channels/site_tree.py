"""Writes the public tree: artefacts and pages first, then feeds, then state, the home page last."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.canonical import canonical_json
from geowarn.ports import SiteState, Templates
from geowarn_channels.feed_items import cap_files, feed_files
from geowarn_channels.files import locked, sweep, write_all, write_whole
from geowarn_channels.site_entry import LANGUAGES, MAP
from geowarn_channels.site_incidents import incident_json
from geowarn_channels.site_pages import Pages
from geowarn_channels.site_state import current_geojson, current_json, picture
from geowarn_channels.site_view import SiteView
from geowarn_channels.svg_map import draw_map

STATE = "current.json"
_TREE = ".tree.json"  # which files belong to the last complete tree, for removing what an area left behind
_STYLES = ("tokens.css", "public.css")
_FEEDS = ("feeds/warnings.rss", "feeds/warnings.atom", "feeds/cap.rss", "feeds/cap.atom")


def tree_of(data_dir: Path, exercise: bool) -> Path:
    """The folder of the public tree, or of the exercises' own one, which no public server carries."""
    return data_dir / "exercise" / "public" if exercise else data_dir / "public"


def write_tree(
    root: Path,
    templates: Templates,
    facts: Mapping[str, Mapping[str, Any]],
    state: SiteState,
    beside: Mapping[str, bytes] | None = None,
    exercise: bool = False,
) -> bool:
    """Bring the tree at `root` to `state`, with the files `beside`; returns False when a newer one is there.

    The public tree holds nothing of exercises, that of exercises nothing real. Raises OSError.
    """
    root.mkdir(parents=True, exist_ok=True)
    with locked(root / ".lock"):
        if _sequence(root) > state.sequence:
            return False
        sweep(root)
        view = SiteView(state, exercise)
        pages = Pages(templates, facts, view)
        artefacts = _artefacts(templates, facts, view) | dict(pages.inner()) | dict(beside or {})
        feeds = feed_files(templates, facts, view)
        pictures = _pictures(templates, facts, view, pages, root)
        homes = dict(pages.homes())
        write_all(root, artefacts)
        write_all(root, feeds | pictures)
        write_all(root, {"current.geojson": current_geojson(facts, view), STATE: current_json(facts, view)})
        for path, body in sorted(homes.items(), reverse=True):  # index.html last of all
            write_whole(root / path, body)
        _remove_left_behind(root, (*artefacts, *feeds, *pictures, *homes))
    return True


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


def _artefacts(templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView) -> dict[str, bytes]:
    files = {f"static/{name}": templates.render(f"website/static/{name}").encode() for name in _STYLES}
    for shown in view.real:
        files |= cap_files(shown.published.artefacts)
        files[f"w/{shown.bulletin.slug}/map.svg"] = shown.published.artefacts[MAP]
    for incident in view.incidents:
        files[f"incidents/{incident.id}/incident.json"] = incident_json(incident, facts)
    if view.state.checkpoint is not None:
        files["ledger/checkpoint"] = canonical_json(view.state.checkpoint).encode() + b"\n"
    return files


def _pictures(
    templates: Templates, facts: Mapping[str, Mapping[str, Any]], view: SiteView, pages: Pages, root: Path
) -> dict[str, bytes]:
    svg = draw_map(
        templates, pages.base, view.levels, "zh", pages.map_title("zh"), standalone=True, opening=pages.map_label
    ).encode()
    found = {"map.svg": svg}
    drawn = root / "map.png"
    unchanged = drawn.is_file() and (root / "map.svg").is_file() and (root / "map.svg").read_bytes() == svg
    found["map.png"] = drawn.read_bytes() if unchanged else picture(svg.decode())
    return found


def _remove_left_behind(root: Path, paths: Iterable[str]) -> None:
    """Pages of areas that no longer exist would say "no warning" for ever; bulletins and messages always stay."""
    now = set(paths)
    try:
        before = set(json.loads((root / _TREE).read_bytes()))
    except (FileNotFoundError, ValueError):
        before = set()
    for path in before - now:
        if path.startswith(("areas/", "en/areas/")):
            (root / path).unlink(missing_ok=True)
    write_whole(root / _TREE, json.dumps(sorted(now)).encode())
