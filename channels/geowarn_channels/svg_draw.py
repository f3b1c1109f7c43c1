"""Draws areas and their levels as one SVG: colour, pattern, shape and character, so that no colour stands alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from markupsafe import Markup, escape

from geowarn.domain.area import AreaKind
from geowarn.domain.level import Level
from geowarn.ports import Templates
from geowarn_channels.page_pattern import Pattern, slot
from geowarn_channels.svg_labels import placed
from geowarn_channels.svg_map import WIDTH, MapBase, Outline, outline_ids

LABEL = 56  # height of the bar that says that a picture is synthetic or of an exercise
DENSE = 150  # outlines; a map with more shows places inside others only where their own level is higher
_ALWAYS = (AreaKind.COUNTY, AreaKind.ZONE)


def effective_levels(levels: Mapping[str, Level], parents: Mapping[str, str | None]) -> dict[str, Level]:
    """Every area's level: its own or that of any area that holds it, whichever is higher."""
    found: dict[str, Level] = {}
    for code in parents:
        best, current, seen = Level.NONE, code, set()
        while current is not None and current not in seen:
            seen.add(current)
            best = max(best, levels.get(current, Level.NONE))
            current = parents.get(current)  # type: ignore[assignment]
        found[code] = best
    return found


@dataclass(frozen=True, slots=True)
class Pin:
    """A place pointed out on the map of one area's page."""

    x: int
    y: int
    name: str


def draw_map(
    templates: Templates,
    base: MapBase,
    levels: Mapping[str, Level],
    language: str,
    title: str,
    *,
    standalone: bool = False,
    pin: Pin | None = None,
    opening: str = "",
) -> str:
    """The map as SVG text; inline it takes its colours from the page, standalone it carries them as attributes.

    `levels` hold public areas only; `opening` is the label a synthetic or exercise picture must bear.
    """
    drawing = Drawing(templates, base, levels, language, title)
    if standalone:
        return drawing.standalone(opening)
    return drawing.whole() if pin is None else drawing.round(pin, title)


