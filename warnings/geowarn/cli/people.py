"""`geowarn users` and `geowarn roster`."""

from __future__ import annotations

import getpass
import sys
from datetime import timedelta
from typing import Annotated

import typer

from geowarn.cli.common import AsJson, Data, line, local_time, moment, operator, put_json, put_table, system_of
from geowarn.cli.factors import factor
from geowarn.pipeline.people import add_user, assign_shift, set_password
from geowarn.security import hash_password

users = typer.Typer(help="Accounts · 账号", no_args_is_help=True)
users.command()(factor)
roster = typer.Typer(help="Who is on duty · 排班", no_args_is_help=True)


def _password() -> str:
    return getpass.getpass() if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")


@users.command("add")
def add(
    name: Annotated[str, typer.Argument()],
    role: Annotated[list[str], typer.Option("--role", help="May be given several times")],
    zh: Annotated[str, typer.Option(help="Name shown in Chinese")] = "",
    en: Annotated[str, typer.Option(help="Name shown in English")] = "",
    data: Data = None,
) -> None:
    """Add an account; the password is asked for, or read from standard input · 新增账号"""
    system = system_of(data)
    user = add_user(
        system.store, system.clock, hash_password, name, zh or name, en or name, role, _password(), operator()
    )
    line("user-added", user=user.name, roles=", ".join(sorted(r.value for r in user.roles)))


@users.command()
def password(name: Annotated[str, typer.Argument()], data: Data = None) -> None:
    """Set a new password, asked for or read from standard input · 重设口令"""
    system = system_of(data)
    set_password(system.store, system.clock, hash_password, name, _password(), operator())
    line("password-set", user=name)


@users.command("list")
def list_users(as_json: AsJson = False, data: Data = None) -> None:
    """List accounts · 列出账号"""
    system = system_of(data)
    with system.store.read() as work:
        found = work.users.all()
    rows = [[u.name, u.display_zh, u.display_en, ", ".join(sorted(r.value for r in u.roles))] for u in found]
    if as_json:
        put_json([dict(zip(("name", "display_zh", "display_en", "roles"), row, strict=True)) for row in rows])
        return
    put_table(["user", "name-zh", "name-en", "roles"], rows)


@roster.command()
def assign(
    officer: Annotated[str, typer.Argument()],
    start: Annotated[str, typer.Option("--from", help="ISO 8601 with offset")],
    end: Annotated[str, typer.Option("--to", help="ISO 8601 with offset")],
    deputy: Annotated[str | None, typer.Option("--deputy")] = None,
    data: Data = None,
) -> None:
    """Put an officer on duty, with a deputy · 登记班次"""
    system = system_of(data)
    shift = assign_shift(
        system.store, system.clock, officer, deputy, moment(start, "--from"), moment(end, "--to"), operator()
    )
    start, end = (local_time(system, at.isoformat()) for at in (shift.start, shift.end))
    line("shift-assigned", user=shift.officer, start=start, end=end)


@roster.command("list")
def list_shifts(as_json: AsJson = False, data: Data = None) -> None:
    """The shifts from a day ago to eight days ahead · 班次表"""
    system = system_of(data)
    now = system.clock.now()
    with system.store.read() as work:
        shifts = work.shifts.between(now - timedelta(days=1), now + timedelta(days=8))
    rows = [[s.id, s.officer, s.deputy or "", s.start.isoformat(), s.end.isoformat()] for s in shifts]
    if as_json:
        put_json([dict(zip(("id", "officer", "deputy", "start", "end"), row, strict=True)) for row in rows])
        return
    rows = [[*row[:3], local_time(system, row[3]), local_time(system, row[4])] for row in rows]
    put_table(["id", "user", "deputy", "start", "end"], rows)
