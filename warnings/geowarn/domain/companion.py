"""Alerts of the weather service (CAP 1.2) as the line knows them: they raise attention, never a level."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from geowarn.domain.canonical import canonical_json, sha256_hex

ATTENTION = "Actual"  # the one CAP status that may raise attention


@dataclass(frozen=True, slots=True)
class AlertKey:
    """What CAP 1.2 knows a message by; references name messages the same way."""

    sender: str
    identifier: str
    sent: datetime

    @property
    def id(self) -> str:
        """`a-` and ten digits of the SHA-256 over the three, the time in UTC."""
        moment = self.sent.astimezone(UTC).isoformat()
        return f"a-{sha256_hex(canonical_json([self.sender, self.identifier, moment]))[:10]}"


@dataclass(frozen=True, slots=True)
class AlertArea:
    """One area block: rings and circles in degrees, longitude first (radius in km), geocodes as (scheme, value)."""

    description: str
    polygons: tuple[tuple[tuple[float, float], ...], ...] = ()
    circles: tuple[tuple[float, float, float], ...] = ()
    geocodes: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class AlertInfo:
    """One language's description of the danger."""

    language: str
    event: str
    urgency: str
    severity: str
    certainty: str
    onset: datetime | None  # onset, else effective
    expires: datetime | None
    issuer: str
    headline: str
    description: str
    areas: tuple[AlertArea, ...]


@dataclass(frozen=True, slots=True)
class AlertMessage:
    """One CAP message; `references` are the messages that it updates or cancels."""

    key: AlertKey
    status: str
    msg_type: str
    references: tuple[AlertKey, ...]
    infos: tuple[AlertInfo, ...]

    @property
    def areas(self) -> tuple[AlertArea, ...]:
        """The area blocks of all languages, each once."""
        return tuple(dict.fromkeys(area for info in self.infos for area in info.areas))
