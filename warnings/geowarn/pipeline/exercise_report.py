"""What an exercise showed: each step with its time since the start, and how far every channel came."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from geowarn.domain.dispatch import UNREPORTED, DispatchState
from geowarn.domain.exercise import Exercise, ExerciseStatus
from geowarn.domain.ledger import LedgerEntry
from geowarn.ports import DispatchGroup, UnitOfWork

_STEPS = {
    "exercise.started": "started",
    "proposal.version": "rang",
    "task.acknowledged": "acknowledged",
    "proposal.signed": "signed",
    "bulletin.released": "released",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step; `who` is the ledger's actor, `detail` a role or the number of a bulletin."""

    key: str
    at: datetime
    seconds: float  # since the start
    who: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Leg:
    """One channel, station or partner: the first call, the last answer, and how many of how many arrived."""

    channel: str
    target: str
    total: int
    accepted: int  # by the far end, and nothing more is known
    delivered: int
    first: float | None  # seconds since the release
    last: float | None

    @property
    def complete(self) -> bool:
        """Whether every target has it; acceptance is all that a push or a mail ever shows."""
        return self.delivered + (self.accepted if self.channel in UNREPORTED else 0) == self.total


@dataclass(frozen=True, slots=True)
class Report:
    """An exercise from its start to its end; `complete` when everything was done and everything arrived."""

    exercise: Exercise
    steps: tuple[Step, ...]
    legs: tuple[Leg, ...] = ()
    bulletins: tuple[str, ...] = ()
    lacking: tuple[str, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether it was played to its end without a miss."""
        return not self.lacking

    def as_json(self) -> dict[str, Any]:
        """Plain JSON; times in ISO 8601, seconds since the start and since the release."""
        held = self.exercise
        return {
            "exercise": held.number,
            "id": held.id,
            "title": {"zh": held.title_zh, "en": held.title_en},
            "director": held.director,
            "started": held.started_at.isoformat(),
            "ended": held.ended_at.isoformat() if held.ended_at else None,
            "status": held.status.value,
            "reason": held.reason,
            "bulletins": list(self.bulletins),
            "steps": [
                {"step": s.key, "at": s.at.isoformat(), "seconds": s.seconds, "who": s.who, "detail": s.detail}
                for s in self.steps
            ],
            "channels": [
                {
                    "channel": leg.channel,
                    "target": leg.target or None,
                    "targets": leg.total,
                    "accepted": leg.accepted,
                    "delivered": leg.delivered,
                    "first_seconds": leg.first,
                    "last_seconds": leg.last,
                }
                for leg in self.legs
            ],
            "complete": self.complete,
            "lacking": list(self.lacking),
        }


def report_of(work: UnitOfWork, exercise: Exercise) -> Report:
    """The report as things stand now."""
    entries = (*work.ledger.entries(subject=exercise.id), *work.ledger.entries(subject=exercise.warning_id))
    chain = work.bulletins.of_warning(exercise.warning_id)
    legs = tuple(_legs(work.dispatches.groups(chain[0].id))) if chain else ()
    found = _steps(exercise, sorted(entries, key=lambda entry: entry.sequence))
    steps = tuple(sorted(found, key=lambda step: step.at))
    slugs = tuple(bulletin.slug for bulletin in chain)
    return Report(exercise, steps, legs, slugs, tuple(_lacking(exercise, bool(chain), legs)))


def _steps(exercise: Exercise, entries: Iterable[LedgerEntry]) -> Iterator[Step]:
    rung = released = False
    for entry in entries:
        key, at = _STEPS.get(entry.kind), datetime.fromisoformat(entry.at)
        if key is None or (key == "rang" and rung):
            continue
        rung = rung or key == "rang"
        facts = json.loads(entry.payload)
        if key == "released":
            key, released, at = ("told" if released else key), True, datetime.fromisoformat(facts["release_at"])
        detail = str(facts.get("role") or facts.get("slug") or facts.get("scenario") or "")
        yield Step(key, at, (at - exercise.started_at).total_seconds(), entry.actor, detail)
    if exercise.ended_at is not None:
        seconds = (exercise.ended_at - exercise.started_at).total_seconds()
        yield Step(exercise.status.value, exercise.ended_at, seconds, exercise.ended_by)


def _legs(groups: Iterable[DispatchGroup]) -> Iterator[Leg]:
    found: dict[tuple[str, str], list[DispatchGroup]] = {}
    for group in groups:
        found.setdefault((group.channel, group.target), []).append(group)
    for (channel, target), rows in sorted(found.items()):
        begin = rows[0].release_at
        first = min((r.started for r in rows if r.started), default=None)
        last = max((r.answered for r in rows if r.answered), default=None)
        yield Leg(
            channel,
            target,
            sum(row.count for row in rows),
            sum(row.count for row in rows if row.state is DispatchState.ACCEPTED),
            sum(row.count for row in rows if row.state is DispatchState.DELIVERED),
            (first - begin).total_seconds() if first else None,
            (last - begin).total_seconds() if last else None,
        )


def _lacking(exercise: Exercise, released: bool, legs: Iterable[Leg]) -> Iterator[str]:
    """What keeps an exercise from having been complete, as codes: stopped, unreleased, or a channel's name."""
    if exercise.status is ExerciseStatus.STOPPED:
        yield "stopped"
    if not released:
        yield "unreleased"
    yield from (f"{leg.channel}:{leg.target}".rstrip(":") for leg in legs if not leg.complete)
