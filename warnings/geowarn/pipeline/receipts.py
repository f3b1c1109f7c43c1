"""What comes back along the line: a provider's report, a station's visit, a person's STOP."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.dispatch import Attempt, Dispatch, DispatchState, Outcome
from geowarn.domain.errors import Refused
from geowarn.pipeline.gathering import Report, gathering
from geowarn.pipeline.outcome import Result, record
from geowarn.ports import Clock, Store, UnitOfWork, Vault

REPORTED = "deliver.reported"
_DELIVERED = frozenset({"delivered", "read"})
_FAILED = frozenset({"failed", "undelivered", "canceled"})
_ON_ITS_WAY = frozenset({"accepted", "scheduled", "queued", "sending", "sent"})

# A report counts only when it ranks higher: it may come before the answer, repeatedly, or in any order.
_RANK = {
    DispatchState.NEW: 0,
    DispatchState.EXPIRED_UNSENT: 0,
    DispatchState.IN_DOUBT: 0,
    DispatchState.SENDING: 0,
    DispatchState.ACCEPTED: 1,
    DispatchState.FAILED: 2,
    DispatchState.DELIVERED: 3,
}
_STOP = frozenset({"stop", "stopall", "unsubscribe", "cancel", "end", "quit", "td", "t", "退订", "退"})


def record_status(
    store: Store, clock: Clock, channel: str, dispatch_id: str, provider_id: str, status: str, error_code: str
) -> bool:
    """Note one report; returns whether it told something new, after it is stored for good.

    Reports that come at the same time from many threads are stored together.
    """
    report = Report(dispatch_id, provider_id, status, error_code)
    return gathering(store, channel).add(report, lambda many: record_reports(store, clock, channel, many))


def record_reports(store: Store, clock: Clock, channel: str, reports: Sequence[Report]) -> frozenset[Report]:
    """Note many reports in one transaction with one ledger entry a bulletin; returns those that were news."""
    with store.begin() as work:
        now = clock.now()
        results: dict[str, Result] = {}
        news: set[Report] = set()
        named = [report.provider_id for report in reports if report.provider_id]
        work.dispatches.hold([report.dispatch_id for report in reports], channel, named)
        for report in reports:
            row = _row(work, channel, report, results)
            result = _news(row, report, now) if row is not None else None
            if result is not None:
                first = results.get(result.before.id)
                results[result.before.id] = replace(result, before=first.before) if first else result
                news.add(report)
        if results:
            record(work, list(results.values()), now, "dispatch.reported")
            work.commit()
    return frozenset(news)


def _row(work: UnitOfWork, channel: str, report: Report, results: dict[str, Result]) -> Dispatch | None:
    held = results.get(report.dispatch_id)
    if held is not None:
        return held.after
    found = work.dispatches.get(report.dispatch_id) if report.dispatch_id else None
    found = found or work.dispatches.by_provider_id(channel, report.provider_id)
    return found if found is not None and found.channel == channel else None


def _news(row: Dispatch, report: Report, now: datetime) -> Result | None:
    state, outcome = _meaning(report.status)
    if state is None or _RANK[state] <= _RANK[row.state]:
        return None
    reason = f"{REPORTED} {report.error_code or report.status}"
    after = replace(
        row,
        state=state,
        provider_id=report.provider_id or row.provider_id,
        reason=reason if state is DispatchState.FAILED else None,
        accepted_at=row.accepted_at or now,
        delivered_at=now if state is DispatchState.DELIVERED else row.delivered_at,
        next_try_at=None,
        lease_until=None,
    )
    return Result(row, after, Attempt(row.id, now, now, outcome, reason, report.provider_id or None))


def _meaning(status: str) -> tuple[DispatchState | None, Outcome]:
    if status in _DELIVERED:
        return DispatchState.DELIVERED, Outcome.DELIVERED
    if status in _FAILED:
        return DispatchState.FAILED, Outcome.PERMANENT
    return (DispatchState.ACCEPTED if status in _ON_ITS_WAY else None), Outcome.ACCEPTED


def station_has_read(store: Store, clock: Clock, station: str, slugs: Iterable[str]) -> int:
    """A station has fetched these items: its dispatches are delivered. Returns how many were news."""
    wanted = tuple(slugs)
    with store.read() as work:
        open_rows = [row for slug in wanted for row in _of_station(work, station, slug)]
    if not open_rows:
        return 0
    return len(record_reports(store, clock, "broadcast", [Report(row.id, "", "delivered") for row in open_rows]))


def _of_station(work: UnitOfWork, station: str, slug: str) -> list[Dispatch]:
    bulletin = work.bulletins.by_slug(slug)
    rows = work.dispatches.of_bulletin(bulletin.id, "broadcast") if bulletin is not None else ()
    return [row for row in rows if row.target_key == station and row.state is DispatchState.ACCEPTED]


def opt_out(store: Store, vault: Vault, clock: Clock, number: str, text: str) -> bool:
    """End every registration of a number that sent STOP or 退订; returns whether it did. Raises Refused."""
    phone = re.sub(r"[\s()-]", "", number)
    if not re.fullmatch(r"\+[1-9]\d{6,14}", phone):
        raise Refused("deliver.not-a-number")
    if text.strip().strip("。.!！").lower() not in _STOP:
        return False
    key = vault.key_of(phone)
    with store.begin() as work:
        now = clock.now()
        ended = work.recipients.opt_out(key, now)
        if ended:
            facts = {"registrations": ended, "asked": "by SMS"}
            work.ledger.append(now, "recipient", "recipient.opted-out", sha256_hex(key)[:16], facts)
            work.commit()
    return bool(ended)
