"""One model's run over rain that is decoded once: worked out, dated, found sound, and kept with its ledger entry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from pathlib import Path

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainField, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.area_choice import areas_digest, closure, select_areas
from geowarn.pipeline.rain_inputs import Decoder, choose_window, observations
from geowarn.ports import HazardModel, Rain, Store, UnitOfWork


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for, the same for every model: window, areas, and why a stale run is allowed."""

    window_hours: int
    at: datetime | None
    area_codes: Sequence[str] | None
    stale_reason: str | None
    synthetic_installation: bool


@dataclass
class Material:
    """One stored forecast and the installation's areas; every payload is decoded once, however many models ask."""

    store: Store
    decoder: Decoder
    forecast: Forecast
    areas: tuple[Area, ...]
    order: Order
    now: datetime
    _decoded: dict[str, tuple[RainField, ...]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[RainField, ...]:
        """The assessed forecast's own."""
        return self.decoder.fields(self.forecast)

    @cached_property
    def window(self) -> Period:
        """The assessed window."""
        return choose_window(self.fields, self.order.window_hours, self.order.at, self.now)

    def rain(self, history_hours: int) -> tuple[Rain, list[Forecast]]:
        """The rain for a model that looks back so far, and the observations it was taken from."""
        with self.store.read() as work:
            rows = observations(work, self.forecast, self.window, history_hours)
        observed = tuple(one for row in rows for one in self._observed(row))
        return Rain(self.forecast, self.fields, observed), rows

    def _observed(self, row: Forecast) -> tuple[RainField, ...]:
        if row.id not in self._decoded:
            self._decoded[row.id] = self.decoder.fields(row)
        return tuple(one for one in self._decoded[row.id] if one.kind is RainKind.OBSERVED)


def material_of(store: Store, decoder: Decoder, forecast_id: str, order: Order, now: datetime) -> Material:
    """The material of one order; raises NotFound or Refused. Nothing is decoded yet."""
    if not 1 <= order.window_hours <= 24:
        raise Refused("assess.window", hours=order.window_hours)
    with store.read() as work:
        return Material(store, decoder, forecast_of(work, forecast_id), areas_of(work), order, now)


def work_out(material: Material, model: HazardModel, rules: RuleSet, cache_dir: Path | None) -> AssessmentRun:
    """One model's run, not kept yet; raises Refused for a run that is too old, or a result that is not sound."""
    forecast, now, order = material.forecast, material.now, material.order
    refuse_stale(forecast, now, rules, order.stale_reason)
    rain, rows = material.rain(model.history_hours(rules))
    selected = select_areas(material.areas, order.area_codes)
    near = closure(material.areas, selected)
    found = model.assess(near, rain, material.window, rules, cache_dir)
    refuse_unsound(rules.model, near, found)
    return AssessmentRun(
        id="",
        forecast_id=forecast.id,
        inputs=(forecast.id, *(row.id for row in rows)),
        model=rules.model,
        rules=f"{rules.name} {rules.version}",
        rules_digest=rules.digest,
        areas_digest=areas_digest(material.areas),
        window=material.window,
        run_time=forecast.run_time,
        age_hours=age_of(forecast, now),
        created_at=now,
        synthetic=order.synthetic_installation or any(row.synthetic for row in (forecast, *rows)),
        calibrated=rules.calibrated,
        stale_reason=order.stale_reason,
        assessments=dated(found, selected, forecast, now, material.window, rules),
    )


def fitting_model(models: Mapping[str, HazardModel], name: str, rules: RuleSet) -> HazardModel:
    """The model of this name with rules that are its own and fit it; raises Refused."""
    if name not in models:
        raise Refused("assess.no-model", model=name, known=", ".join(sorted(models)))
    if rules.model != name:
        raise Refused("assess.wrong-rules", rules=f"{rules.name} {rules.version}", wanted=rules.model, model=name)
    models[name].check(rules)
    return models[name]


def forecast_of(work: UnitOfWork, forecast_id: str) -> Forecast:
    """A stored forecast; raises NotFound."""
    found = work.forecasts.get(forecast_id)
    if found is None:
        raise NotFound("assess.unknown-forecast", forecast=forecast_id)
    return found


def areas_of(work: UnitOfWork) -> tuple[Area, ...]:
    """All areas; raises Refused where there are none."""
    areas = work.areas.all()
    if not areas:
        raise Refused("assess.no-areas")
    return areas


def age_of(forecast: Forecast, now: datetime) -> float:
    """Hours since the run."""
    return (now - forecast.run_time).total_seconds() / 3600


def refuse_stale(forecast: Forecast, now: datetime, rules: RuleSet, reason: str | None) -> None:
    """Observed rain does not age; a forecast is as old as its run, whenever it was fetched."""
    limit = float(rules.parameters.get("refuse_hours", 24))
    age = age_of(forecast, now)
    if RainKind.FORECAST in forecast.kinds and age > limit and not (reason or "").strip():
        run_time = forecast.run_time.isoformat(timespec="minutes")
        facts = {"forecast": forecast.id, "source": forecast.source, "age": f"{age:.1f}", "limit": f"{limit:g}"}
        raise Refused("assess.stale", **facts, run_time=run_time)


def refuse_unsound(model: str, areas: Sequence[Area], found: Sequence[Assessment]) -> None:
    """A third party's model may be wrong: one finding an area in their order, and levels of ours."""
    if [one.area for one in found] != [area.code for area in areas]:
        raise Refused("models.unsound", model=model, area="-", reason=f"{len(found)} findings, {len(areas)} areas")
    for one in found:
        if not (one.level is None or isinstance(one.level, Level)):
            raise Refused("models.unsound", model=model, area=one.area, reason=f"level {one.level!r}")


def refuse_unsound_evidence(run: AssessmentRun) -> None:
    """Evidence names its model and is plain JSON."""
    for one in run.assessments:
        if one.evidence.get("model") != run.model:
            raise Refused("models.unsound", model=run.model, area=one.area, reason="evidence.model")
        try:
            json.dumps(dict(one.evidence), allow_nan=False)
        except (TypeError, ValueError) as error:
            raise Refused("models.unsound", model=run.model, area=one.area, reason=str(error)) from None


def is_nowcast(window: Period, rules: RuleSet) -> bool:
    """Whether a window is as short as the rule set's `nowcast_hours`, 6 where it names none."""
    return window.hours <= float(rules.parameters.get("nowcast_hours", 6))


def dated(
    found: Sequence[Assessment],
    selected: Sequence[Area],
    forecast: Forecast,
    now: datetime,
    window: Period,
    rules: RuleSet,
) -> tuple[Assessment, ...]:
    """The selected areas' assessments with the age of the run and whether it is stale."""
    parameters = rules.parameters
    nowcast = is_nowcast(window, rules)
    limit = float(parameters.get("nowcast_stale_hours", 1) if nowcast else parameters.get("stale_hours", 12))
    age = age_of(forecast, now)
    facts = {"age_hours": age, "stale": RainKind.FORECAST in forecast.kinds and age > limit}
    wanted = {area.code for area in selected}
    return tuple(replace(one, evidence={**one.evidence, **facts}) for one in found if one.area in wanted)


def keep(work: UnitOfWork, run: AssessmentRun, rules: RuleSet, actor_text: str) -> AssessmentRun:
    """Store a run with its rules and its ledger entry in this transaction."""
    kept = replace(run, id=f"a{work.counters.next('assessment'):06d}")
    work.rules.save(rules)
    work.assessments.add(kept)
    work.ledger.append(run.created_at, actor_text, "assessment.made", kept.id, _summary(kept))
    return kept


def keep_alone(store: Store, run: AssessmentRun, rules: RuleSet, actor_text: str) -> AssessmentRun:
    """Store a run in a transaction of its own."""
    with store.begin() as work:
        found = keep(work, run, rules, actor_text)
        work.commit()
    return found


def _summary(run: AssessmentRun) -> dict[str, object]:
    levels = {one.area: None if one.level is None else one.level.code for one in run.assessments}
    return {
        "assessment": run.id,
        "beside": run.beside,
        "inputs": list(run.inputs),
        "model": run.model,
        "rules": run.rules,
        "rules_digest": run.rules_digest,
        "areas_digest": run.areas_digest,
        "window": [run.window.start.isoformat(), run.window.end.isoformat()],
        "levels": levels,
        "lower_bounds": [one.area for one in run.assessments if one.lower_bound],
        "stale_reason": run.stale_reason,
        "synthetic": run.synthetic,
        "result_digest": sha256_hex(plain(run)),
    }


def plain(run: AssessmentRun) -> str:
    """Levels and evidence as canonical JSON: what `bit for bit` compares."""
    return canonical_json(
        [
            [one.area, None if one.level is None else one.level.code, one.lower_bound, _jsonable(one.evidence)]
            for one in run.assessments
        ]
    )


def _jsonable(evidence: Mapping[str, object]) -> object:
    return json.loads(json.dumps(dict(evidence)))
