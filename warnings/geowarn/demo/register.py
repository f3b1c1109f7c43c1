"""The demo's register of places that must answer: duty rooms everywhere, the rest where its storm rains."""

from __future__ import annotations

import csv
import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from geowarn.bootstrap import System
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.calls import CallKind
from geowarn.pipeline.contact_file import COLUMNS
from geowarn.pipeline.contacts import import_contacts
from geowarn.resources import config_dir

_CONTACTS = 2  # of each place


def register(system: System, folder: Path) -> None:
    """Write the register as a CSV and take it in; every name, place and number in it is invented and says so."""
    facts = tomllib.loads((config_dir() / "demo" / "demo.toml").read_text("utf-8"))["calls"]
    with system.store.read() as work:
        areas = sorted(work.areas.all(), key=lambda area: area.code)
    numbers = itertools.cycle(f"+1{code}55501{last:02d}" for code in facts["area_codes"] for last in range(100))
    file = folder / "demo" / "contacts.csv"
    with file.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(COLUMNS)
        for place in _places(areas, facts):
            writer.writerows((*place, order, next(numbers)) for order in range(1, _CONTACTS + 1))
    import_contacts(system.store, system.vault, system.clock, file, "demo")


def _places(areas: list[Area], facts: dict[str, Any]) -> Iterator[tuple[str, str, str, str, str]]:
    for area in areas:
        if area.kind in (AreaKind.COUNTY, AreaKind.ZONE):
            for zh, en in (("自然资源值班室", "natural-resources duty room"), ("应急值班室", "emergency duty room")):
                yield _place(area, CallKind.COUNTY, f"{area.name_zh}{zh}（演示）", f"{area.name_en} {en} (demo)")
    for code in facts["counties"]:
        towns = [area for area in areas if area.kind is AreaKind.TOWNSHIP and area.parent == code]
        for town in towns[: facts["townships"]]:
            yield _place(town, CallKind.TOWNSHIP, f"{town.name_zh}值班室（演示）", f"{town.name_en} duty room (demo)")
        county = next(area for area in areas if area.code == code)
        for zh, en in zip(facts["sites_zh"], facts["sites_en"], strict=True):
            yield _place(county, CallKind.SITE, f"{county.name_zh}{zh}", f"{county.name_en}: {en}")
    for point in (area for area in areas if area.kind is AreaKind.POINT):
        yield _place(point, CallKind.WARDEN, f"{point.name_zh}责任人", f"Warden of {point.name_en}")


def _place(area: Area, kind: CallKind, name_zh: str, name_en: str) -> tuple[str, str, str, str, str]:
    return (area.code, kind.value, name_zh, name_en, f"{area.name_zh}，虚构地点")
