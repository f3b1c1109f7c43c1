"""A stored run beside the same input worked out again: with its alternates, or under other rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import NotFound
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.assess import Replay, replay
from geowarn.ports import HazardModel, Reader, Store


@dataclass(frozen=True, slots=True)
class Ground:
    """What a run is worked out again from; `cache_dir` keeps what can be computed again."""

    store: Store
    readers: Mapping[str, Reader]
    models: Mapping[str, HazardModel]
    raw_dir: Path
    cache_dir: Path | None

    def replay(self, run_id: str, rules: RuleSet | None = None) -> Replay:
        """Work one stored run out again; raises Refused."""
        return replay(self.store, self.readers, self.models, self.raw_dir, self.cache_dir, run_id, rules=rules)


def replay_with_alternates(ground: Ground, run_id: str) -> tuple[Replay, ...]:
    """The run and every alternate's run made beside it, each under the rules it was made with."""
    with ground.store.read() as work:
        beside = [run.id for run in work.assessments.beside(run_id)]
    return tuple(ground.replay(one) for one in (run_id, *beside))


def replay_under(ground: Ground, run_id: str, rules: RuleSet) -> Replay:
    """The run under other rules; for an alternate's rules, the alternate's run made beside it."""
    with ground.store.read() as work:
        run = work.assessments.get(run_id)
        if run is None:
            raise NotFound("assess.unknown-run", run=run_id)
        fitting = [one.id for one in (run, *work.assessments.beside(run_id)) if one.model == rules.model]
    return ground.replay(fitting[0] if fitting else run_id, rules)


@dataclass(frozen=True, slots=True)
class Change:
    """One area of one run under two rule sets; `after` None: the area no longer exists."""

    run: str
    area: str
    before: Assessment
    after: Assessment | None

    @property
    def levels(self) -> int:
        """How many levels it rises (positive) or falls; 0 where either side cannot be classified."""
        if self.after is None or self.after.level is None or self.before.level is None:
            return 0
        return self.after.level - self.before.level

    @property
    def weight(self) -> tuple[int, int]:
        """Sorts the greatest change first, and among equals the one nearest to red."""
        sides = (self.before.level, self.after.level if self.after else None)
        return -abs(self.levels), -max(level or 0 for level in sides)

    @property
    def differs(self) -> bool:
        """Whether the level, or its being a lower bound, is another."""
        if self.after is None:
            return True
        return (self.before.level, self.before.lower_bound) != (self.after.level, self.after.lower_bound)


def changes(stored: AssessmentRun, other: AssessmentRun) -> tuple[Change, ...]:
    """Both runs area by area: what changes first, the greatest and most dangerous before the rest."""
    after = {one.area: one for one in other.assessments}
    found = [Change(stored.id, one.area, one, after.get(one.area)) for one in stored.assessments]
    return tuple(sorted(found, key=lambda one: (not one.differs, one.weight, one.area)))
