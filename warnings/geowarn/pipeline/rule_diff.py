"""What a changed rule set would have said over the stored season, before anyone switches it on.

Every run is worked out again from its raw payloads and the observations that were there when it was made. Results are
kept below the cache folder by rule set and run, so an interrupted comparison goes on where it was.
"""

from __future__ import annotations

import gzip
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.rules import RuleSet
from geowarn.pipeline.area_choice import areas_digest
from geowarn.pipeline.replay import Change, Ground, changes
from geowarn.pipeline.season import levels_only, runs_between

Advance = Callable[[int, int], None]  # runs done, runs in all
_EXAMPLES = 5


class Failure(NamedTuple):
    """A run that could not be worked out again, and why."""

    run: str
    refusal: Refused


@dataclass(frozen=True, slots=True)
class SeasonDiff:
    """Old against new rules over every run; `matrix` counts areas of runs by old and new level."""

    old: RuleSet
    new: RuleSet
    runs: int
    matrix: Mapping[tuple[Level | None, Level | None], int]
    by_area: Mapping[str, tuple[int, int]]  # up, down
    rises: tuple[Change, ...]  # the greatest
    falls: tuple[Change, ...]
    failures: tuple[Failure, ...]

    @property
    def up(self) -> int:
        """How many areas of runs rise."""
        return sum(count for (a, b), count in self.matrix.items() if a is not None and b is not None and b > a)

    @property
    def down(self) -> int:
        """How many fall."""
        return sum(count for (a, b), count in self.matrix.items() if a is not None and b is not None and b < a)

    @property
    def same(self) -> int:
        """How many keep their level, or stay without one."""
        return sum(count for (a, b), count in self.matrix.items() if a == b)

    def summary(self) -> dict[str, Any]:
        """What the ledger keeps of it when the new rules are switched on."""
        unknown = sum(count for (a, b), count in self.matrix.items() if a != b and (a is None or b is None))
        return {
            "old": self.old.digest,
            "new": self.new.digest,
            "runs": self.runs,
            "failed": len(self.failures),
            "up": self.up,
            "down": self.down,
            "same": self.same,
            "unknown": unknown,
            "matrix": {f"{_code(a)} -> {_code(b)}": count for (a, b), count in sorted(self.matrix.items(), key=str)},
        }


def season_runs(
    ground: Ground, model: str, start: datetime | None, end: datetime | None, now: datetime
) -> tuple[AssessmentRun, ...]:
    """Every stored run of this model made in the season, alternates' runs too, oldest first and without its areas."""
    found: list[AssessmentRun] = []
    with ground.store.read() as work:
        for run in runs_between(work, start, end or now):
            both = (run, *work.assessments.beside(run.id))
            found += [levels_only(one, ()) for one in both if one.model == model]
    return tuple(found)


def compare_season(
    ground: Ground, runs: Sequence[AssessmentRun], old: RuleSet, new: RuleSet, advance: Advance
) -> SeasonDiff:
    """Work every run out under both rule sets; a run that cannot be is named and left out."""
    with ground.store.read() as work:
        areas = areas_digest(work.areas.all())
    matrix: Counter[tuple[Level | None, Level | None]] = Counter()
    up: Counter[str] = Counter()
    down: Counter[str] = Counter()
    rises: list[Change] = []
    falls: list[Change] = []
    failures: list[Failure] = []
    for number, run in enumerate(runs, start=1):
        try:
            before, after = (_under(ground, run, rules, areas) for rules in (old, new))
        except Refused as refusal:
            failures.append(Failure(run.id, refusal))
        else:
            found = [one for one in changes(before, after) if one.after is not None]
            matrix.update((one.before.level, one.after.level) for one in found if one.after is not None)
            up.update(one.area for one in found if one.levels > 0)
            down.update(one.area for one in found if one.levels < 0)
            rises = _greatest([*rises, *(one for one in found if one.levels > 0)])
            falls = _greatest([*falls, *(one for one in found if one.levels < 0)])
        advance(number, len(runs))
    by_area = {code: (up[code], down[code]) for code in sorted(up.keys() | down.keys())}
    return SeasonDiff(
        old, new, len(runs) - len(failures), dict(matrix), by_area, tuple(rises), tuple(falls), tuple(failures)
    )


def _greatest(found: Iterable[Change]) -> list[Change]:
    return sorted(found, key=lambda one: (one.weight, one.run, one.area))[:_EXAMPLES]


def _code(level: Level | None) -> str:
    return "unknown" if level is None else level.code


def _under(ground: Ground, run: AssessmentRun, rules: RuleSet, areas: str) -> AssessmentRun:
    """The run under these rules and today's areas: as stored, as kept from an earlier comparison, or worked out."""
    if run.rules_digest == rules.digest and run.areas_digest == areas:
        with ground.store.read() as work:
            return work.assessments.get(run.id) or run
    file = None if ground.cache_dir is None else ground.cache_dir / "rules" / rules.digest / f"{run.id}.json.gz"
    kept = _kept(file, areas)
    if kept is None:
        kept = ground.replay(run.id, rules).recomputed.assessments
        _keep(file, areas, kept)
    return replace(run, rules_digest=rules.digest, areas_digest=areas, assessments=kept)


def _kept(file: Path | None, areas: str) -> tuple[Assessment, ...] | None:
    """What an earlier comparison kept; None where it did not, or other areas held, or the file is damaged."""
    try:
        value = json.loads(gzip.decompress(file.read_bytes())) if file else None
        if value is None or value["areas"] != areas:
            return None
        return tuple(
            Assessment(code, None if level is None else Level(level), bound, evidence)
            for code, level, bound, evidence in value["found"]
        )
    except (OSError, EOFError, ValueError, KeyError, TypeError):
        return None


def _keep(file: Path | None, areas: str, found: Iterable[Assessment]) -> None:
    if file is None:
        return
    rows = [[one.area, None if one.level is None else int(one.level), one.lower_bound, one.evidence] for one in found]
    write_whole(file, gzip.compress(json.dumps({"areas": areas, "found": rows}).encode(), mtime=0))


def write_whole(file: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_suffix(f".{os.getpid()}.part")
    part.write_bytes(data)
    os.replace(part, file)
