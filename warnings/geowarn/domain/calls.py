"""Call and answer (叫应): who must answer when a warning goes out, who is called next, when people go there.

Pure: times are given. What is due is worked out from a call and its asks, so that a tick that comes late, twice or
after a restart does what the ones before it left undone.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.level import Level
from geowarn.domain.reach import Reach

CALL = "call"  # the kind of notice that calls a contact
UNANSWERED = "calls-unanswered"  # the task that people must go there


class CallKind(StrEnum):
    """What kind of place must answer."""

    COUNTY = "county"  # duty room of a county (县级值班室)
    TOWNSHIP = "township"  # duty room of a township or street (乡镇、街道)
    WARDEN = "warden"  # who is in charge of a hazard point (隐患点责任人)
    SITE = "site"  # school, hospital, scenic area (学校、医院、景区)


ROOMS = frozenset({CallKind.COUNTY, CallKind.TOWNSHIP})


class Via(StrEnum):
    """How a place answered."""

    SMS = "SMS"
    TELEPHONE = "telephone"
    DOOR = "door"  # somebody went there


class CallState(StrEnum):
    """Where a call stands."""

    CALLING = "calling"
    ANSWERED = "answered"
    TURNED = "turned"  # people go there (转人工上门)
    ENDED = "ended"  # nothing is asked any more: the warning is over, or a newer call took its place


_ALL = frozenset(CallKind)
# Choices of this project, as in the shipped config/policy.toml; ten minutes are the latest for the list of doors.
DEFAULT_KINDS: Mapping[Level, frozenset[CallKind]] = {
    Level.BLUE: frozenset(),
    Level.YELLOW: frozenset({CallKind.COUNTY}),
    Level.ORANGE: _ALL,
    Level.RED: _ALL,
}


@dataclass(frozen=True, slots=True)
class CallRules:
    """Which kinds must answer at each level, how long each contact has, and how long the place has in all."""

    kinds: Mapping[Level, frozenset[CallKind]] = field(default_factory=lambda: DEFAULT_KINDS)
    next_after: timedelta = timedelta(minutes=3)
    people_after: timedelta = timedelta(minutes=10)
    keep_days: int = 365  # of numbers that were called and names of who answered, after the call ended

    def must(self, level: Level) -> frozenset[CallKind]:
        """The kinds that must answer at a level."""
        return self.kinds.get(level, frozenset())


@dataclass(frozen=True, slots=True)
class Contact:
    """One number of a place, called as the `number`th; the telephone number is only ever held encrypted."""

    place: str  # id of the place
    area: str
    county: str
    kind: CallKind
    name_zh: str
    name_en: str
    where: str  # where people find it, for the list of doors
    number: int  # 1 is called first
    phone_key: str
    phone_sealed: bytes = field(repr=False)
    phone_masked: str


@dataclass(frozen=True, slots=True)
class Call:
    """One place that must answer about one bulletin; names are those of the day it was called.

    `next_after` and `turn_at` are the policy's at that moment; `asked` is how many contacts were called so far.
    """

    id: str
    bulletin_id: str
    warning_id: str
    place: str
    area: str
    county: str
    kind: CallKind
    name_zh: str
    name_en: str
    where: str
    level: Level
    called_at: datetime
    next_after: timedelta
    turn_at: datetime
    until: datetime  # the end of the warning's validity
    asked: int = 1
    answered_at: datetime | None = None
    answered_via: Via | None = None
    recorded_by: str = ""  # the officer who wrote it down; empty for an answer that came by itself
    said_by: bytes | None = field(default=None, repr=False)  # who answered, encrypted
    turned_at: datetime | None = None
    ended_at: datetime | None = None

    @property
    def state(self) -> CallState:
        """Where it stands; an answer counts however late it comes."""
        if self.answered_at is not None:
            return CallState.ANSWERED
        if self.ended_at is not None:
            return CallState.ENDED
        return CallState.CALLING if self.turned_at is None else CallState.TURNED

    @property
    def open(self) -> bool:
        """Whether an answer is still wanted."""
        return self.state in (CallState.CALLING, CallState.TURNED)

    def name(self, language: str) -> str:
        """The place's name in `zh` or `en`."""
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class CallAsk:
    """One contact called: never twice for one call."""

    call_id: str
    number: int
    phone_key: str  # empty once it was forgotten, as the masked number then is
    phone_masked: str
    asked_at: datetime
    failed_at: datetime | None = None  # the text cannot arrive: nobody waits for its answer
    sent_at: datetime | None = None  # when its text was first sent, by its notice; None: it still waits for that


@dataclass(frozen=True, slots=True)
class CallTally:
    """The calls of one county, kind and level, counted; `turn_at` is when the first of those still called turns."""

    county: str
    kind: CallKind
    level: Level
    called: int
    answered: int
    turned: int
    asked: int  # contacts called at the place called most often
    turn_at: datetime | None

    @property
    def unanswered(self) -> int:
        """How many have not answered."""
        return self.called - self.answered


@dataclass(frozen=True, slots=True)
class Due:
    """What a call's silence leads to now: the `ask`th contact is called, or, with None, people go there."""

    call: Call
    ask: int | None


def due(call: Call, asks: Iterable[CallAsk], contacts: Collection[int], now: datetime) -> Due | None:
    """What is due for a call, or None.

    Past `turn_at` people go there, whoever could still be called. Each contact has `next_after` from the moment its
    text was sent, not from when it should have been; one whose text cannot arrive has none.
    """
    if call.state is not CallState.CALLING:
        return None
    if now >= call.turn_at:
        return Due(call, None)
    last = max(asks, key=lambda ask: ask.number, default=None)
    if last is not None and last.failed_at is None and (last.sent_at is None or now < last.sent_at + call.next_after):
        return None
    after = last.number if last else 0
    return Due(call, min((number for number in contacts if number > after), default=None))


def county_of(code: str, areas: Mapping[str, Area]) -> str:
    """The county or functional zone that an area lies in, else the area itself."""
    holders = (holder for holder in ancestors(code, areas) if areas[holder].kind in (AreaKind.COUNTY, AreaKind.ZONE))
    return next(holders, code)


def asks(kind: CallKind, area: str, reach: Reach) -> Level:
    """What asks a place for an answer: the level of its area, and for a duty room of any area inside its own."""
    return reach.anywhere_in(area) if kind in ROOMS else reach.over(area)


def must_be_called(
    first: Iterable[Contact],
    now: Reach,
    before: Reach,
    rules: CallRules,
    held: Collection[str],
) -> tuple[tuple[Contact, Level], ...]:
    """The places to call, by their first contact, with the level that reaches them, the highest first.

    A place is called when it is newly under a level that asks it, or its level rose, or nobody has called it yet in
    this course of events; `held` are the places that have a call, `before` the levels of the bulletin before.
    """
    found = []
    for contact in first:
        level, earlier = (asks(contact.kind, contact.area, reach) for reach in (now, before))
        if contact.kind in rules.must(level) and (level > earlier or contact.place not in held):
            found.append((contact, level))
    return tuple(sorted(found, key=lambda pair: (-pair[1], pair[0].county, pair[0].kind, pair[0].place)))


def no_longer_asked(calls: Iterable[Call], now: Reach, rules: CallRules) -> tuple[Call, ...]:
    """The open calls of places that the levels of now ask nothing of."""
    return tuple(c for c in calls if c.open and c.kind not in rules.must(asks(c.kind, c.area, now)))
