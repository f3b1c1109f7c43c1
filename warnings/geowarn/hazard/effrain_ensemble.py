"""An ensemble as one finding: a level for each member, and the highest that enough of them reach.

Never the mean of the rain, which smooths extremes. The members are ranked by their effective rainfall, so the one at
the rank of the wanted share carries the level and the arithmetic. A member with a missing step forbids a level.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from geowarn.domain.area import Area
from geowarn.domain.level import Level
from geowarn.hazard.effrain_own import Own
from geowarn.hazard.finding import Finding


class Ensemble:
    """The runs of all members; `share` of them must reach a level."""

    def __init__(self, runs: Sequence[Own], share: float) -> None:
        self._runs, self._share = runs, share
        self._found: dict[str, Finding | None] = {}

    def finding(self, area: Area) -> Finding | None:
        """None: this input says nothing about the area itself."""
        if area.code not in self._found:
            self._found[area.code] = self._combine([run.finding(area) for run in self._runs])
        return self._found[area.code]

    def _combine(self, each: Sequence[Finding | None]) -> Finding | None:
        findings = [one for one in each if one is not None]
        if not findings:
            return None
        broken = next((one for one in findings if one.level is None), None)
        if broken is not None or len(findings) < len(each):
            return broken
        members = [run.member for run in self._runs]
        ranked = sorted(range(len(findings)), key=lambda at: (-findings[at].evidence["re_mm"], at))
        deciding = ranked[enough(self._share, len(findings)) - 1]
        reasons = {reason for one in findings for reason in one.evidence["lower_bound_reasons"]}
        facts = self._facts(findings, members[deciding])
        evidence = {**findings[deciding].evidence, "ensemble": facts, "lower_bound_reasons": sorted(reasons)}
        return replace(findings[deciding], evidence=evidence)

    def _facts(self, findings: Sequence[Finding], member: int | None) -> dict[str, object]:
        levels = [one.level for one in findings]
        amounts = sorted(one.evidence["re_mm"] for one in findings)
        return {
            "members": len(findings),
            "share": self._share,
            "member": member,
            "levels": {level.code: levels.count(level) for level in Level},
            "re_p10_mm": amounts[enough(0.1, len(amounts)) - 1],
            "re_p90_mm": amounts[enough(0.9, len(amounts)) - 1],
        }


def enough(share: float, count: int) -> int:
    """The smallest number of members that is at least this share of them, never none."""
    return max(1, math.ceil(share * count - 1e-9))
