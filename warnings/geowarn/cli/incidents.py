"""`geowarn incidents`: statements after a disaster, from draft to publication."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Annotated, Any

import typer

from geowarn.bootstrap import System
from geowarn.cli.common import As, AsJson, Data, acting, line, local_time, put_json, put_table, system_of
from geowarn.domain.errors import Refused
from geowarn.domain.incident import DraftStatus, overdue
from geowarn.pipeline import incidents
from geowarn.pipeline.incidents import INCIDENTS, Book, find_incident
from geowarn.ports import UnitOfWork

app = typer.Typer(help="Statements after a disaster · 灾情通报", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="ID", help="Number of the incident, such as 2026-03")]
File = Annotated[Path, typer.Argument(metavar="FILE", help="The texts; see config/incident-example.toml")]


def table_in(file: Path) -> dict[str, Any]:
    """The texts in a file; raises Refused with the reason."""
    try:
        return tomllib.loads(file.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("incidents.file", file=file.name, reason=str(error)[:200]) from None


def view_of(system: System, work: UnitOfWork, name: str, book: Book = INCIDENTS) -> dict[str, Any]:
    """One incident or answer as plain JSON."""
    incident, shelf = find_incident(work, name, book), book.shelf(work)
    published = shelf.publications(incident.id)
    draft = next((d for d in shelf.drafts(incident.id) if d.status is DraftStatus.OPEN), None)
    newest = published[-1].statement if published else draft.statement if draft else None
    return {
        "id": incident.id,
        "title": newest.title.zh if newest else "",
        "opened_at": incident.opened_at.isoformat(),
        "closed": bool(newest and newest.closed),
        "versions": [
            {"version": p.version, "published_at": p.published_at.isoformat(), "digest": p.statement.digest}
            for p in published
        ],
        "overdue": {part: at.isoformat() for part, at in overdue(published, system.clock.now()).items()},
        "draft": None
        if draft is None
        else {
            "version": draft.version,
            "digest": draft.digest,
            "edited_by": draft.edited_by,
            "checked_by": draft.checked_by,
            "signed_by": [[s.role.value, s.user] for s in shelf.signoffs(draft.id)],
            "statement": draft.statement.as_json(),
        },
    }


@app.command("list")
def list_(as_json: AsJson = False, data: Data = None) -> None:
    """List incidents, newest first · 列出灾情"""
    system = system_of(data)
    with system.store.read() as work:
        views = [view_of(system, work, incident.id) for incident in work.incidents.all()]
    if as_json:
        put_json(views)
        return
    rows = [
        [v["id"], v["title"], str(len(v["versions"])), local_time(system, v["opened_at"]), ", ".join(v["overdue"])]
        for v in views
    ]
    put_table(["number", "name", "version", "time", "overdue"], rows)


@app.command()
def show(incident: Id, data: Data = None) -> None:
    """Show one incident as JSON: its versions, what is owed, the draft under review · 查看灾情"""
    system = system_of(data)
    with system.store.read() as work:
        put_json(view_of(system, work, incident))


@app.command("open")
def open_(file: File, as_: As, data: Data = None) -> None:
    """Open an incident with its first statement · 登记灾情并起草第一版"""
    system = system_of(data)
    draft = incidents.open_incident(system.desk, table_in(file), acting(system, as_))
    line("incident-drafted", incident=draft.incident_id, version=draft.version, digest=draft.digest)


@app.command()
def edit(incident: Id, file: File, as_: As, data: Data = None) -> None:
    """Draft the next version, or the one under review anew · 起草下一版"""
    system = system_of(data)
    draft = incidents.edit(system.desk, incident, table_in(file), acting(system, as_))
    line("incident-drafted", incident=draft.incident_id, version=draft.version, digest=draft.digest)


@app.command()
def check(incident: Id, as_: As, data: Data = None) -> None:
    """Record the secrecy check of the draft · 登记保密审查"""
    system = system_of(data)
    draft = incidents.check_secrecy(system.desk, incident, acting(system, as_))
    line("incident-checked", incident=incident, version=draft.version)


@app.command()
def sign(incident: Id, as_: As, data: Data = None) -> None:
    """Sign the checked draft · 签批"""
    system = system_of(data)
    signoff = incidents.sign(system.desk, incident, acting(system, as_))
    line("incident-signed", incident=incident, role=signoff.role.value)


@app.command()
def publish(incident: Id, as_: As, data: Data = None) -> None:
    """Publish the signed draft on page and feeds · 公布"""
    from geowarn.scheduler import publish_all  # brings the ticks along, which no other command needs

    system = system_of(data)
    made = incidents.publish(system.desk, incident, acting(system, as_))
    publish_all(system)
    page = f"{system.settings.site.public_url}/incidents/{incident}/"
    line("incident-published", incident=incident, version=made.version, page=page)
