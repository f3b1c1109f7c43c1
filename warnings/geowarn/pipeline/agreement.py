"""What every model says of the same rain, and where two of them are two levels or more apart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.catalogue import explain, say
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.alternates import denied_beside
from geowarn.ports import UnitOfWork

APART = 2  # levels from which a disagreement is shown


@dataclass(frozen=True, slots=True)
class Voice:
    """One model's say: its run, or why there is none. The deciding model's own level is the one before any policy."""

    model: str
    rules: str
    decides: bool
    calibrated: bool
    run: AssessmentRun | None
    denied_key: str = ""
    denied_facts: Mapping[str, Any] | None = None

    def of(self, area: str) -> Assessment | None:
        """What it says of one area."""
        return self.run.for_area(area) if self.run else None

    def by_level(self) -> dict[Level | None, tuple[Assessment, ...]]:
        """Its findings by level, highest first, what it cannot classify last."""
        found = self.run.assessments if self.run else ()
        groups = {level: tuple(one for one in found if one.level is level) for level in (*reversed(Level), None)}
        return {level: some for level, some in groups.items() if some}

    def why(self, language: str) -> str:
        """Why it has no result, as a sentence."""
        return explain(Refused(self.denied_key, **dict(self.denied_facts or {})), language)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two models that are far apart on one area; the one that says more comes first."""

    area: str
    higher: Voice
    high: Assessment
    lower: Voice
    low: Assessment
    apart: int

    def sentence(self, name: str, language: str) -> str:
        """In words; `name` is the area's."""
        facts = {"area": name, "higher": self.higher.model, "lower": self.lower.model, "apart": self.apart}
        return say("models.disagree", language, **facts, high=_said(self.high, language), low=_said(self.low, language))


@dataclass(frozen=True, slots=True)
class Agreement:
    """All voices, the deciding one first, and their disagreements, widest first."""

    voices: tuple[Voice, ...]
    disagreements: tuple[Disagreement, ...]

    @property
    def heard(self) -> tuple[Voice, ...]:
        """The voices that gave a result."""
        return tuple(voice for voice in self.voices if voice.run is not None)


def most_telling(gaps: Sequence[Disagreement], areas: Mapping[str, Area]) -> list[Disagreement]:
    """Counties and zones before what lies in them, then the widest first."""
    whole = (AreaKind.COUNTY, AreaKind.ZONE)
    return sorted(gaps, key=lambda gap: gap.area not in areas or areas[gap.area].kind not in whole)


def agreement_of(work: UnitOfWork, run: AssessmentRun) -> Agreement:
    """The deciding run beside its alternates."""
    voices = [_voice(run, decides=True), *(_voice(one) for one in work.assessments.beside(run.id))]
    silent = [
        Voice(one.name, "", decides=False, calibrated=True, run=None, denied_key=one.key, denied_facts=one.facts)
        for one in denied_beside(work, run.id)
    ]
    found = [gap for one in run.assessments if (gap := _widest(one.area, voices)) is not None]
    return Agreement((*voices, *silent), tuple(sorted(found, key=lambda gap: (-gap.apart, gap.area))))


def _voice(run: AssessmentRun, *, decides: bool = False) -> Voice:
    return Voice(run.model, run.rules, decides, run.calibrated, run)


def _widest(area: str, voices: list[Voice]) -> Disagreement | None:
    """The two models farthest apart, None where no two are APART; who cannot classify says nothing."""
    said = [(voice, one) for voice in voices if (one := voice.of(area)) is not None and one.level is not None]
    if len(said) < 2:
        return None
    higher, high = max(said, key=lambda pair: pair[1].level or Level.NONE)
    lower, low = min(said, key=lambda pair: pair[1].level or Level.NONE)
    apart = (high.level or Level.NONE) - (low.level or Level.NONE)
    return Disagreement(area, higher, high, lower, low, apart) if apart >= APART else None


def _said(one: Assessment, language: str) -> str:
    """A level in words; a lower bound says so."""
    if one.lower_bound and one.level is Level.NONE:
        return say("models.none-known", language)
    word = say(f"models.level-{one.level.code if one.level is not None else 'unknown'}", language)
    return say("models.at-least", language, level=word) if one.lower_bound else word
