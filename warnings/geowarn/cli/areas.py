"""`geowarn areas`: import, check and list warning areas."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.catalogue import terminal_language
from geowarn.cli.common import AsJson, Data, line, operator, put_json, put_table, system_of
from geowarn.pipeline.areas import import_areas, read_areas

app = typer.Typer(help="Warning areas · 预警地区", no_args_is_help=True)
Files = Annotated[list[Path], typer.Argument(help="GeoJSON or CSV files, read together")]


@app.command("import")
def import_(files: Files, data: Data = None) -> None:
    """Import areas; anything wrong refuses the whole import · 导入地区"""
    system = system_of(data)
    report = import_areas(system.store, system.clock, files, operator())
    line("areas-imported", count=report.total, new=report.added, changed=report.changed)


@app.command()
def check(files: Files, data: Data = None) -> None:
    """Check files without importing them · 只检查，不导入"""
    system = system_of(data)
    with system.store.read() as work:
        existing = work.areas.all()
    found = read_areas(files, existing)
    line("areas-fine", count=len(found))


@app.command("list")
def list_(kind: str = "", as_json: AsJson = False, data: Data = None) -> None:
    """List areas, all or of one kind · 列出地区"""
    system = system_of(data)
    with system.store.read() as work:
        areas = [area for area in work.areas.all() if not kind or area.kind.value == kind]
    if as_json:
        put_json(
            [
                {
                    "code": a.code,
                    "kind": a.kind.value,
                    "name_zh": a.name_zh,
                    "name_en": a.name_en,
                    "parent": a.parent,
                    "population": a.population,
                    "class": a.susceptibility.value,
                    "surveyed": a.surveyed,
                    "geometry": a.geometry["type"] if a.geometry else ("Point" if a.lon is not None else None),
                }
                for a in areas
            ]
        )
        return
    language = terminal_language()
    rows = [
        [
            a.code,
            a.kind.value,
            a.name(language),
            a.parent or "",
            str(a.population or ""),
            _class(a.susceptibility.value, a.surveyed),
        ]
        for a in areas
    ]
    put_table(["code", "kind", "name", "parent", "population", "class"], rows)


def _class(name: str, surveyed: bool) -> str:
    return name if surveyed else f"{name} *"
