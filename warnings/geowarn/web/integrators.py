"""`/api/v1`: what is in force, for machines; more for those who have logged in at the console."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path
from pydantic import BaseModel
from starlette.requests import Request

from geowarn.bootstrap import System
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.errors import NotFound
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.release import in_force
from geowarn.pipeline.view import warning_view
from geowarn.web.access import system_of, token_of
from geowarn.web.sessions import signed_in

router = APIRouter(prefix="/api/v1", tags=["integrators"])


class AreaInForce(BaseModel):
    """One area with its level."""

    code: str
    level: str


class InForce(BaseModel):
    """One bulletin in force, as the public sees it."""

    number: str
    slug: str
    level: str
    areas: list[AreaInForce]
    sent: datetime
    expires: datetime
    url: str


def _public(system: System, bulletin: Bulletin) -> InForce:
    shown = bulletin.content.at_or_above(system.policy.publish_from)
    return InForce(
        number=bulletin.number,
        slug=bulletin.slug,
        level=bulletin.content.highest.code,
        areas=[AreaInForce(code=area.code, level=area.level.code) for area in shown],
        sent=bulletin.released_at,
        expires=bulletin.content.expires,
        url=f"{system.settings.site.public_url}/w/{bulletin.slug}/",
    )


@router.get("/warnings", summary="What is in force")
def warnings(request: Request) -> list[InForce]:
    """The public bulletins in force, newest first; an empty list says that none is."""
    system = system_of(request)
    with system.store.read() as work:
        return [_public(system, bulletin) for bulletin in in_force(work, system.clock.now())]


@router.get("/warnings/{name}", summary="One warning", responses={404: {"description": "not in force, or unknown"}})
def warning(
    request: Request, name: Annotated[str, Path(max_length=80, description="slug, number or id")]
) -> InForce | dict[str, Any]:
    """What is in force by its slug or number; with a console session any warning with signatures and dispatches."""
    system = system_of(request)
    token = token_of(request)
    known = signed_in(system, token, quiet=True) if token else None
    with system.store.read() as work:
        if known is not None:
            return warning_view(work, find_warning(work, name), system.policy)
        for bulletin in in_force(work, system.clock.now()):
            if name in (bulletin.slug, bulletin.number):
                return _public(system, bulletin)
    raise NotFound("web.not-in-force", warning=name)
