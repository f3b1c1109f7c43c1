"""The rain behind a public bulletin: a map and a table of the areas it names, a chart for the first of them.

Only areas of the bulletin are tinted, and only lines of public levels drawn: what is internal shows in no picture.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.assessment import Assessment
from geowarn.domain.rain_chart import SIZE, rain_chart, rain_of_window, tone, tones
from geowarn.domain.warning import AreaLevel
from geowarn.ports import BulletinDraft, Templates
from geowarn_channels import texts
from geowarn_channels.course import is_closing, public_areas
from geowarn_channels.svg_map import WIDTH, MapBase, outline_ids

_CHARTS = 6  # a page stays light on a bad line
_ROWS = 24


def rain_section(templates: Templates, draft: BulletinDraft, base: MapBase, language: str) -> str:
    """The section as HTML; empty where no forecast led to the bulletin or its model gives no rain."""
    if is_closing(draft) or draft.content.assessment_id is None:
        return ""
    known = [(a, found) for a in public_areas(draft) if (found := _with_rain(draft, a)) is not None]
    breaks = next((found.evidence["breaks_mm"] for _, found in known if found.evidence.get("breaks_mm")), None)
    if not breaks:
        return ""
    mm = {area.code: rain_of_window(found.evidence) or 0.0 for area, found in known}
    rows = [_row(draft, area, found, language) for area, found in known]
    return templates.render(
        "website/rain.html.j2",
        language=language,
        map=_map(base, {code: (value, tone(value, breaks)) for code, value in mm.items()}),
        rows=sorted(rows, key=lambda row: -row["mm"])[:_ROWS],
        more=max(0, len(rows) - _ROWS),
        mean=all(found.evidence.get("window_mean_mm") is not None for _, found in known),
        charts=_charts(draft, known, language),
        breaks=tones(breaks),
        size=SIZE,
        label=texts.opening(templates, draft, language).rstrip("。. "),
    )


def _with_rain(draft: BulletinDraft, area: AreaLevel) -> Assessment | None:
    found = draft.assessments.get(area.code)
    return found if found is not None and rain_of_window(found.evidence) is not None else None


def _row(draft: BulletinDraft, area: AreaLevel, found: Assessment, language: str) -> dict[str, Any]:
    get = found.evidence.get
    return {
        "name": texts.area_name(draft, area.code, language),
        "mm": rain_of_window(found.evidence) or 0.0,
        "mean": get("window_mean_mm"),
        "most": get("window_max_mm"),
        "effective": get("re_mm"),
    }


def _charts(draft: BulletinDraft, known: list[tuple[AreaLevel, Assessment]], language: str) -> list[dict[str, Any]]:
    zone = ZoneInfo(str(draft.facts["installation"]["zone"]))
    found = [(area, rain_chart(one.evidence, zone, draft.publish_from)) for area, one in known]
    return [
        {"name": texts.area_name(draft, area.code, language), "level": area.level.code, "chart": chart}
        for area, chart in found
        if chart is not None
    ][:_CHARTS]


def _map(base: MapBase, rain: Mapping[str, tuple[float, int]]) -> dict[str, Any] | None:
    """What the shared template draws, with the outlines of the page's other map; None where no shape is known."""
    if not any(outline.code in rain for outline in base.outlines):
        return None
    ids = outline_ids(base)
    shapes = [{"like": ids[o.code], "tone": rain[o.code][1] if o.code in rain else 0} for o in base.outlines]
    places = {code: at for code in rain if (at := base.at(code)) is not None}
    spots = [{"x": x, "y": y + 12, "text": f"{rain[code][0]:.0f}"} for code, (x, y) in places.items()]
    land = {"land": "", "land_like": "ml" if base.land else ""}
    return {"width": WIDTH, "height": base.height, "shapes": shapes, "spots": spots, **land}
