"""`geowarn users`."""

from __future__ import annotations

import getpass
import sys
from typing import Annotated

import typer

from geowarn.cli import accounts
from geowarn.cli.common import AsJson, Data, line, operator, put_json, put_table, system_of
from geowarn.cli.factors import factor
from geowarn.domain.people import User
from geowarn.pipeline.people import add_user, set_password
from geowarn.pipeline.second_factor import factor_in_use
from geowarn.security import hash_password

users = typer.Typer(help="Accounts · 账号", no_args_is_help=True)
users.command()(factor)
accounts.register(users)


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
        factors = {user.name for user in found if factor_in_use(work, user.name)}
    rows = [
        [u.name, u.display_zh, u.display_en, _rights(u), "totp" if u.name in factors else "", "" if u.active else "off"]
        for u in found
    ]
    if as_json:
        heads = ("name", "display_zh", "display_en", "roles", "second_factor", "state")
        put_json([dict(zip(heads, row, strict=True)) for row in rows])
        return
    put_table(["user", "name-zh", "name-en", "roles", "factor", "state"], rows)


def _rights(user: User) -> str:
    """Roles, each with the areas it is limited to."""
    where = {role: f" ({' '.join(sorted(user.areas[role]))})" if role in user.areas else "" for role in user.roles}
    return ", ".join(f"{role.value}{where[role]}" for role in sorted(user.roles))
