"""Things a person must do, and by when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

# Every kind but the reviews of warnings, which ring by the level: those a policy may name as ringing.
KINDS = (
    "all-clear-due",
    "answer-review",
    "calls-unanswered",
    "cap-key-ends",
    "channel-fault",
    "companion",
    "escalation-silent",
    "exercise-stopped",
    "exercise-untold",
    "extend-or-lift",
    "fallback",
    "hook-disabled",
    "incident-overdue",
    "incident-review",
    "input-refused",
    "issuer-refused",
    "issuer-silent",
    "levels-moved",
    "no-forecast",
    "rights-change",
    "roster-fault",
    "run-late",
    "shift-silent",
    "site-differs",
    "unreachable",
    "voice",
    "voice-danger",
    "voice-overdue",
    "worker-silent",
)


@dataclass(frozen=True, slots=True)
class Task:
    """One open or closed task; (`kind`, `subject`) exists once while open."""

    id: str
    kind: str  # "review", "extend-or-lift", "no-forecast", "worker-silent", "not-seen", "overdue-update" …
    subject: str  # id of the warning, source, dispatch … it is about
    opened_at: datetime
    due_at: datetime | None = None
    closed_at: datetime | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    owner: str | None = None  # for whom it waits now; None: whoever is on duty
    acknowledged_at: datetime | None = None
    acknowledged_by: str | None = None