class Drawing:
    """One state's map in one language: whole, or the part of it round a place."""

    def __init__(
        self, templates: Templates, base: MapBase, levels: Mapping[str, Level], language: str, title: str
    ) -> None:
        self._templates, self.base, self._language, self.title = templates, base, language, title
        self._levels = levels
        self._patterns: dict[bool, Pattern] = {}

    def standalone(self, opening: str) -> str:
        """A picture for any viewer."""
        height = self.base.height + (LABEL if opening else 0)
        box = (0, 0, WIDTH, self.base.height)
        values = {"areas": self._areas, "marks": self._marks, "opening": opening}
        return self._render(box, {**values, "standalone": True, "height": height})

    def framed(self, transform: str) -> str:
        """The picture as a part of a larger one, put there by an SVG transform."""
        box = (0, 0, WIDTH, self.base.height)
        values = {"areas": self._areas, "marks": self._marks, "opening": ""}
        return self._render(box, {**values, "standalone": True, "frame": transform})

    def whole(self) -> str:
        """The whole map for a page."""
        shapes, labels = zip(*self._fragments(pinned=False), strict=True) if self._areas else ((), ())
        values = {"shapes": _joined(shapes), "labels": _joined(labels), "marks": self._marks}
        return self._render((0, 0, WIDTH, self.base.height), values)

    def round(self, pin: Pin, title: str) -> str:
        """The part of the map round a place, with only what can be seen in it; `title` says in words what that is."""
        box = _window(pin, self.base.height)
        seen = [self._pinned[at] for at in self._within(box)]
        left = pin.x >= box[0] + box[2] * 0.7  # the name stands where there is room
        values = {
            "west": box[0], "north": box[1], "wide": box[2], "high": box[3], "pin_x": pin.x, "pin_y": pin.y,
            "name_x": pin.x - 22 if left else pin.x + 22, "name_y": pin.y + 9, "name": escape(pin.name),
            "title": escape(title), "shapes": "".join(shape for shape, _ in seen),
            "labels": "".join(label for _, label in seen),
            "marks": "".join(self._spot(mark) for mark in self._marks if _inside(mark, box)),
        }  # fmt: skip
        return self._pattern(left).fill({name: str(value) for name, value in values.items()})

    def seen_round(self, pin: Pin) -> int:
        """How many outlines the part round a place shows."""
        return len(self._within(_window(pin, self.base.height)))

    def levels_round(self, pin: Pin) -> tuple[tuple[str, Level], ...]:
        """The areas under a warning that the part round a place shows, by code."""
        box = _window(pin, self.base.height)
        seen = {self._shown[at].code for at in self._within(box)}
        seen |= {mark["code"] for mark in self._marks if _inside(mark, box)}
        return tuple(sorted((code, self._effective[code]) for code in seen if self._effective[code] > Level.NONE))

    def labels_round(self, pin: Pin) -> tuple[tuple[str, int, int], ...]:
        """The names that the part round a place shows, and where: each keeps clear of others on the whole map."""
        seen = (self._areas[at] for at in self._within(_window(pin, self.base.height)))
        return tuple((area["label"], area["label_x"], area["label_y"]) for area in seen if area["label"])

    def _within(self, box: tuple[int, int, int, int]) -> list[int]:
        west, north, wide, high = box
        east, south = west + wide, north + high
        return [
            at for at, (a, b, c, d) in enumerate(self._boxes) if a <= east and c >= west and b <= south and d >= north
        ]

    def _pattern(self, left: bool) -> Pattern:
        if left not in self._patterns:
            pin = {"x": slot("pin_x"), "y": slot("pin_y"), "name": slot("name"), "left": left,
                   "name_x": slot("name_x"), "name_y": slot("name_y")}  # fmt: skip
            box = [slot(name) for name in ("west", "north", "wide", "high")]
            values = {"shapes": slot("shapes"), "labels": slot("labels"), "marks": slot("marks"), "pin": pin,
                      "title": slot("title")}  # fmt: skip
            self._patterns[left] = Pattern(self._render(box, values))
        return self._patterns[left]

    @cached_property
    def _pinned(self) -> list[tuple[str, str]]:
        return self._fragments(pinned=True)

    @cached_property
    def _boxes(self) -> list[tuple[int, int, int, int]]:
        return [outline.box for outline in self._shown]

    @cached_property
    def _effective(self) -> dict[str, Level]:
        return effective_levels(self._levels, self.base.parents)

    @cached_property
    def _shown(self) -> list[Outline]:
        """In the order of drawing: what is under no warning first, red last.

        A dense map leaves out places inside others that add nothing to what holds them.
        """
        outlines = [o for o in self.base.outlines if not self._dense or self._adds(o)]
        return sorted(outlines, key=lambda o: self._effective.get(o.code, Level.NONE))

    @property
    def _dense(self) -> bool:
        return len(self.base.outlines) > DENSE

    def _adds(self, outline: Outline) -> bool:
        parent = self.base.parents.get(outline.code)
        own = self._effective.get(outline.code, Level.NONE)
        return outline.kind in _ALWAYS or own > self._effective.get(parent or "", Level.NONE)

    @cached_property
    def _marks(self) -> list[dict[str, Any]]:
        points = self.base.points
        return [
            {"code": code, "x": points[code][0], "y": points[code][1], "level": level.code}
            for code, level in sorted(self._levels.items(), key=lambda item: item[1])
            if level > Level.NONE and code in points
        ]

    @cached_property
    def _areas(self) -> list[dict[str, Any]]:
        labels = placed(self._shown, self._effective, self._language, dense=self._dense)
        ids = outline_ids(self.base)
        nowhere = ("", 0, 0)
        return [
            {
                "id": ids[o.code],
                "path": o.path,
                "level": self._effective.get(o.code, Level.NONE).code,
                "x": o.x,
                "y": o.y,
                "small": o.small,
                "label": labels.get(o.code, nowhere)[0],
                "label_x": labels.get(o.code, nowhere)[1],
                "label_y": labels.get(o.code, nowhere)[2],
            }
            for o in self._shown
        ]

    def _fragments(self, pinned: bool) -> list[tuple[str, str]]:
        """Shape and label of every area, in the order of drawing; one rendering for all of them."""
        text = self._templates.render(
            "website/map-outlines.svg.j2",
            areas=self._areas,
            language=self._language,
            pinned=pinned,
            between=_BETWEEN,
            after=_AFTER,
        )
        pairs = [piece.partition(_BETWEEN) for piece in text.split(_AFTER)]
        return [(shape.strip(), label.strip()) for shape, _, label in pairs[: len(self._areas)]]

    def _spot(self, mark: Mapping[str, Any]) -> str:
        return self._templates.render("website/map-spot.svg.j2", spot=mark, language=self._language).strip()

    def _render(self, box: Iterable[object], values: Mapping[str, Any]) -> str:
        return self._templates.render(
            "website/map.svg.j2",
            width=WIDTH,
            box=list(box),
            land=self.base.land,
            language=self._language,
            **(
                {"height": self.base.height, "standalone": False, "frame": "", "pin": None, "title": self.title}
                | dict(values)
            ),
        )


# What parts shape from label and area from area in the one rendering of all outlines.
_BETWEEN, _AFTER = "\x1f", "\x1e"


def _joined(parts: Iterable[str]) -> Markup:
    return Markup("".join(parts))  # noqa: S704 -- rendered by a template that escapes


def _inside(mark: Mapping[str, Any], box: tuple[int, int, int, int]) -> bool:
    west, north, wide, high = box
    return bool(west <= mark["x"] <= west + wide and north <= mark["y"] <= north + high)


def _window(pin: Pin, height: int) -> tuple[int, int, int, int]:
    """The part of the map round a place, inside the whole."""
    wide, high = min(480, WIDTH), min(430, height)
    return max(0, min(pin.x - wide // 2, WIDTH - wide)), max(0, min(pin.y - high // 2, height - high)), wide, high
