"""Hands in runs whose rain gives the levels a test wants, through the real model, store and desk of a demo."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from tests.integration.conftest import SettableClock, signed

from geowarn.bootstrap import System, config_file
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.canonical import sha256_hex
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, Forecast, RainField, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.domain.warning import Content, HazardWarning, Proposal
from geowarn.hazard.effrain_matrix import EffrainMatrix
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.course_held import decisions
from geowarn.pipeline.propose import propose_from_run
from geowarn.pipeline.release import release
from geowarn.pipeline.rules import load_rules
from geowarn.ports import Rain

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
        now, rules = self.clock.now(), self._rules()
        start = now.replace(minute=0, second=0, microsecond=0)
        number, window = len(self.runs) + 1, Period(start, start + timedelta(hours=24))
        forecast = Forecast(
            f"f{number:06d}", "csv", source, "x.csv", sha256_hex(f"{number}"), now, start - timedelta(hours=2),
            window, 1, frozenset({RainKind.FORECAST}), True,
        )  # fmt: skip
        rain = Rain(forecast, (_rain(forecast, levels),), _observed(forecast, levels, bounds))
        with self.system.store.begin() as work:
            areas = [area for area in work.areas.all() if area.code in levels]
            found = EffrainMatrix().assess(areas, rain, window, rules, None)
            assert {one.area: one.level for one in found} == dict(levels)
            facts = {"stale": stale, "age_hours": 2.0}
            run = AssessmentRun(
                f"t{number:06d}", forecast.id, (forecast.id,), "effrain-matrix", "effrain-matrix 1", rules.digest, "x",
                window, forecast.run_time, 2.0, now, True, False, None,
                tuple(replace(one, evidence={**one.evidence, **facts}) for one in found),
            )  # fmt: skip
            work.rules.save(rules)
            work.forecasts.add(forecast)
            work.assessments.add(run)
            work.commit()
        self.runs.append(run.id)
        return run.id

    def _rules(self) -> RuleSet:
        return load_rules(config_file(self.system.data_dir, self.system.settings.hazard.rules))

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
            signed(self.system, warning_id, self.officer({"duty-officer": "duty"}.get(role.value, role.value)))
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


# Rain that gives each level on terrain of medium susceptibility without antecedent rain; None: not known.
_MM: dict[Level | None, float] = {
    Level.NONE: 10, Level.BLUE: 80, Level.YELLOW: 120, Level.ORANGE: 200, Level.RED: 260, None: math.nan,
}  # fmt: skip


def _rain(forecast: Forecast, levels: Mapping[str, Level | None]) -> RainField:
    values = [_MM[level] for level in levels.values()]
    units = AreaUnits(tuple(levels))
    return RainField(forecast.coverage, units, values, RainKind.FORECAST, forecast.source, forecast.run_time)


def _observed(forecast: Forecast, levels: Mapping[str, Level | None], bounds: tuple[str, ...]) -> tuple[RainField, ...]:
    """Four dry days before the window; nothing is known of the areas in `bounds`."""
    values = [math.nan if code in bounds else 0.0 for code in levels]
    begin = forecast.coverage.start
    return tuple(
        RainField(
            Period.ending(begin - timedelta(days=day), 24), AreaUnits(tuple(levels)), values, RainKind.OBSERVED,
            "gauges", begin,
        )
        for day in range(4)
    )  # fmt: skip
