"""One file of areas, read feature by feature or line by line; every refusal names the file and the place in it."""

from __future__ import annotations

import csv
import io
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from geowarn.domain.area import Area, AreaKind, Susceptibility
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.domain.unread import why
from geowarn.pipeline.area_places import polygon

COLUMNS = ("code", "kind", "name_zh", "name_en", "parent", "lon", "lat", "population", "class")
_MORE = ("surveyed",)  # an assumed class may be written down: surveyed = no
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,39}")
_Word = TypeVar("_Word", AreaKind, Susceptibility)
_WGS84 = ("CRS84", "EPSG::4326", "EPSG:4326")


@dataclass(frozen=True, slots=True)
class Found:
    """An area with the place it was read at."""

    area: Area
    file: str
    place: str
    from_csv: bool
    has_class: bool


def read_csv(data: bytes, file: str) -> list[Found]:
    """Areas of a CSV `code,kind,name_zh,name_en,parent,lon,lat,population,class[,surveyed]` in UTF-8."""
    reader = csv.DictReader(io.StringIO(_text(data, file), newline=""), strict=True)
    names = [name.strip() for name in reader.fieldnames or ()]
    missing, strange = set(COLUMNS) - set(names), set(names) - set(COLUMNS) - set(_MORE)
    if missing or strange or len(set(names)) != len(names):
        raise Refused("areas.columns", file=file, columns=",".join(names)[:200], wanted=",".join(COLUMNS))
    reader.fieldnames = names
    found = []
    try:
        for row in reader:
            place = f"{reader.line_num}"
            if None in row or None in row.values():
                raise Refused("areas.cells", file=file, place=place, wanted=len(names))
            found.append(_area({key: (value or "").strip() for key, value in row.items()}, None, file, place, True))
    except csv.Error as error:
        raise Refused("areas.unreadable", file=file, reason=why(error)) from None
    return _unique(found)


def read_geojson(data: bytes, file: str) -> list[Found]:
    """Areas of a GeoJSON FeatureCollection (RFC 7946); properties are named like the CSV's columns."""
    try:
        document = json.loads(_text(data, file))
    except ValueError as error:
        raise Refused("areas.unreadable", file=file, reason=why(error)) from None
    except RecursionError as error:
        raise Refused("areas.unreadable", file=file, reason=why(error)) from None
    if not isinstance(document, dict) or document.get("type") != "FeatureCollection":
        raise Refused("areas.not-features", file=file)
    _check_crs(document, file)
    features = document.get("features")
    if not isinstance(features, list) or not features:
        raise Refused("areas.not-features", file=file)
    return _unique([_feature(feature, file, str(number)) for number, feature in enumerate(features, 1)])


def own_code(kind: AreaKind, parent: str | None, name_zh: str) -> str:
    """Our code for a unit that has no official one: the same unit always gets the same."""
    return "own-" + sha256_hex(f"{kind.value}|{parent or ''}|{name_zh}")[:8]


def _feature(feature: Any, file: str, place: str) -> Found:
    if not isinstance(feature, dict) or not isinstance(feature.get("properties"), dict):
        raise Refused("areas.no-properties", file=file, place=place)
    cells = {key: _cell(value) for key, value in feature["properties"].items() if key in (*COLUMNS, *_MORE)}
    geometry = feature.get("geometry")
    if isinstance(geometry, dict) and geometry.get("type") == "Point":
        position = geometry.get("coordinates")
        if not isinstance(position, list) or len(position) < 2:
            raise Refused("areas.geometry", file=file, place=place, code=cells.get("code", ""), reason="Point: []")
        cells |= {"lon": _cell(position[0]), "lat": _cell(position[1])}
        geometry = None
    return _area({name: "" for name in COLUMNS} | cells, geometry, file, place, False)


