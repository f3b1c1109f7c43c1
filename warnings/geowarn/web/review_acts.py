"""Beside the signatures at the console: secrecy check, talks with the observatory, comments, other levels."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline import adjust, counsel, secrecy, sign_codes
from geowarn.web.access import Visit, Visiting

router = APIRouter(prefix="/console", include_in_schema=False)
_LEVEL = "level."


def _page(name: str, section: str) -> str:
    return f"/console/warnings/{name}#{section}"


def _local(visit: Visit, form: dict[str, str], field: str) -> datetime:
    """A form's local date and time, in the installation's zone."""
    try:
        return datetime.fromisoformat(form.get(field, "")).replace(tzinfo=visit.words.zone)
    except ValueError:
        raise Refused("web.moment", field=field) from None


@router.post("/warnings/{name}/secrecy")
def check(visit: Visiting, name: str) -> Response:
    """Record the secrecy check of exactly the package whose digest the page showed."""
    digest = visit.form().get("package_sha256", "")
    secrecy.check_secrecy(visit.system.desk, name, visit.actor, digest or "-")
    return visit.go(_page(name, "sign"))


@router.post("/warnings/{name}/ask-code")
def ask_code(visit: Visiting, name: str) -> Response:
    """Send a person a code to sign with from the telephone."""
    sign_codes.ask(visit.system.desk, name, visit.form().get("person", ""), visit.actor)
    return visit.go(_page(name, "sign"))


@router.post("/warnings/{name}/comment")
def remark(visit: Visiting, name: str) -> Response:
    """Keep a remark with the version under review."""
    counsel.comment(visit.system.desk, name, visit.form().get("text", ""), visit.actor)
    return visit.go(_page(name, "notes"))


@router.post("/warnings/{name}/consult")
def consult(visit: Visiting, name: str) -> Response:
    """Write down a talk with the observatory about exactly the package shown."""
    form = visit.form()
    counsel.record_consultation(
        visit.system.desk,
        name,
        form.get("spoke_with", ""),
        _local(visit, form, "spoken_at"),
        form.get("agreed", "") == "yes",
        form.get("words", ""),
        visit.actor,
        form.get("package_sha256", "") or "-",
    )
    return visit.go(_page(name, "notes"))


@router.post("/warnings/{name}/adjust")
def levels(visit: Visiting, name: str) -> Response:
    """Other levels or areas for the version under review, with the reason."""
    form = visit.form()
    wanted = {key.removeprefix(_LEVEL): Level.parse(value) for key, value in form.items() if key.startswith(_LEVEL)}
    if form.get("add_area"):
        wanted[form["add_area"]] = Level.parse(form.get("add_level", ""))
    try:
        version = int(form.get("version", ""))
    except ValueError:
        raise Refused("web.number", field="version") from None
    adjust.adjust(visit.system.desk, name, wanted, form.get("reason", ""), visit.actor, version)
    return visit.go(f"/console/warnings/{name}")
