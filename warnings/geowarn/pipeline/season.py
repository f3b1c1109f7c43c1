"""The stored runs of a season, a few weeks at a time, so that memory does not grow with its evidence."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.ports import UnitOfWork

_EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # no run is older than the product
_SAID = ("probability", "ensemble")
_SLICE = timedelta(days=28)


def runs_between(work: UnitOfWork, start: datetime | None, end: datetime) -> Iterator[AssessmentRun]:
    """The deciding runs made in (start, end], oldest first."""
    reached = start or _EARLIEST
    while reached < end:
        upto = min(reached + _SLICE, end)
        yield from work.assessments.between(reached, upto)
        reached = upto


def levels_only(run: AssessmentRun, codes: Collection[str]) -> AssessmentRun:
    """The run with these areas alone; of their evidence only what was said in probabilities."""
    kept = [one for one in run.assessments if one.area in codes]
    slim = (Assessment(one.area, one.level, one.lower_bound, _probabilities(one.evidence)) for one in kept)
    return replace(run, assessments=tuple(slim))


def _probabilities(evidence: Mapping[str, Any]) -> dict[str, Any]:
    return {key: evidence[key] for key in _SAID if evidence.get(key) is not None}
