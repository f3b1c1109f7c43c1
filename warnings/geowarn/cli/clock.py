"""`geowarn tasks`, and at `geowarn warnings` the answer to a ring and the review owed after a release."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any

import typer

from geowarn.bootstrap import System
from geowarn.cli.codes import Code, code_for
from geowarn.cli.common import As, AsJson, Data, acting, line, local_time, put_json, put_table, system_of
from geowarn.domain.task import Task
from geowarn.domain.warning import Content
from geowarn.pipeline.after_review import owed_by, sign_after
from geowarn.pipeline.clock_view import clock_json, clocks
from geowarn.pipeline.escalation_acts import acknowledge as acknowledge_warning
from geowarn.pipeline.escalation_acts import acknowledge_task

tasks = typer.Typer(help="What waits for people · 待办", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="Id, slug or number of a warning")]


def register(app: typer.Typer) -> None:
    """Add the commands of this module to `geowarn warnings`."""
    app.command()(acknowledge)
    app.command("after-review")(after_review)


def acknowledge(warning: Id, as_user: As, data: Data = None) -> None:
    """Take a proposal in hand: the ringing stops, the deadline stands · 应答"""
    system = system_of(data)
    _say_taken(system, acknowledge_warning(system.desk, warning, acting(system, as_user)))


def after_review(
    warning: Id,
    as_user: As,
    digest: Annotated[str | None, typer.Option("--package", help="Refuse unless this is the digest")] = None,
    code: Code = "",
    data: Data = None,
) -> None:
    """Sign what was released before its review · 补签"""
    system = system_of(data)
    given = code_for(system, content_owed(system, warning), code)
    signed = sign_after(system.desk, warning, acting(system, as_user), digest, given)
    line("signed", user=signed.user, role=signed.role.value, digest=signed.package_sha256)


@tasks.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """Open tasks, with whom each waits for and until when · 列出待办"""
    system = system_of(data)
    now = system.clock.now()
    with system.store.read() as work:
        ringing = {clock.task.id: clock_json(clock) for clock in clocks(work, now)}
        found = work.tasks.pending()
    if as_json:
        put_json([_task_json(task, ringing.get(task.id)) for task in found])
        return
    put_table(["id", "kind", "subject", "owner", "due"], [_row(system, task) for task in found])


@tasks.command("acknowledge")
def take(
    task: Annotated[str, typer.Argument(metavar="ID", help="Id of a task")], as_user: As, data: Data = None
) -> None:
    """Take any task that rings in hand · 接手"""
    system = system_of(data)
    _say_taken(system, acknowledge_task(system.desk, task, acting(system, as_user)))


def content_owed(system: System, warning: str) -> Content | None:
    """What would be signed after its release."""
    with system.store.read() as work:
        bulletin = work.bulletins.get(owed_by(work, warning).bulletin_id)
    return bulletin.content if bulletin else None


def _say_taken(system: System, task: Task) -> None:
    due = local_time(system, task.due_at.isoformat() if task.due_at else None)
    line("taken", task=task.subject, user=task.acknowledged_by or "-", due=due)


def _row(system: System, task: Task) -> list[str]:
    due = local_time(system, task.due_at.isoformat() if task.due_at else None)
    return [task.id, task.kind, task.subject, task.acknowledged_by or task.owner or "-", due]


def _task_json(task: Task, clock: Mapping[str, Any] | None) -> dict[str, Any]:
    return {
        "id": task.id,
        "kind": task.kind,
        "subject": task.subject,
        "opened_at": task.opened_at.isoformat(),
        "due_at": _iso(task.due_at),
        "owner": task.owner,
        "acknowledged_at": _iso(task.acknowledged_at),
        "acknowledged_by": task.acknowledged_by,
        "facts": dict(task.facts),
        "clock": clock,
    }


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def say_clock(system: System, clock: Mapping[str, Any] | None) -> None:
    """Whom a proposal waits for, until when, and who is next."""
    for step in clock["steps"] if clock else ():
        people = ", ".join(step["waits_for"]) or "-"
        until, following = local_time(system, step["until"]), ", ".join(step["next"]) or "-"
        key = "waits-in-hand" if step["in_hand"] else "waits-ringing"
        line(key, step=step["step"], people=people, until=until, next=following)
