"""The ledger's entries about one course of events, in the four questions an inquiry asks."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.ledger import LedgerEntry


class Question(StrEnum):
    """What an entry answers; in the order in which it is asked."""

    KNOWN = "known"  # 何以知道
    TOLD = "told"  # 谁在何时被告知
    DECIDED = "decided"  # 谁决定
    SENT = "sent"  # 发给谁，到了没有


_KNOWN = frozenset({"warning.opened", "warning.validity-ended"})
_KNOWN_OF = frozenset(
    {"forecast", "input", "assessment", "course", "companion", "outside", "issuer", "exercise", "rules"}
)
_TOLD = frozenset({"proposal.consulted", "proposal.commented", "sign-code.asked", "escalation.not-released"})
_TOLD_OF = frozenset({"call", "escalation", "notice", "task"})
_SENT = frozenset({"bulletin.released", "bulletin.aired", "bulletin.receipt"})
# Noted so that nothing is missing from the chain; a reader is told how many there are.
_QUIET = frozenset({"notice.queued", "escalation.ended", "ledger.checkpoint", "call.silent"})
_FOLDED = frozenset({"dispatch.results", "dispatch.reported", "call.answered"})


@dataclass(frozen=True, slots=True)
class Told:
    """An entry with what its sentence needs beside its own payload; `batches` counts the entries it stands for."""

    entry: LedgerEntry
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Times:
    """How long it took; None where it has not come to that."""

    heard_to_released: timedelta | None
    rung_to_answered: timedelta | None
    last_signature_before_due: timedelta | None  # negative: too late


@dataclass(frozen=True, slots=True)
class Case:
    """The entries by question, each in order of sequence; `left_out` says nothing a reader asks for."""

    answers: Mapping[Question, tuple[Told, ...]]
    total: int
    left_out: int
    times: Times


def question_of(entry: LedgerEntry) -> Question:
    """Which question an entry answers. A version that the line itself made is still about what is known."""
    family = entry.kind.partition(".")[0]
    if entry.kind in _SENT or family == "dispatch":
        return Question.SENT
    if entry.kind in _TOLD or family in _TOLD_OF:
        return Question.TOLD
    by_the_line = entry.kind == "proposal.version" and entry.actor == "system"
    if entry.kind in _KNOWN or family in _KNOWN_OF or by_the_line:
        return Question.KNOWN
    return Question.DECIDED


def payload_of(entry: LedgerEntry) -> dict[str, Any]:
    """What was entered."""
    found: dict[str, Any] = json.loads(entry.payload)
    return found


def case_of(entries: Iterable[LedgerEntry], whole: bool = False) -> Case:
    """Group entries about one course; `whole` keeps the quiet ones and each batch of results by itself."""
    ordered = sorted(set(entries), key=lambda entry: entry.sequence)
    told = list(_telling(ordered) if whole else _folded(ordered))
    answers = {
        question: tuple(sorted((t for t in told if question_of(t.entry) is question), key=lambda t: t.entry.sequence))
        for question in Question
    }
    return Case(answers, len(ordered), len(ordered) - len(told), _times(ordered))


def _telling(ordered: Iterable[LedgerEntry]) -> Iterator[Told]:
    """Each entry with the moments that others give it: since the ring, since the release."""
    rung: datetime | None = None
    released: dict[str, datetime] = {}
    for entry in ordered:
        facts, at = payload_of(entry), datetime.fromisoformat(entry.at)
        if entry.kind == "bulletin.released":
            released[str(facts.get("bulletin"))] = datetime.fromisoformat(str(facts.get("release_at", entry.at)))
        elif entry.kind == "escalation.rung":
            rung = rung or at
        elif entry.kind == "escalation.answered":
            facts["since_rung"] = at - rung if rung else None
            rung = None
        elif entry.subject in released:
            facts["since_release"] = at - released[entry.subject]
        yield Told(entry, facts)


def _folded(ordered: Iterable[LedgerEntry]) -> Iterator[Told]:
    """Without the quiet ones; the results of one channel that were noted in many entries become their last one."""
    batches: dict[tuple[str, str, str], Told] = {}
    counts: dict[tuple[str, str, str], Counter[str]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for told in _telling(ordered):
        if told.entry.kind in _QUIET:
            continue
        if told.entry.kind not in _FOLDED:
            yield told
            continue
        key = (told.entry.kind, told.entry.subject, str(told.facts.get("channel")))
        seen[key] += 1
        counts.setdefault(key, Counter()).update(_counted(told.facts))
        batches[key] = told
    for key, told in batches.items():
        many = {"batches": seen[key]} if seen[key] > 1 else {}
        yield Told(told.entry, {**told.facts, "states": dict(counts[key]), **many})


def _counted(facts: Mapping[str, Any]) -> Mapping[str, int]:
    """What one entry adds to the sum: messages by state, or the one place that answered, by its kind."""
    found: Mapping[str, int] = facts.get("states") or {}
    return found or ({str(facts["place_kind"]): 1} if "place_kind" in facts else {})


def _times(ordered: Iterable[LedgerEntry]) -> Times:
    heard: datetime | None = None
    rung: datetime | None = None
    released: datetime | None = None
    answered: timedelta | None = None
    due: datetime | None = None
    spare: timedelta | None = None
    for entry in ordered:
        at = datetime.fromisoformat(entry.at)
        if entry.kind == "forecast.ingested" and payload_of(entry).get("kinds") != ["observed"]:
            heard = heard or at
        elif entry.kind == "escalation.started":
            by = payload_of(entry).get("decide_by")
            due = datetime.fromisoformat(by) if by else due
        elif entry.kind == "escalation.rung":
            rung = rung or at
        elif entry.kind == "escalation.answered" and answered is None and rung:
            answered = at - rung
        elif entry.kind == "proposal.signed" and due and released is None:
            spare = due - at
        elif entry.kind == "bulletin.released":
            released = released or at
    return Times(released - heard if heard and released else None, answered, spare)
