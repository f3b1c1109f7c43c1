"""What people say to the office: observations, complaints and questions, each with a receipt and what became of it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role

LONGEST_TEXT = 2000  # characters
SHORTEST_TEXT = 2
LONGEST_PLACE = 200
LONGEST_CONTACT = 100
LONGEST_NOTE = 1000
NEAR_KM = 3.0  # two places marked on the map further apart are two places; a choice of this project
FOLDED_FOR = timedelta(hours=24)  # the same words from whomever are one matter for so long
# No 0, 1, I and O: the word is read off a screen and over the telephone.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
_WORD = 8
_KM_PER_DEGREE = 111.19  # of latitude on a sphere of 6371 km


class VoiceKind(StrEnum):
    """What somebody wants."""

    OBSERVATION = "observation"  # 险情
    COMPLAINT = "complaint"
    QUESTION = "question"


SIGNS = ("crack", "muddy-water", "rockfall", "other")  # what was observed


class VoiceState(StrEnum):
    """Where it stands; `FOLDED` stands where the one it repeats does."""

    NEW = "new"
    TAKEN = "taken"
    ANSWERED = "answered"
    CLOSED = "closed"
    PASSED_ON = "passed-on"
    FOLDED = "folded"


OPEN = frozenset({VoiceState.NEW, VoiceState.TAKEN})
# What an act leaves behind, and from where it may be done.
ACTS: dict[str, tuple[VoiceState, frozenset[VoiceState]]] = {
    "take": (VoiceState.TAKEN, OPEN),
    "answer": (VoiceState.ANSWERED, OPEN),
    "close": (VoiceState.CLOSED, OPEN),
    "pass-on": (VoiceState.PASSED_ON, OPEN),
    "reopen": (VoiceState.TAKEN, frozenset({VoiceState.ANSWERED, VoiceState.CLOSED, VoiceState.PASSED_ON})),
}


@dataclass(frozen=True, slots=True)
class Said:
    """What was written, as nobody but the handlers reads it; `lon` and `lat` in degrees, both or neither."""

    text: str
    place: str = ""
    lon: float | None = None
    lat: float | None = None
    salt: str = ""  # makes the digest useless to whoever guesses texts

    def as_json(self) -> dict[str, Any]:
        """Plain JSON for sealing and for the digest."""
        return {"text": self.text, "place": self.place, "lon": self.lon, "lat": self.lat, "salt": self.salt}


def same_spot(one: Said, other: Said) -> bool:
    """Whether two reports out of one area may be about one place: both without a mark on the map, or marked near."""
    if one.lon is None or one.lat is None or other.lon is None or other.lat is None:
        return one.lon is None and other.lon is None
    across = (one.lon - other.lon) * math.cos(math.radians((one.lat + other.lat) / 2))
    return math.hypot(across, one.lat - other.lat) * _KM_PER_DEGREE <= NEAR_KM


@dataclass(frozen=True, slots=True)
class Voice:
    """One report; what a person wrote and how to reach them are only ever held encrypted.

    `number` is the receipt (`2026-0042`), `digest` what the ledger has of it. `from_key` is a keyed hash of the
    network address and the day, kept for as long as it limits anything. Erased, it keeps number, kind and state.
    """

    id: str
    number: str
    kind: VoiceKind
    sign: str  # one of SIGNS, empty for what is no observation
    language: str
    received_at: datetime
    due_at: datetime
    area: str  # code, or empty
    digest: str
    fold_key: str
    from_key: str
    said_sealed: bytes | None = field(repr=False)
    contact_sealed: bytes | None = field(default=None, repr=False)
    contact_masked: str = ""
    photo: bool = False
    state: VoiceState = VoiceState.NEW
    changed_at: datetime | None = None
    owner: str = ""  # account; empty: nobody has taken it
    folded_into: str | None = None  # id of the one that it repeats
    warning_id: str | None = None
    incident_id: str | None = None
    answer_id: str | None = None
    erased_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VoiceAct:
    """One thing that was done with a voice; `note` is the officer's, and where `told` the citizen reads it."""

    id: str
    voice_id: str
    at: datetime
    user: str
    act: str
    note: str = ""
    told: bool = False


