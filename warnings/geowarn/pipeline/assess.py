"""Rain to levels: gathers what may fill the window, runs the model, stores the run with its rules and ledger entry."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from geowarn.domain.area import Area, by_code
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.canonical import canonical_json, sha256_hex
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Forecast, RainKind
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.area_choice import areas_digest, closure, select_areas
from geowarn.pipeline.rain_inputs import Decoder, choose_window, observations, observed_fields
from geowarn.pipeline.rules import parse_rules
from geowarn.ports import Clock, HazardModel, Rain, Reader, Store, Templates, UnitOfWork


def assess(
    store: Store,
    clock: Clock,
    readers: Mapping[str, Reader],
    models: Mapping[str, HazardModel],
    raw_dir: Path,
    cache_dir: Path | None,
    forecast_id: str,
    *,
    rules: RuleSet,
    model: str,
    window_hours: int,
    at: datetime | None = None,
    area_codes: Sequence[str] | None = None,
    stale_reason: str | None = None,
    synthetic_installation: bool = False,
    actor_text: str,
) -> AssessmentRun:
    """Assess one stored forecast and keep the run; `at` is the start of the window.

    `area_codes` are codes or kinds; None takes every area except cities, which only hold the others together.
    Raises Refused for a run over the rule set's `refuse_hours` unless `stale_reason` is given.
    """
    chosen = _model(models, model, rules)
    if not 1 <= window_hours <= 24:
        raise Refused("assess.window", hours=window_hours)
    now = clock.now()
    decoder = Decoder(readers, raw_dir)
    with store.read() as work:
        forecast = _forecast(work, forecast_id)
        areas = _areas(work)
    _refuse_stale(forecast, now, rules, stale_reason)
    fields = decoder.fields(forecast)
    window = choose_window(fields, window_hours, at, now)
    with store.read() as work:
        rows = observations(work, forecast, window, chosen.history_hours(rules))
    rain = Rain(forecast, fields, observed_fields(decoder, rows))
    selected = select_areas(areas, area_codes)
    found = chosen.assess(closure(areas, selected), rain, window, rules, cache_dir)
    run = AssessmentRun(
        id="",
        forecast_id=forecast.id,
        inputs=(forecast.id, *(row.id for row in rows)),
        model=model,
        rules=f"{rules.name} {rules.version}",
        rules_digest=rules.digest,
        areas_digest=areas_digest(areas),
        window=window,
        run_time=forecast.run_time,
        age_hours=_age(forecast, now),
        created_at=now,
        synthetic=synthetic_installation or any(row.synthetic for row in (forecast, *rows)),
        calibrated=rules.calibrated,
        stale_reason=stale_reason,
        assessments=_dated(found, selected, forecast, now, window, rules),
    )
    return _keep(store, run, rules, actor_text)


class Replay(NamedTuple):
    """A stored run beside the same input worked out again; their `areas_digest` explains an honest difference."""

    stored: AssessmentRun
    recomputed: AssessmentRun
    equal: bool


def replay(
    store: Store,
    readers: Mapping[str, Reader],
    models: Mapping[str, HazardModel],
    raw_dir: Path,
    cache_dir: Path | None,
    run_id: str,
    *,
    rules: RuleSet | None = None,
) -> Replay:
    """Work a stored run out again from its stored inputs, with its own rules or with others; stores nothing.

    Other rules may look further back: they get every observation that was there when the run was made.
    """
    decoder = Decoder(readers, raw_dir)
    with store.read() as work:
        stored = work.assessments.get(run_id)
        if stored is None:
            raise NotFound("assess.unknown-run", run=run_id)
        used = rules or work.rules.get(stored.rules_digest)
        if used is None:
            raise Refused("assess.rules-missing", run=run_id, digest=stored.rules_digest)
        forecast, *rows = [_forecast(work, one) for one in stored.inputs]
        chosen = _model(models, stored.model, used)
        if used.digest != stored.rules_digest:
            near = observations(work, forecast, stored.window, chosen.history_hours(used))
            rows = [row for row in near if row.received_at <= stored.created_at]
        areas = _areas(work)
    if rules is None:  # the kept text decides, not how a store happened to keep its numbers
        used = parse_rules(used.text.encode(), used.name)
    rain = Rain(forecast, decoder.fields(forecast), observed_fields(decoder, rows))
    known = by_code(areas)
    selected = [known[one.area] for one in stored.assessments if one.area in known]
    found = chosen.assess(closure(areas, selected), rain, stored.window, used, cache_dir)
    again = replace(
        stored,
        inputs=(forecast.id, *(row.id for row in rows)),
        rules=f"{used.name} {used.version}",
        rules_digest=used.digest,
        areas_digest=areas_digest(areas),
        calibrated=used.calibrated,
        assessments=_dated(found, selected, forecast, stored.created_at, stored.window, used),
    )
    return Replay(stored, again, _plain(stored) == _plain(again))


def evidence_sentence(templates: Templates, assessment: Assessment, language: str, zone: str = "UTC") -> str:
    """The evidence of one area as a sentence that can be checked with a pencil; times in `zone`."""
    return _sentence(templates, assessment, language, zone, "")


def evidence_short(templates: Templates, assessment: Assessment, language: str, zone: str = "UTC") -> str:
    """The evidence for a table's row: the sum, the rain class and the terrain."""
    return _sentence(templates, assessment, language, zone, ".short")


