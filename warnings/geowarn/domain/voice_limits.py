"""How much the public form takes: a flood of spam is held back, a flood of people after an event is not.

Addresses are no people: after an event a whole town may come through one address of a mobile network, and a spammer
has many. So each address has a bound, a higher one while a warning is in force; and where too much comes in, what can
wait is turned away first: photos, then complaints and questions. Observations are taken to the last.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from geowarn.domain.voice import VoiceKind

WINDOW = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class SayLimits:
    """Reports an hour; `standing` and `photo_bytes` bound what a disk must hold in all, whatever comes."""

    per_address: int = 12
    per_address_in_force: int = 120
    busy: int = 600
    most: int = 6000
    photos: int = 300
    standing: int = 50_000  # reports with which something is still to be done
    photo_bytes: int = 2_000_000_000  # of all photos kept


@dataclass(frozen=True, slots=True)
class Load:
    """What came within the last hour: from this address, from everywhere, and how many with a photo.

    `standing`: with how many reports something is still to be done, whenever they came; `stored`: bytes of all photos.
    """

    mine: int
    all: int
    photos: int
    standing: int = 0
    stored: int = 0


def refused_for(kind: VoiceKind, load: Load, limits: SayLimits, in_force: bool) -> str:
    """Why one more cannot be taken now: "address", "busy", "most"; empty where it can."""
    mine = limits.per_address_in_force if in_force and kind is VoiceKind.OBSERVATION else limits.per_address
    if load.mine >= mine:
        return "address"
    if load.all >= limits.most or load.standing >= limits.standing:
        return "most"
    waits = load.all >= limits.busy or words_are_short(load, limits)
    return "busy" if waits and kind is not VoiceKind.OBSERVATION else ""


def takes_photo(load: Load, limits: SayLimits) -> bool:
    """Whether a photo can be taken beside the words, which are taken anyway."""
    return load.photos < limits.photos and not photos_are_short(load, limits)


def words_are_short(load: Load, limits: SayLimits) -> bool:
    """Whether half the room for reports is taken: the other half is kept for observations."""
    return load.standing >= limits.standing // 2


def photos_are_short(load: Load, limits: SayLimits) -> bool:
    """Whether the room for photos is taken."""
    return load.stored >= limits.photo_bytes
