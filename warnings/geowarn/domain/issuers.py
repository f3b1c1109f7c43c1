"""Warnings of other issuers as CAP messages: who issued them, what they say, and whether they still stand."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.companion import AlertArea, AlertKey
from geowarn.domain.settings_table import SettingsTable

FOLDER, FEED, CAP = "folder", "feed", "cap"
WITHOUT_END = timedelta(hours=24)  # how long a message counts that does not say when it ends
LONGEST = timedelta(days=30)  # and one that names an end far away
HELD = timedelta(hours=24)  # how long one is shown past its end while its issuer is silent
SKEW = timedelta(minutes=10)  # of two clocks, without a word about it
MOST_SKEW = timedelta(hours=24)
_DIRECTIONS = frozenset("\u061c\u200b\u200c\u200d\u200e\u200f\u2060\ufeff")
_REORDERING = re.compile("[\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]")


class Demand(StrEnum):
    """What a feed's messages must bear: a signature, one that is right where there is one, or nothing."""

    REQUIRED = "required"
    IF_PRESENT = "if-present"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Issuer:
    """One table of `issuers.toml`: where another issuer's messages come from and what makes them his."""

    name: str
    name_zh: str
    name_en: str
    kind: str  # "cap": one message; "feed": RSS or Atom that links to messages; "folder": inbox/issuers/<name>/
    enabled: bool
    address: str
    page: str  # of his own, for people
    senders: tuple[str, ...]  # the CAP `sender`s that may come this way
    hosts: tuple[str, ...]  # from which a feed's links are followed
    demand: Demand
    certificates: tuple[bytes, ...] = field(repr=False)  # PEM
    max_age_hours: float  # a message first heard of later than this after it was sent is not shown
    poll_seconds: int
    silent_minutes: int  # without an answer: a task; 0: none is expected
    quiet_hours: float  # without a new message: a task; 0: he may be quiet
    daily_messages: int  # messages and refusals in 24 hours; what lies beyond waits
    daily_mebibytes: int  # the same for the files kept
    stylesheet: bool  # whether a style-sheet instruction is passed over in unsigned messages
    http: SettingsTable = field(repr=False)

    @property
    def watched(self) -> bool:
        """Whether it comes through a folder rather than over the network."""
        return self.kind == FOLDER


@dataclass(frozen=True, slots=True)
class IssuedInfo:
    """One language's (or phase's) part of a message."""

    language: str
    event: str
    responses: tuple[str, ...]
    urgency: str
    severity: str
    certainty: str
    onset: datetime | None
    expires: datetime | None
    sender_name: str
    headline: str
    description: str
    instruction: str
    areas: tuple[AlertArea, ...]

    @property
    def clears(self) -> bool:
        """Whether it says that the danger is over."""
        return "AllClear" in self.responses or self.urgency == "Past"


@dataclass(frozen=True, slots=True)
class IssuedMessage:
    """One CAP message of another issuer, as its own version of CAP has it."""

    key: AlertKey
    version: str  # "1.2" or "1.1"
    status: str
    msg_type: str
    scope: str
    references: tuple[AlertKey, ...]
    infos: tuple[IssuedInfo, ...]
    remarks: tuple[str, ...] = ()  # what is odd about it without being wrong, as catalogue keys below `remark.`

    @property
    def areas(self) -> tuple[AlertArea, ...]:
        """The area blocks of all parts, each once."""
        return tuple(dict.fromkeys(area for info in self.infos for area in info.areas))

    @property
    def digest(self) -> str:
        """SHA-256 of what it says: the same message written otherwise has the same."""
        return sha256_hex(repr((self.key, self.status, self.msg_type, self.scope, self.references, self.infos)))


class Outcome(StrEnum):
    """What became of a message that was taken."""

    SHOWN = "shown"
    NOT_ACTUAL = "not-actual"  # exercise, test, system, draft
    NOT_PUBLIC = "not-public"  # restricted or private: only that it came is kept
    OLD = "old"  # too old when it was first heard of
    RECEIPT = "receipt"  # Ack or Error: tells of no danger


@dataclass(frozen=True, slots=True)
class Taken:
    """A message as it is kept; `facts` are its texts, plain JSON, safe to show once escaped."""

    id: str
    issuer: str
    sender: str
    identifier: str
    sent: datetime
    version: str
    status: str
    msg_type: str
    outcome: Outcome
    expires: datetime
    clears: bool
    unplaced: bool  # some area of it could not be found on our map
    codes: tuple[str, ...]  # our areas that it covers
    facts: Mapping[str, Any]
    remarks: tuple[str, ...]
    digest: str
    payload: str  # SHA-256 of the file as it came, kept below raw/; empty where it is not kept
    signed_by: str  # fingerprint of the certificate; empty where nothing was checked
    received_at: datetime
    ended_by: str = ""  # the message that replaced or cancelled it

    @property
    def near(self) -> bool:
        """Whether it covers one of our areas, or could not be placed."""
        return bool(self.codes) or self.unplaced

    @property
    def told(self) -> bool:
        """Whether it is one that pages show while it holds."""
        return self.outcome is Outcome.SHOWN and self.msg_type != "Cancel" and not self.clears and self.near


