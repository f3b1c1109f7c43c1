"""A model: the wettest single interval of the window against four lines; it brings its own sentences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period, uncovered
from geowarn.domain.rain import AreaUnits, RainField
from geowarn.domain.rules import RuleSet
from geowarn.ports import Rain


class WettestInterval:
    """`geowarn.ports.HazardModel` for rain given by area."""

    name = "wettest-interval"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when `levels_mm` is not four rising numbers."""
        lines = rules.parameters.get("levels_mm")
        if not isinstance(lines, list) or len(lines) != Level.RED or lines != sorted(lines):
            raise Refused("rules.parameter", file="", parameter="levels_mm", value=repr(lines), wanted="4 rising mm")

    def history_hours(self, rules: RuleSet) -> int:
        """Nothing before the window matters."""
        return 24

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area; a gap in the window forbids a level."""
        return tuple(self._one(area, rain.fields, window, rules.parameters["levels_mm"]) for area in areas)

    def _one(self, area: Area, fields: Sequence[RainField], window: Period, lines: list[float]) -> Assessment:
        own = {field.period: mm for field in fields if (mm := _of(field, area.code)) is not None}
        inside = {period: mm for period, mm in own.items() if window.contains(period)}
        if uncovered(window, inside):
            return Assessment(area.code, None, False, self._evidence(None, "雨量不全。", "Rain is missing."))
        most = max(inside.values())
        level = Level(sum(most >= line for line in lines))
        zh, en = f"最大单段雨量 {most:g} mm。", f"Wettest interval {most:g} mm."
        return Assessment(area.code, level, False, self._evidence(most, zh, en))

    def _evidence(self, most: float | None, zh: str, en: str) -> dict[str, Any]:
        return {"model": self.name, "most_mm": most, "sentence": {"zh": zh, "en": en}}


def _of(field: RainField, code: str) -> float | None:
    if not isinstance(field.support, AreaUnits) or code not in field.support.codes:
        return None
    mm = float(field.values[field.support.codes.index(code)])
    return None if mm != mm else mm
