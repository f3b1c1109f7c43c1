"""Who gets warnings by mail: addresses as they are kept and shown, what each wants, and which text reaches whom."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from geowarn.domain.area import Area, ancestors
from geowarn.domain.level import Level

SUBSCRIBER = "subscriber"
ROLES = (SUBSCRIBER, "official", "newsroom", "exercise")  # the last one: the group of exercises
LONGEST_ADDRESS = 254  # characters of a whole address: RFC 3696, erratum 1690

# Dot-atoms of RFC 5322 and a domain of at least two labels; quoted local parts and IP numbers are refused.
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]{1,64}(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(r"([A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z][A-Za-z0-9-]{0,61}[A-Za-z0-9]")


def mail_address(text: str) -> str | None:
    """The address as it is sent to, its domain in lower case and in ASCII; None for what is no address."""
    local, at, domain = text.strip().rpartition("@")
    try:
        plain = domain.encode("idna").decode("ascii").lower() if domain.isprintable() else ""
    except UnicodeError:
        return None
    known = bool(at) and len(local) <= 64 and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(plain)
    address = f"{local}@{plain}"
    return address if known and len(address) <= LONGEST_ADDRESS else None


def same_mailbox(address: str) -> str:
    """What two spellings of one mailbox share; in practice no server tells capitals apart."""
    return address.lower()


def mask_address(address: str) -> str:
    """`w***@e***.org`: enough to recognise one's own, not enough to write to."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}***@{domain[:1]}***.{domain.rpartition('.')[2]}"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to hear of: no area means every area, `least` is the lowest level."""

    language: str  # zh or en
    areas: tuple[str, ...] = ()
    least: Level = Level.YELLOW


@dataclass(frozen=True, slots=True)
class Subscriber:
    """One mailbox that gets warnings; the address itself is only ever held encrypted.

    `address_key` is a keyed hash of it: equal for equal mailboxes, useless without the key, and gone with the row.
    `id` is random: what is kept of messages names it, and nobody can tell from it whose it was.
    """

    id: str
    address_key: str
    address_sealed: bytes = field(repr=False)
    address_masked: str
    wish: Wish
    role: str  # one of ROLES
    consent: str  # how and when agreed
    added_at: datetime


@dataclass(frozen=True, slots=True)
class Asked:
    """Something somebody asked for by a form, that counts only once the link in the mail is confirmed.

    `kind` is `confirm` (a new subscription) or `choices` (another wish, or the end, of the one that is there).
    """

    token_sha256: str
    kind: str
    address_key: str
    address_sealed: bytes = field(repr=False)
    address_masked: str
    wish: Wish
    made_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class MailTarget:
    """Whom a bulletin may reach by mail; `key` is a subscriber's id or a mailbox's name in channels.toml."""

    key: str
    wish: Wish
    tier: int  # 1 offices and newsrooms, 2 subscribers
    group: bool = False  # of the exercise group: nothing real goes there
    trial: bool = False  # a test target: the only kind an exercise may reach


@dataclass(frozen=True, slots=True)
class MailText:
    """The text that one target gets; `level` None: the text for those whose area is no longer warned."""

    target: MailTarget
    level: Level | None


class Reach:
    """The highest level that reaches a place: its own, that of what holds it or of what it holds.

    Many want the same places, so each is looked up once: ten thousand subscribers cost what their places cost.
    """

    def __init__(self, levels: Mapping[str, Level], known: Mapping[str, Area]) -> None:
        self._levels, self._known = levels, known
        self._anywhere = max(levels.values(), default=Level.NONE)
        self._below: dict[str, Level] = {}  # of a place that holds areas with a level
        self._at: dict[str, Level] = {}
        for code, level in levels.items():
            for above in ancestors(code, known):
                self._below[above] = max(level, self._below.get(above, Level.NONE))

    def level(self, areas: Iterable[str]) -> Level:
        """The highest of any of these places; none given: anywhere."""
        wanted = tuple(areas)
        return max(map(self._of, wanted)) if wanted else self._anywhere

    def _of(self, area: str) -> Level:
        found = self._at.get(area)
        if found is None:
            held = (self._levels.get(code, Level.NONE) for code in ancestors(area, self._known))
            found = self._at[area] = max(self._below.get(area, Level.NONE), *held, Level.NONE)
        return found


def mail_texts(
    targets: Iterable[MailTarget], levels: Mapping[str, Level], told: Iterable[str], known: Mapping[str, Area]
) -> tuple[MailText, ...]:
    """Who gets which text of a warning that goes on: whoever wants its level, and everybody who was told of it.

    Whoever was told hears of every change, also of a level below their lowest and of an area that is let go: they
    were told to act, and would otherwise wait for an end that nobody announces.
    """
    before, reach, found = frozenset(told), Reach(levels, known), []
    for target in targets:
        level = reach.level(target.wish.areas)
        if level is not Level.NONE and (level >= target.wish.least or target.key in before):
            found.append(MailText(target, level))
        elif target.key in before:
            found.append(MailText(target, None))
    return tuple(sorted(found, key=lambda text: (-(text.level or Level.NONE), text.target.tier, text.target.key)))
