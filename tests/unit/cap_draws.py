"""Random proposals for the properties of CAP messages: areas of every shape, courses of every kind."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.bulletin import Bulletin, slug_of
from geowarn.domain.level import Level
from geowarn.domain.package import fill
from geowarn.domain.warning import Act, AreaLevel, Content, Series
from geowarn.ports import BulletinDraft
from geowarn.settings import load_settings
from geowarn.templating import JinjaTemplates
from geowarn_channels.cap import cap_messages
from geowarn_channels.moments import cap_time

START = datetime(2026, 7, 22, 18, 3, 7, tzinfo=UTC)
ZONE = "Asia/Shanghai"
LEVELS = (Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED)
CLOSING = (Act.LIFT, Act.CANCEL)
_COUNTY, _POINT, _TOWN, _UNIT = AreaKind.COUNTY, AreaKind.POINT, AreaKind.TOWNSHIP, AreaKind.ZONE
ODD = "𠮷𪚥😀𝒳&<>\"'\u0000\u0007\u000b\u001f\u007f\u0085\u2028\u202e\u200b\ufeff\ufffe\U0001fffe \t\n]]>[[%{}é"


@dataclass(frozen=True)
class Step:
    """One bulletin of a course: what it does, to which levels, how long after the one before, for how long."""

    act: Act
    levels: Mapping[str, Level]
    later: timedelta
    hours: int


@dataclass(frozen=True)
class Plan:
    """A city and one course of events in it."""

    areas: Mapping[str, Area]
    steps: tuple[Step, ...]
    series: Series
    synthetic: bool
    calibrated: bool
    text: str  # typed by a person: slots and reasons
    publish_from: Level


@dataclass
class Released:
    """A bulletin with the bytes of its messages, and what it was drafted from."""

    draft: BulletinDraft
    bulletin: Bulletin
    messages: dict[Level, bytes]
    expires: datetime
    retraction: dict[Level, bytes] = field(default_factory=dict)


def _ring(lon: float, lat: float, size: float, corners: int = 4, spikes: float = 1.0) -> list[list[float]]:
    """A star-shaped ring round a point; `spikes` below 1 pulls every other corner in."""
    found = []
    for at in range(corners):
        turn, reach = 2 * math.pi * at / corners + math.pi / 4, size * (spikes if at % 2 else 1.0)
        found.append([lon + reach * math.cos(turn), lat + reach * math.sin(turn)])
    return [*found, found[0]]


def _shape(kind: str, lon: float, lat: float, size: float) -> dict[str, Any] | None:
    """A GeoJSON geometry of this kind round a point."""
    if kind == "none":
        return None
    if kind == "islands":
        parts = [[_ring(lon + size * 3 * at, lat, size / (1 + at), 5)] for at in range(4)]
        return {"type": "MultiPolygon", "coordinates": parts}
    if kind == "touching":  # two parts that share a side, which no valid multipolygon may
        west = [[lon, lat], [lon + size, lat], [lon + size, lat + size], [lon, lat + size], [lon, lat]]
        east = [[x + size, y] for x, y in west]
        return {"type": "MultiPolygon", "coordinates": [[west], [east]]}
    rings = {
        "square": [_ring(lon, lat, size)],
        "star": [_ring(lon, lat, size, 40, 0.3)],
        "coast": [_ring(lon, lat, size, 1600, 0.93)],
        "ring": [_ring(lon, lat, size, 12), _ring(lon, lat, size / 2, 5)],
        "bow": [[[lon, lat], [lon + size, lat + size], [lon + size, lat], [lon, lat + size], [lon, lat]]],
        "flat": [[[lon, lat], [lon + size, lat], [lon + size / 2, lat], [lon, lat]]],
        "speck": [_ring(lon, lat, 1e-6)],
    }
    return {"type": "Polygon", "coordinates": rings[kind]}


SHAPES = ("square", "islands", "touching", "star", "ring", "bow", "coast", "flat", "speck", "none")
NAMES = st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(ODD)), min_size=1, max_size=14)


@st.composite
def cities(draw: st.DrawFn) -> dict[str, Area]:
    """One to two hundred areas: a few are drawn, more are their like beside them."""
    names = draw(st.lists(NAMES.filter(lambda name: bool(name.strip())), min_size=1, max_size=3))
    shapes = draw(st.lists(st.sampled_from(SHAPES), min_size=1, max_size=4))
    kinds = draw(st.lists(st.sampled_from((_COUNTY, _POINT, _TOWN, _UNIT)), min_size=1, max_size=4))
    count = draw(st.sampled_from((1, 1, 2, 3, 5, 9, 30, 200)))
    size = draw(st.sampled_from((0.3, 0.02)))
    west, south = draw(st.sampled_from(((120.0, 36.5), (179.9, -17.0), (-0.2, 51.4))))
    found: dict[str, Area] = {"370600": Area("370600", AreaKind.CITY, "烟台市", "Yantai City")}
    for at in range(count):
        lon, lat = west + 0.3 * (at % 10), south + 0.3 * (at // 10 % 20)
        kind, name = kinds[at % len(kinds)], names[at % len(names)]
        form = "star" if at and shapes[at % len(shapes)] == "coast" else shapes[at % len(shapes)]  # one is dear enough
        shape = _shape("none" if kind is _POINT else form, lon, lat, size)
        placed = kind is _POINT or at % 3 == 0
        parent = "a-0" if at and kind in (_POINT, _TOWN) else "370600"
        found[f"a-{at}"] = Area(
            f"a-{at}", kind, f"{name}{at}", f"{name} {at}", parent,
            lon if placed else None, lat if placed else None, geometry=shape,
        )  # fmt: skip
    return found


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A city and a course: an issue, updates and extensions, often an end."""
    areas = draw(cities())
    codes = [code for code in areas if code != "370600"]
    some = st.lists(st.sampled_from(codes), min_size=1, max_size=len(codes), unique=True)
    every = draw(st.booleans())
    acts = [Act.ISSUE, *draw(st.lists(st.sampled_from((Act.UPDATE, Act.UPDATE, Act.EXTEND)), max_size=3))]
    acts += draw(st.sampled_from(((), (Act.LIFT,), (Act.CANCEL,))))
    levels: Mapping[str, Level] = {}
    steps = []
    for act in acts:
        if act in (Act.ISSUE, Act.UPDATE):
            chosen = draw(st.lists(st.sampled_from(LEVELS), min_size=1, max_size=4))
            named = codes if every else draw(some)
            levels = {code: chosen[at % len(chosen)] for at, code in enumerate(named)}
        later, hours = draw(st.sampled_from((1, 40, 700))), draw(st.sampled_from((3, 24)))
        steps.append(Step(act, dict(levels), timedelta(seconds=later * 61), hours))
    return Plan(
        areas,
        tuple(steps),
        draw(st.sampled_from((Series.REAL, Series.REAL, Series.EXERCISE))),
        draw(st.sampled_from((False, False, True))),
        draw(st.booleans()),
        draw(st.text(st.one_of(st.characters(codec="utf-8"), st.sampled_from(ODD)), max_size=30)),
        draw(st.sampled_from((Level.YELLOW, Level.BLUE))),
    )


