"""The frozen instruction and where it stands."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from geowarn.domain.warning import Act, Content, MsgType, Series


@dataclass(frozen=True, slots=True)
class Bulletin:
    """One released bulletin: never changes. `artefacts` maps path to the SHA-256 of the frozen bytes."""

    id: str
    warning_id: str
    proposal_id: str
    series: Series
    year: int  # in the installation's zone
    serial: int  # gapless within series and year
    number: str
    slug: str
    released_at: datetime  # UTC, whole seconds: CAP `sent`
    content: Content
    package_sha256: str
    late: Mapping[str, str]
    artefacts: Mapping[str, str]

    @property
    def act(self) -> Act:
        """What it does to its warning."""
        return self.content.act

    @property
    def msg_type(self) -> MsgType:
        """CAP message type."""
        return self.content.msg_type


class Standing(StrEnum):
    """Where a released bulletin stands now."""

    IN_FORCE = "in-force"
    SUPERSEDED = "superseded"  # a later bulletin of the same warning took its place
    VALIDITY_ENDED = "validity-ended"  # no all-clear was issued
    LIFTED = "lifted"
    CANCELLED = "cancelled"
    RETRACTED = "retracted"
    CLOSING = "closing"  # this bulletin is itself a lift, cancel or retraction


_ENDING = {Act.LIFT: Standing.LIFTED, Act.CANCEL: Standing.CANCELLED, Act.RETRACT: Standing.RETRACTED}


def standing(bulletin: Bulletin, chain: tuple[Bulletin, ...], now: datetime) -> Standing:
    """Where `bulletin` stands at `now`, given all bulletins of its warning in order of release."""
    if bulletin.act in _ENDING:
        return Standing.CLOSING
    position = next(index for index, other in enumerate(chain) if other.id == bulletin.id)
    later = chain[position + 1 :]
    if any(other.act not in _ENDING for other in later):
        return Standing.SUPERSEDED
    if later:
        return _ENDING[later[0].act]
    return Standing.VALIDITY_ENDED if bulletin.content.expires <= now else Standing.IN_FORCE


_PREFIX = {Series.REAL: "", Series.EXERCISE: "ex-", Series.INTERNAL: "in-"}


def slug_of(series: Series, year: int, serial: int) -> str:
    """The ASCII path of a number: `2026-012`, for exercises `ex-2026-003`, for internal notes `in-2026-001`."""
    return f"{_PREFIX[series]}{year}-{serial:03d}"
