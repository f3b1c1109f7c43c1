"""The scheduler's part for assessments: which run decides now, its levels, and what they call for."""

from __future__ import annotations

import threading

from geowarn.bootstrap import System, active_rules
from geowarn.domain.assessment import AssessmentRun
from geowarn.domain.source_choice import Choice
from geowarn.pipeline.area_choice import select_areas
from geowarn.pipeline.assess import assess_all, assess_beside
from geowarn.pipeline.decide import deciding_run, propose_once, tell_fallback, whole_run
from geowarn.pipeline.propose import follow_course


class AssessTicks:
    """Assesses what decides, once for each run; `owner` names the process in the marks it sets."""

    def __init__(self, system: System, owner: str) -> None:
        self._system, self._owner = system, owner
        self._one_at_a_time = threading.Lock()  # two jobs that decide at once would assess the same run twice

    def newest(self) -> None:
        """Assess the run that decides now, unless that was done, and propose what the runs now call for."""
        with self._one_at_a_time:
            chosen = self._decided().chosen
            run = self._assessed(chosen.forecast_id) if chosen is not None else None
            if chosen is not None and run is None:
                self._assess(chosen.forecast_id)
                return
            if run is None or not propose_once(self._system.desk, run, self._owner):
                follow_course(self._system.desk)
            if run is not None:
                self._complete(run)

    def _decided(self) -> Choice:
        """The run that decides now; says so where it is a fall-back's."""
        system, now = self._system, self._system.clock.now()
        rules = active_rules(system)
        sources = tuple(system.sources.values())
        with system.store.begin() as work:
            choice = deciding_run(work, sources, now, float(rules.parameters.get("refuse_hours", 24)))
            if tell_fallback(work, sources, choice, now):
                work.commit()
        return choice

    def _assessed(self, forecast_id: str) -> AssessmentRun | None:
        with self._system.store.read() as work:
            areas = len(select_areas(work.areas.all(), None))
            hours = self._system.settings.hazard.window_hours
            return whole_run(work, forecast_id, areas, hours, active_rules(self._system).digest)

    def _complete(self, run: AssessmentRun) -> None:
        """Make the alternates that a crash left out beside a run."""
        system = self._system
        assess_beside(
            system.store,
            system.readers,
            system.models,
            system.raw_dir,
            system.cache_dir,
            run,
            also=system.alternates(),
            synthetic_installation=system.settings.installation.synthetic,
            actor_text="scheduler",
        )

    def _assess(self, forecast_id: str) -> None:
        """Assess with every model; the deciding one proposes before any other is begun."""
        system = self._system
        assess_all(
            system.store,
            system.clock,
            system.readers,
            system.models,
            system.raw_dir,
            system.cache_dir,
            forecast_id,
            rules=active_rules(system),
            model=system.settings.hazard.model,
            also=system.alternates(),
            max_of_models=system.settings.hazard.max_of_models,
            second_trigger=system.settings.hazard.second_trigger,
            window_hours=system.settings.hazard.window_hours,
            at=None,
            area_codes=None,
            stale_reason=None,
            synthetic_installation=system.settings.installation.synthetic,
            decided=lambda run: propose_once(system.desk, run, self._owner),
            actor_text="scheduler",
        )
