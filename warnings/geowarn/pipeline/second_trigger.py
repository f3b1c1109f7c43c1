"""Second trigger of a nowcast window: named alternates may raise an area by one level at most, and never lower it.

Off unless `[hazard] second_trigger` names rule sets. Every area's evidence then holds `second_trigger` {rules, silent,
by}: the rule sets that were asked, those that gave no result, and who raised it from which level, or null. What could
not be heard makes the level a lower bound: a trigger that falls silent must not lower what it raised before.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from geowarn.catalogue import say
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.level import Level

KEY = "second_trigger"


def raised_by_trigger(
    deciding: AssessmentRun, triggers: Sequence[AssessmentRun], silent: Sequence[str]
) -> AssessmentRun:
    """The deciding run with each classified area at most one level higher; `silent` are triggers without a result."""
    calibrated = deciding.calibrated and all(run.calibrated for run in triggers)
    found = tuple(_heard(one, triggers, silent) for one in deciding.assessments)
    return replace(deciding, assessments=found, calibrated=calibrated)


def raised_again(stored: AssessmentRun, again: AssessmentRun, others: Sequence[AssessmentRun]) -> AssessmentRun:
    """A run worked out again under the triggers that its stored evidence names."""
    told = next((one.evidence[KEY] for one in stored.assessments if KEY in one.evidence), None)
    if told is None:
        return again
    return raised_by_trigger(again, [one for one in others if one.rules in told["rules"]], told["silent"])


def _heard(own: Assessment, triggers: Sequence[AssessmentRun], silent: Sequence[str]) -> Assessment:
    said = [(run, run.for_area(own.area)) for run in triggers]
    higher = [
        (one.level, run.model, run.rules)
        for run, one in said
        if one is not None and one.level is not None and own.level is not None and one.level > own.level
    ]
    facts: dict[str, Any] = {"rules": [run.rules for run in triggers], "silent": list(silent), "by": None}
    if own.level is None or not higher:
        unsure = bool(silent) or any(one is None or one.level is None or one.lower_bound for _, one in said)
        lower = own.lower_bound or (unsure and own.level is not None and own.level < Level.RED)
        return replace(own, lower_bound=lower, evidence={**own.evidence, KEY: facts})
    level, model, rules = max(higher)
    facts["by"] = {"model": model, "rules": rules, "level": level.code, "own_level": own.level.code}
    return replace(own, level=Level(own.level + 1), evidence={**own.evidence, KEY: facts})


def trigger_sentence(evidence: Mapping[str, Any], language: str, *, short: bool) -> str:
    """What the second trigger did, in words; empty where there is none, and in short form where it did nothing."""
    told = evidence.get(KEY)
    if not told or (short and not told["by"]):
        return ""
    if by := told["by"]:
        level, own = (say(f"models.level-{by[name]}", language) for name in ("level", "own_level"))
        return say("nowcast.raised", language, model=by["model"], rules=by["rules"], level=level, own=own)
    said = say("nowcast.not-raised", language, rules=", ".join(told["rules"]) or "-") if told["rules"] else ""
    silent = say("nowcast.silent", language, names=", ".join(told["silent"])) if told["silent"] else ""
    return " ".join(part for part in (said, silent) if part)
