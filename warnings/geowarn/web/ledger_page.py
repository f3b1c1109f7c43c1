"""The ledger as a page: who knew what when, whether the chain holds, and the pack for an inquiry."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response, StreamingResponse

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.case import Told, case_of
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.ledger import Fault, LedgerEntry
from geowarn.domain.warning import HazardWarning, Series
from geowarn.pipeline.case import about_bulletin, entries_about
from geowarn.pipeline.desk import find_warning
from geowarn.pipeline.disclose import Signer
from geowarn.pipeline.export import MAY_EXPORT, export_pack
from geowarn.pipeline.proof import latest_checkpoint, verify
from geowarn.ports import UnitOfWork
from geowarn.security import load_signing_key, public_key_text, sign_text
from geowarn.web.access import Visit, Visiting
from geowarn.web.ledger_said import alone, sentence, teller_of

router = APIRouter(prefix="/console", include_in_schema=False)
_PAGE = 60
_PIECE = 1 << 18  # bytes of a pack that are in memory at once
_CHECKED_AT_ONCE = 5000  # a longer ledger is walked only when asked
_COURSES = 8  # of the latest that the page leads to


@dataclass(frozen=True, slots=True)
class Checked:
    """The whole chain recomputed: how many entries, the first fault, and how long it took in seconds."""

    count: int
    fault: Fault | None
    seconds: float


@router.get("/ledger")
def ledger(
    visit: Visiting,
    before: Annotated[int, Query(ge=0)] = 0,
    subject: Annotated[str, Query(max_length=80)] = "",
    bulletin: Annotated[str, Query(max_length=40)] = "",
    check: bool = False,
    whole: bool = False,
) -> Response:
    """A course of events by question, or entries newest first; and the state of the whole chain."""
    with visit.system.store.read() as work:
        warning = _course(work, subject)
        values = _case(work, visit, warning, bulletin, whole) if warning else _listing(work, visit, before, subject)
        head = work.ledger.head()
        last = head.sequence if head else 0
        checkpoint = latest_checkpoint(work)
    return visit.page(
        "ledger-case" if warning else "ledger",
        **values,
        last=last,
        subject=subject,
        checked=_checked(visit) if check or last <= _CHECKED_AT_ONCE else None,
        checkpoint=checkpoint,
        may_export=bool(visit.user.roles.intersection(MAY_EXPORT)),
    )


@router.post("/ledger/export")
def export(visit: Visiting) -> Response:
    """The pack about a course or a period, to keep or to send on once it is reviewed."""
    form, system = visit.form(), visit.system
    visit.actor.need_somewhere(*MAY_EXPORT)
    subject = form.get("subject") or _period(visit, form.get("from", ""), form.get("to", ""))
    key = load_signing_key(system.keys_dir)
    signer = Signer(lambda body: sign_text(key, body), public_key_text(key))
    with_ = (system.store, system.clock, system.templates, system.raw_dir, signer)
    pack = export_pack(*with_, subject, visit.actor, system.cache_dir)
    name = "".join(c if c.isascii() and (c.isalnum() or c in "-.") else "_" for c in subject)
    headers = {"Content-Disposition": f'attachment; filename="disclosure-{name}.zip"', "Cache-Control": "no-store"}
    headers["Content-Length"] = str(os.fstat(pack.fileno()).st_size)
    return StreamingResponse(_sent(pack), media_type="application/zip", headers=headers)


def _sent(pack: IO[bytes]) -> Iterator[bytes]:
    with pack:
        while piece := pack.read(_PIECE):
            yield piece


def _period(visit: Visit, first: str, last: str) -> str:
    """Two dates, both included, in the installation's zone, as `START/END`."""
    try:
        start, end = (datetime.fromisoformat(day).replace(tzinfo=visit.words.zone) for day in (first, last))
    except ValueError:
        raise Refused("web.moment", field="from, to") from None
    return f"{start.isoformat()}/{(end + timedelta(days=1)).isoformat()}"


def _checked(visit: Visit) -> Checked:
    began = time.perf_counter()
    count, fault = verify(visit.system.store)
    return Checked(count, fault, time.perf_counter() - began)


def _course(work: UnitOfWork, subject: str) -> HazardWarning | None:
    if not subject:
        return None
    try:
        return find_warning(work, subject)
    except NotFound:
        return None


def told_rows(work: UnitOfWork, visit: Visit, told: Iterable[Told], exercise: bool = False) -> list[dict[str, Any]]:
    """What a table shows of entries: each with its sentence, who did it, and who learnt something by it."""
    teller = teller_of(work, visit.words, visit.system.facts["channels"])
    return [
        {
            "entry": one.entry,
            "at": datetime.fromisoformat(one.entry.at),
            "who": teller.who(one.entry),
            "way": teller.way(one.entry),
            "said": sentence(visit.system.templates, teller, one),
            "informed": teller.informed(one, exercise),
        }
        for one in told
    ]


def _case(work: UnitOfWork, visit: Visit, warning: HazardWarning, slug: str, whole: bool) -> dict[str, Any]:
    chain = work.bulletins.of_warning(warning.id)
    chosen: Bulletin | None = next((one for one in chain if one.slug == slug), None)
    entries: Iterable[LedgerEntry] = entries_about(work, warning)
    case = case_of(about_bulletin(entries, chain, chosen) if chosen else entries, whole)
    exercise = warning.series is Series.EXERCISE
    return {
        "warning": warning,
        "chain": chain,
        "chosen": chosen,
        "case": case,
        "whole": whole,
        "groups": [
            (question.value, told_rows(work, visit, told, exercise)) for question, told in case.answers.items() if told
        ],
    }


def _listing(work: UnitOfWork, visit: Visit, before: int, subject: str) -> dict[str, Any]:
    head = work.ledger.head()
    top = before - 1 if before else head.sequence if head else 0
    found = (
        work.ledger.entries(subject=subject)
        if subject
        else work.ledger.entries(max(top - _PAGE, 0), max(min(_PAGE, top), 0))
    )
    courses = sorted(work.warnings.all(), key=lambda one: one.opened_at, reverse=True)[:_COURSES]
    return {
        "rows": told_rows(work, visit, [alone(entry) for entry in found[::-1]]),
        "older": found[0].sequence if found and not subject and found[0].sequence > 1 else 0,
        "courses": [(one, work.bulletins.of_warning(one.id)) for one in courses],
    }
