"""The report of a shift, written from the ledger: what came, what was decided, what went out, with times."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.duty import Handover
from geowarn.domain.ledger import LedgerEntry
from geowarn.domain.people import Shift
from geowarn.ports import UnitOfWork

_SLACK = timedelta(minutes=5)

# What a report leaves out of its list: it counts them, or they say nothing about the duty.
QUIET = frozenset(
    {
        "dispatch.results",
        "dispatch.reported",
        "dispatch.reconciled",
        "dispatch.expired",
        "ledger.checkpoint",
        "notice.queued",
        "notice.result",
        "session.opened",
    }
)


@dataclass(frozen=True, slots=True)
class ShiftReport:
    """A shift until its end, or until now; `counts` by kind of entry, `bulletins` as (number, states of messages)."""

    shift: Shift
    until: datetime
    lines: tuple[LedgerEntry, ...]
    counts: Mapping[str, int]
    bulletins: tuple[tuple[str, Mapping[DispatchState, int]], ...]
    taken: Handover | None  # from the shift before
    given: Handover | None  # to the next one

    @property
    def messages(self) -> int:
        """How many messages the bulletins of this shift had."""
        return sum(sum(states.values()) for _, states in self.bulletins)

    @property
    def delivered(self) -> int:
        """How many of them are known to have arrived."""
        return self._count(DispatchState.DELIVERED)

    @property
    def late(self) -> int:
        """How many were not sent because their time was over."""
        return self._count(DispatchState.EXPIRED_UNSENT)

    def _count(self, state: DispatchState) -> int:
        return sum(states.get(state, 0) for _, states in self.bulletins)

    def as_json(self) -> dict[str, Any]:
        """Plain values."""
        return {
            "shift": self.shift.id,
            "officer": self.shift.officer,
            "deputy": self.shift.deputy,
            "leader": self.shift.leader,
            "start": self.shift.start.isoformat(),
            "end": self.shift.end.isoformat(),
            "until": self.until.isoformat(),
            "counts": dict(self.counts),
            "bulletins": [[number, {s.value: n for s, n in states.items()}] for number, states in self.bulletins],
            "messages": self.messages,
            "delivered": self.delivered,
            "expired_unsent": self.late,
            "taken_over": _signed(self.taken),
            "handed_over": _signed(self.given),
            "entries": [[x.sequence, x.at, x.actor, x.kind, x.subject] for x in self.lines],
        }


def _signed(handover: Handover | None) -> dict[str, Any] | None:
    if handover is None:
        return None
    taken = handover.taken_at.isoformat() if handover.taken_at else None
    return {"from": handover.giver, "at": handover.given_at.isoformat(), "to": handover.taken_by, "taken": taken}


def shift_report(work: UnitOfWork, shift: Shift, now: datetime) -> ShiftReport:
    """What the ledger says of [start, end) of a shift, as far as it has gone."""
    until = max(shift.start, min(shift.end, now))
    entries = list(entries_between(work, shift.start, until))
    handovers = work.roster.handovers(500)
    return ShiftReport(
        shift=shift,
        until=until,
        lines=tuple(entry for entry in entries if entry.kind not in QUIET),
        counts=dict(sorted(Counter(entry.kind for entry in entries).items())),
        bulletins=tuple(_bulletins(work, entries)),
        taken=next((one for one in handovers if one.next_shift == shift.id), None),
        given=next((one for one in handovers if one.shift == shift.id), None),
    )


def _bulletins(work: UnitOfWork, entries: list[LedgerEntry]) -> Iterator[tuple[str, Mapping[DispatchState, int]]]:
    for entry in entries:
        if entry.kind != "bulletin.released":
            continue
        bulletin = work.bulletins.by_slug(str(json.loads(entry.payload).get("slug", "")))
        if bulletin is None:
            continue
        counts: Counter[DispatchState] = Counter()
        for states in work.dispatches.counts(bulletin.id).values():
            counts.update(states)
        yield bulletin.number, dict(counts)


def entries_between(work: UnitOfWork, start: datetime, end: datetime) -> Iterator[LedgerEntry]:
    """Entries of [start, end), found by halving, because the ledger may be long.

    Two who write at once may stand in it a little out of order: hence the slack.
    """
    head = work.ledger.head()
    low, high = 0, head.sequence if head else 0
    while low < high:
        middle = (low + high) // 2
        (entry,) = work.ledger.entries(after=middle, limit=1)
        if datetime.fromisoformat(entry.at) < start - _SLACK:
            low = middle + 1
        else:
            high = middle
    reached = low
    while page := work.ledger.entries(after=reached, limit=500):
        for entry in page:
            at = datetime.fromisoformat(entry.at)
            if at >= end + _SLACK:
                return
            if start <= at < end:
                yield entry
        reached = page[-1].sequence
