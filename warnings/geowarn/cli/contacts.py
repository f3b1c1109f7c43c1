"""`geowarn contacts`: the register of places that must answer (叫应名册)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.cli.common import AsJson, Data, line, operator, put_json, put_table, system_of
from geowarn.pipeline.contacts import import_contacts

app = typer.Typer(help="Places that must answer when a warning goes out · 叫应名册", no_args_is_help=True)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument()], data: Data = None) -> None:
    """Let the register be exactly this CSV: area,kind,name_zh,name_en,place,order,phone · 以此文件为整本名册"""
    system = system_of(data)
    done = import_contacts(system.store, system.vault, system.clock, file, operator())
    line("contacts-imported", places=done.places, count=done.contacts, new=done.added, gone=done.removed)


@app.command()
def show(
    county: Annotated[str, typer.Option("--county", help="Code of a county · 区市代码")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Every place with its contacts in order; numbers are masked · 查看名册，号码遮盖"""
    system = system_of(data)
    with system.store.read() as work:
        found = [contact for contact in work.contacts.all() if county in ("", contact.county)]
    if as_json:
        put_json(
            [
                {"area": c.area, "county": c.county, "kind": c.kind.value, "name_zh": c.name_zh, "name_en": c.name_en}
                | {"place": c.where, "order": c.number, "phone": c.phone_masked}
                for c in found
            ]
        )
        return
    columns = ["area", "kind", "name", "where", "order", "phone"]
    put_table(columns, [[c.area, c.kind.value, c.name_zh, c.where, str(c.number), c.phone_masked] for c in found])
