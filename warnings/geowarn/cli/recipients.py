"""`geowarn recipients`: the people who get the text."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.progress import Progress

from geowarn.cli.common import AsJson, Data, line, operator, put_json, put_table, system_of
from geowarn.domain.level import Level
from geowarn.pipeline.mail_file import import_mail, is_mail_file
from geowarn.pipeline.recipients import export_recipients, import_recipients

app = typer.Typer(help="Recipients of SMS · 短信接收人", no_args_is_help=True)


@app.command("import")
def import_(file: Annotated[Path, typer.Argument()], data: Data = None) -> None:
    """Import CSV phone,area,language,role,consent, or mail,area,…; all are encrypted at rest · 导入接收人"""
    system = system_of(data)
    if is_mail_file(file):
        least = Level.parse(system.settings.publish.from_)
        mailed = import_mail(system.store, system.vault, system.clock, file, least, operator())
        line("recipients-imported", count=mailed.rows, new=mailed.added, duplicates=mailed.duplicates)
        return
    with Progress(transient=True) as progress:
        bar = progress.add_task(file.name, total=None)
        report = import_recipients(
            system.store,
            system.vault,
            system.clock,
            file,
            operator(),
            lambda done: progress.update(bar, completed=done),
        )
    line("recipients-imported", count=report.rows, new=report.added, duplicates=report.duplicates)


@app.command()
def stats(as_json: AsJson = False, data: Data = None) -> None:
    """How many by area, language and role, never who · 按地区、语言、身份统计"""
    system = system_of(data)
    with system.store.read() as work:
        counts = sorted(work.recipients.counts().items())
    if as_json:
        put_json([{"area": a, "language": lang, "role": r, "count": n} for (a, lang, r), n in counts])
        return
    put_table(["area", "language", "role", "count"], [[a, lang, r, str(n)] for (a, lang, r), n in counts])


@app.command()
def export(
    file: Annotated[Path, typer.Argument()],
    reason: Annotated[str, typer.Option("--reason", help="Why, kept in the ledger · 理由，入台账")],
    data: Data = None,
) -> None:
    """Write every number in the clear; the reason is kept in the ledger · 导出明文号码，须写理由"""
    system = system_of(data)
    count = export_recipients(system.store, system.vault, system.clock, file, reason, operator())
    line("recipients-exported", count=count, file=file.name)
