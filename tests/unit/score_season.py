"""A small season by hand: two counties, a township inside the first, and runs and bulletins as they are needed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score_units import Event
from geowarn.domain.warning import Act, AreaLevel, Content, Series

T0 = datetime(2026, 7, 20, 12, tzinfo=UTC)  # 20:00 in Yantai
AREAS = {
    "city": Area("city", AreaKind.CITY, "市", "City"),
    "a": Area("a", AreaKind.COUNTY, "甲县", "A", "city"),
    "a1": Area("a1", AreaKind.TOWNSHIP, "甲一镇", "A1", "a"),
    "b": Area("b", AreaKind.COUNTY, "乙县", "B", "city"),
}


def at(hours: float) -> datetime:
    return T0 + timedelta(hours=hours)


def event(area: str, start: float, end: float | None = None, source: str = "warden") -> Event:
    return Event(area, at(start), at(start if end is None else end), "landslide", "small", source)


def run(
    name: str, made: float, start: float, levels: Mapping[str, Level | None], hours: float = 24, bound: bool = False
) -> AssessmentRun:
    return AssessmentRun(
        id=name,
        forecast_id="f",
        inputs=("f",),
        model="effrain-matrix",
        rules="effrain-matrix 1",
        rules_digest="d" * 64,
        areas_digest="e" * 64,
        window=Period(at(start), at(start + hours)),
        run_time=at(made),
        age_hours=0,
        created_at=at(made),
        synthetic=False,
        calibrated=True,
        stale_reason=None,
        assessments=tuple(Assessment(code, level, bound, {}) for code, level in levels.items()),
    )


def bulletin(
    serial: int, released: float, end: float, levels: Mapping[str, Level], act: Act = Act.ISSUE, warning: str = "w"
) -> Bulletin:
    content = Content(
        act=act,
        series=Series.REAL,
        areas=tuple(AreaLevel(code, level) for code, level in levels.items()),
        onset=at(released),
        expires=at(end),
        next_update=at(end),
    )
    return Bulletin(
        id=f"b-{serial}",
        warning_id=warning,
        proposal_id=f"p-{serial}",
        series=Series.REAL,
        year=2026,
        serial=serial,
        number=str(serial),
        slug=f"2026-{serial:03d}",
        released_at=at(released),
        content=content,
        package_sha256="d" * 64,
        late={},
        artefacts={},
    )
