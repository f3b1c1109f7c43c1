"""What somebody has typed into the public form, read leniently and shown again as it was."""

from __future__ import annotations

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

from geowarn.domain.errors import Refused
from geowarn.domain.voice import Said, tidy_text
from geowarn.ports import Vault
from geowarn.web.say_map import STEPS, WIDTH, SayMap, Window

TRAP = "website"  # a field that no person sees; whoever fills everything in fills it too
WHOLE = Window()
_VIEW = "say-map "
# Which field a refusal is about.
_FIELDS = {
    "say.kind": "kind",
    "say.sign": "sign",
    "say.text": "text",
    "say.place": "place",
    "say.area": "area",
    "say.point": "lon",
    "say.contact": "contact",
    "say.no-receipt": "number",
}


@dataclass(frozen=True, slots=True)
class Typed:
    """The fields as typed; `window` is the part of the map that is shown."""

    kind: str = ""
    sign: str = ""
    text: str = ""
    area: str = ""
    place: str = ""
    lon: str = ""
    lat: str = ""
    contact: str = ""
    number: str = ""
    window: Window = WHOLE

    @property
    def mark(self) -> tuple[float, float] | None:
        """The place marked, in degrees; None for none or for something else than two numbers."""
        try:
            return degrees(self.lon, self.lat)
        except Refused:
            return None

    def said(self) -> Said:
        """What was written; raises Refused for a place that is not two numbers."""
        lon, lat = degrees(self.lon, self.lat) or (None, None)
        return Said(self.text, self.place, lon, lat)

    def picture(self, vault: Vault, address: str, language: str) -> str:
        """The address of the map's picture; where it shows is sealed in it, as addresses end up in logs."""
        named, mark, window = {"l": language}, self.mark, self.window
        if mark is not None or window != WHOLE:
            told = json.dumps([window.step, window.lon, window.lat, *(mark or ())])
            named["v"] = urlsafe_b64encode(vault.seal(f"{_VIEW}{told}")).decode()
        return f"{address}/map.svg?{urlencode(named)}"


def view_in(vault: Vault, sealed: str) -> tuple[Window, tuple[float, float] | None]:
    """The part of the map, and the place marked, that a picture's address holds; the whole for what is not ours."""
    try:
        told = vault.open(urlsafe_b64decode(sealed[:400]))
        step, lon, lat, *mark = json.loads(told.removeprefix(_VIEW)) if told.startswith(_VIEW) else (0, 0.0, 0.0)
    except (Refused, ValueError):
        return WHOLE, None
    return Window(step, lon, lat), (mark[0], mark[1]) if mark else None


@dataclass(frozen=True, slots=True)
class Wrong:
    """What keeps the form from being taken: the field it is about, or empty, and the sentence."""

    field: str
    sentence: str


def degrees(lon: str, lat: str) -> tuple[float, float] | None:
    """Two typed numbers; None where both are empty. Raises Refused for anything else."""
    if not lon.strip() and not lat.strip():
        return None
    try:
        found = float(lon), float(lat)
    except ValueError:
        raise Refused("say.point") from None
    if not (math.isfinite(found[0]) and math.isfinite(found[1]) and abs(found[0]) <= 180 and abs(found[1]) <= 90):
        raise Refused("say.point")
    return found


def typed_of(fields: Mapping[str, str]) -> Typed:
    """The fields, whatever was sent."""
    return Typed(
        kind=fields.get("kind", "")[:20],
        sign=fields.get("sign", "")[:20],
        text=tidy_text(fields.get("text", "")[:20_000]),
        area=fields.get("area", "")[:40],
        place=" ".join(tidy_text(fields.get("place", "")[:1000]).split()),
        lon=fields.get("lon", "").strip()[:20],
        lat=fields.get("lat", "").strip()[:20],
        contact=" ".join(fields.get("contact", "")[:200].split()),
        number=fields.get("number", "").strip()[:20],
        window=window_of(fields),
    )


def window_of(fields: Mapping[str, str]) -> Window:
    """The part of the map a form or an address names; the whole for anything that makes no sense."""
    step = fields.get("z", "0")
    if step not in tuple(str(number) for number in range(1, len(STEPS))):
        return WHOLE
    try:
        found = degrees(fields.get("x", ""), fields.get("y", ""))
    except Refused:
        return WHOLE
    return Window(int(step), *found) if found else WHOLE


def pressed(fields: Mapping[str, str], typed: Typed, drawn: SayMap) -> tuple[float, float] | None:
    """Where the picture was pressed; None for a press by the keyboard, which has no place."""
    x, y = fields.get("at.x", ""), fields.get("at.y", "")
    if not (x.isascii() and x.isdigit() and y.isascii() and y.isdigit()) or (x, y) == ("0", "0"):
        return None
    if int(x[:6]) > WIDTH or int(y[:6]) > drawn.height:
        return None
    return drawn.place(typed.window, int(x[:6]), int(y[:6]))


def nearer(window: Window, mark: tuple[float, float]) -> Window:
    """The next step around a place."""
    return Window(min(window.step + 1, len(STEPS) - 1), *mark)


def wrong_of(refusal: Refused, sentence: str) -> Wrong:
    """The refusal with the field it is about."""
    return Wrong(_FIELDS.get(refusal.key, ""), sentence)
