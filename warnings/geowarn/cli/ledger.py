"""`geowarn ledger` and `geowarn disclose`: proof."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from geowarn.bootstrap import database_url
from geowarn.cli.common import AsJson, Data, line, put_json, system_of
from geowarn.domain.errors import Refused
from geowarn.pipeline import proof
from geowarn.pipeline.disclose import Signer, save_pack
from geowarn.pipeline.verify_pack import verify_pack
from geowarn.security import load_signing_key, public_key_text, sign_text, verify_text
from geowarn.settings import load_settings
from geowarn.store.unit_of_work import SqlStore

app = typer.Typer(help="The hash-chained ledger · 台账", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command()(disclose)


@app.command()
def verify(
    file: Annotated[Path | None, typer.Option("--file", help="A copy of the SQLite database")] = None,
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Check every entry and every frozen byte; only reads · 核验台账"""
    folder = data if data is not None else Path()
    url = f"sqlite:///{file}" if file else database_url(load_settings(folder), folder)
    store = SqlStore.read_only(url)
    count, fault = proof.verify(store)
    store.dispose()
    if as_json:
        put_json({"entries": count, "fault": {"sequence": fault.sequence, "what": fault.what} if fault else None})
    proof.refuse_fault(fault)
    if not as_json:
        line("ledger-holds", count=count)


@app.command()
def export(file: Annotated[Path, typer.Argument()], data: Data = None) -> None:
    """Write every entry as one JSON line · 导出台账"""
    line("ledger-exported", count=proof.export(system_of(data).store, file), file=file.name)


@app.command()
def checkpoint(data: Data = None) -> None:
    """Sign the present head of the ledger and print it · 签署检查点"""
    system = system_of(data)
    key = load_signing_key(system.keys_dir)
    put_json(proof.take_checkpoint(system.store, system.clock, lambda body: sign_text(key, body), public_key_text(key)))


def disclose(
    subject: Annotated[str, typer.Argument(help="A warning, a period START/END, or `verify`")],
    file: Annotated[Path | None, typer.Argument(help="With `verify`: the pack")] = None,
    output: Annotated[Path | None, typer.Option("-o", "--output", help="The pack to write")] = None,
    data: Data = None,
) -> None:
    """Write a disclosure pack, or check one offline · 信息公开包"""
    if subject == "verify":
        if file is None:
            raise Refused("cli.pack-missing")
        report = verify_pack(file, verify_text)
        line(
            "pack-holds", files=report.files, entries=report.entries, bulletins=report.bulletins, key=report.public_key
        )
        return
    system = system_of(data)
    key = load_signing_key(system.keys_dir)
    signer = Signer(lambda body: sign_text(key, body), public_key_text(key))
    out = output or Path(f"disclosure-{subject.replace('/', '_').replace(':', '')}.zip")
    made = save_pack(system.store, system.clock, system.templates, system.raw_dir, signer, subject, out)
    line("pack-written", file=str(out), files=made.files)
