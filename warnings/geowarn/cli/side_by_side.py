"""Two rule sets beside each other: area by area with both evidence sentences, and as a matrix of levels."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from geowarn.bootstrap import System
from geowarn.catalogue import say, terminal_language
from geowarn.cli.common import put_rows
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.pipeline.assess import evidence_sentence
from geowarn.pipeline.replay import Change

_ORDER: tuple[Level | None, ...] = (*Level, None)


def word(level: Level | None, lower_bound: bool, language: str) -> str:
    """A level in words; a lower bound says "at least"."""
    found = say(f"cli.level-{'unknown' if level is None else level.code}", language)
    return say("cli.at-least", language, level=found) if lower_bound and level is not None else found


def sentence(system: System, found: Assessment | None, language: str) -> str:
    """The evidence of one side; empty where the area is gone."""
    if found is None:
        return ""
    return evidence_sentence(system.templates, found, language, system.settings.installation.zone)


def change_json(system: System, one: Change) -> dict[str, Any]:
    """One area under both rule sets as plain JSON."""
    return {
        "run": one.run,
        "area": one.area,
        "differs": one.differs,
        "before": _side(system, one.before),
        "after": _side(system, one.after),
    }


def _side(system: System, found: Assessment | None) -> dict[str, Any] | None:
    if found is None:
        return None
    return {
        "level": None if found.level is None else found.level.code,
        "lower_bound": found.lower_bound,
        "sentence_zh": sentence(system, found, "zh"),
        "sentence_en": sentence(system, found, "en"),
    }


def show_changes(system: System, rows: Iterable[Change]) -> None:
    """Print area, both levels and both evidence sentences, in the order given."""
    language = terminal_language()
    with system.store.read() as work:
        names = {area.code: area.name(language) for area in work.areas.plain()}
    heads = [say(f"rules.col-{name}", language) for name in ("run", "area", "before", "after", "evidence")]
    put_rows(heads, [_cells(system, one, names, language) for one in rows])


def _cells(system: System, one: Change, names: Mapping[str, str], language: str) -> list[str]:
    before = word(one.before.level, one.before.lower_bound, language)
    if one.after is None:
        after = say("rules.area-gone", language)
    else:
        after = word(one.after.level, one.after.lower_bound, language)
    sentences = (sentence(system, side, language) for side in (one.before, one.after))
    evidence = "\n".join(text for text in sentences if text)
    mark = "*" if one.differs else ""
    return [one.run, f"{one.area} {names.get(one.area, '')}", before, f"{after}{mark}", evidence]


def level_rows(
    matrix: Mapping[tuple[Level | None, Level | None], int], language: str
) -> tuple[list[str], list[list[str]]]:
    """Heads and rows of a matrix of counts, old level by new level."""
    heads = [say("rules.col-matrix", language), *(word(level, False, language) for level in _ORDER)]
    rows = [[word(old, False, language), *(str(matrix.get((old, new), 0)) for new in _ORDER)] for old in _ORDER]
    return heads, rows
