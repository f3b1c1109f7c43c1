"""Hands in runs with the levels a test wants, through the real store and desk of a demo installation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.integration.conftest import SettableClock

from geowarn.bootstrap import System, config_file
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.warning import Content, HazardWarning, Proposal
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.course_held import decisions
from geowarn.pipeline.propose import propose_from_run
from geowarn.pipeline.release import release
from geowarn.pipeline.rules import load_rules
from geowarn.pipeline.signoff import sign

HAIYANG, LAIYANG, QIXIA = "370687", "370682", "370686"
GAP = None
Officer = Callable[[str], Actor]


@dataclass
class CourseDesk:
    """One installation, its people, and a clock that the runs go by."""

    system: System
    officer: Officer
    clock: SettableClock
    runs: list[str] = field(default_factory=list)

    def assessed(
        self,
        levels: Mapping[str, Level | None],
        source: str = "gfs",
        bounds: tuple[str, ...] = (),
        stale: bool = False,
    ) -> str:
        """Store a run of this hour as `assess` would; None cannot be classified, `bounds` are lower bounds."""
        now = self.clock.now()
        start = now.replace(minute=0, second=0, microsecond=0)
        number = len(self.runs) + 1
        forecast = Forecast(
            f"f{number:06d}", "csv", source, "x.csv", sha256_hex(f"{number}"), now, start - timedelta(hours=2),
            Period(start, start + timedelta(hours=48)), 1, frozenset({RainKind.FORECAST}), True,
        )  # fmt: skip
        run = AssessmentRun(
            f"t{number:06d}", forecast.id, (forecast.id,), "effrain-matrix", "effrain-matrix 1", self._rules(), "x",
            Period(start, start + timedelta(hours=24)), forecast.run_time, 2.0, now, True, False, None,
            tuple(Assessment(code, level, code in bounds, _evidence(stale)) for code, level in levels.items()),
        )  # fmt: skip
        with self.system.store.begin() as work:
            work.forecasts.add(forecast)
            work.assessments.add(run)
            work.commit()
        self.runs.append(run.id)
        return run.id

    def _rules(self) -> str:
        rules = load_rules(config_file(self.system.data_dir, self.system.settings.hazard.rules))
        with self.system.store.begin() as work:
            work.rules.save(rules)
            work.commit()
        return rules.digest

    def hears(self, levels: Mapping[str, Level | None], source: str = "gfs", **more: Any) -> Proposal | None:
        """A run comes and is decided on."""
        return propose_from_run(self.system.desk, self.assessed(levels, source, **more))

    def must_hear(self, levels: Mapping[str, Level | None], source: str = "gfs", **more: Any) -> Proposal:
        """A run comes and makes a version."""
        proposal = self.hears(levels, source, **more)
        assert proposal is not None
        return proposal

    def signed_and_released(self, warning_id: str) -> None:
        """Every role signs, the officer on duty releases."""
        content = self.newest(warning_id).content
        for role in self.system.policy.required(content):
            sign(self.system.desk, warning_id, self.officer({"duty-officer": "duty"}.get(role.value, role.value)))
        release(self.system.desk, warning_id, self.officer("duty"))

    def newest(self, warning_id: str) -> Proposal:
        with self.system.store.read() as work:
            return work.proposals.of_warning(warning_id)[0]

    def warnings(self) -> tuple[HazardWarning, ...]:
        with self.system.store.read() as work:
            return work.warnings.all()

    def tasks(self) -> dict[str, Mapping[str, Any]]:
        with self.system.store.read() as work:
            return {task.kind: task.facts for task in work.tasks.pending()}

    def records(self, warning_id: str) -> tuple[dict[str, Any], ...]:
        with self.system.store.read() as work:
            return decisions(work, warning_id)

    def because(self, warning_id: str) -> dict[str, str]:
        return {fact["code"]: fact["because"] for fact in self.records(warning_id)[-1]["areas"]}


def levels(content: Content) -> dict[str, Level]:
    return {area.code: area.level for area in content.areas}


def _evidence(stale: bool) -> dict[str, Any]:
    return {"model": "effrain-matrix", "stale": stale}
