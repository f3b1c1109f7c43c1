"""What happens around a shift: a person is asked, swaps, hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.people import Role, Shift

MOST_TRIES = 5  # wrong codes until a confirmation needs somebody else


class Part(StrEnum):
    """A seat of a shift."""

    OFFICER = "officer"  # 主班
    DEPUTY = "deputy"  # 备班
    LEADER = "leader"  # 带班领导


# Who may sit where.
ROLES_OF: Mapping[Part, frozenset[Role]] = {
    Part.OFFICER: frozenset({Role.DUTY_OFFICER}),
    Part.DEPUTY: frozenset({Role.DUTY_OFFICER}),
    Part.LEADER: frozenset({Role.LEADER, Role.CHIEF}),
}


def seats(shift: Shift) -> tuple[tuple[Part, str], ...]:
    """The seats taken, the officer's first."""
    held = ((Part.OFFICER, shift.officer), (Part.DEPUTY, shift.deputy), (Part.LEADER, shift.leader))
    return tuple((part, name) for part, name in held if name)


@dataclass(frozen=True, slots=True)
class Band:
    """A row of the week: the shift people speak of; an end not after its start is on the next day."""

    name_zh: str
    name_en: str
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class Holiday:
    """Days, first and last included, on which a leader must be on call."""

    first: date
    last: date
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class RosterRules:
    """What `config/roster.toml` says; the hours are choices of this project."""

    needed: frozenset[Part] = frozenset({Part.OFFICER, Part.DEPUTY, Part.LEADER})
    ask_hours: tuple[int, ...] = (24, 1)  # before the shift, the earliest first
    answer_minutes: tuple[int, ...] = (240, 20)  # how long an answer may take, one for each time of asking
    ahead: timedelta = timedelta(days=7)
    rest: timedelta = timedelta(hours=12)
    bands: tuple[Band, ...] = ()
    holidays: tuple[Holiday, ...] = ()


@dataclass(frozen=True, slots=True)
class Ask:
    """One person asked once to confirm one shift; (`shift`, `person`, `hours`) exists once."""

    id: str
    shift: str
    person: str
    hours: int  # before the shift
    asked_at: datetime
    due_at: datetime
    code_sha256: str
    tries: int = 0
    answered_at: datetime | None = None
    answer: str | None = None  # "yes" or "no"
    via: str | None = None  # "SMS", "console", "command line", "telephone"
    recorded_by: str | None = None


class SwapState(StrEnum):
    """Closed set of states of a swap."""

    ASKED = "asked"  # waits for whoever shall take over
    AGREED = "agreed"  # waits for a leader
    DONE = "done"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Swap:
    """Somebody takes over a seat for [start, end)."""

    id: str
    shift: str
    part: Part
    giver: str
    taker: str
    start: datetime
    end: datetime
    reason: str
    asked_by: str
    asked_at: datetime
    state: SwapState = SwapState.ASKED
    agreed_at: datetime | None = None
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Handover:
    """What one shift passes on to the next (交接班); complete when both have signed."""

    id: str
    shift: str
    giver: str
    next_shift: str | None
    taker: str | None  # the next officer; whoever takes over signs as `taken_by`
    given_at: datetime
    notes: str
    facts: Mapping[str, Any]  # open tasks and warnings in force as they stood
    taken_by: str | None = None
    taken_at: datetime | None = None