def _area(cells: Mapping[str, str], geometry: Any, file: str, place: str, from_csv: bool) -> Found:
    kind = _choice(AreaKind, cells, "kind", file, place)
    for name in ("name_zh", "name_en"):
        if not cells[name] or not cells[name].isprintable() or len(cells[name]) > 120:
            raise Refused("areas.bad-value", file=file, place=place, field=name, value=cells[name][:60])
    parent = _code(cells, "parent", file, place)
    code = _code(cells, "code", file, place) or own_code(kind, parent, cells["name_zh"])
    lon, lat = _position(cells, file, place, code)
    chosen = _choice(Susceptibility, cells, "class", file, place) if cells["class"] else Susceptibility.MEDIUM
    area = Area(
        code=code,
        kind=kind,
        name_zh=cells["name_zh"],
        name_en=cells["name_en"],
        parent=parent,
        lon=lon,
        lat=lat,
        population=_count(cells, "population", file, place),
        susceptibility=chosen,
        surveyed=bool(cells["class"]) and _yes(cells, file, place),
        geometry=None if geometry is None else polygon(geometry, file, place, code),
        official=not code.startswith("own-"),
    )
    return Found(area, file, place, from_csv, bool(cells["class"]))


def _unique(found: Sequence[Found]) -> list[Found]:
    seen: set[str] = set()
    for one in found:
        if one.area.code in seen:
            raise Refused("areas.duplicate-code", file=one.file, place=one.place, code=one.area.code)
        seen.add(one.area.code)
    return list(found)


def _text(data: bytes, file: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Refused("areas.unreadable", file=file, reason=why(error)) from None


def _cell(value: Any) -> str:
    """A GeoJSON property as the CSV would write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return str(value).strip()


def _code(cells: Mapping[str, str], name: str, file: str, place: str) -> str | None:
    if cells[name] and not _CODE.fullmatch(cells[name]):
        raise Refused("areas.bad-value", file=file, place=place, field=name, value=cells[name][:60])
    return cells[name] or None


def _choice(kinds: type[_Word], cells: Mapping[str, str], name: str, file: str, place: str) -> _Word:
    try:
        return kinds(cells[name])
    except ValueError:
        known = ", ".join(one.value for one in kinds)
        facts = {"file": file, "place": place, "field": name, "value": cells[name][:60]}
        raise Refused("areas.unknown-word", **facts, known=known) from None


def _position(cells: Mapping[str, str], file: str, place: str, code: str) -> tuple[float | None, float | None]:
    if not cells["lon"] and not cells["lat"]:
        return None, None
    lon, lat = (_number(cells, name, file, place) for name in ("lon", "lat"))
    if not -90 <= lat <= 90:
        raise Refused("areas.swapped-axes", file=file, place=place, code=code, lon=lon, lat=lat)
    if not -180 <= lon <= 180:
        raise Refused("areas.bad-value", file=file, place=place, field="lon", value=cells["lon"][:60])
    return lon, lat


def _number(cells: Mapping[str, str], name: str, file: str, place: str) -> float:
    try:
        number = float(cells[name])
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise Refused("areas.bad-value", file=file, place=place, field=name, value=cells[name][:60])
    return number


def _count(cells: Mapping[str, str], name: str, file: str, place: str) -> int | None:
    if not cells[name]:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", cells[name]):
        raise Refused("areas.bad-value", file=file, place=place, field=name, value=cells[name][:60])
    return int(cells[name])


def _yes(cells: Mapping[str, str], file: str, place: str) -> bool:
    value = cells.get("surveyed", "")
    if value not in ("", "yes", "no"):
        facts = {"file": file, "place": place, "field": "surveyed", "value": value[:60]}
        raise Refused("areas.unknown-word", **facts, known="yes, no")
    return value != "no"


def _check_crs(document: Mapping[str, Any], file: str) -> None:
    """GeoJSON is WGS 84, longitude first; an older file that names anything else is refused."""
    crs = document.get("crs")
    if crs is not None and not any(name in json.dumps(crs) for name in _WGS84):
        raise Refused("areas.crs", file=file, crs=json.dumps(crs, ensure_ascii=False)[:120])
