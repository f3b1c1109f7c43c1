"""How a season is counted and judged: `config/score.toml`, checked key by key."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import time
from itertools import pairwise
from pathlib import Path
from typing import Any

from geowarn.domain.area import AreaKind
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.score_edumap import GRADES, KINDS, Criteria
from geowarn.domain.unread import why


@dataclass(frozen=True, slots=True)
class ScoreRules:
    """The kinds of area counted, when an area-day begins, from which level leads count, and the EDuMaP table."""

    areas: tuple[AreaKind, ...]
    day_begins: time
    lead_from: Level
    criteria: Criteria


def load_score_rules(path: Path) -> ScoreRules:
    """Read the file; raises Refused naming file, key, value and what it must be."""
    try:
        table = tomllib.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise Refused("config.unreadable", file=path.name, reason=why(error)) from None
    read = _Reading(path.name, table)
    edumap = _Reading(path.name, read.table("edumap"), "edumap.")
    classes = edumap.classes()
    step = edumap.hours("step_hours", least=1 / 60)
    criteria = Criteria(
        classes=classes,
        quiet_hours=edumap.hours("quiet_hours", least=step),
        step_hours=step,
        lead_hours=edumap.hours("lead_hours", least=0),
        kinds=edumap.cells("kinds", len(classes) + 1, KINDS),
        grades=edumap.cells("grades", len(classes) + 1, GRADES),
    )
    return ScoreRules(read.kinds(), read.clock("day_begins"), read.level("lead_from"), criteria)


@dataclass(frozen=True, slots=True)
class _Reading:
    file: str
    values: Mapping[str, Any]
    prefix: str = ""

    def refuse(self, key: str, wanted: str) -> Refused:
        value = repr(self.values.get(key))[:80]
        return Refused("score.setting", file=self.file, key=self.prefix + key, value=value, wanted=wanted)

    def table(self, key: str) -> Mapping[str, Any]:
        found = self.values.get(key)
        if not isinstance(found, Mapping):
            raise self.refuse(key, f"[{self.prefix}{key}]")
        return found

    def kinds(self) -> tuple[AreaKind, ...]:
        found, known = self.values.get("areas"), [kind.value for kind in AreaKind]
        if not isinstance(found, list) or not found or not all(one in known for one in found):
            raise self.refuse("areas", f"[{', '.join(known)}]")
        return tuple(AreaKind(one) for one in found)

    def clock(self, key: str) -> time:
        try:
            return time.fromisoformat(self.values[key])
        except (KeyError, TypeError, ValueError):
            raise self.refuse(key, '"20:00"') from None

    def level(self, key: str) -> Level:
        codes = [level.code for level in Level if level > Level.NONE]
        if self.values.get(key) not in codes:
            raise self.refuse(key, " / ".join(codes))
        return Level.parse(self.values[key])

    def hours(self, key: str, least: float) -> float:
        value = self.values.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= 720:
            raise self.refuse(key, f"{least:.3g} .. 720")
        return float(value)

    def classes(self) -> tuple[int, ...]:
        found, wanted = self.values.get("classes"), "1 <= n1 < n2 < …"
        if not isinstance(found, list) or not found or not all(type(one) is int and one >= 1 for one in found):
            raise self.refuse("classes", wanted)
        if any(later <= earlier for earlier, later in pairwise(found)):
            raise self.refuse("classes", wanted)
        return tuple(found)

    def cells(self, key: str, columns: int, known: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
        rows = _Reading(self.file, self.table(key), f"{self.prefix}{key}.")
        found = []
        for level in Level:
            row = rows.values.get(level.code)
            if not isinstance(row, list) or len(row) != columns or not all(one in known for one in row):
                raise rows.refuse(level.code, f"{columns} × {' / '.join(known)}")
            found.append(tuple(row))
        return tuple(found)