def _sentence(templates: Templates, assessment: Assessment, language: str, zone: str, form: str) -> str:
    name = f"evidence/{assessment.evidence['model']}{form}.{language}.txt.j2"
    level = None if assessment.level is None else assessment.level.code
    roman = "" if assessment.level is None else assessment.level.roman
    facts = {"e": assessment.evidence, "level": level, "roman": roman, "lower_bound": assessment.lower_bound}
    text = " ".join(templates.render(name, **facts, zone=zone, moment=datetime.fromisoformat).split())
    return text.replace("。 ", "。")


def _model(models: Mapping[str, HazardModel], name: str, rules: RuleSet) -> HazardModel:
    if name not in models:
        raise Refused("assess.no-model", model=name, known=", ".join(sorted(models)))
    if rules.model != name:
        raise Refused("assess.wrong-rules", rules=f"{rules.name} {rules.version}", wanted=rules.model, model=name)
    models[name].check(rules)
    return models[name]


def _forecast(work: UnitOfWork, forecast_id: str) -> Forecast:
    found = work.forecasts.get(forecast_id)
    if found is None:
        raise NotFound("assess.unknown-forecast", forecast=forecast_id)
    return found


def _areas(work: UnitOfWork) -> tuple[Area, ...]:
    areas = work.areas.all()
    if not areas:
        raise Refused("assess.no-areas")
    return areas


def _age(forecast: Forecast, now: datetime) -> float:
    return (now - forecast.run_time).total_seconds() / 3600


def _refuse_stale(forecast: Forecast, now: datetime, rules: RuleSet, reason: str | None) -> None:
    """Observed rain does not age; a forecast is as old as its run, whenever it was fetched."""
    limit = float(rules.parameters.get("refuse_hours", 24))
    age = _age(forecast, now)
    if RainKind.FORECAST in forecast.kinds and age > limit and not (reason or "").strip():
        run_time = forecast.run_time.isoformat(timespec="minutes")
        facts = {"forecast": forecast.id, "source": forecast.source, "age": f"{age:.1f}", "limit": f"{limit:g}"}
        raise Refused("assess.stale", **facts, run_time=run_time)


def _dated(
    found: Sequence[Assessment],
    selected: Sequence[Area],
    forecast: Forecast,
    now: datetime,
    window: Period,
    rules: RuleSet,
) -> tuple[Assessment, ...]:
    """The selected areas' assessments with the age of the run and whether it is stale."""
    parameters = rules.parameters
    nowcast = window.hours <= float(parameters.get("nowcast_hours", 6))
    limit = float(parameters.get("nowcast_stale_hours", 1) if nowcast else parameters.get("stale_hours", 12))
    age = _age(forecast, now)
    facts = {"age_hours": age, "stale": RainKind.FORECAST in forecast.kinds and age > limit}
    wanted = {area.code for area in selected}
    return tuple(replace(one, evidence={**one.evidence, **facts}) for one in found if one.area in wanted)


def _keep(store: Store, run: AssessmentRun, rules: RuleSet, actor_text: str) -> AssessmentRun:
    with store.begin() as work:
        kept = replace(run, id=f"a{work.counters.next('assessment'):06d}")
        work.rules.save(rules)
        work.assessments.add(kept)
        work.ledger.append(run.created_at, actor_text, "assessment.made", kept.id, _summary(kept))
        work.commit()
    return kept


def _summary(run: AssessmentRun) -> dict[str, object]:
    levels = {one.area: None if one.level is None else one.level.code for one in run.assessments}
    return {
        "assessment": run.id,
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
        "result_digest": sha256_hex(_plain(run)),
    }


def _plain(run: AssessmentRun) -> str:
    """Levels and evidence as canonical JSON: what `bit for bit` compares."""
    return canonical_json(
        [
            [one.area, None if one.level is None else one.level.code, one.lower_bound, _jsonable(one.evidence)]
            for one in run.assessments
        ]
    )


def _jsonable(evidence: Mapping[str, object]) -> object:
    return json.loads(json.dumps(dict(evidence)))
