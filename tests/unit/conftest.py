"""Drafts of bulletins over real county outlines, for the tests of what channels say."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

import pytest

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.assessment import Assessment
from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.ports import BulletinDraft
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates

ONSET = datetime(2026, 7, 22, 18, tzinfo=UTC)  # 2 o'clock on 23 July in the installation's zone
END = datetime(2026, 7, 23, 18, tzinfo=UTC)


def square(lon: float, lat: float, side: float = 0.3) -> dict[str, Any]:
    """A square polygon with its south-western corner at the point."""
    ring = [[lon, lat], [lon + side, lat], [lon + side, lat + side], [lon, lat + side], [lon, lat]]
    return {"type": "Polygon", "coordinates": [ring]}


def _counties() -> dict[str, Area]:
    named = [
        ("370687", "海阳市", "Haiyang City"),
        ("370682", "莱阳市", "Laiyang City"),
        ("370686", "栖霞市", "Qixia City"),
        ("370685", "招远市", "Zhaoyuan City"),
        ("370683", "莱州市", "Laizhou City"),
        ("370612", "牟平区", "Muping District"),
    ]
    areas = {
        code: Area(code, AreaKind.COUNTY, zh, en, "370600", geometry=square(120 + 0.3 * index, 37))
        for index, (code, zh, en) in enumerate(named)
    }
    areas["370600"] = Area("370600", AreaKind.CITY, "烟台市", "Yantai City")
    areas["370687001"] = Area("370687001", AreaKind.TOWNSHIP, "方圆街道", "Fangyuan", "370687", 121.1, 36.8)
    areas["p-1"] = Area("p-1", AreaKind.POINT, "北山滑坡点", "Beishan slide", "370687001", 121.15, 36.85)
    areas["zone-x"] = Area("zone-x", AreaKind.ZONE, "高新区", "High-tech Zone", None, 121.5, 37.4)
    areas["zone-y"] = Area("zone-y", AreaKind.ZONE, "昆嵛区", "Kunyu zone", "370612")
    return areas


@dataclass
class Drafts:
    """Builds drafts and the released bulletins they follow."""

    templates: JinjaTemplates = field(default_factory=JinjaTemplates)
    areas: dict[str, Area] = field(default_factory=_counties)
    facts: dict[str, dict[str, Any]] = field(default_factory=lambda: load_settings(None).sections())

    def content(self, levels: Mapping[str, Level], act: Act = Act.ISSUE, **changes: Any) -> Content:
        """Content with these levels, 2 o'clock to 2 o'clock."""
        areas = tuple(AreaLevel(code, level) for code, level in levels.items())
        made = Content(act, Series.REAL, areas, ONSET, END, ONSET.replace(hour=21), assessment_id="run-1")
        return replace(made, **changes)

    def draft(
        self,
        content: Content,
        earlier: Iterable[Bulletin] = (),
        synthetic: bool = False,
        assessments: Mapping[str, Assessment] | None = None,
        **changes: Any,
    ) -> BulletinDraft:
        """A draft of this content; `synthetic` makes it a demo installation."""
        facts = {**self.facts, "installation": {**self.facts["installation"], "synthetic": synthetic}}
        made = BulletinDraft(content, self.areas, assessments or {}, tuple(earlier), facts, Level.YELLOW)
        return replace(made, **changes)

    def released(self, content: Content, serial: int, caps: Iterable[Level] = ()) -> Bulletin:
        """A bulletin as released; it holds a CAP message for each of its public levels and those in `caps`."""
        levels = {*content.levels(Level.YELLOW), *caps}
        prefix = "ex-" if content.series is Series.EXERCISE else ""
        slug, sent = f"{prefix}2026-{serial:03d}", f"2026-07-23T02:{serial:02d}:00+08:00"
        return Bulletin(
            id=f"b-{serial}",
            warning_id="w-1",
            proposal_id="p-1",
            series=content.series,
            year=2026,
            serial=serial,
            number=f"烟地灾预警〔2026〕{serial}号",
            slug=slug,
            released_at=datetime.fromisoformat(sent).astimezone(UTC),
            content=content,
            package_sha256="0" * 64,
            late={"slug": slug, "sent": sent},
            artefacts={f"website/cap/{level.code}.xml": "0" * 64 for level in levels},
        )


@pytest.fixture(scope="session")
def drafts() -> Drafts:
    """One builder for all tests; what it holds is never changed."""
    return Drafts()
