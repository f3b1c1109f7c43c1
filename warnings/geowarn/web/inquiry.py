"""Public pages that need an answer of their own: where to turn until they open."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from geowarn.web.access import render

router = APIRouter(include_in_schema=False)


@router.get("/subscribe")
def elsewhere(request: Request) -> Response:
    """Says plainly that this is not open yet, and whom to call instead."""
    return render(request, "elsewhere", 404, None, page=request.url.path.strip("/"))
