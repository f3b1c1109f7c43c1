"""A small city, its warnings released one after the other, and the public state at any moment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from geowarn.domain.area import Area, AreaKind, by_code
from geowarn.domain.bulletin import Bulletin, slug_of, standing
from geowarn.domain.level import Level
from geowarn.domain.package import filled
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.ports import BulletinDraft, ChannelContext, PublishedBulletin, SiteState
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates
from geowarn_channels.website import WebsiteChannel

START = datetime(2026, 7, 22, 12, 0, tzinfo=UTC)


@cache
def _templates() -> JinjaTemplates:
    """The shipped ones, compiled once for all desks."""
    return JinjaTemplates()


def _square(west: float, south: float, size: float = 0.4) -> dict[str, Any]:
    east, north = west + size, south + size
    return {
        "type": "Polygon",
        "coordinates": [[[west, south], [east, south], [east, north], [west, north], [west, south]]],
    }


def small_city() -> dict[str, Area]:
    """A city of four counties with a township, an island county of two parts, a zone without shape, a hazard point."""
    island = {
        "type": "MultiPolygon",
        "coordinates": [_square(120.0, 38.0, 0.1)["coordinates"], _square(120.3, 38.1, 0.1)["coordinates"]],
    }
    county = AreaKind.COUNTY
    return by_code(
        [
            Area("990000", AreaKind.CITY, "试城市", "Trial City"),
            Area("990101", county, "东山市", "Dongshan City", "990000", 120.2, 37.2, geometry=_square(120.0, 37.0)),
            Area("990102", county, "西河区", "Xihe District", "990000", 120.6, 37.2, geometry=_square(120.4, 37.0)),
            Area("990103", county, "南岭县", "Nanling County", "990000", 120.2, 37.6, geometry=_square(120.0, 37.4)),
            Area("990104", county, "北屿县", "Beiyu County", "990000", geometry=island),
            Area("990101001", AreaKind.TOWNSHIP, "石门镇", "Shimen Town", "990101", 120.1, 37.1),
            Area("990102001", AreaKind.TOWNSHIP, "柳溪镇", "Liuxi Town", "990102"),
            Area("990199", AreaKind.ZONE, "新港功能区", "Xingang Zone", "990000"),
            Area("990101001-1", AreaKind.POINT, "三官庙滑坡", "Sanguanmiao landslide", "990101001", 120.12, 37.12),
        ]
    )  # fmt: skip


@dataclass
class SiteDesk:
    """Releases bulletins through the website channel's own `prepare` and hands out states."""

    data_dir: Path
    facts: dict[str, dict[str, Any]] = field(default_factory=lambda: load_settings(None).sections())
    areas: Mapping[str, Area] = field(default_factory=small_city)
    bulletins: list[Bulletin] = field(default_factory=list)
    bodies: dict[str, dict[str, bytes]] = field(default_factory=dict)
    sequence: int = 0
    now: datetime = START

    def __post_init__(self) -> None:
        self.templates = _templates()
        context = ChannelContext(self.facts, self.data_dir, self.templates, self, lambda showing="": self.state())  # type: ignore[arg-type]
        self.channel = WebsiteChannel(context)

    @property
    def root(self) -> Path:
        return self.data_dir / "public"

    def content(self, levels: Mapping[str, Level], act: Act = Act.ISSUE, **changes: Any) -> Content:
        before = {}
        if self.bulletins and act is not Act.ISSUE:
            before = {area.code: area.level for area in self.bulletins[-1].content.areas}
        areas = tuple(AreaLevel(code, level, before.get(code, Level.NONE)) for code, level in levels.items())
        made = Content(act, Series.REAL, areas, self.now, self.now + timedelta(hours=24), self.now + timedelta(hours=3))
        return replace(made, **changes)

    def draft(self, content: Content, warning: str = "w-1") -> BulletinDraft:
        earlier = tuple(b for b in self.bulletins if b.warning_id == warning)
        least = Level.parse(self.facts["publish"]["from"])
        return BulletinDraft(content, self.areas, {}, earlier, self.facts, least)

    def release(
        self, levels: Mapping[str, Level], act: Act = Act.ISSUE, warning: str = "w-1", **changes: Any
    ) -> Bulletin:
        content = self.content(levels, act, **changes)
        message = self.channel.prepare(self.draft(content, warning))
        assert message.problems == ()
        serial = 1 + sum(b.series is content.series for b in self.bulletins)
        slug = slug_of(content.series, 2026, serial)
        local = self.now.astimezone(ZoneInfo("Asia/Shanghai"))
        late = {
            "number": f"试地灾预警〔2026〕{serial}号",
            "slug": slug,
            "sent": local.isoformat(timespec="seconds"),
            "date.zh": f"{local.year}年{local.month}月{local.day}日",
            "date.en": f"{local.day} {local:%B %Y}",
        }
        files = filled(message.artefacts, late)
        made = Bulletin(
            f"b-{len(self.bulletins) + 1}", warning, "p-1", content.series, 2026, serial, late["number"], slug,
            self.now, content, "7f" * 32, late, {a.path: a.sha256 for a in files},
        )  # fmt: skip
        self.bulletins.append(made)
        self.bodies[made.id] = {a.path: a.body for a in files}
        return made

    def state(self, **changes: Any) -> SiteState:
        self.sequence += 1
        published = []
        for bulletin in sorted(self.bulletins, key=lambda b: b.released_at, reverse=True):
            chain = tuple(b for b in self.bulletins if b.warning_id == bulletin.warning_id)
            later = chain[chain.index(bulletin) + 1 :]
            where = standing(bulletin, chain, self.now)
            published.append(PublishedBulletin(bulletin, where, later[0] if later else None, self.bodies[bulletin.id]))
        made = SiteState(
            self.sequence, self.now, self.now.replace(minute=0) + timedelta(hours=2), tuple(published), self.areas,
            None, False, None,
        )  # fmt: skip
        return replace(made, **changes)

    def publish(self, **changes: Any) -> None:
        self.channel.publish(self.state(**changes))

    def read(self, path: str) -> str:
        return (self.root / path).read_text("utf-8")
