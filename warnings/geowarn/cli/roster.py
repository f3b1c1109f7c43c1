"""`geowarn roster`: who is on duty, what is wrong with it, files in and out."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import AsJson, Data, local_time, moment, operator, put_json, put_rows, system_of
from geowarn.domain.errors import Refused
from geowarn.domain.people import Shift
from geowarn.domain.roster import Finding
from geowarn.pipeline.people import assign_shift
from geowarn.pipeline.roster import check, finding_facts, proposed
from geowarn.pipeline.roster_desk import people
from geowarn.pipeline.roster_files import calendar_of, csv_of
from geowarn.pipeline.roster_import import take_in

app = typer.Typer(help="Who is on duty · 排班", no_args_is_help=True)
From = Annotated[str | None, typer.Option("--from", help="ISO 8601 with offset")]
To = Annotated[str | None, typer.Option("--to", help="ISO 8601 with offset")]


def said(key: str, /, **facts: object) -> None:
    """Print one sentence of the roster in the terminal's language."""
    typer.echo(say(f"roster.{key}", terminal_language(), **facts))


def put_columns(columns: list[str], rows: list[list[str]]) -> None:
    """Print a table whose column heads are keys of the roster's catalogue."""
    put_rows([say(f"roster.col-{column}", terminal_language()) for column in columns], rows)


@app.command()
def assign(
    officer: Annotated[str, typer.Argument()],
    start: Annotated[str, typer.Option("--from", help="ISO 8601 with offset")],
    end: Annotated[str, typer.Option("--to", help="ISO 8601 with offset")],
    deputy: Annotated[str | None, typer.Option("--deputy")] = None,
    leader: Annotated[str | None, typer.Option("--leader")] = None,
    data: Data = None,
) -> None:
    """Put an officer on duty, with a deputy and a leader on call · 登记班次"""
    system = system_of(data)
    begun, over = moment(start, "--from"), moment(end, "--to")
    shift = assign_shift(system.store, system.clock, officer, deputy, begun, over, operator(), leader)
    start, end = (local_time(system, at.isoformat()) for at in (shift.start, shift.end))
    said("shift-assigned", user=shift.officer, start=start, end=end)


@app.command("list")
def list_shifts(start: From = None, end: To = None, as_json: AsJson = False, data: Data = None) -> None:
    """The shifts from a day ago to eight days ahead, or of the time given · 班次表"""
    system = system_of(data)
    shifts = _between(system, start, end)
    rows = [[s.id, s.officer, s.deputy or "", s.leader or "", s.start.isoformat(), s.end.isoformat()] for s in shifts]
    if as_json:
        names = ("id", "officer", "deputy", "leader", "start", "end")
        put_json([dict(zip(names, row, strict=True)) for row in rows])
        return
    rows = [[*row[:4], local_time(system, row[4]), local_time(system, row[5])] for row in rows]
    put_columns(["id", "user", "deputy", "leader", "start", "end"], rows)


def _between(system: System, start: str | None, end: str | None) -> tuple[Shift, ...]:
    now = system.clock.now()
    first = moment(start, "--from") if start else now - timedelta(days=1)
    last = moment(end, "--to") if end else now + timedelta(days=8)
    with system.store.read() as work:
        return work.shifts.between(first, last)


@app.command("check")
def check_roster(as_json: AsJson = False, data: Data = None) -> None:
    """What is wrong with the days ahead; exit 1 when anything is · 检查空班、重班、联系不上"""
    system = system_of(data)
    with system.store.read() as work:
        found = check(system.roster_desk, work, system.clock.now())
        fill = [proposed(system.roster_desk, work, one) for one in found]
    if as_json:
        rows = zip(found, fill, strict=True)
        put_json([{**finding_facts(one), "proposed": list(names)} for one, names in rows])
    elif found:
        columns = ["fault", "start", "end", "user", "seat", "proposed"]
        put_columns(columns, [_row(system, one, names) for one, names in zip(found, fill, strict=True)])
    else:
        said("roster-fine", days=system.roster_desk.rules.ahead.days)
    if found:
        raise typer.Exit(1)


def _row(system: System, one: Finding, names: tuple[str, ...]) -> list[str]:
    language = terminal_language()
    times = [local_time(system, at.isoformat()) for at in (one.start, one.end)]
    seat = say(f"roster.seat-{one.part.value}", language) if one.part else ""
    return [say(f"roster.fault-{one.fault.value}", language), *times, ", ".join(one.people), seat, ", ".join(names[:3])]


@app.command("import")
def import_file(
    file: Annotated[Path, typer.Argument(help="iCalendar or CSV id,start,end,officer,deputy,leader")],
    data: Data = None,
) -> None:
    """Take in shifts from iCalendar or CSV, all of it or nothing · 导入班次"""
    system = system_of(data)
    try:
        text = file.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise Refused("roster.file-encoding", file=file.name) from None
    done = take_in(system.roster_desk, operator(), text, file.name)
    said("roster-imported", added=done.added, changed=done.changed, removed=done.removed, same=done.same)
    with system.store.read() as work:
        found = check(system.roster_desk, work, system.clock.now())
    if found:
        said("roster-faults", count=len(found))


@app.command("export")
def export_file(
    file: Annotated[Path, typer.Argument(help="Ends in .ics or .csv")],
    start: From = None,
    end: To = None,
    data: Data = None,
) -> None:
    """Write shifts as iCalendar or CSV · 导出班次"""
    system = system_of(data)
    shifts = _between(system, start, end)
    with system.store.read() as work:
        users = people(work)
    if file.suffix.lower() == ".csv":
        text = csv_of(shifts, system.roster_desk.zone)
    elif file.suffix.lower() == ".ics":
        text = calendar_of(shifts, users, host_of(system), _second(system.clock.now()), terminal_language())
    else:
        raise Refused("roster.suffix", file=file.name)
    file.write_bytes(text.encode())
    said("roster-exported", count=len(shifts), file=str(file))


def host_of(system: System) -> str:
    """The name that makes the UIDs of this installation's shifts unique."""
    return urlsplit(system.settings.site.public_url).hostname or "localhost"


def _second(moment: datetime) -> datetime:
    return moment.replace(microsecond=0)
