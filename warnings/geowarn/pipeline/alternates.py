"""Models beside the deciding one: none of them can stop it; what refuses or fails is noted, what disagrees is shown.

With the policy "the highest of all models" an alternate can raise an area; every area's evidence then holds
`max_of_models` {on, by}: whose level it is, or null where the deciding model's own is the highest. The other policy
by which an alternate can raise is `geowarn.pipeline.second_trigger`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.assess_run import (
    Material,
    fitting_model,
    keep,
    keep_alone,
    refuse_unsound_evidence,
    work_out,
)
from geowarn.pipeline.rules import check_rules
from geowarn.pipeline.second_trigger import KEY, raised_again, raised_by_trigger
from geowarn.ports import HazardModel, Store, UnitOfWork

REFUSED_KIND = "assessment.alternate-refused"


@dataclass(frozen=True, slots=True)
class Alternate:
    """A rule set to run beside, by the name the settings give it; reading it may refuse like anything else."""

    name: str
    load: Callable[[], RuleSet]


@dataclass(frozen=True, slots=True)
class Denied:
    """An alternate that gave no result: a catalogue key with its facts."""

    name: str
    key: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Made:
    """An alternate's run, not kept yet, with its rules."""

    run: AssessmentRun
    rules: RuleSet


def work_out_beside(
    material: Material, models: Mapping[str, HazardModel], alternate: Alternate, cache_dir: Path | None
) -> Made | Denied:
    """One alternate's run; a refusal or any fault of its own comes back as a fact, never as an exception."""
    try:
        rules = alternate.load()
        check_rules(rules, models, f"{alternate.name}.toml")
        run = work_out(material, fitting_model(models, rules.model, rules), rules, cache_dir)
        refuse_unsound_evidence(run)
        return Made(run, rules)
    except Refused as refusal:
        return Denied(alternate.name, refusal.key, refusal.kept())
    except Exception as error:  # a third party's code may raise anything
        facts = {"model": alternate.name, "kind": type(error).__name__, "reason": str(error)[:300] or "-"}
        return Denied(alternate.name, "models.failed", facts)


def note_denied(work: UnitOfWork, deciding: AssessmentRun, denied: Denied, actor_text: str) -> None:
    """Keep in the ledger that an alternate gave no result beside this run, and why."""
    payload = {"alternate": denied.name, "key": denied.key, "facts": dict(denied.facts)}
    work.ledger.append(deciding.created_at, actor_text, REFUSED_KIND, deciding.id, payload)


def denied_beside(work: UnitOfWork, run_id: str) -> tuple[Denied, ...]:
    """The alternates that gave no result beside this run."""
    entries = [json.loads(e.payload) for e in work.ledger.entries(subject=run_id) if e.kind == REFUSED_KIND]
    return tuple(Denied(one["alternate"], one["key"], one["facts"]) for one in entries)


def raised_by_policy(
    deciding: AssessmentRun, triggers: Sequence[Made | Denied], all_models: Sequence[Made | Denied] | None
) -> AssessmentRun:
    """The deciding run under the policies that are on: no triggers, or None, is one that is off."""
    if triggers:
        silent = [one.name for one in triggers if isinstance(one, Denied)]
        deciding = raised_by_trigger(deciding, [one.run for one in triggers if isinstance(one, Made)], silent)
    if all_models is None:
        return deciding
    return raised_by_models(deciding, [one.run for one in all_models if isinstance(one, Made)])


def keep_together(
    store: Store,
    run: AssessmentRun,
    rules: RuleSet,
    results: Sequence[Made | Denied],
    decided: Callable[[AssessmentRun], object],
    actor_text: str,
) -> tuple[AssessmentRun, ...]:
    """A run that others may have raised, and theirs, in one transaction: it replays only beside them."""
    with store.begin() as work:
        kept = keep(work, run, rules, actor_text)
        others = [
            keep(work, replace(one.run, beside=kept.id), one.rules, actor_text)
            for one in results
            if isinstance(one, Made)
        ]
        for denied in (one for one in results if isinstance(one, Denied)):
            note_denied(work, kept, denied, actor_text)
        work.commit()
    decided(kept)
    return kept, *others


def keep_beside(store: Store, deciding: AssessmentRun, found: Made | Denied, actor_text: str) -> AssessmentRun | None:
    """Keep an alternate's run, or why there is none."""
    if isinstance(found, Made):
        return keep_alone(store, replace(found.run, beside=deciding.id), found.rules, actor_text)
    with store.begin() as work:
        note_denied(work, deciding, found, actor_text)
        work.commit()
    return None


def raised_by_models(deciding: AssessmentRun, others: Sequence[AssessmentRun]) -> AssessmentRun:
    """The deciding run under the policy "the highest of all models", which its evidence then says."""
    calibrated = deciding.calibrated and all(run.calibrated for run in others)
    found = tuple(_highest(one, others) for one in deciding.assessments)
    return replace(deciding, assessments=found, calibrated=calibrated)


def raised_with_others(run: AssessmentRun) -> bool:
    """Whether a policy let other models raise the run: it can only be worked out again together with them."""
    return any("max_of_models" in one.evidence or KEY in one.evidence for one in run.assessments)


def raised_as_stored(stored: AssessmentRun, again: AssessmentRun, others: Sequence[AssessmentRun]) -> AssessmentRun:
    """A run worked out again, under the policies that the stored one was made under."""
    raised = raised_again(stored, again, others)
    highest = any("max_of_models" in one.evidence for one in stored.assessments)
    return raised_by_models(raised, others) if highest else raised


def _highest(own: Assessment, others: Sequence[AssessmentRun]) -> Assessment:
    found = [(run, one) for run in others if (one := run.for_area(own.area)) is not None and one.level is not None]
    run, best = max(found, key=lambda pair: (pair[1].level or Level.NONE, pair[0].model), default=(None, None))
    if run is None or best is None or best.level is None or (best.level <= (own.level or Level.NONE)):
        return replace(own, evidence={**own.evidence, "max_of_models": {"on": True, "by": None}})
    by = {"model": run.model, "rules": run.rules, "level": best.level.code}
    evidence = {**own.evidence, "max_of_models": {"on": True, "by": by}}
    return Assessment(own.area, best.level, best.lower_bound or own.level is None, evidence)
