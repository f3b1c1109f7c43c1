"""From forecast to level: forecasts, assessments and the rule sets they used."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind, RawFile
from geowarn.domain.rules import RuleSet
from geowarn.ports import Activation
from geowarn.store.repositories.base import AnyRow, Repository, values_of
from geowarn.store.tables import (
    assessment,
    assessment_run,
    forecast,
    rule_activation,
    rule_set,
)

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
    "part",
    "origin",
)


def _forecast(row: AnyRow) -> Forecast:
    values = row._mapping
    kinds = {RainKind.FORECAST: values["has_forecast"], RainKind.OBSERVED: values["has_observed"]}
    return Forecast(
        **{name: values[name] for name in _FORECAST_PLAIN},
        coverage=Period(values["covers_from"], values["covers_to"]),
        kinds=frozenset(kind for kind, held in kinds.items() if held),
        **_handed_to_reader(values["files"]),
    )


def _handed_to_reader(kept: Any) -> dict[str, Any]:
    """The column `files`: a list of names and digests, beside the reader's options where there are any."""
    files, options = (kept["files"], kept["options"]) if isinstance(kept, dict) else (kept, {})
    return {
        "files": tuple(RawFile(name, digest) for name, digest in files),
        "options": tuple(sorted(options.items())),
    }


class SqlForecasts(Repository):
    """`ports.Forecasts`."""

    def add(self, given: Forecast) -> None:
        """Add one; its id must be new."""
        files = [[file.name, file.digest] for file in given.files]
        row = {name: getattr(given, name) for name in _FORECAST_PLAIN} | {
            "covers_from": given.coverage.start,
            "covers_to": given.coverage.end,
            "has_forecast": RainKind.FORECAST in given.kinds,
            "has_observed": RainKind.OBSERVED in given.kinds,
            "files": {"files": files, "options": dict(given.options)} if given.options else files,
        }
        self._add(forecast, [row])

    def get(self, forecast_id: str) -> Forecast | None:
        """One forecast, or None."""
        row = self._row(select(forecast).where(forecast.c.id == forecast_id))
        return _forecast(row) if row else None

    def by_digest(self, payload_digest: str) -> tuple[Forecast, ...]:
        """The forecasts made of this payload, one a part, in order of part."""
        found = select(forecast).where(forecast.c.payload_digest == payload_digest)
        return tuple(_forecast(row) for row in self._rows(found.order_by(forecast.c.part, forecast.c.id)))

    def of_origin(self, origin: str, limit: int = 50) -> tuple[Forecast, ...]:
        """What one configured source brought, newest run first, then newest received."""
        order = (forecast.c.run_time.desc(), forecast.c.received_at.desc(), forecast.c.id)
        found = select(forecast).where(forecast.c.origin == origin).order_by(*order).limit(limit)
        return tuple(_forecast(row) for row in self._rows(found))

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
    "beside",
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
        """Newest first, those of the deciding model only."""
        order = (assessment_run.c.created_at.desc(), assessment_run.c.id)
        newest = select(assessment_run).where(assessment_run.c.beside.is_(None)).order_by(*order).limit(limit)
        return tuple(self._run_of(row) for row in self._rows(newest))

    def beside(self, run_id: str) -> tuple[AssessmentRun, ...]:
        """The alternates' runs made beside this one, in order of model."""
        found = select(assessment_run).where(assessment_run.c.beside == run_id)
        return tuple(self._run_of(row) for row in self._rows(found.order_by(assessment_run.c.model)))

    def between(self, start: datetime, end: datetime) -> tuple[AssessmentRun, ...]:
        """The deciding model's runs made in (start, end], oldest first."""
        made = assessment_run.c.created_at
        found = select(assessment_run).where(assessment_run.c.beside.is_(None), made > start, made <= end)
        return tuple(self._run_of(row) for row in self._rows(found.order_by(made, assessment_run.c.id)))

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
        return _rules(row) if row else None

    def all(self) -> tuple[RuleSet, ...]:
        """Every rule set kept, by name, version and digest."""
        order = (rule_set.c.name, rule_set.c.version, rule_set.c.digest)
        return tuple(_rules(row) for row in self._rows(select(rule_set).order_by(*order)))

    def activate(self, activation: Activation) -> None:
        """Switch a stored rule set on for its model."""
        self._add(rule_activation, [values_of(activation)])

    def active(self, model: str) -> Activation | None:
        """The newest activation of this model, or None; of two at one moment the later id."""
        order = (rule_activation.c.at.desc(), rule_activation.c.id.desc())
        row = self._row(select(rule_activation).where(rule_activation.c.model == model).order_by(*order).limit(1))
        return Activation(**row._mapping) if row else None


def _rules(row: AnyRow) -> RuleSet:
    return RuleSet(**{**row._mapping, "sources": tuple(row.sources)})
