"""Who must answer and has not: the list with a form a place, and the list of doors on paper."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.area import by_code
from geowarn.domain.calls import Call, CallState, Via
from geowarn.domain.errors import NotFound
from geowarn.pipeline.actor import roles_over
from geowarn.pipeline.call_answers import LONGEST_NAME, RECORDERS, record_answer
from geowarn.pipeline.desk import find_warning
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting

router = APIRouter(prefix="/console/warnings", include_in_schema=False)


@router.get("/{name}/calls")
def calls(visit: Visiting, name: str, county: str = "") -> Response:
    """The places that have not answered, each with the numbers called, masked, and a form; then those that did."""
    with visit.system.store.read() as work:
        values = _read(work, name, county)
        held = set(_recordable(visit, work, values["found"]))
    answered = [call for call in values["found"] if call.state is CallState.ANSWERED]
    said = {call.id: visit.system.vault.open(call.said_by) for call in answered if call.said_by}
    return visit.page(
        "calls",
        **values,
        open_calls=[call for call in values["found"] if call.open],
        answered=answered,
        said=said,
        recordable=held,
        ways=(Via.TELEPHONE, Via.DOOR),
        longest=LONGEST_NAME,
    )


@router.get("/{name}/doors")
def doors(visit: Visiting, name: str, county: str = "") -> Response:
    """The places that people must go to, by county, for paper: those turned to people first."""
    with visit.system.store.read() as work:
        values = _read(work, name, county)
    still = [call for call in values["found"] if call.open]
    groups = [
        (state.value, [call for call in still if call.state is state])
        for state in (CallState.TURNED, CallState.CALLING)
    ]
    return visit.page("doors", **values, groups=[(state, _by_county(found)) for state, found in groups if found])


@router.post("/{name}/calls/{call_id}/answer")
def answer(visit: Visiting, name: str, call_id: str) -> Response:
    """Write down what was said by telephone or at the door."""
    form = visit.form()
    call = record_answer(visit.system.desk, call_id, visit.actor, form.get("via", ""), form.get("said_by", ""))
    county = f"?county={call.county}" if form.get("county") else ""
    return visit.go(f"/console/warnings/{call.warning_id}/calls{county}")


def _read(work: UnitOfWork, name: str, county: str) -> dict[str, Any]:
    """What both lists show: the newest bulletin, its calls that have not ended, whom they asked."""
    warning = find_warning(work, name)
    chain = work.bulletins.of_warning(warning.id)
    if not chain:
        raise NotFound("web.not-released", warning=name)
    everything = work.calls.of_warning(warning.id)
    return {
        "warning": warning,
        "bulletin": chain[-1],
        "content": chain[-1].content,
        "areas": by_code(work.areas.plain()),
        "users": {user.name: user for user in work.users.all()},
        "asks": work.calls.asks(warning.id),
        "counties": sorted({call.county for call in everything if call.open}),
        "county": county,
        "found": [call for call in everything if county in ("", call.county)],
    }


def _recordable(visit: Visit, work: UnitOfWork, found: Iterable[Call]) -> Iterable[str]:
    """The calls whose answer this person may write down: the page only shows what the use case will check."""
    if not visit.user.roles.intersection(RECORDERS):
        return
    areas = by_code(work.areas.plain())
    for call in found:
        if call.open and roles_over(visit.user, areas, (call.area,)).intersection(RECORDERS):
            yield call.id


def _by_county(found: Iterable[Call]) -> list[tuple[str, list[Call]]]:
    groups: dict[str, list[Call]] = {}
    for call in found:
        groups.setdefault(call.county, []).append(call)
    return list(groups.items())
