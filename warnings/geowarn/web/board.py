"""The release board: did it arrive, what is left to do, and how to take it back; it fills as channels report."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response, StreamingResponse

from geowarn.domain.area import Area, by_code
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.calls import CallKind
from geowarn.domain.errors import NotFound
from geowarn.domain.exercise import is_exercise
from geowarn.domain.policy import valid
from geowarn.domain.warning import WarningStatus
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.release import retraction_words
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting, render_text
from geowarn.web.asking import factor_asked
from geowarn.web.board_state import BoardState, read_board, target_names
from geowarn.web.live import Key, Live, is_old, stream

router = APIRouter(prefix="/console", include_in_schema=False)
_LIVE = (WarningStatus.IN_FORCE, WarningStatus.VALIDITY_ENDED)


@router.get("/warnings/{name}/board")
def board(visit: Visiting, name: str, bulletin: str = "", still: bool = False) -> Response:
    """The newest bulletin of a warning, or the one named, with every channel; renews itself unless told to stand."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        chain = work.bulletins.of_warning(warning.id)
        shown = next((b for b in chain if b.slug == bulletin), chain[-1] if chain and not bulletin else None)
        state = read_board(work, warning, shown.id) if shown else None
        if shown is None or state is None:
            raise NotFound("web.not-released", warning=name)
        values = _around(visit, work, state)
    return visit.page("board", still=still, **values, **_moving(visit, state, values["areas"]))


@router.get("/warnings/{name}/board/events")
def events(visit: Visiting, name: str, bulletin: str = "") -> Response:
    """The same board as server-sent events; 204 where nobody may listen any more, which keeps what the page shows."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        shown = next((b for b in work.bulletins.of_warning(warning.id) if b.slug == bulletin), None)
        if shown is None:
            raise NotFound("web.not-released", warning=name)
        values = _fixed(visit, work, shown)
    live: Live = visit.request.app.state.live
    listener = live.join(Key(warning.id, shown.id))
    if listener is None:
        return Response(status_code=204)

    def draw(state: BoardState, age: timedelta) -> str:
        return render_text(visit.request, "board_live", **values, **_moving(visit, state, values["areas"], age))

    last = visit.request.headers.get("last-event-id", "")
    return StreamingResponse(stream(live, listener, last, draw), media_type="text/event-stream")


def _fixed(visit: Visit, work: UnitOfWork, shown: Bulletin) -> dict[str, Any]:
    """What of the live part never changes."""
    return {
        "areas": by_code(work.areas.all()),
        "signer_names": _signers(visit, work, shown),
        "target_names": target_names(visit.system.facts["channels"], visit.words.language),
    }


def _moving(
    visit: Visit, state: BoardState, areas: Mapping[str, Area], age: timedelta = timedelta(0)
) -> dict[str, Any]:
    """What changes while channels report; `age` is how long ago it was read."""
    now, settings, policy = visit.system.clock.now(), visit.system.settings, visit.system.policy
    channels, batches = state.channels, state.batches
    sms = next((p for p in channels if p.name == "sms"), None)
    waiting = sms.unsent if sms else 0
    lags = [p.lag for p in channels if p.lag is not None]
    return {
        "warning": state.warning,
        "bulletin": state.bulletin,
        "content": state.bulletin.content,
        "exercise": is_exercise(state.bulletin),
        "standing": state.standing(now),
        "channels": channels,
        "batches": batches,
        "sms": sms,
        "waiting": waiting,
        "settled_at": now + timedelta(seconds=waiting / settings.sms.segments_per_second) if waiting else None,
        "slowest": max(lags, default=None),
        "troubles": state.troubles,
        "airings": state.airings,
        "unaired": state.unaired(settings.broadcast.air_minutes, now),
        "air_minutes": settings.broadcast.air_minutes,
        "unreached": sms.count("failed") if sms else 0,
        "release_at": channels[0].release_at if channels else state.bulletin.released_at,
        "under_review": state.under_review,
        "tasks": state.tasks,
        "kinds": tuple(CallKind),
        "called": state.call_board(areas, policy.calls, policy.publish_from),
        "read_at": now - age,
        "old": is_old(age),
    }


def _around(visit: Visit, work: UnitOfWork, state: BoardState) -> dict[str, Any]:
    """What stands beside the live part."""
    shown, chain = state.bulletin, state.chain
    entries = [e.sequence for e in work.ledger.entries(subject=shown.warning_id)]
    return {
        **_fixed(visit, work, shown),
        "chain": chain,
        "emergencies": work.emergencies.of_warning(shown.warning_id),
        "newest": shown.id == chain[-1].id,
        "live": state.warning.status in _LIVE,
        "frozen": sorted(shown.artefacts.items()),
        "caps": [digest for path, digest in sorted(shown.artefacts.items()) if "/cap/" in path],
        "ledger_span": (entries[0], entries[-1]) if entries else None,
        "lowering_runs": visit.system.policy.course.lowering_runs,
    }


def _signers(visit: Visit, work: UnitOfWork, shown: Bulletin) -> list[str]:
    names = [s.user for s in valid(work.signoffs.of_proposal(shown.proposal_id), shown.package_sha256)]
    users = {user.name: user for user in work.users.all()}
    return [users[name].display(visit.words.language) if name in users else name for name in names]


@router.get("/warnings/{name}/retract")
def ask_retract(visit: Visiting, name: str) -> Response:
    """The confirmation of a retraction, on a page of its own for those without script."""
    with visit.system.store.read() as work:
        warning = find_warning(work, name)
        chain = work.bulletins.of_warning(warning.id)
        if not chain:
            raise NotFound("web.not-released", warning=name)
        told = _told(work, chain[-1])
        exercise = is_exercise(chain[-1])
        factor = None if exercise else factor_asked(visit, work, chain[-1].content)
    typed = retraction_words(chain[-1])[0 if visit.words.language == "zh" else 1]
    shown: dict[str, Any] = {"warning": warning, "bulletin": chain[-1], "typed": typed, "told": told}
    return visit.page("retract", **shown, exercise=exercise, factor=factor)


def _told(work: UnitOfWork, last: Bulletin) -> dict[str, int]:
    """How many numbers, stations and others the retraction goes to, and how many messages will not leave any more."""
    groups = work.dispatches.groups(last.id)
    unsent = ("new", "expired-unsent", "failed")
    counts = {"sms": 0, "others": 0, "unsent": 0}
    for group in groups:
        if group.channel != "sms":
            counts["others"] += group.count
        elif group.state.value in unsent:
            counts["unsent"] += group.count if group.state.value == "new" else 0
        else:
            counts["sms"] += group.count
    return counts
