"""Warning areas from GeoJSON and CSV: read and checked as a whole, then stored in one transaction or not at all.

One import may name several files. The same code in a CSV and in a GeoJSON is one area: the CSV row gives the
attributes, the GeoJSON feature the polygon. What a file leaves empty stays as it is already known; a parent is taken
as written. A class that nobody gave is the parent's assumed class, or medium, and counts as assumed, not surveyed.
A unit without an official code gets one of ours, `own-` and eight hexadecimal digits of the SHA-256 of kind, parent
and Chinese name, so that the same row always gets the same code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from geowarn.domain.area import Area, by_code
from geowarn.domain.errors import Refused
from geowarn.domain.unread import larger_than, why
from geowarn.pipeline.area_files import Found, read_csv, read_geojson
from geowarn.pipeline.area_places import refuse_swapped_axes
from geowarn.pipeline.search_index import put_areas
from geowarn.ports import Clock, Store

LARGEST = 64 << 20  # bytes of one file


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: how many areas it held, how many were new or changed, how many classes are assumed."""

    total: int
    added: int
    changed: int
    assumed: int


def import_areas(store: Store, clock: Clock, paths: Sequence[Path], actor_text: str) -> ImportReport:
    """Read, check and store areas in one transaction; raises Refused and changes nothing when one is wrong."""
    found = _read(paths)
    with store.begin() as work:
        before = by_code(work.areas.all())
        areas = _checked(found, before)
        added = [area.code for area in areas if area.code not in before]
        changed = [area.code for area in areas if area.code in before and before[area.code] != area]
        work.areas.save_all(areas)
        put_areas(work, [*added, *changed])
        facts = {"files": [path.name for path in paths], "added": added, "changed": changed}
        work.ledger.append(clock.now(), actor_text, "areas.imported", "areas", facts)
        work.commit()
    return ImportReport(len(areas), len(added), len(changed), sum(not area.surveyed for area in areas))


def read_areas(paths: Sequence[Path], existing: Iterable[Area] | None = None) -> list[Area]:
    """The areas that these files describe; raises Refused naming file and place.

    With `existing` they are checked beside the areas that exist, without it only in themselves.
    """
    found = _read(paths)
    return _with_assumed_classes(found, {}) if existing is None else _checked(found, by_code(existing))


def check_areas(areas: Sequence[Area], existing: Iterable[Area] = ()) -> None:
    """Raise Refused for an unknown parent, a circle of parents, or coordinates that look swapped."""
    _check([Found(area, "-", area.code, False, True) for area in areas], by_code(existing))


def _read(paths: Sequence[Path]) -> list[Found]:
    """Everything the files hold, polygons and attributes of one code joined."""
    joined: dict[str, Found] = {}
    for path in paths:
        for found in _read_file(path):
            before = joined.get(found.area.code)
            if before is None:
                joined[found.area.code] = found
            elif before.from_csv == found.from_csv:
                raise Refused("areas.duplicate-code", file=found.file, place=found.place, code=found.area.code)
            else:
                row, feature = (before, found) if before.from_csv else (found, before)
                joined[found.area.code] = _filled(row, feature.area, keep_class=feature.has_class)
    return list(joined.values())


def _read_file(path: Path) -> list[Found]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise Refused("areas.unreadable", file=path.name, reason=why(error)) from None
    if len(data) > LARGEST:
        raise Refused("areas.unreadable", file=path.name, reason=larger_than(LARGEST >> 20, "MiB"))
    if path.suffix.lower() in {".geojson", ".json"}:
        return read_geojson(data, path.name)
    if path.suffix.lower() == ".csv":
        return read_csv(data, path.name)
    raise Refused("areas.unknown-format", file=path.name)


def _filled(found: Found, known: Area, *, keep_class: bool = True) -> Found:
    """Empty cells take what is already known, so that a table of names never wipes out polygons or surveys."""
    area = found.area
    keep = keep_class and not found.has_class
    area = replace(
        area,
        lon=known.lon if area.lon is None else area.lon,
        lat=known.lat if area.lat is None else area.lat,
        population=known.population if area.population is None else area.population,
        geometry=known.geometry if area.geometry is None else area.geometry,
        susceptibility=known.susceptibility if keep else area.susceptibility,
        surveyed=known.surveyed if keep else area.surveyed,
    )
    return replace(found, area=area, has_class=found.has_class or keep)


def _checked(found: Sequence[Found], existing: Mapping[str, Area]) -> list[Area]:
    complete = [_filled(one, existing[one.area.code]) if one.area.code in existing else one for one in found]
    _check(complete, existing)
    return _with_assumed_classes(complete, existing)


def _check(found: Sequence[Found], existing: Mapping[str, Area]) -> None:
    known = {**existing, **{one.area.code: one.area for one in found}}
    for one in found:
        parent = one.area.parent
        if parent is not None and parent not in known:
            raise Refused("areas.unknown-parent", file=one.file, place=one.place, code=one.area.code, parent=parent)
        _refuse_circle(one, known)
    refuse_swapped_axes(found, existing)


def _refuse_circle(one: Found, known: Mapping[str, Area]) -> None:
    seen = {one.area.code}
    parent = one.area.parent
    while parent is not None and parent in known:
        if parent == one.area.code:
            raise Refused("areas.circle", file=one.file, place=one.place, code=one.area.code)
        if parent in seen:
            return
        seen.add(parent)
        parent = known[parent].parent


def _with_assumed_classes(found: Sequence[Found], existing: Mapping[str, Area]) -> list[Area]:
    """A class nobody gave follows the parent's, assumed."""
    given = dict(existing) | {one.area.code: one.area for one in found}
    open_codes = {one.area.code for one in found if not one.has_class}

    def assumed(code: str) -> Area:
        area = given[code]
        if code in open_codes:
            open_codes.discard(code)
            if area.parent in given:
                area = replace(area, susceptibility=assumed(area.parent).susceptibility)
                given[code] = area
        return area

    return [assumed(one.area.code) for one in found]
