"""Rain to levels: gathers what may fill the window, runs the models, keeps each run with its rules and ledger entry."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from geowarn.catalogue import say
from geowarn.domain.area import by_code
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.alternates import (
    Alternate,
    denied_beside,
    keep_beside,
    keep_together,
    raised_as_stored,
    raised_by_policy,
    raised_with_others,
    work_out_beside,
)
from geowarn.pipeline.area_choice import areas_digest, closure
from geowarn.pipeline.assess_run import (
    Order,
    areas_of,
    dated,
    fitting_model,
    forecast_of,
    is_nowcast,
    keep_alone,
    material_of,
    plain,
    work_out,
)
from geowarn.pipeline.rain_inputs import Decoder, observations, observed_fields
from geowarn.pipeline.rules import parse_rules
from geowarn.pipeline.second_trigger import trigger_sentence
from geowarn.ports import Clock, HazardModel, Rain, Reader, Store, Templates


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
    """Assess one stored forecast with one model and keep the run; see `assess_all`."""
    return assess_all(
        store,
        clock,
        readers,
        models,
        raw_dir,
        cache_dir,
        forecast_id,
        rules=rules,
        model=model,
        also=(),
        window_hours=window_hours,
        at=at,
        area_codes=area_codes,
        stale_reason=stale_reason,
        synthetic_installation=synthetic_installation,
        actor_text=actor_text,
    )[0]


def assess_all(
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
    also: Sequence[Alternate],
    window_hours: int,
    at: datetime | None = None,
    area_codes: Sequence[str] | None = None,
    stale_reason: str | None = None,
    synthetic_installation: bool = False,
    max_of_models: bool = False,
    second_trigger: Sequence[str] = (),
    decided: Callable[[AssessmentRun], object] = lambda run: None,
    actor_text: str,
) -> tuple[AssessmentRun, ...]:
    """Assess one stored forecast with the deciding model and every alternate; the deciding run comes first.

    `at` is the start of the window. `area_codes` are codes or kinds; None takes every area except cities, which only
    hold the others together. Raises Refused as the deciding model does, and for a run over its rule set's
    `refuse_hours` unless `stale_reason` is given. An alternate that refuses or fails is noted in the ledger.
    `max_of_models`: an alternate's higher level decides. `second_trigger`: these alternates may raise a nowcast window
    by one level. Without either the deciding run is kept, and `decided` called with it, before any alternate is begun:
    nobody waits for them.
    """
    order = Order(window_hours, at, area_codes, stale_reason, synthetic_installation)
    chosen = fitting_model(models, model, rules)
    material = material_of(store, Decoder(readers, raw_dir), forecast_id, order, clock.now())
    deciding = work_out(material, chosen, rules, cache_dir)
    triggers = set(second_trigger) if is_nowcast(material.window, rules) else set()
    if max_of_models or triggers:
        made = [work_out_beside(material, models, one, cache_dir) for one in also]
        named = [found for one, found in zip(also, made, strict=True) if one.name in triggers]
        raised = raised_by_policy(deciding, named, made if max_of_models else None)
        return keep_together(store, raised, rules, made, decided, actor_text)
    kept = keep_alone(store, deciding, rules, actor_text)
    try:
        decided(kept)
    finally:
        others = [
            keep_beside(store, kept, work_out_beside(material, models, one, cache_dir), actor_text) for one in also
        ]
    return kept, *(run for run in others if run is not None)


def assess_beside(
    store: Store,
    readers: Mapping[str, Reader],
    models: Mapping[str, HazardModel],
    raw_dir: Path,
    cache_dir: Path | None,
    run: AssessmentRun,
    *,
    also: Sequence[Alternate],
    synthetic_installation: bool,
    actor_text: str,
) -> int:
    """Make what a crash left out beside a kept run, as of the moment that run was made; returns how many are new."""
    with store.read() as work:
        made = {one.rules_digest for one in work.assessments.beside(run.id)}
        denied = {one.name for one in denied_beside(work, run.id)}
    missing = [one for one in also if one.name not in denied and _digest_of(one) not in made]
    if not missing or raised_with_others(run):
        return 0
    codes = [one.area for one in run.assessments]
    order = Order(round(run.window.hours), run.window.start, codes, run.stale_reason, synthetic_installation)
    material = material_of(store, Decoder(readers, raw_dir), run.forecast_id, order, run.created_at)
    for one in missing:
        keep_beside(store, run, work_out_beside(material, models, one, cache_dir), actor_text)
    return len(missing)


def _digest_of(alternate: Alternate) -> str:
    """What the alternate's rules are known by; empty where they cannot be read, which is then noted."""
    try:
        return alternate.load().digest
    except Refused:
        return ""


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
        forecast, *rows = [forecast_of(work, one) for one in stored.inputs]
        chosen = fitting_model(models, stored.model, used)
        if used.digest != stored.rules_digest:
            near = observations(work, forecast, stored.window, chosen.history_hours(used))
            rows = [row for row in near if row.received_at <= stored.created_at]
        areas = areas_of(work)
        beside = [run.id for run in work.assessments.beside(run_id)] if raised_with_others(stored) else []
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
        assessments=dated(found, selected, forecast, stored.created_at, stored.window, used),
    )
    if raised_with_others(stored):
        others = [replay(store, readers, models, raw_dir, cache_dir, one).recomputed for one in beside]
        again = raised_as_stored(stored, again, others)
    return Replay(stored, again, plain(stored) == plain(again))


def evidence_sentence(templates: Templates, assessment: Assessment, language: str, zone: str = "UTC") -> str:
    """The evidence of one area as a sentence that can be checked with a pencil; times in `zone`."""
    return _sentence(templates, assessment, language, zone, "")


def evidence_short(templates: Templates, assessment: Assessment, language: str, zone: str = "UTC") -> str:
    """The evidence for a table's row: the sum, the rain class and the terrain."""
    return _sentence(templates, assessment, language, zone, ".short")


def _sentence(templates: Templates, assessment: Assessment, language: str, zone: str, form: str) -> str:
    """From the model's template; a third party's model may bring its sentence along, `sentence` {zh, en}."""
    evidence = assessment.evidence
    level = None if assessment.level is None else assessment.level.code
    roman = "" if assessment.level is None else assessment.level.roman
    facts = {"e": evidence, "level": level, "roman": roman, "lower_bound": assessment.lower_bound}
    if isinstance(own := evidence.get("sentence"), Mapping):
        text = str(own.get(language) or own.get("en") or "")
    else:
        name = f"evidence/{evidence['model']}{form}.{language}.txt.j2"
        text = templates.render(name, **facts, zone=zone, moment=datetime.fromisoformat)
    text = f"{text} {trigger_sentence(evidence, language, short=bool(form))}"
    policy = evidence.get("max_of_models")
    if policy and (policy["by"] or not form):
        text = f"{text} {_policy_sentence(policy['by'], language)}"
    return " ".join(text.split()).replace("。 ", "。")


def _policy_sentence(by: Mapping[str, str] | None, language: str) -> str:
    """That the highest of all models decides, and whose level it is."""
    if by is None:
        return say("models.highest-own", language)
    level = say(f"models.level-{by['level']}", language)
    return say("models.highest-other", language, model=by["model"], rules=by["rules"], level=level)
