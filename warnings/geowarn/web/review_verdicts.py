"""What every model says of the areas under review, one row an area; and the one line that says why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from markupsafe import Markup

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.pipeline.agreement import APART, Agreement, Voice
from geowarn.web.review_rows import AreaRow
from geowarn.web.review_sheet import Sheet
from geowarn.web.wording import Words

_SPOKEN_OF = 2  # areas of the line that says why


@dataclass(frozen=True, slots=True)
class Verdict:
    """One model on one area; `said` None: it says nothing of it."""

    voice: Voice
    said: Assessment | None
    apart: bool  # two levels or more from the deciding model


@dataclass(frozen=True, slots=True)
class VerdictRow:
    """One area under review with every model's verdict, the deciding one first."""

    area: Area
    verdicts: tuple[Verdict, ...]


def verdict_rows(sheet: Sheet, voices: Agreement | None) -> list[VerdictRow]:
    """Every area under review, highest level first; empty where no second model was heard."""
    if voices is None or len(voices.heard) < 2:
        return []
    areas = sorted(sheet.proposal.content.areas, key=lambda found: -found.level)
    return [VerdictRow(sheet.areas[a.code], _verdicts(a.code, voices)) for a in areas if a.code in sheet.areas]


def _verdicts(code: str, voices: Agreement) -> tuple[Verdict, ...]:
    decided = voices.heard[0].of(code)
    return tuple(Verdict(voice, voice.of(code), _apart(decided, voice.of(code))) for voice in voices.heard)


def _apart(one: Assessment | None, other: Assessment | None) -> bool:
    if one is None or other is None or one.level is None or other.level is None:
        return False
    return abs(one.level - other.level) >= APART


def disputed(rows: Iterable[VerdictRow]) -> list[Area]:
    """The areas under review of which some model says two levels more or less than the deciding one."""
    return [row.area for row in rows if any(one.apart for one in row.verdicts)]


def why_line(rows: Iterable[AreaRow], w: Words) -> Markup | None:
    """Effective rain of the areas that matter most and how far from the next line; None where no model gives it."""
    known = [row for row in rows if row.effective is not None][:_SPOKEN_OF]
    if not known:
        return None
    return Markup("").join(_rain(row, w) for row in known)


def _rain(row: AreaRow, w: Words) -> Markup:
    facts = {"area": row.area.name(w.language), "mm": f"{row.effective:.2f}", "level": w.level(row.level.level)}
    if row.above is not None and row.level.level < Level.RED:
        following = w.level(Level(row.level.level + 1))
        return w("whyline.below", **facts, more=f"{row.above:.2f}", following=following)
    if row.below is not None:
        return w("whyline.over", **facts, over=f"{row.below:.2f}")
    return w("whyline.only", **facts)
