"""The map: every levelled area by colour, pattern, shape and name, and a picture that needs no system font."""

from __future__ import annotations

import hashlib
from importlib.resources import files

from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from geowarn.domain.area import Area, AreaKind, ancestors
from geowarn.domain.level import Level
from geowarn.resources import config_dir
from geowarn.templating import JinjaTemplates
from geowarn_channels.picture import FONT, picture
from geowarn_channels.svg_draw import Pin, draw_map, effective_levels
from geowarn_channels.svg_labels import placed, short_name
from geowarn_channels.svg_map import Outline, map_base

TEMPLATES = JinjaTemplates()
SVG = "{http://www.w3.org/2000/svg}"


def square(west: float, south: float) -> dict[str, object]:
    ring = [[west, south], [west + 1, south], [west + 1, south + 1], [west, south + 1], [west, south]]
    return {"type": "Polygon", "coordinates": [ring]}


AREAS = {
    "1": Area("1", AreaKind.COUNTY, "东山市", "Dongshan City", lon=0.5, lat=0.5, geometry=square(0, 0)),
    "2": Area("2", AreaKind.COUNTY, "西河区", "Xihe District", lon=1.5, lat=0.5, geometry=square(1, 0)),
    "1-1": Area("1-1", AreaKind.TOWNSHIP, "石门镇", "Shimen", "1", 0.2, 0.2),
}


def test_standalone_map_is_an_svg_with_attributes_only() -> None:
    svg = draw_map(TEMPLATES, map_base(AREAS), {"1": Level.RED}, "zh", "图", standalone=True, opening="合成<演示>")
    root = etree.fromstring(svg.encode())
    assert root.tag == f"{SVG}svg"
    assert "class=" not in svg
    assert "<style" not in svg
    assert "style=" not in svg
    assert not root.findall(f".//{SVG}svg")
    texts = ["".join(map(str, found.itertext())) for found in root.iter(f"{SVG}text")]
    assert {"东山", "西河", "红", "合成<演示>"} <= set(texts)


def test_inline_map_names_what_it_shows_and_paints_the_highest_level_last() -> None:
    svg = draw_map(TEMPLATES, map_base(AREAS), {"1": Level.YELLOW, "2": Level.RED}, "en", "Map & more")
    assert 'role="img"' in svg
    assert '<title id="mt">Map &amp; more</title>' in svg
    assert svg.index("co co-yellow") < svg.index("co co-red")
    assert svg.index("url(#my)") < svg.index("url(#mr)")
    assert "style=" not in svg


def test_neighbours_share_their_border_on_the_map() -> None:
    paths = {o.code: o.path for o in map_base(AREAS).outlines}
    assert set(paths) == {"1", "2"}
    assert all(path.startswith("M") and path.endswith("z") for path in paths.values())


def test_area_without_shape_gets_a_mark_of_its_own_and_can_be_pinned() -> None:
    base = map_base(AREAS)
    svg = draw_map(TEMPLATES, base, {"1-1": Level.ORANGE}, "zh", "图")
    assert "lv-orange" in svg
    pinned = draw_map(TEMPLATES, base, {}, "zh", "图", pin=Pin(*base.points["1-1"], "石门镇"))
    assert "石门镇" in pinned


def test_no_shapes_at_all_still_draws_an_empty_map() -> None:
    svg = draw_map(TEMPLATES, map_base({}), {}, "zh", "图", standalone=True)
    assert etree.fromstring(svg.encode()).tag == f"{SVG}svg"


def test_picture_is_the_same_every_time() -> None:
    svg = draw_map(TEMPLATES, map_base(AREAS), {"1": Level.RED}, "zh", "图", standalone=True)
    drawn = picture(svg)
    assert drawn.startswith(b"\x89PNG")
    assert drawn == picture(svg)
    assert drawn != picture(svg.replace("东山", ""))  # the font we carry draws Chinese names


def test_font_is_the_one_we_looked_at() -> None:
    body = (files("geowarn_channels") / "fonts" / FONT).read_bytes()
    assert hashlib.sha256(body).hexdigest() == "7ffa321b335c38e48cea7aca5c4f4e9823005147b92d72d4e4acfab1023dee27"


def _tile(code: str, x: int, y: int, half: int) -> Outline:
    box = (x - half, y - half, x + half, y + half)
    return Outline(code, "东山市", "Dongshan", "", x, y, False, AreaKind.COUNTY, box)


def test_a_name_moves_aside_but_on_a_dense_map_never_onto_another_area() -> None:
    beside, dense = (
        placed([_tile("a", 500, 500, 8), _tile("b", 550, 500, 8)], {}, "zh", dense=d) for d in (False, True)
    )
    assert set(beside) == {"a", "b"}
    assert set(dense) == {"a"}
    wide = placed([_tile("a", 500, 500, 8), _tile("b", 550, 500, 80)], {}, "zh", dense=True)
    assert wide["b"][1:] == beside["b"][1:]  # it is still its own ground


def test_short_names() -> None:
    assert short_name("莱阳市", "zh") == "莱阳"
    assert short_name("市区", "zh") == "市区"
    assert short_name("Haiyang City", "en") == "Haiyang"


@given(st.dictionaries(st.sampled_from(sorted(AREAS)), st.sampled_from(list(Level))))
def test_an_area_has_the_highest_level_of_itself_and_what_holds_it(levels: dict[str, Level]) -> None:
    found = effective_levels(levels, {code: area.parent for code, area in AREAS.items()})
    for code in AREAS:
        assert found[code] == max(levels.get(held, Level.NONE) for held in ancestors(code, AREAS))


def test_font_draws_every_shipped_name() -> None:
    names = "".join(path.read_text("utf-8") for path in (config_dir() / "areas").glob("*/areas.csv"))
    drawn = _characters()
    assert not {c for c in names if c >= " " and ord(c) not in drawn}


def _characters() -> set[int]:
    """The code points of the font's cmap, read from its format 4 or 12 table."""
    body = (files("geowarn_channels") / "fonts" / FONT).read_bytes()
    tables = {body[i : i + 4]: int.from_bytes(body[i + 8 : i + 12]) for i in range(12, 12 + 16 * body[5], 16)}
    start = tables[b"cmap"]
    found: set[int] = set()
    for number in range(int.from_bytes(body[start + 2 : start + 4])):
        record = start + 4 + 8 * number
        table = start + int.from_bytes(body[record + 4 : record + 8])
        if int.from_bytes(body[table : table + 2]) == 12:
            for group in range(int.from_bytes(body[table + 12 : table + 16])):
                at = table + 16 + 12 * group
                found |= set(range(int.from_bytes(body[at : at + 4]), int.from_bytes(body[at + 4 : at + 8]) + 1))
        elif int.from_bytes(body[table : table + 2]) == 4:
            half = int.from_bytes(body[table + 6 : table + 8])
            for at in range(table + 14, table + 14 + half, 2):
                last, first = body[at : at + 2], body[at + half + 2 : at + half + 4]
                found |= set(range(int.from_bytes(first), int.from_bytes(last) + 1))
    return found
