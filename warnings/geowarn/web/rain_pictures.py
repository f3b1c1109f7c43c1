"""The rain behind a proposal, for the review page: a map, a table, and a chart for each area that rises."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from geowarn.domain.area import AreaKind
from geowarn.domain.assessment import Assessment
from geowarn.domain.level import Level
from geowarn.domain.rain_chart import SIZE, RainChart, rain_chart, rain_of_window, tones
from geowarn.web.map_drawing import MapDrawer, RainDrawing
from geowarn.web.review_sheet import Sheet

_LISTED = (AreaKind.COUNTY, AreaKind.ZONE)
_CHARTS = 12  # more are no picture any more; the table names every area


@dataclass(frozen=True, slots=True)
class RainRow:
    """One area of the table, mm; None where the model gives no figure."""

    name: str
    mm: float
    mean: float | None
    most: float | None
    effective: float | None


@dataclass(frozen=True, slots=True)
class AreaChart:
    """One area's chart with its level."""

    name: str
    level: Level
    chart: RainChart


@dataclass(frozen=True, slots=True)
class RainPictures:
    """Everything the section shows; `mean` says whether the map holds means of areas."""

    map: RainDrawing | None
    rows: tuple[RainRow, ...]
    charts: tuple[AreaChart, ...]
    breaks: Sequence[tuple[float | None, float | None]]
    mean: bool
    size: Mapping[str, float]


def rain_pictures(sheet: Sheet, drawer: MapDrawer, language: str, zone: ZoneInfo) -> RainPictures | None:
    """The rain of the run under review; None where no run is under review or its model gives no rain."""
    known = [one for one in (sheet.run.assessments if sheet.run else ()) if rain_of_window(one.evidence) is not None]
    breaks = next((one.evidence["breaks_mm"] for one in known if one.evidence.get("breaks_mm")), None)
    if not breaks:
        return None
    mm = {one.area: rain_of_window(one.evidence) or 0.0 for one in known}
    return RainPictures(
        drawer.rain(sheet.areas, mm, breaks),
        tuple(_rows(sheet, known, language)),
        tuple(_charts(sheet, language, zone)),
        tones(breaks),
        all(one.evidence.get("window_mean_mm") is not None for one in known),
        SIZE,
    )


def _rows(sheet: Sheet, known: Sequence[Assessment], language: str) -> list[RainRow]:
    """Counties, zones and whatever is proposed, most rain first."""
    rows = []
    for one in known:
        area = sheet.areas.get(one.area)
        if area is None or not (area.kind in _LISTED or one.area in sheet.levels):
            continue
        get = one.evidence.get
        mm = rain_of_window(one.evidence) or 0.0
        rows.append(RainRow(area.name(language), mm, get("window_mean_mm"), get("window_max_mm"), get("re_mm")))
    return sorted(rows, key=lambda row: -row.mm)


def _charts(sheet: Sheet, language: str, zone: ZoneInfo) -> list[AreaChart]:
    found = []
    for area in sorted(sheet.proposal.content.areas, key=lambda one: -one.level):
        assessment = sheet.assessment(area.code)
        chart = rain_chart(assessment.evidence, zone) if assessment else None
        if chart is not None and area.code in sheet.areas:
            found.append(AreaChart(sheet.areas[area.code].name(language), area.level, chart))
    return found[:_CHARTS]
