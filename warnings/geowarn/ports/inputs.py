"""What the store keeps of places, rain, levels and rules."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from geowarn.domain.area import Area
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.rules import RuleSet


class Areas(Protocol):
    """Areas of the store."""

    def all(self) -> tuple[Area, ...]:
        """Every area, ordered by code."""
        ...

    def plain(self) -> tuple[Area, ...]:
        """Every area without its geometry, ordered by code: names and order of all places at little cost."""
        ...

    def get(self, code: str) -> Area | None: ...

    def save_all(self, areas: Iterable[Area]) -> None:
        """Insert or replace by code."""
        ...


class Forecasts(Protocol):
    """Forecasts of the store."""

    def add(self, forecast: Forecast) -> None: ...

    def get(self, forecast_id: str) -> Forecast | None: ...

    def by_digest(self, payload_digest: str) -> tuple[Forecast, ...]:
        """The forecasts made of this payload, one a part, in order of part."""
        ...

    def of_origin(self, origin: str, limit: int = 50) -> tuple[Forecast, ...]:
        """What one configured source brought, newest run first, then newest received."""
        ...

    def covering(self, period: Period, kind: RainKind) -> tuple[Forecast, ...]:
        """Forecasts of `kind` whose coverage overlaps `period`, newest received first."""
        ...

    def latest(self, limit: int = 50) -> tuple[Forecast, ...]:
        """Newest received first."""
        ...


class Assessments(Protocol):
    """Assessments of the store."""

    def add(self, run: AssessmentRun) -> None: ...

    def get(self, run_id: str) -> AssessmentRun | None: ...

    def latest(self, limit: int = 20) -> tuple[AssessmentRun, ...]:
        """Newest first, those of the deciding model only."""
        ...

    def beside(self, run_id: str) -> tuple[AssessmentRun, ...]:
        """The alternates' runs made beside this one, in order of model."""
        ...

    def between(self, start: datetime, end: datetime) -> tuple[AssessmentRun, ...]:
        """The deciding model's runs made in (start, end], oldest first."""
        ...


@dataclass(frozen=True, slots=True)
class Activation:
    """A rule set switched on by a person; the newest of a model holds."""

    id: str
    model: str
    digest: str  # of a stored rule set
    at: datetime
    by: str
    reason: str


class Rules(Protocol):
    """Rules of the store."""

    def save(self, rules: RuleSet) -> None:
        """Keep this text by digest; saving it again changes nothing."""
        ...

    def get(self, digest: str) -> RuleSet | None: ...

    def all(self) -> tuple[RuleSet, ...]:
        """Every rule set kept, by name, version and digest."""
        ...

    def activate(self, activation: Activation) -> None:
        """Switch a stored rule set on for its model."""
        ...

    def active(self, model: str) -> Activation | None:
        """The newest activation of this model, or None: the configuration's file holds."""
        ...


@dataclass(frozen=True, slots=True)
class SourceEvent:
    """What happened to a configured source: the inputs page and the alarms are made from these.

    `kind` is "good" (a complete run taken in), "refused", "waiting" (part of a run is there), "failed" (could not be
    fetched), "older" (a run older than the one in use was set aside) or "late".
    """

    id: str
    source: str
    at: datetime
    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class SourceEvents(Protocol):
    """What happened to each configured source."""

    def add(self, event: SourceEvent) -> None: ...

    def newest(self, source: str, kind: str | None = None) -> SourceEvent | None:
        """The newest event of this source, of one kind where it is named."""
        ...

    def of_source(self, source: str, limit: int = 50) -> tuple[SourceEvent, ...]:
        """Newest first."""
        ...


@dataclass(frozen=True, slots=True)
class CompanionAlert:
    """A CAP alert of the weather service: it can raise attention, never a level.

    `areas` are codes of ours that its area covers; `facts` hold event, severity, headline and description by language.
    """

    id: str  # sender, identifier and sent, hashed
    sender: str
    identifier: str
    sent: datetime
    onset: datetime
    expires: datetime
    areas: tuple[str, ...]
    facts: Mapping[str, Any]
    payload_digest: str
    received_at: datetime
    ended_by: str | None = None  # the identifier of the update or cancel that ended it


class CompanionAlerts(Protocol):
    """Alerts of the weather service."""

    def add(self, alert: CompanionAlert) -> bool:
        """Keep it; returns False when it was already there."""
        ...

    def end(self, sender: str, identifier: str, by: str) -> int:
        """Note that an update or cancel ended it; returns how many."""
        ...

    def current(self, now: datetime) -> tuple[CompanionAlert, ...]:
        """Those neither expired nor ended, newest sent first."""
        ...