@cache
def templates() -> JinjaTemplates:
    """The shipped ones, compiled once."""
    return JinjaTemplates()


@cache
def facts() -> dict[str, dict[str, Any]]:
    """The shipped settings."""
    return load_settings(None).sections()


def course_of(plan: Plan) -> list[Released]:
    """Every step drafted, rendered and filled in as at release; a step that warns nobody in public is left out."""
    found: list[Released] = []
    now = START
    for step in plan.steps:
        now += step.later
        draft = _draft(plan, step, now, tuple(one.bulletin for one in found))
        messages = cap_messages(draft, templates())
        if not messages:
            continue
        found.append(_released(plan, draft, messages, now, len(found) + 1))
    return found


def _draft(plan: Plan, step: Step, now: datetime, earlier: tuple[Bulletin, ...]) -> BulletinDraft:
    areas = tuple(AreaLevel(code, level) for code, level in step.levels.items())
    slots = {f"action.{level.code}.{language}": plan.text for level in LEVELS for language in ("zh", "en")}
    content = Content(
        step.act, plan.series, areas, now + timedelta(minutes=20), now + timedelta(hours=step.hours),
        now + timedelta(hours=1), slots=slots, reason=plan.text, synthetic=plan.synthetic, calibrated=plan.calibrated,
    )  # fmt: skip
    return BulletinDraft(content, plan.areas, {}, earlier, facts(), plan.publish_from, prepared_at=now)


def _released(plan: Plan, draft: BulletinDraft, messages: Mapping[str, bytes], now: datetime, serial: int) -> Released:
    slug = slug_of(plan.series, 2026, serial)
    late = {"slug": slug, "sent": cap_time(now, ZONE), "number": f"试〔2026〕{serial}号"}
    bodies = {path: fill(body, late) for path, body in messages.items()}
    bulletin = Bulletin(
        f"b-{serial}", "w-1", "p-1", plan.series, 2026, serial, late["number"], slug, now, draft.content, "0" * 64,
        late, dict.fromkeys(bodies, "0" * 64),
    )  # fmt: skip
    made = Released(draft, bulletin, _by_level(bodies), draft.content.expires)
    if draft.content.act not in CLOSING:
        back = replace(draft, content=replace(draft.content, act=Act.RETRACT), original=draft.content)
        later = now + timedelta(minutes=5)
        again = {
            "slug": slug_of(plan.series, 2026, serial + 50), "sent": cap_time(later, ZONE), "number": "试〔2026〕99号",
            **{f"original.{name}": value for name, value in late.items()},
        }  # fmt: skip
        made.retraction = _by_level({p: fill(b, again) for p, b in cap_messages(back, templates()).items()})
    return made


def _by_level(bodies: Mapping[str, bytes]) -> dict[Level, bytes]:
    return {Level.parse(path.split("/")[-1][:-4]): body for path, body in bodies.items()}


def all_messages(course: Sequence[Released]) -> list[bytes]:
    """Every message of a course in order, retractions behind the bulletin that they belong to."""
    return [body for one in course for body in (*one.messages.values(), *one.retraction.values())]