@dataclass(frozen=True, slots=True)
class Photo:
    """A picture drawn anew, so that nothing of the file that came in is left; `sealed` is encrypted."""

    voice_id: str
    media_type: str
    sha256: str
    sealed: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class VoiceRules:
    """Who gets what by when, and how long it is kept; choices of this project, for `config/policy.toml`."""

    owners: dict[VoiceKind, Role] = field(
        default_factory=lambda: {
            VoiceKind.OBSERVATION: Role.DUTY_OFFICER,
            VoiceKind.COMPLAINT: Role.DISCLOSURE,
            VoiceKind.QUESTION: Role.DISCLOSURE,
        }
    )
    due: dict[VoiceKind, timedelta] = field(
        default_factory=lambda: {
            VoiceKind.OBSERVATION: timedelta(minutes=30),
            VoiceKind.COMPLAINT: timedelta(hours=240),
            VoiceKind.QUESTION: timedelta(hours=72),
        }
    )
    keep_days: int = 365  # after the last thing was done

    def time_for(self, kind: VoiceKind) -> timedelta:
        """From its arrival to an answer."""
        return self.due[kind]


def tidy_text(text: str) -> str:
    """Without control characters, with single line ends and without blank edges."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    plain = ("".join(c for c in line if c.isprintable()) for line in lines)
    return re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in plain)).strip()


def folded(text: str) -> str:
    """What two texts must have in common to be one: letters, digits and characters, without case."""
    return "".join(character for character in text.casefold() if character.isalnum())


def check_said(kind: str, sign: str, said: Said, contact: str) -> VoiceKind:
    """The kind; raises Refused naming the field that is empty, too long or not among what is offered."""
    if kind not in {known.value for known in VoiceKind}:
        raise Refused("say.kind")
    found = VoiceKind(kind)
    if found is VoiceKind.OBSERVATION and sign not in SIGNS:
        raise Refused("say.sign")
    if not SHORTEST_TEXT <= len(said.text) <= LONGEST_TEXT or not folded(said.text):
        raise Refused("say.text", least=SHORTEST_TEXT, longest=LONGEST_TEXT, count=len(said.text))
    if len(said.place) > LONGEST_PLACE:
        raise Refused("say.place", longest=LONGEST_PLACE, count=len(said.place))
    if (said.lon is None) != (said.lat is None):
        raise Refused("say.point")
    if said.lon is not None and said.lat is not None and not (abs(said.lon) <= 180 and abs(said.lat) <= 90):
        raise Refused("say.point")
    check_contact(contact)
    return found


_MAIL = re.compile(r"[^\s@<>\"&,;]{1,64}@[^\s@<>\"&,;]+\.[^\s@<>\"&,;.]{2,}")


def check_contact(contact: str) -> None:
    """Raise Refused unless it is empty, a telephone number or a mail address."""
    if contact and (len(contact) > LONGEST_CONTACT or not (_MAIL.fullmatch(contact) or _digits(contact))):
        raise Refused("say.contact", longest=LONGEST_CONTACT)


def _digits(contact: str) -> str:
    digits = re.sub(r"[\s()（）+-]", "", contact)
    return digits if re.fullmatch(r"[0-9]{5,15}", digits) else ""


def mask_contact(contact: str) -> str:
    """`**** **42` of a number, `z***@…` of a mail address; empty for none."""
    if not contact:
        return ""
    digits = _digits(contact)
    return f"**** **{digits[-2:]}" if digits else f"{contact[0]}***@…"


def word_of(key: str) -> str:
    """Eight characters in two groups out of a hexadecimal key: 40 bits that only the citizen has beside us."""
    number = int(key[:10], 16)
    letters = [ALPHABET[(number >> (5 * at)) & 31] for at in range(_WORD)]
    return f"{''.join(letters[:4])}-{''.join(letters[4:])}"


def plain_word(typed: str) -> str:
    """A typed word as it is compared: without blanks and dashes, in capitals, with what looks alike put right."""
    return "".join(c for c in typed.upper().translate(str.maketrans("OI10", "QLLQ")) if c.isalnum())


_PERSONAL = (
    re.compile(r"(?<!\d)(?:\+?86[ -]?)?1[3-9]\d(?:[ -]?\d{4}){2}(?!\d)"),  # a mobile number
    re.compile(r"(?<!\d)\d{17}[\dXx](?!\d)"),  # an identity card
    _MAIL,
)


def personal_data(texts: Iterable[str]) -> str:
    """The first thing in texts for the public that looks like a person's own number or address, masked; or empty."""
    for text in texts:
        for pattern in _PERSONAL:
            if found := pattern.search(text):
                return f"{found[0][:3]}…"
    return ""
