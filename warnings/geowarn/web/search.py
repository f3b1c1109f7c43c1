"""The public search: the page of the tree, with an answer in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from fastapi import APIRouter
from markupsafe import escape
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from geowarn.bootstrap import System
from geowarn.domain.bulletin import Standing
from geowarn.domain.incident import Text
from geowarn.domain.level import Level
from geowarn.domain.search import LONGEST_QUERY, Document, Query
from geowarn.domain.search_snippet import Piece, holds, marked, snippet
from geowarn.pipeline.search import RESULTS, Answer, Asked, Choices, Result, choices, search
from geowarn.web.access import render, system_of
from geowarn.web.haste import Pace, keep_pace
from geowarn.web.shell import HERE, filled, shell_of

router = APIRouter(include_in_schema=False)

_NAME = "search"
PACE = Pace(_NAME, mine=240, all=3000)  # a minute; a whole town may come through one address of a mobile network
_FURTHEST = 1000  # pages that an address may name
_HEADERS = {"Cache-Control": "public, max-age=30, must-revalidate", "X-Robots-Tag": "noindex"}


@dataclass(frozen=True, slots=True)
class Said:
    """A text of a result in the language that holds what was looked for."""

    language: str
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Line:
    """One result as it is drawn; `day` is local, `live`: a warning in force."""

    document: Document
    others: tuple[Document, ...]
    title: Said
    snippet: Said
    standing: str
    live: bool
    day: datetime | None


@router.api_route("/search", methods=["GET", "HEAD"])
def chinese(request: Request) -> Response:
    """Search in Chinese pages."""
    return _answer(request, "zh")


@router.api_route("/en/search", methods=["GET", "HEAD"])
def english(request: Request) -> Response:
    """Search in English pages."""
    return _answer(request, "en")


def _answer(request: Request, language: str) -> Response:
    keep_pace(request, PACE)
    system, tree = system_of(request), request.app.state.tree
    shell = shell_of(tree, _NAME, language)
    if isinstance(shell, int):
        return render(request, "absent", shell, None, status=shell)
    narrowed = choices(system.store, Level.parse(system.settings.publish.from_))
    answer = search(system.store, asked_of(request.query_params, narrowed), system.clock.now())
    return HTMLResponse(_filled(shell, system, language, answer, narrowed), headers=_HEADERS)


def asked_of(parameters: Mapping[str, str], narrowed: Choices) -> Asked:
    """What an address asks for; what no list holds narrows nothing, and any page number will do."""
    year, level, area = (parameters.get(name, "") for name in ("year", "level", "area"))
    page = parameters.get("page", "")
    return Asked(
        text=parameters.get("q", ""),
        year=year if year in narrowed.years else "",
        level=level if level in narrowed.levels else "",
        area=area if area in {one.code for one in narrowed.areas} else "",
        page=min(int(page), _FURTHEST) if page.isascii() and page.isdigit() and len(page) < 6 else 1,
    )


def _filled(shell: str, system: System, language: str, answer: Answer, narrowed: Choices) -> str:
    answer = replace(answer, asked=replace(answer.asked, text=answer.query.typed))
    zone = ZoneInfo(system.settings.installation.zone)
    body = system.templates.render(
        "website/search-answer.html.j2",
        language=language,
        here=HERE[language],
        answer=answer,
        choices=narrowed,
        lines=[_line(result, answer.query, language, zone) for result in answer.results],
        first=(answer.asked.page - 1) * RESULTS + 1,
        most=LONGEST_QUERY,
        link=lambda page: f"{HERE[language]}{_NAME}?{_parameters(replace(answer.asked, page=page))}",
    )
    if answer.query.typed:
        shell = shell.replace("<title>", f"<title>{escape(answer.query.typed)} – ", 1)
    return filled(shell, _NAME, language, body, f"{_NAME}?{_parameters(answer.asked)}")


def _parameters(asked: Asked) -> str:
    named: dict[str, Any] = {"q": asked.text, "year": asked.year, "level": asked.level, "area": asked.area}
    named["page"] = asked.page if asked.page > 1 else ""
    return urlencode({name: value for name, value in named.items() if value})


def _line(result: Result, query: Query, language: str, zone: ZoneInfo) -> Line:
    document = result.document
    title, text = _spoken(document.title, query, language), _spoken(document.text, query, language)
    return Line(
        document=document,
        others=result.others,
        title=Said(title, marked(document.title.say(title), query)),
        snippet=Said(text, snippet(document.text.say(text), query)),
        standing=result.standing.value if result.standing else "",
        live=result.standing is Standing.IN_FORCE,
        day=document.at.astimezone(zone) if document.at else None,
    )


def _spoken(text: Text, query: Query, language: str) -> str:
    """The reader's language, unless only the other one holds what was looked for."""
    other = "en" if language == "zh" else "zh"
    elsewhere = not holds(text.say(language), query) and holds(text.say(other), query)
    return other if elsewhere else language
