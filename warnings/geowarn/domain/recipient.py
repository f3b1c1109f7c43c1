"""People who get the text, and which level reaches whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.level import Level

ROLES = ("resident", "warden", "official", "subscriber", "exercise")  # the last one: the group of exercises
LANGUAGES = ("zh", "en")


def mask_phone(country_code: int, number: str) -> str:
    """`+1 *** *** **42`: the country and the last two digits, whatever the number's length."""
    return f"+{country_code} *** *** **{number[-2:]}"


@dataclass(frozen=True, slots=True)
class Recipient:
    """One registration of one number for one area; the number itself is only ever held encrypted.

    `phone_key` is a keyed hash of the E.164 number: equal for equal numbers, useless without the key.
    """

    id: str
    phone_key: str
    phone_sealed: bytes = field(repr=False)
    phone_masked: str  # "+1 *** *** **42"
    area: str
    language: str  # one of LANGUAGES
    role: str  # one of ROLES
    consent: str  # how and when agreed, as imported
    added_at: datetime
    opted_out_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Addressee:
    """A recipient with the level that reaches them."""

    recipient: Recipient
    level: Level
    tier: int  # 0 people at hazard points and wardens, 1 the area, 2 subscribers


def _tier(recipient: Recipient, areas: Mapping[str, Area]) -> int:
    area = areas.get(recipient.area)
    if recipient.role == "warden" or (area is not None and area.kind is AreaKind.POINT):
        return 0
    return 2 if recipient.role == "subscriber" else 1


def addressees(
    recipients: Iterable[Recipient], levels: Mapping[str, Level], areas: Mapping[str, Area]
) -> tuple[Addressee, ...]:
    """One entry per number: its highest level wins, hazard-point people first, red before yellow.

    A registration is reached by the highest level of its own area or any area that holds it.
    """
    best: dict[str, Addressee] = {}
    for recipient in recipients:
        level = max((levels.get(code, Level.NONE) for code in ancestors(recipient.area, areas)), default=Level.NONE)
        if level is Level.NONE or recipient.opted_out_at is not None:
            continue
        candidate = Addressee(recipient, level, _tier(recipient, areas))
        held = best.get(recipient.phone_key)
        if held is None or (candidate.level, -candidate.tier) > (held.level, -held.tier):
            best[recipient.phone_key] = candidate
    return tuple(sorted(best.values(), key=lambda a: (-a.level, a.tier, a.recipient.phone_key)))
