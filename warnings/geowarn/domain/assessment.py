"""Levels per area with the evidence an officer can check with a pencil."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.period import Period


@dataclass(frozen=True, slots=True)
class Assessment:
    """One area, one window, one model.

    `level` None means "cannot classify" (never "none"); `evidence` is plain JSON whose keys the model
    documents, and from which `templates/evidence/` makes the sentence.
    """

    area: str
    level: Level | None
    lower_bound: bool
    evidence: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class AssessmentRun:
    """All areas of one assessment: same stored input and same rule set give the same levels, bit for bit."""

    id: str
    forecast_id: str
    inputs: tuple[str, ...]  # ids of every forecast and observation used, the assessed one first
    model: str
    rules: str  # name and version
    rules_digest: str
    areas_digest: str
    window: Period
    run_time: datetime
    age_hours: float
    created_at: datetime
    synthetic: bool
    calibrated: bool
    stale_reason: str | None  # why a person allowed a stale run, or None
    assessments: tuple[Assessment, ...]
    beside: str | None = None  # the deciding model's run that this alternate was made beside; None: it decides
    _by_area: dict[str, Assessment] = field(default_factory=dict, init=False, repr=False, compare=False)

    def for_area(self, code: str) -> Assessment | None:
        """The assessment of one area, or None; the first question makes the index, runs may have 300,000 areas."""
        if not self._by_area:
            self._by_area.update((found.area, found) for found in reversed(self.assessments))
        return self._by_area.get(code)
