"""`geowarn users invite / roles / disable / enable / changes / confirm / refuse / sessions`."""

from __future__ import annotations

from typing import Annotated

import typer

from geowarn.cli.common import As, AsJson, Data, acting, line, local_time, put_json, put_table, system_of
from geowarn.domain.errors import Refused
from geowarn.domain.identity import Outcome, PendingChange
from geowarn.pipeline import accounts, two_person

Name = Annotated[str, typer.Argument(metavar="NAME")]
Change = Annotated[str, typer.Argument(metavar="CHANGE", help="Id of a change that waits")]


def register(users: typer.Typer) -> None:
    """Add the commands of this module."""
    for command in (invite, roles, disable, enable, changes, confirm, refuse, sessions):
        users.command()(command)


def invite(
    name: Name,
    as_user: As,
    zh: Annotated[str, typer.Option(help="Name shown in Chinese")] = "",
    en: Annotated[str, typer.Option(help="Name shown in English")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """Make a code by which a person sets their password, once, within 72 hours · 邀请"""
    system = system_of(data)
    invitation, code = accounts.invite(
        system.store, system.vault, system.clock, name, (zh, en), acting(system, as_user)
    )
    page, until = f"{system.settings.site.public_url}/console/welcome", invitation.ends_at.isoformat()
    if as_json:
        put_json({"account": name, "code": code, "until": until, "page": page})
        return
    line("invited", user=name, code=code, until=local_time(system, until), page=page)


def _where(given: list[str]) -> dict[str, list[str]]:
    """ROLE=CODE pairs by role."""
    found: dict[str, list[str]] = {}
    for pair in given:
        role, _, code = pair.partition("=")
        if not code:
            raise Refused("identity.bad-area-option", value=pair)
        found.setdefault(role, []).append(code)
    return found


def roles(
    name: Name,
    as_user: As,
    role: Annotated[list[str] | None, typer.Option("--role", help="May be given several times; none: no role")] = None,
    area: Annotated[list[str] | None, typer.Option("--area", help="ROLE=CODE: only there and below")] = None,
    data: Data = None,
) -> None:
    """Ask for other roles and where they hold; another administrator confirms · 变更角色"""
    system = system_of(data)
    change = accounts.change_roles(
        system.store, system.clock, name, role or [], _where(area or []), acting(system, as_user)
    )
    _said(change)


def disable(name: Name, as_user: As, data: Data = None) -> None:
    """Switch an account off at once; its sessions end · 停用"""
    system = system_of(data)
    accounts.disable(system.store, system.clock, name, acting(system, as_user))
    line("user-disabled", user=name)


def enable(name: Name, as_user: As, data: Data = None) -> None:
    """Ask to switch an account on again; another administrator confirms · 恢复"""
    system = system_of(data)
    _said(accounts.enable(system.store, system.clock, name, acting(system, as_user)))


def _said(change: PendingChange) -> None:
    key = "change-waits" if change.outcome is Outcome.WAITING else f"change-{change.outcome.value}"
    line(key, change=change.id, user=change.subject)


def changes(as_json: AsJson = False, data: Data = None) -> None:
    """List changes of rights that wait for a second administrator · 待确认的权限变更"""
    system = system_of(data)
    with system.store.read() as work:
        waiting = work.pending_changes.waiting()
    if as_json:
        put_json(
            [{"id": c.id, "kind": c.kind, "account": c.subject, "asked_by": c.asked_by, **c.wanted} for c in waiting]
        )
        return
    rows = [[c.id, c.subject, ", ".join(c.wanted.get("roles", [c.kind])), c.asked_by] for c in waiting]
    put_table(["id", "user", "roles", "asked-by"], rows)


def confirm(change: Change, as_user: As, data: Data = None) -> None:
    """Confirm a change that another administrator asked for · 确认权限变更"""
    system = system_of(data)
    _said(two_person.decide(system.store, system.clock, change, True, acting(system, as_user)))


def refuse(change: Change, as_user: As, data: Data = None) -> None:
    """Refuse a change of rights · 否决权限变更"""
    system = system_of(data)
    _said(two_person.decide(system.store, system.clock, change, False, acting(system, as_user)))


def sessions(
    name: Name,
    end: Annotated[str, typer.Option("--end", help="Id of a session, or 'all'; needs --as")] = "",
    as_user: Annotated[str, typer.Option("--as", help="The person acting, for --end · 办理人")] = "",
    as_json: AsJson = False,
    data: Data = None,
) -> None:
    """List a person's sessions, or end them · 登录情况"""
    system = system_of(data)
    if end:
        chosen = None if end == "all" else end
        count = accounts.end_sessions(system.store, system.clock, name, chosen, acting(system, as_user))
        line("sessions-ended", user=name, count=count)
        return
    with system.store.read() as work:
        found = accounts.sessions_of(work, name, system.clock.now())
    rows = [[one.handle, one.opened_at.isoformat(), one.seen_at.isoformat(), one.origin, one.browser] for one in found]
    if as_json:
        put_json([dict(zip(("id", "opened", "seen", "origin", "browser"), row, strict=True)) for row in rows])
        return
    rows = [[row[0], local_time(system, row[1]), local_time(system, row[2]), *row[3:]] for row in rows]
    put_table(["id", "opened", "seen", "origin", "browser"], rows)
