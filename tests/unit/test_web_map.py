"""The console's map: every levelled area is drawn with its level, in order, inside the frame."""

from __future__ import annotations

from geowarn.domain.area import Area, AreaKind, by_code
from geowarn.domain.level import Level
from geowarn.web.map_drawing import MapDrawer, short_name


def square(code: str, lon: float, lat: float, kind: AreaKind = AreaKind.COUNTY, parent: str | None = None) -> Area:
    ring = [[lon, lat], [lon + 1, lat], [lon + 1, lat + 1], [lon, lat + 1], [lon, lat]]
    return Area(code, kind, f"{code}市", f"{code} City", parent, geometry={"type": "Polygon", "coordinates": [ring]})


AREAS = by_code(
    [
        square("A", 120, 37),
        square("B", 121, 37),
        square("C", 120, 38),
        Area("P", AreaKind.POINT, "隐患点一", "Point 1", "A", lon=120.5, lat=37.2),
    ]
)


def test_levels_are_drawn_over_what_has_none() -> None:
    drawing = MapDrawer().draw(AREAS, {"A": Level.RED, "B": Level.BLUE}, "zh")
    assert drawing is not None
    assert [shape.level for shape in drawing.shapes] == [Level.NONE, Level.BLUE, Level.RED]
    assert all(0 <= label.x <= drawing.width and 0 <= label.y <= drawing.height for label in drawing.labels)


def test_a_point_with_a_level_has_a_badge() -> None:
    drawing = MapDrawer().draw(AREAS, {"P": Level.ORANGE}, "en")
    assert drawing is not None
    assert ("Point 1", Level.ORANGE) in [(label.name, label.level) for label in drawing.labels]


def test_no_polygon_no_map() -> None:
    assert MapDrawer().draw({"P": AREAS["P"]}, {}, "zh") is None


def test_changed_outlines_are_drawn_anew() -> None:
    drawer = MapDrawer()
    first = drawer.draw(AREAS, {}, "zh")
    other = drawer.draw(by_code([square("A", 10, 10), square("B", 13, 10)]), {}, "zh")
    assert first is not None
    assert other is not None
    assert first.height != other.height


def test_short_names() -> None:
    assert short_name("海阳市", "zh") == "海阳"
    assert short_name("Haiyang City", "en") == "Haiyang"
    assert short_name("开发区", "zh") == "开发"


def test_what_others_cover_is_drawn_as_it_came_however_often_it_crosses_itself() -> None:
    tangle = [[120 + (n * 37 % 101) / 101, 37 + (n * 61 % 103) / 103] for n in range(4000)]
    fine = [[120.2 + n / 1e6, 37.5] for n in range(3000)]
    far = [[10.0, 10.0], [11.0, 10.0], [11.0, 11.0], [10.0, 10.0]]
    around = [[100.0, 20.0], [140.0, 20.0], [140.0, 60.0], [100.0, 60.0], [100.0, 20.0]]
    drawings = [MapDrawer().draw(AREAS, {}, "zh", [ring]) for ring in (tangle, [*fine, [120.2, 37.9]], far, around)]
    paths = [drawing.others for drawing in drawings if drawing is not None]
    assert 3000 < paths[0].count("L") <= 4000
    assert paths[1].count("L") < 5
    assert paths[2] == ""
    assert paths[3].count("L") == 4
