"""A course of events from first proposal to all-clear, and the content under review."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.level import Level


class Series(StrEnum):
    """Exercises, and bulletins below the public level, take numbers from series of their own."""

    REAL = "real"
    EXERCISE = "exercise"
    INTERNAL = "internal"  # below [publish] from: signed and kept, in nothing public


class Act(StrEnum):
    """What a bulletin does to its warning."""

    ISSUE = "issue"
    UPDATE = "update"  # levels or areas change
    EXTEND = "extend"  # only the end moves
    LIFT = "lift"  # all-clear (解除): the danger is over, a person says so
    CANCEL = "cancel"  # withdrawn with a new reason, signed
    RETRACT = "retract"  # the cancel prepared at release (撤回), one officer


class MsgType(StrEnum):
    """CAP 1.2 section 3.2.1."""

    ALERT = "alert"
    UPDATE = "update"
    CANCEL = "cancel"


MSG_TYPE: dict[Act, MsgType] = {
    Act.ISSUE: MsgType.ALERT,
    Act.UPDATE: MsgType.UPDATE,
    Act.EXTEND: MsgType.UPDATE,
    Act.LIFT: MsgType.CANCEL,
    Act.CANCEL: MsgType.CANCEL,
    Act.RETRACT: MsgType.CANCEL,
}


class WarningStatus(StrEnum):
    """Where a course of events stands."""

    PROPOSED = "proposed"
    DISMISSED = "dismissed"
    IN_FORCE = "in-force"
    VALIDITY_ENDED = "validity-ended"  # the end has passed, no all-clear was issued: never "lifted"
    LIFTED = "lifted"
    CANCELLED = "cancelled"
    RETRACTED = "retracted"


TRANSITIONS: dict[WarningStatus, frozenset[WarningStatus]] = {
    WarningStatus.PROPOSED: frozenset({WarningStatus.IN_FORCE, WarningStatus.DISMISSED}),
    WarningStatus.DISMISSED: frozenset(),
    WarningStatus.IN_FORCE: frozenset(
        {
            WarningStatus.IN_FORCE,
            WarningStatus.VALIDITY_ENDED,
            WarningStatus.LIFTED,
            WarningStatus.CANCELLED,
            WarningStatus.RETRACTED,
        }
    ),
    WarningStatus.VALIDITY_ENDED: frozenset(
        {WarningStatus.IN_FORCE, WarningStatus.LIFTED, WarningStatus.CANCELLED, WarningStatus.RETRACTED}
    ),
    WarningStatus.LIFTED: frozenset(),
    WarningStatus.CANCELLED: frozenset(),
    WarningStatus.RETRACTED: frozenset(),
}

STATUS_AFTER: dict[Act, WarningStatus] = {
    Act.ISSUE: WarningStatus.IN_FORCE,
    Act.UPDATE: WarningStatus.IN_FORCE,
    Act.EXTEND: WarningStatus.IN_FORCE,
    Act.LIFT: WarningStatus.LIFTED,
    Act.CANCEL: WarningStatus.CANCELLED,
    Act.RETRACT: WarningStatus.RETRACTED,
}


class ProposalStatus(StrEnum):
    """Where a version of the content stands; only the newest version of a warning can be open."""

    OPEN = "open"
    RETURNED = "returned"  # back to the editor, may be edited into a new open version
    SUPERSEDED = "superseded"
    DISMISSED = "dismissed"
    RELEASED = "released"


@dataclass(frozen=True, slots=True)
class HazardWarning:
    """One course of events; `id` is ours (`w-…`) and never shown as a number to the public."""

    id: str
    series: Series
    status: WarningStatus
    opened_at: datetime
    ended_at: datetime | None = None

    def may_become(self, status: WarningStatus) -> None:
        """Raise Refused when the transition is not in the table."""
        if status not in TRANSITIONS[self.status]:
            raise Refused("warnings.transition", warning=self.id, status=self.status.value, wanted=status.value)


@dataclass(frozen=True, slots=True)
class AreaLevel:
    """One area's level in a bulletin; `before` is its level in the bulletin before (none where it is new)."""

    code: str
    level: Level
    before: Level = Level.NONE


@dataclass(frozen=True, slots=True)
class Content:
    """What is reviewed, signed and released; plain values only, so that it hashes the same everywhere.

    `areas` holds every proposed area, internal blue ones too; `onset` and `expires` are UTC. `slots` are the
    only texts a person may change: name `<slot>.<level>.<language>`, for example `action.red.zh`.
    """

    act: Act
    series: Series
    areas: tuple[AreaLevel, ...]
    onset: datetime
    expires: datetime
    next_update: datetime
    slots: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""  # why: for a person's proposal, for every change of level, cancel, lift
    source: str = ""  # where the knowledge comes from: "forecast", a warden's call, a crack seen …
    assessment_id: str | None = None
    previous_bulletin: str | None = None
    synthetic: bool = False
    calibrated: bool = True

    @property
    def msg_type(self) -> MsgType:
        """The CAP message type of this act."""
        return MSG_TYPE[self.act]

    @property
    def highest(self) -> Level:
        """The highest level of any area."""
        return max((area.level for area in self.areas), default=Level.NONE)

    def at_or_above(self, level: Level) -> tuple[AreaLevel, ...]:
        """The areas at `level` or above, highest first, else in the order given."""
        return tuple(sorted((a for a in self.areas if a.level >= level), key=lambda a: -a.level))

    def levels(self, least: Level) -> tuple[Level, ...]:
        """The distinct levels at `least` or above, highest first."""
        return tuple(sorted({a.level for a in self.areas if a.level >= least}, reverse=True))

    def as_json(self) -> dict[str, Any]:
        """Plain JSON for hashing, storing and disclosure; `content_from_json` reads it back."""
        return {
            "act": self.act.value,
            "series": self.series.value,
            "areas": [{"code": a.code, "level": a.level.code, "before": a.before.code} for a in self.areas],
            "onset": self.onset.isoformat(),
            "expires": self.expires.isoformat(),
            "next_update": self.next_update.isoformat(),
            "slots": dict(self.slots),
            "reason": self.reason,
            "source": self.source,
            "assessment_id": self.assessment_id,
            "previous_bulletin": self.previous_bulletin,
            "synthetic": self.synthetic,
            "calibrated": self.calibrated,
        }


def content_from_json(value: Mapping[str, Any]) -> Content:
    """Read back what `Content.as_json` wrote."""
    return Content(
        act=Act(value["act"]),
        series=Series(value["series"]),
        areas=tuple(AreaLevel(a["code"], Level.parse(a["level"]), Level.parse(a["before"])) for a in value["areas"]),
        onset=datetime.fromisoformat(value["onset"]),
        expires=datetime.fromisoformat(value["expires"]),
        next_update=datetime.fromisoformat(value["next_update"]),
        slots=dict(value["slots"]),
        reason=value["reason"],
        source=value["source"],
        assessment_id=value["assessment_id"],
        previous_bulletin=value["previous_bulletin"],
        synthetic=value["synthetic"],
        calibrated=value["calibrated"],
    )


@dataclass(frozen=True, slots=True)
class Proposal:
    """One version of the content under review with the digest of its rendered package."""

    id: str
    warning_id: str
    version: int
    content: Content
    package_sha256: str
    edited_by: str
    edited_at: datetime
    status: ProposalStatus = ProposalStatus.OPEN
    status_reason: str = ""
