"""CAP 1.2 section 3 and what receivers refuse, written down a second time and on its own, to hold our messages against.

Nothing here uses the program's own checks: the schema is read from its pinned file, everything else is spelled out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from lxml import etree
from shapely.geometry import Polygon, shape

from geowarn.domain.area import Area, ancestors
from geowarn_channels.cap_schema import schema_bytes

NS = "{urn:oasis:names:tc:emergency:cap:1.2}"
SENDER = "geohazard@example.invalid"
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+08:00", re.ASCII)
PAIR = re.compile(r"-?\d{1,2}(\.\d{1,5})?,-?\d{1,3}(\.\d{1,5})?", re.ASCII)
CIRCLE = re.compile(rf"{PAIR.pattern} (?=[\d.]*[1-9])\d+(\.\d+)?", re.ASCII)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ufffe\uffff]|\[\[late:")
NO_NAME = re.compile(r"[\s,<&]")
SEVERITY = {"blue": "Minor", "yellow": "Moderate", "orange": "Severe", "red": "Extreme"}
CERTAINTY = {"blue": "Possible", "yellow": "Possible", "orange": "Likely", "red": "Likely"}
RESPONSE = {
    "blue": ["Monitor"],
    "yellow": ["Monitor", "Prepare"],
    "orange": ["Prepare", "Avoid"],
    "red": ["Evacuate", "Avoid"],
}
GRADE = {"blue": "IV", "yellow": "III", "orange": "II", "red": "I"}
SAME = (
    "category", "responseType", "urgency", "severity", "certainty", "eventCode", "onset", "expires", "parameter",
)  # fmt: skip
MOST_POINTS = 1000
LONGEST_HEADLINE = 140


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.fromstring(schema_bytes()))


@dataclass(frozen=True)
class Read:
    """What a receiver knows a message by, and what it says of which area."""

    name: str
    sent: str
    kind: str
    level: str
    references: tuple[str, ...]
    expires: datetime
    codes: tuple[str, ...]

    @property
    def key(self) -> str:
        """As others refer to it."""
        return f"{SENDER},{self.name},{self.sent}"


def read(body: bytes) -> Read:
    """The message, as a receiver takes it in."""
    alert = etree.fromstring(body)
    name = _text(alert, "identifier")
    info = next(alert.iter(f"{NS}info"))
    codes = tuple(value.text or "" for value in info.iterfind(f"{NS}area/{NS}geocode/{NS}value"))
    return Read(
        name, _text(alert, "sent"), _text(alert, "msgType"), name.rsplit("-", 1)[-1],
        tuple(_text(alert, "references").split()), datetime.fromisoformat(_text(info, "expires")), codes,
    )  # fmt: skip


def faults(body: bytes, exercise: bool) -> list[str]:
    """Every rule that a message by itself breaks."""
    alert = etree.fromstring(body)
    found = [] if _schema().validate(alert) else [f"schema: {_schema().error_log}"]
    found += _document(body, alert)
    found += _texts(alert)
    found += _head(alert, exercise)
    infos = alert.findall(f"{NS}info")
    if [_text(info, "language") for info in infos] != ["zh-CN", "en-US"]:
        return [*found, "languages"]
    found += [f"{name} differs" for name in SAME if _written(infos[0], name) != _written(infos[1], name)]
    found += ["areas differ"] if _drawn(infos[0]) != _drawn(infos[1]) else []
    for info in infos:
        found += _info(alert, info)
    return found


def _document(body: bytes, alert: etree._Element) -> Iterator[str]:
    if not body.startswith(b"<?xml version='1.0' encoding='UTF-8'?>\n<alert "):
        yield "declaration"
    if body.count(b"<?") != 1 or b"<!" in body or alert.getroottree().docinfo.internalDTD is not None:
        yield "instruction, comment or document type"
    if any((element.tail or "").strip() != (element.tail or "") for element in alert.iter()):
        yield "blanks between elements"


def _texts(alert: etree._Element) -> Iterator[str]:
    for element in alert.iter(f"{NS}*"):
        text, name = element.text or "", etree.QName(element).localname
        if len(element):
            continue
        if not text or text != text.strip():
            yield f"{name} is empty or has blanks around it: {text!r}"
        if CONTROL.search(text):
            yield f"{name} holds what no text may: {text!r}"
        if name in ("sent", "effective", "onset", "expires") and not TIME.fullmatch(text):
            yield f"{name} is no time in Beijing: {text}"


def _head(alert: etree._Element, exercise: bool) -> Iterator[str]:
    for name in ("identifier", "sender"):
        if NO_NAME.search(_text(alert, name)):
            yield f"{name}: {_text(alert, name)}"
    if _text(alert, "sender") != SENDER or _text(alert, "scope") != "Public":
        yield "sender or scope"
    if _text(alert, "status") != ("Exercise" if exercise else "Actual") or bool(_text(alert, "note")) != exercise:
        yield f"status {_text(alert, 'status')}"
    kind, references = _text(alert, "msgType"), _text(alert, "references").split(" ")
    if kind not in ("Alert", "Update", "Cancel") or (kind == "Alert") != (references == [""]):
        yield f"references of {kind}"
    if len(set(references)) != len(references):
        yield "the same reference twice"


def _info(alert: etree._Element, info: etree._Element) -> Iterator[str]:
    level, ends = _text(alert, "identifier").rsplit("-", 1)[-1], _text(alert, "msgType") == "Cancel"
    if _written(info, "category") != ["Geo"]:
        yield "category"
    if _written(info, "eventCode") != ["OET:v1.2=OET-119", "OET:v1.2=OET-056"]:
        yield "event codes"
    if _text(info, "severity") != SEVERITY[level] or _text(info, "certainty") != CERTAINTY[level]:
        yield f"severity or certainty of {level}"
    responses = _written(info, "responseType")
    if responses not in (([], ["AllClear"]) if ends else (RESPONSE[level],)):
        yield f"responses {responses} of {level}"
    if _text(info, "urgency") not in (("Past",) if ends else ("Expected", "Future", "Immediate")):
        yield f"urgency {_text(info, 'urgency')}"
    parameters = dict(one.split("=", 1) for one in _written(info, "parameter"))
    if parameters.get("CN-WARNING-LEVEL") != level.capitalize() or parameters.get("CN-WARNING-GRADE") != GRADE[level]:
        yield f"colour {parameters}"
    sent, onset, expires = _text(alert, "sent"), _text(info, "onset"), _text(info, "expires")
    if ends and (expires != sent or onset):
        yield "a cancel must expire as it is sent"
    if not ends and not sent <= onset < expires:  # one zone, one form: they sort as texts
        yield f"times {sent} {onset} {expires}"
    if not 0 < len(_text(info, "headline")) <= LONGEST_HEADLINE:
        yield f"headline of {len(_text(info, 'headline'))}"
    if not re.fullmatch(r"https?://[^\s/]+/\S*", _text(info, "web")):
        yield "web"
    if not info.findall(f"{NS}area"):
        yield "no area"
    for area in info.iterfind(f"{NS}area"):
        yield from _area(area)


def _area(area: etree._Element) -> Iterator[str]:
    codes = _written(area, "geocode")
    if len(codes) != 1 or not codes[0].split("=", 1)[1]:
        yield f"geocodes {codes}"
    for polygon in area.iterfind(f"{NS}polygon"):
        pairs = (polygon.text or "").split(" ")
        if not all(PAIR.fullmatch(pair) for pair in pairs):
            yield f"polygon is not written as lat,lon lat,lon: {polygon.text!r}"
            continue
        points = [tuple(map(float, pair.split(","))) for pair in pairs]
        if len(points) < 4 or points[0] != points[-1]:
            yield "polygon is not closed"
        if len(points) > MOST_POINTS:
            yield f"polygon of {len(points)} points"
        if any(abs(lat) > 90 or abs(lon) > 180 for lat, lon in points):
            yield "polygon off the Earth"
        if len(points) >= 4 and not (Polygon(points).is_valid and Polygon(points).area > 0):
            yield "polygon crosses itself or encloses nothing"
    for circle in area.iterfind(f"{NS}circle"):
        if not CIRCLE.fullmatch(circle.text or ""):
            yield f"circle {circle.text}"
            continue
        lat, lon = map(float, (circle.text or "").split(" ")[0].split(","))
        if abs(lat) > 90 or abs(lon) > 180:
            yield f"circle off the Earth: {circle.text}"


def misplaced(body: bytes, areas: Mapping[str, Area]) -> list[str]:
    """Areas drawn far from where they are, or not drawn though their place is known."""
    found = []
    for area in etree.fromstring(body).iter(f"{NS}area"):
        code = _written(area, "geocode")[0].split("=", 1)[1]
        about = [areas[one] for one in ancestors(code, areas)]
        known = [box for one in about if (box := _box(one)) is not None]
        drawn = [part.text or "" for name in ("polygon", "circle") for part in area.iterfind(f"{NS}{name}")]
        if known and not drawn:
            found.append(f"{code} is not drawn")
        for text in drawn:
            lat, lon = map(float, text.split(" ")[0].split(","))
            if not any(_near(lat, lon, box) for box in known):
                found.append(f"{code} is drawn at {lat},{lon}")
    return found


def _box(area: Area) -> tuple[float, float, float, float] | None:
    if area.geometry is not None:
        west, south, east, north = shape(dict(area.geometry)).bounds
        return west, south, east, north
    return (area.lon, area.lat, area.lon, area.lat) if area.lon is not None and area.lat is not None else None


def _near(lat: float, lon: float, box: tuple[float, float, float, float]) -> bool:
    west, south, east, north = box
    turned = any(west - 0.2 <= lon + turn <= east + 0.2 for turn in (-360, 0, 360))
    return south - 0.2 <= lat <= north + 0.2 and turned


def standing(messages: list[Read], now: datetime) -> dict[str, list[str]]:
    """Area to the levels that a receiver who follows references and ends holds for it."""
    over = {reference for message in messages for reference in message.references}
    found: dict[str, list[str]] = {}
    for message in messages:
        if message.key not in over and message.kind != "Cancel" and message.expires > now:
            for code in message.codes:
                found.setdefault(code, []).append(message.level)
    return found


def wrong_references(message: Read, before: list[Read]) -> list[str]:
    """References that name nothing sent before, another level, or leave out what still stands of this level."""
    known = {one.key: one for one in before}
    found = [f"unknown {reference}" for reference in message.references if reference not in known]
    found += [f"of {known[r].level}: {r}" for r in message.references if r in known and known[r].level != message.level]
    if message.kind == "Alert":
        return found
    ended = {reference for one in before if one.kind == "Cancel" for reference in one.references}
    sent = datetime.fromisoformat(message.sent)
    for one in before:
        stands = one.level == message.level and one.kind != "Cancel" and one.key not in ended and one.expires > sent
        found += [f"leaves out {one.key}"] if stands and one.key not in message.references else []
    return found


def _text(parent: etree._Element, name: str) -> str:
    return parent.findtext(f"{NS}{name}") or ""


def _written(parent: etree._Element, name: str) -> list[str]:
    """Each element of this name, pairs as name=value."""
    return [
        "=".join(part.text or "" for part in element) if len(element) else element.text or ""
        for element in parent.iterfind(f"{NS}{name}")
    ]


def _drawn(info: etree._Element) -> list[list[str]]:
    areas = info.iterfind(f"{NS}area")
    return [[part.text or "" for part in area.iter() if not str(part.tag).endswith("areaDesc")] for area in areas]
