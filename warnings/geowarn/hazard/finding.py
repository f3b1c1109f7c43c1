"""What is known of one area, and the facts that the evidence of every model says in the same words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.rain import RainField
from geowarn.hazard.filling import Layer

_NAMED = 10  # intervals left out that are named one by one


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one area."""

    area: Area
    level: Level | None
    evidence: Mapping[str, Any]

    @property
    def assessment(self) -> Assessment:
        """As the line keeps it."""
        lower = self.level is not None and bool(self.evidence["lower_bound_reasons"])
        return Assessment(self.area.code, self.level, lower, self.evidence)

    def raised_by(self, point: Finding) -> Finding:
        """Never below a hazard point inside; a point also answers where the area itself could not be classified."""
        if point.level is None or point.level <= (self.level or Level.NONE):
            return self
        reasons = set(self.evidence["lower_bound_reasons"]) | set(point.evidence["lower_bound_reasons"])
        reasons |= {"unclassified"} if self.level is None else set()
        rain = {"re_mm": point.evidence["re_mm"]} if "re_mm" in point.evidence else {}
        by = named(point.area) | {"level": point.level.code} | rain
        return replace(
            self, level=point.level, evidence={**self.evidence, "raised_by": by, "lower_bound_reasons": sorted(reasons)}
        )

    def handed_to(self, child: Area) -> Finding:
        """The same level for a unit that has no place of its own, saying whose it is."""
        return Finding(child, self.level, {**self.evidence, "from_parent": named(self.area)})


def observed_facts(area: Area, areas: Mapping[str, Area], layers: Sequence[Layer]) -> dict[str, Any]:
    """Where observed rain came from: its sources, and the ancestor it was given for."""
    farthest = max((layer.distance for layer in layers), default=0)
    unit = area
    for _ in range(farthest):
        unit = areas[unit.parent] if unit.parent else unit
    return {
        "observed_sources": sorted({layer.field.source for layer in layers}),
        "observed_unit": named(unit) if farthest else None,
    }


def gap_fact(gap: Period) -> dict[str, Any]:
    """A gap as plain JSON."""
    return {"from": gap.start.isoformat(), "to": gap.end.isoformat(), "hours": gap.hours}


def unsplit_facts(fields: Iterable[RainField]) -> list[dict[str, str]]:
    """Intervals left out, each source and period once, the first ten."""
    each = sorted({(field.source, field.period) for field in fields}, key=lambda one: (one[1], one[0]))
    return [
        {"source": source, "from": period.start.isoformat(), "to": period.end.isoformat()}
        for source, period in each[:_NAMED]
    ]


def named(area: Area) -> dict[str, Any]:
    """An area as plain JSON."""
    return {"code": area.code, "name_zh": area.name_zh, "name_en": area.name_en}
