"""Public pages that need an answer of their own: search by place; and where to turn until the others open."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from geowarn.domain.area import Area, by_code
from geowarn.web.access import render, system_of

router = APIRouter(include_in_schema=False)
_MOST = 50
_LONGEST_QUERY = 60


def _found(areas: tuple[Area, ...], query: str) -> list[Area]:
    wanted = query.casefold()
    hits = [a for a in areas if wanted in a.name_zh.casefold() or wanted in a.name_en.casefold() or query == a.code]
    return sorted(hits, key=lambda area: (not area.name_zh.startswith(query), len(area.code), area.code))[:_MOST]


@router.get("/search")
def search(request: Request, q: str = "") -> Response:
    """Areas whose name holds the query, with links to their pages."""
    query = " ".join(q.split())[:_LONGEST_QUERY]
    with system_of(request).store.read() as work:
        areas = work.areas.all()
    found = _found(areas, query) if query else []
    return render(request, "search", 200, None, query=query, found=found, areas=by_code(areas), most=_MOST)


@router.get("/subscribe")
@router.get("/say")
def elsewhere(request: Request) -> Response:
    """Says plainly that this is not open yet, and whom to call instead."""
    return render(request, "elsewhere", 404, None, page=request.url.path.strip("/"))
