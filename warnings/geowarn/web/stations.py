"""The stations' door: feed and items by bearer key, and "aired at"."""

from __future__ import annotations

import hmac
import json
from typing import Annotated

from fastapi import APIRouter, Depends, Path
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from geowarn.bootstrap import System
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.errors import Refused
from geowarn.pipeline.airing import note_airing
from geowarn.pipeline.receipts import station_has_read
from geowarn.ports import Poll
from geowarn.web.access import system_of
from geowarn.web.public_tree import MEDIA_TYPES, Shelf, send_stored

router = APIRouter(prefix="/broadcast/v1", tags=["stations"])
_shelf = Shelf()


class NoKey(Exception):
    """The request carries no station's key."""


def station_of(request: Request) -> str:
    """The station whose bearer key this is; every key is compared, so the time tells nothing. Raises NoKey."""
    scheme, _, key = request.headers.get("authorization", "").partition(" ")
    digest = sha256_hex(key.strip())
    found = ""
    for name, station in system_of(request).stations.items():
        if hmac.compare_digest(digest, station.key_sha256.lower()):
            found = name
    if scheme.lower() != "bearer" or not key.strip() or not found:
        raise NoKey
    return found


ByStation = Annotated[str, Depends(station_of)]


class Aired(BaseModel):
    """What a station reports when it has aired an item."""

    model_config = ConfigDict(extra="forbid")

    aired_at: AwareDatetime
    medium: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,39}$", examples=["tv-crawl", "radio-spoken"])]


def _serve(request: Request, station: str, name: str) -> Response:
    system = system_of(request)
    folder = system.data_dir / "broadcast" / station
    try:
        index = _shelf.get(folder / "items.json")
        found = _shelf.get(folder / name)
    except OSError:
        return JSONResponse({"error": "not published yet"}, 503, headers={"Retry-After": "15"})
    _note_poll(system, station, index.body)
    return send_stored(request, found, MEDIA_TYPES[f".{name.rsplit('.', 1)[1]}"], "private, no-cache")


def _note_poll(system: System, station: str, index: bytes) -> None:
    now, state = system.clock.now(), json.loads(index)
    with system.store.begin() as work:
        work.stations.polled(Poll(station, now, int(state["sequence"])))
        work.commit()
    station_has_read(system.store, system.clock, station, tuple(item["slug"] for item in state["items"]))


@router.get("/feed.atom", response_class=Response, summary="The station's Atom feed")
@router.head("/feed.atom", include_in_schema=False)
def feed(request: Request, station: ByStation) -> Response:
    """Every item in force as Atom, with the sequence number and when the next state is due."""
    return _serve(request, station, "feed.atom")


@router.get("/items", response_class=Response, summary="The station's items")
@router.head("/items", include_in_schema=False)
def items(request: Request, station: ByStation) -> Response:
    """Every item in force as JSON: words ready for the air, must-carry flag, repeat interval."""
    return _serve(request, station, "items.json")


def _report(body: bytes) -> Aired:
    try:
        return Aired.model_validate_json(body)
    except ValidationError as error:
        first = error.errors()[0]
        field = ".".join(str(part) for part in first["loc"]) or "body"
        raise Refused("web.aired", field=field, reason=first["msg"]) from None


@router.post(
    "/items/{item}/aired",
    summary="Report that an item was aired",
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": Aired.model_json_schema()}}}
    },
)
def aired(request: Request, station: ByStation, item: Annotated[str, Path(max_length=40)]) -> Response:
    """Note when and on which medium the item went out; saying it again changes nothing."""
    report = _report(request.state.body)
    system = system_of(request)
    with system.store.begin() as work:
        new = note_airing(work, station, item, report.aired_at, report.medium, system.clock.now())
        if new:
            work.commit()
    return JSONResponse({"item": item, "noted": new}, 201 if new else 200)
