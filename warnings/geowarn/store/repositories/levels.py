"""From forecast to level: forecasts, assessments and the rule sets they used."""

from __future__ import annotations

from sqlalchemy import select

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.store.repositories.base import AnyRow, Repository
from geowarn.store.tables import assessment, assessment_run, forecast, rule_set

_FORECAST_PLAIN = (
    "id",
    "reader",
    "source",
    "file_name",
    "payload_digest",
    "received_at",
    "run_time",
    "fields",
    "synthetic",
)


def _forecast(row: AnyRow) -> Forecast:
    values = row._mapping
    kinds = {RainKind.FORECAST: values["has_forecast"], RainKind.OBSERVED: values["has_observed"]}
    return Forecast(
        **{name: values[name] for name in _FORECAST_PLAIN},
        coverage=Period(values["covers_from"], values["covers_to"]),
        kinds=frozenset(kind for kind, held in kinds.items() if held),
    )


class SqlForecasts(Repository):
    """`ports.Forecasts`."""

    def add(self, given: Forecast) -> None:
        """Add one; its id must be new."""
        row = {name: getattr(given, name) for name in _FORECAST_PLAIN} | {
            "covers_from": given.coverage.start,
            "covers_to": given.coverage.end,
            "has_forecast": RainKind.FORECAST in given.kinds,
            "has_observed": RainKind.OBSERVED in given.kinds,
        }
        self._add(forecast, [row])

    def get(self, forecast_id: str) -> Forecast | None:
        """One forecast, or None."""
        row = self._row(select(forecast).where(forecast.c.id == forecast_id))
        return _forecast(row) if row else None

    def by_digest(self, payload_digest: str) -> Forecast | None:
        """The newest forecast made of this payload, or None."""
        found = select(forecast).where(forecast.c.payload_digest == payload_digest)
        row = self._row(found.order_by(forecast.c.received_at.desc(), forecast.c.id).limit(1))
        return _forecast(row) if row else None

    def covering(self, period: Period, kind: RainKind) -> tuple[Forecast, ...]:
        """Forecasts of `kind` whose coverage overlaps `period`, newest received first."""
        holds = forecast.c.has_forecast if kind is RainKind.FORECAST else forecast.c.has_observed
        found = select(forecast).where(holds, forecast.c.covers_from < period.end, forecast.c.covers_to > period.start)
        newest = found.order_by(forecast.c.received_at.desc(), forecast.c.id)
        return tuple(_forecast(row) for row in self._rows(newest))

    def latest(self, limit: int = 50) -> tuple[Forecast, ...]:
        """Newest received first."""
        newest = select(forecast).order_by(forecast.c.received_at.desc(), forecast.c.id).limit(limit)
        return tuple(_forecast(row) for row in self._rows(newest))


_RUN_PLAIN = (
    "id",
    "forecast_id",
    "model",
    "rules",
    "rules_digest",
    "areas_digest",
    "run_time",
    "age_hours",
    "created_at",
    "synthetic",
    "calibrated",
    "stale_reason",
)


class SqlAssessments(Repository):
    """`ports.Assessments`."""

    def add(self, run: AssessmentRun) -> None:
        """Add one run with its areas in their order; its forecast must be there, its rule set by commit."""
        row = {name: getattr(run, name) for name in _RUN_PLAIN} | {
            "inputs": list(run.inputs),
            "window_start": run.window.start,
            "window_end": run.window.end,
        }
        self._add(assessment_run, [row])
        self._add(
            assessment,
            (
                {
                    "run_id": run.id,
                    "position": position,
                    "area": found.area,
                    "level": None if found.level is None else int(found.level),
                    "lower_bound": found.lower_bound,
                    "evidence": dict(found.evidence),
                }
                for position, found in enumerate(run.assessments)
            ),
        )

    def get(self, run_id: str) -> AssessmentRun | None:
        """One run with all its areas, or None."""
        row = self._row(select(assessment_run).where(assessment_run.c.id == run_id))
        return self._run_of(row) if row else None

    def latest(self, limit: int = 20) -> tuple[AssessmentRun, ...]:
        """Newest first."""
        newest = select(assessment_run).order_by(assessment_run.c.created_at.desc(), assessment_run.c.id).limit(limit)
        return tuple(self._run_of(row) for row in self._rows(newest))

    def _run_of(self, row: AnyRow) -> AssessmentRun:
        values = row._mapping
        found = select(assessment).where(assessment.c.run_id == values["id"]).order_by(assessment.c.position)
        return AssessmentRun(
            **{name: values[name] for name in _RUN_PLAIN},
            inputs=tuple(values["inputs"]),
            window=Period(values["window_start"], values["window_end"]),
            assessments=tuple(
                Assessment(a.area, None if a.level is None else Level(a.level), a.lower_bound, a.evidence)
                for a in self._rows(found)
            ),
        )


class SqlRules(Repository):
    """`ports.Rules`."""

    def save(self, rules: RuleSet) -> None:
        """Keep this text by digest; saving it again changes nothing."""
        row = {name: getattr(rules, name) for name in rule_set.c.keys()}  # noqa: SIM118
        self._add_missing(rule_set, [{**row, "parameters": dict(rules.parameters), "sources": list(rules.sources)}])

    def get(self, digest: str) -> RuleSet | None:
        """The rule set with this digest, or None."""
        row = self._row(select(rule_set).where(rule_set.c.digest == digest))
        return RuleSet(**{**row._mapping, "sources": tuple(row.sources)}) if row else None
