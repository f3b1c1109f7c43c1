"""The ledger as a page: who did what, when; and whether the chain holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.responses import Response

from geowarn.domain.ledger import Fault, LedgerEntry
from geowarn.pipeline.proof import latest_checkpoint, verify
from geowarn.web.access import Visiting

router = APIRouter(prefix="/console", include_in_schema=False)
_PAGE = 60
_CHECKED_AT_ONCE = 5000  # a longer ledger is walked only when asked
_LONGEST_FACT = 60


def facts_line(entry: LedgerEntry) -> str:
    """The payload's plain facts in one line; long texts and lists only by their length."""
    payload: Mapping[str, Any] = json.loads(entry.payload)
    return "; ".join(f"{name}={_fact(value)}" for name, value in payload.items() if value not in (None, "", [], {}))


def _fact(value: Any) -> str:
    if isinstance(value, dict):
        plain = all(isinstance(inner, int | str) for inner in value.values()) and len(value) <= 4
        return ", ".join(f"{k}:{_fact(v)}" for k, v in value.items()) if plain else f"{{{len(value)}}}"
    if isinstance(value, list):
        return f"[{len(value)}]"
    text = str(value)
    return text if len(text) <= _LONGEST_FACT else f"{text[:12]}…"


@router.get("/ledger")
def ledger(
    visit: Visiting,
    before: Annotated[int, Query(ge=0)] = 0,
    subject: Annotated[str, Query(max_length=80)] = "",
    check: bool = False,
) -> Response:
    """Entries newest first, all or of one subject, and the state of the whole chain."""
    with visit.system.store.read() as work:
        head = work.ledger.head()
        last = head.sequence if head else 0
        top = before - 1 if before else last
        if subject:
            entries = work.ledger.entries(subject=subject)[::-1]
        else:
            entries = work.ledger.entries(max(top - _PAGE, 0), min(_PAGE, top))[::-1]
        checkpoint = latest_checkpoint(work)
    checked: tuple[int, Fault | None] | None = None
    if check or last <= _CHECKED_AT_ONCE:
        checked = verify(visit.system.store)
    return visit.page(
        "ledger",
        entries=entries,
        facts=facts_line,
        last=last,
        older=entries[-1].sequence if entries and not subject and entries[-1].sequence > 1 else 0,
        subject=subject,
        checked=checked,
        checkpoint=checkpoint,
    )
