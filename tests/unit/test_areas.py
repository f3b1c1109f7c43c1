"""Area files: what is read, what is refused, and that nothing is half imported."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.catalogue import LANGUAGES, explain
from geowarn.domain.area import Area, AreaKind, Susceptibility, ancestors, by_code
from geowarn.domain.errors import Refused
from geowarn.pipeline.areas import check_areas, read_areas
from geowarn.resources import config_dir

HEADER = "code,kind,name_zh,name_en,parent,lon,lat,population,class\n"
RING = [[120.0, 37.0], [121.0, 37.0], [121.0, 38.0], [120.0, 38.0], [120.0, 37.0]]
NEIGHBOURS = [Area(f"n{at}", AreaKind.COUNTY, "邻", "Near", lon=120 + at / 10, lat=37 + at / 20) for at in range(10)]


def table(folder: Path, rows: str, name: str = "areas.csv") -> Path:
    path = folder / name
    path.write_text(HEADER + rows, encoding="utf-8")
    return path


def features(folder: Path, *geometries: Any, name: str = "areas.geojson", **properties: Any) -> Path:
    path = folder / name
    base = {"code": "c1", "kind": "county", "name_zh": "甲县", "name_en": "A County"}
    found = [
        {"type": "Feature", "properties": base | {"code": f"c{at}"} | properties, "geometry": geometry}
        for at, geometry in enumerate(geometries, 1)
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": found}), encoding="utf-8")
    return path


def polygon(ring: Sequence[Sequence[object]]) -> dict[str, Any]:
    return {"type": "Polygon", "coordinates": [ring]}


def refusal(*paths: Path, existing: list[Area] | None = None) -> Refused:
    with pytest.raises(Refused) as refused:
        read_areas(list(paths), existing or [])
    for language in LANGUAGES:
        assert paths[-1].name in explain(refused.value, language)
    return refused.value


def test_a_row_becomes_an_area(tmp_path: Path) -> None:
    (found,) = read_areas([table(tmp_path, "370602,county,芝罘区,Zhifu,,121.34,37.51,830054,high\n")], [])
    assert found == Area(
        "370602", AreaKind.COUNTY, "芝罘区", "Zhifu", None, 121.34, 37.51, 830054, Susceptibility.HIGH, surveyed=True
    )


def test_no_class_is_medium_or_the_parents_and_always_assumed(tmp_path: Path) -> None:
    rows = "b,county,乙,B,,,,,low\na,county,甲,A,,,,,\nt,township,镇,T,b,,,,\n"
    found = by_code(read_areas([table(tmp_path, rows)], []))
    assert [(found[code].susceptibility, found[code].surveyed) for code in "abt"] == [
        (Susceptibility.MEDIUM, False),
        (Susceptibility.LOW, True),
        (Susceptibility.LOW, False),
    ]


def test_table_and_polygons_of_one_code_are_one_area(tmp_path: Path) -> None:
    shapes = features(tmp_path, polygon(RING), lon=120.4, lat=37.6)
    rows = table(tmp_path, "c1,county,新名,New,,,,5,high\n")
    for order in ([shapes, rows], [rows, shapes]):
        (found,) = read_areas(order, [])
        assert (found.name_en, found.population, found.lon) == ("New", 5, 120.4)
        assert found.geometry is not None
        assert found.geometry["type"] == "Polygon"


def test_a_table_never_wipes_out_what_is_known(tmp_path: Path) -> None:
    known = read_areas([features(tmp_path, polygon(RING), population=9, **{"class": "high"})], [])
    (found,) = read_areas([table(tmp_path, "c1,county,新名,New,,,,,\n")], known)
    assert found.geometry == known[0].geometry
    assert (found.population, found.susceptibility, found.surveyed) == (9, Susceptibility.HIGH, True)


def test_a_unit_without_an_official_code_gets_the_same_one_of_ours_each_time(tmp_path: Path) -> None:
    row = ",zone,演示区,Demo zone,,,,,\n"
    first, second = (read_areas([table(tmp_path, row)], [])[0] for _ in range(2))
    assert first.code == second.code
    assert first.code.startswith("own-")
    assert not first.official


def test_a_point_feature_is_a_place(tmp_path: Path) -> None:
    path = features(tmp_path, {"type": "Point", "coordinates": [120.5, 37.5, 12.0]}, kind="point")
    (found,) = read_areas([path], [])
    assert (found.lon, found.lat, found.geometry) == (120.5, 37.5, None)


@pytest.mark.parametrize(
    ("rows", "key", "facts"),
    [
        ("a,county,甲,A,,,,,\na,county,乙,B,,,,,\n", "areas.duplicate-code", {"code": "a", "place": "3"}),
        ("a,county,甲,A,zz,,,,\n", "areas.unknown-parent", {"parent": "zz", "place": "2"}),
        ("a,county,甲,A,b,,,,\nb,county,乙,B,a,,,,\n", "areas.circle", {"code": "a"}),
        ("a,county,甲,A,a,,,,\n", "areas.circle", {"code": "a"}),
        ("a,county,甲,A,,37.5,121.3,,\n", "areas.swapped-axes", {"lat": 121.3}),
        ("a,county,甲,A,,12x,37,,\n", "areas.bad-value", {"field": "lon", "value": "12x"}),
        ("a,county,甲,A,,120,,,\n", "areas.bad-value", {"field": "lat"}),
        ("a,county,甲,A,,nan,37,,\n", "areas.bad-value", {"field": "lon"}),
        ("a,county,甲,A,,,,12.5,\n", "areas.bad-value", {"field": "population"}),
        ("a,village,甲,A,,,,,\n", "areas.unknown-word", {"field": "kind"}),
        ("a,county,甲,A,,,,,steep\n", "areas.unknown-word", {"field": "class"}),
        ("a,county,,A,,,,,\n", "areas.bad-value", {"field": "name_zh"}),
        ("../a,county,甲,A,,,,,\n", "areas.bad-value", {"field": "code"}),
        ("a,county,甲,A,,,\n", "areas.cells", {"place": "2"}),
        ("a,county,甲,A,,,,,,9\n", "areas.cells", {"place": "2"}),
    ],
)
def test_a_bad_row_is_named(tmp_path: Path, rows: str, key: str, facts: dict[str, object]) -> None:
    refused = refusal(table(tmp_path, rows))
    assert refused.key == key
    assert facts.items() <= refused.facts.items()


BOW = [[120.0, 37.0], [121.0, 38.0], [121.0, 37.0], [120.0, 38.0], [120.0, 37.0]]
SWAPPED = [[lat, lon] for lon, lat in RING]


@pytest.mark.parametrize(
    ("geometry", "key"),
    [
        (polygon(BOW), "areas.geometry"),
        (polygon([]), "areas.geometry"),
        (polygon([[120.0, 37.0], [121.0, 37.0]]), "areas.geometry"),
        (polygon([[120.0, 37.0], ["x", 37.0], [121.0, 38.0], [120.0, 37.0]]), "areas.geometry"),
        (polygon(SWAPPED), "areas.swapped-axes"),
        ({"type": "LineString", "coordinates": RING}, "areas.not-polygon"),
        ({"type": "Polygon"}, "areas.geometry"),
    ],
)
def test_a_bad_feature_is_named(tmp_path: Path, geometry: object, key: str) -> None:
    refused = refusal(features(tmp_path, polygon(RING), geometry))
    assert refused.key == key
    assert refused.facts["place"] == "2"


def test_the_reason_of_an_invalid_polygon_is_shapelys(tmp_path: Path) -> None:
    assert "Self-intersection" in str(refusal(features(tmp_path, polygon(BOW))).facts["reason"])


def test_axes_swapped_below_90_degrees_show_beside_the_neighbours(tmp_path: Path) -> None:
    near = [Area(f"n{at}", AreaKind.COUNTY, "邻", "Near", lon=10 + at / 10, lat=50 + at / 20) for at in range(10)]
    refused = refusal(table(tmp_path, "a,county,甲,A,,50.2,10.3,,\n"), existing=near)
    assert refused.key == "areas.swapped-axes"
    with pytest.raises(Refused, match="swapped-axes"):
        check_areas([Area("x", AreaKind.COUNTY, "甲", "X", lon=50.2, lat=10.3)], near)


def test_an_area_on_the_other_side_of_the_world_is_not_swapped(tmp_path: Path) -> None:
    ring = [[177.0, -20.5], [178.0, -20.5], [178.0, -19.5], [177.0, -19.5], [177.0, -20.5]]
    assert len(read_areas([features(tmp_path, polygon(ring))], NEIGHBOURS)) == 1


@pytest.mark.parametrize(
    ("name", "content", "key"),
    [
        ("a.csv", b"code,kind\n1,2\n", "areas.columns"),
        ("a.csv", b"\xff\xfe\x00", "areas.unreadable"),
        ("a.csv", b"", "areas.columns"),
        ("a.geojson", b"<!doctype html>", "areas.unreadable"),
        ("a.geojson", b'{"type": "Topology"}', "areas.not-features"),
        ("a.geojson", b"[" * 100_000, "areas.unreadable"),
        ("a.geojson", b'{"type":"FeatureCollection","features":[{"type":"Feature"}]}', "areas.no-properties"),
        (
            "a.geojson",
            b'{"type":"FeatureCollection","crs":{"properties":{"name":"EPSG:4490"}},"features":[]}',
            "areas.crs",
        ),
        ("a.shp", b"", "areas.unknown-format"),
    ],
)
def test_a_file_that_is_something_else_is_refused(tmp_path: Path, name: str, content: bytes, key: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    assert refusal(path).key == key


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert refusal(tmp_path / "none.csv").key == "areas.unreadable"


@given(st.binary(max_size=200))
def test_any_bytes_are_areas_or_a_refusal(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("bytes")
    for name, start in (("a.csv", HEADER.encode()), ("a.geojson", b"")):
        (folder / name).write_bytes(start + data)
        try:
            read_areas([folder / name], [])
        except Refused:
            continue


def test_the_shipped_set_holds_the_city() -> None:
    folder = config_dir() / "areas" / "yantai"
    areas = by_code(read_areas(sorted([*folder.glob("areas*.csv"), *folder.glob("areas*.geojson")]), []))
    kinds = [area.kind.value for area in areas.values()]
    assert {kind: kinds.count(kind) for kind in set(kinds)} == {"city": 1, "county": 11, "township": 159, "zone": 4}
    assert not any(area.surveyed for area in areas.values())
    low = {code for code, area in areas.items() if area.susceptibility is Susceptibility.LOW}
    assert low == {code for code in areas if "370612" in ancestors(code, areas)}
    assert all(areas[area.parent].code for area in areas.values() if area.parent)
    assert all(ancestors(code, areas)[-1] == "370600" for code in areas)
    assert all(area.geometry and area.lon for area in areas.values() if area.kind is AreaKind.COUNTY)
    assert sum(area.population or 0 for area in areas.values() if area.kind is AreaKind.COUNTY) == 6968202
    ours = {code for code, area in areas.items() if not area.official}
    assert ours == {"own-changdao", "own-kunyu"}