@dataclass(frozen=True, slots=True)
class Feed:
    """What is known of one issuer's feed; `known` is what is told at the next question (ETag, Last-Modified)."""

    name: str
    name_zh: str
    name_en: str
    page: str
    enabled: bool
    since: datetime
    known: Mapping[str, str] = field(default_factory=dict)
    tried_at: datetime | None = None
    heard_at: datetime | None = None  # last answer that could be read
    newest_at: datetime | None = None  # last new message
    silent_since: datetime | None = None
    failure: Mapping[str, Any] = field(default_factory=dict)  # key and facts of what went wrong last

    def title(self, language: str) -> str:
        """His name."""
        return self.name_zh if language == "zh" else self.name_en


@dataclass(frozen=True, slots=True)
class Refusal:
    """A message that was refused, once for each file and reason."""

    issuer: str
    file: str
    payload: str
    at: datetime
    key: str
    facts: Mapping[str, Any]
    seen_at: datetime | None = None
    seen_by: str = ""


class Standing(StrEnum):
    """Whether a message still holds."""

    IN_FORCE = "in-force"
    HELD = "held"  # past its end, but its issuer has not been heard since: shown with its age
    CLEARED = "cleared"
    ENDED = "ended"
    LAPSED = "lapsed"
    NONE = "none"  # it never was a warning to the public


def message_id(key: AlertKey) -> str:
    """`x-` and 24 digits of the SHA-256 over sender, identifier and moment: what CAP knows a message by."""
    return f"x-{sha256_hex(canonical_json([key.sender, key.identifier, key.sent.timestamp()]))[:24]}"


def outcome_of(message: IssuedMessage, now: datetime, max_age: timedelta, follows: bool = False) -> Outcome:
    """What becomes of a message that is in order; `follows`: it names one that was shown.

    An update of such a one that still counts is shown whatever its age: it is what its issuer says now.
    """
    if message.status != "Actual":
        return Outcome.NOT_ACTUAL
    if message.scope != "Public":
        return Outcome.NOT_PUBLIC
    if message.msg_type in ("Ack", "Error"):
        return Outcome.RECEIPT
    succeeds = follows and message.msg_type == "Update" and end_of(message) > now
    return Outcome.OLD if message.key.sent < now - max_age and not succeeds else Outcome.SHOWN


def end_of(message: IssuedMessage) -> datetime:
    """When it stops counting: the latest end of its parts, a day where one names none, never beyond 30 days."""
    sent = message.key.sent
    ends = [info.expires or sent + WITHOUT_END for info in message.infos]
    return min(max(ends, default=sent), sent + LONGEST)


def may_end(message: IssuedMessage) -> tuple[AlertKey, ...]:
    """The messages that this one replaces or cancels: earlier ones of its sender, if it is actual and public."""
    if message.status != "Actual" or message.scope != "Public" or message.msg_type not in ("Update", "Cancel"):
        return ()
    mine = message.key
    return tuple(
        key
        for key in dict.fromkeys(message.references)
        if key.sender == mine.sender and key != mine and key.sent <= mine.sent
    )


def ends_of(message: IssuedMessage, outcome: Outcome) -> tuple[AlertKey, ...]:
    """Those of them that it does end: an update that is not shown itself, as it is old, leaves them (house rule 1)."""
    return () if outcome is Outcome.OLD and message.msg_type == "Update" else may_end(message)


def standing_of(one: Taken, now: datetime, silent_since: datetime | None) -> Standing:
    """Whether it still holds; `silent_since` is when its issuer was last heard, None while he is heard.

    What ends while its issuer is silent is held for a day: he may have said more (house rule 1).
    """
    if one.outcome is not Outcome.SHOWN or one.msg_type == "Cancel":
        return Standing.NONE
    if one.ended_by:
        return Standing.ENDED
    if one.clears:
        return Standing.CLEARED if one.expires > now else Standing.LAPSED
    if one.expires > now:
        return Standing.IN_FORCE
    unheard = silent_since is not None and silent_since < one.expires
    return Standing.HELD if unheard and now < one.expires + HELD else Standing.LAPSED


def plain(text: str, longest: int) -> str:
    """A text of others in one line: without control characters and marks that turn it round, cut with an ellipsis."""
    line = " ".join("".join(filter(_harmless, _REORDERING.sub("", text))).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _harmless(character: str) -> bool:
    if character in _DIRECTIONS:
        return False
    return character.isspace() or unicodedata.category(character) not in ("Cc", "Cs", "Co", "Cn")


def texts_of(infos: Sequence[IssuedInfo]) -> list[dict[str, str]]:
    """What each part says, cut and cleaned: plain JSON."""
    return [
        {
            "language": info.language[:20],
            "event": plain(info.event, 80),
            "headline": plain(info.headline, 200),
            "description": plain(info.description, 1200),
            "instruction": plain(info.instruction, 800),
            "sender_name": plain(info.sender_name, 120),
            "severity": info.severity,
            "urgency": info.urgency,
            "certainty": info.certainty,
        }
        for info in infos
    ]


def in_language(texts: Sequence[Mapping[str, str]], language: str) -> Mapping[str, str]:
    """The part in this language, else the first; empty where there is none."""
    own = [text for text in texts if text["language"].lower().split("-")[0] == language]
    return next(iter([*own, *texts]), {})
