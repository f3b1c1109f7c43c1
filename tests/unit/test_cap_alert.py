"""Alerts of the weather service: read as CAP 1.2, or refused by line and field."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from tests.unit.cap_samples import SQUARE, alert, area, info, reference

from geowarn.catalogue import explain
from geowarn.domain.area import Area, AreaKind
from geowarn.domain.companion import AlertArea, AlertKey
from geowarn.domain.errors import Refused
from geowarn.pipeline.companion_areas import covered, outline
from geowarn.sources.cap_alert import CapAlertReader
from geowarn.sources.cap_structure import check_structure
from geowarn_channels.cap_schema import schema


def refused(data: bytes) -> tuple[str, str]:
    with pytest.raises(Refused) as caught:
        CapAlertReader().read(data, "a.xml")
    assert "a.xml" in explain(caught.value, "en")
    return caught.value.key.removeprefix("companion."), explain(caught.value, "zh")


def test_a_message_is_read_whole() -> None:
    english = info(area("Haiyang", circle="36.7,121.2 12.5"), language="en-US", event="rainstorm", expires=None)
    data = alert("2", info(area(polygon=SQUARE)) + english, msgType="Update", references=reference("1"))
    message = CapAlertReader().read(data, "a.xml")
    assert message.key.sent == datetime(2026, 7, 22, 18, 0, 2, tzinfo=UTC)
    assert message.references == (
        AlertKey("weather@example.invalid", "rain-1", datetime(2026, 7, 22, 18, 0, 1, tzinfo=UTC)),
    )
    chinese, other = message.infos
    assert (chinese.event, chinese.severity, other.event, other.expires) == ("暴雨", "Severe", "rainstorm", None)
    assert chinese.onset == datetime(2026, 7, 22, 18, tzinfo=UTC)
    assert message.areas[0].polygons[0][0] == (121.0, 36.5)  # longitude first, CAP has latitude first
    assert message.areas[1].circles == ((121.2, 36.7, 12.5),)


@pytest.mark.parametrize(
    ("data", "key", "says"),
    [
        (b"", "sources.empty", "空"),
        (b"<alert", "xml", "第 1 行"),
        (b"\x00\x01", "xml", "XML"),
        (b"<html/>", "not-cap", "html"),
        (b'<!DOCTYPE a [<!ENTITY b "c">]><alert/>', "doctype", "DOCTYPE"),
        (
            '<?xml version="1.0" encoding="UTF-16"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'.encode("utf-16"),
            "doctype",
            "ENTITY",
        ),
        (alert(status="Real"), "value", "Actual, Exercise"),
        (alert(sent="2026-07-22T18:00:00Z"), "value", "sent"),
        (alert(sent="2026-02-30T18:00:00+08:00"), "value", "2026-02-30"),
        (alert(scope=None), "element-missing", "alert/scope"),
        (alert(identifier="a b"), "value", "identifier"),
        (alert(msgType="Ack"), "kind", "Ack"),
        (alert(msgType="Cancel"), "no-references", "Cancel"),
        (alert(msgType="Update", references="a,b"), "value", "references"),
        (alert(infos=""), "element-missing", "alert/info"),
        (alert(infos=info("") + info("", urgency="Soon")), "value", "urgency"),
        (alert(infos=info("", headline="<b>x</b>")), "element-unexpected", "headline"),
        (alert(infos=info("", event=None)), "element-missing", "info/event"),
        (alert(infos=info("<area/>")), "element-missing", "area/areaDesc"),
        (alert(infos=info(area(polygon="36,121 37,121 36,121"))), "value", "polygon"),
        (alert(infos=info(area(polygon=SQUARE.replace("36.5", "136.5")))), "value", "136.5,121.0"),
        (alert(infos=info(area(circle="36,121"))), "value", "circle"),
        (alert(infos=info(area(circle="36,121 nan"))), "value", "nan"),
    ],
)
def test_a_message_that_cannot_be_used_is_refused(data: bytes, key: str, says: str) -> None:
    found, sentence = refused(data)
    assert found == key
    assert says in sentence


def test_nothing_outside_the_message_is_read(tmp_path: object) -> None:
    inclusion = alert().replace(
        b"<status>", b'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="/etc/passwd"/><status>'
    )
    assert refused(inclusion)[0] == "element-unexpected"


ELEMENTS = sorted(set(re.findall(r"<(\w+)>", (alert() + info("").encode()).decode())))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_the_table_and_the_schema_agree(data: st.DataObject) -> None:
    """Elements removed, doubled, renamed or swapped, and words changed: ours refuses what the schema refuses."""
    tree = etree.fromstring(alert("2", info(area(polygon=SQUARE, geocode="370687")), references=reference("1")))
    for _ in range(data.draw(st.integers(0, 2))):
        found = [one for one in tree.iter() if one is not tree]
        if not found:
            break
        one = data.draw(st.sampled_from(found))
        parent = one.getparent()
        assert parent is not None
        match data.draw(st.sampled_from(["remove", "double", "rename", "first", "word"])):
            case "remove":
                parent.remove(one)
            case "double":
                parent.insert(parent.index(one), etree.fromstring(etree.tostring(one)))
            case "rename":
                one.tag = f"{{urn:oasis:names:tc:emergency:cap:1.2}}{data.draw(st.sampled_from(ELEMENTS))}"
            case "first":
                parent.insert(0, one)
            case "word":
                one.text = data.draw(st.sampled_from(["Actual", "Geo", "", "x", "2026-07-23T02:00:00+08:00", "Past"]))
    try:
        check_structure(tree, "a.xml")
        ours = True
    except Refused:
        ours = False
    assert ours == schema().validate(tree)


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_damage_is_refused_or_read_and_never_worse(data: st.DataObject) -> None:
    content = bytearray(alert("2", info(area(polygon=SQUARE, geocode="370687")), references=reference("1")))
    for _ in range(data.draw(st.integers(1, 3))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        message = CapAlertReader().read(bytes(content[: data.draw(st.integers(0, len(content)))]), "a.xml")
    except Refused as refusal:
        explain(refusal, "zh")
    else:
        covered(message.areas, OURS)


# --- whose areas

HAIYANG = {
    "type": "Polygon",
    "coordinates": [[[121.0, 36.6], [121.4, 36.6], [121.4, 37.0], [121.0, 37.0], [121.0, 36.6]]],
}
LAIYANG = {
    "type": "Polygon",
    "coordinates": [[[120.5, 36.6], [121.0, 36.6], [121.0, 37.0], [120.5, 37.0], [120.5, 36.6]]],
}
OURS = {
    one.code: one
    for one in (
        Area("370600", AreaKind.CITY, "烟台市", "Yantai"),
        Area("370687", AreaKind.COUNTY, "海阳市", "Haiyang", "370600", geometry=HAIYANG),
        Area("370682", AreaKind.COUNTY, "莱阳市", "Laiyang", "370600", geometry=LAIYANG),
        Area("zone-1", AreaKind.ZONE, "示范区", "Zone", "370687"),
        Area("point-1", AreaKind.POINT, "后山", "Hill", "370682", lon=120.6, lat=36.7),
    )
}
HAIYANG_AND_ZONE = ("370687", "zone-1")


def circle(lon: float, lat: float, km: float) -> AlertArea:
    return AlertArea("x", circles=((lon, lat, km),))


def square(west: float, east: float) -> AlertArea:
    ring = ((west, 36.6), (east, 36.6), (east, 37.0), (west, 37.0), (west, 36.6))
    return AlertArea("x", polygons=(ring,))


@pytest.mark.parametrize(
    ("block", "codes", "unplaced"),
    [
        (AlertArea("x", geocodes=(("a", "370687"),)), HAIYANG_AND_ZONE, False),
        (AlertArea("x", geocodes=(("a", "370687001"),)), HAIYANG_AND_ZONE, False),
        (AlertArea("x", geocodes=(("a", "370687001000"),)), HAIYANG_AND_ZONE, False),
        (AlertArea("x", geocodes=(("a", "zone-1"),)), ("zone-1",), False),
        (AlertArea("x", geocodes=(("a", "370600"),)), tuple(sorted(OURS)), False),
        (AlertArea("x", geocodes=(("a", "370000"),)), tuple(sorted(OURS)), False),
        (AlertArea("x", geocodes=(("a", "440100"),)), (), False),
        (AlertArea("海阳市", geocodes=(("EMMA_ID", "CN001"),)), HAIYANG_AND_ZONE, False),
        (AlertArea("某地", geocodes=(("EMMA_ID", "CN001"),)), (), True),
        (AlertArea("Laiyang"), ("370682", "point-1"), False),
        (square(121.1, 121.6), HAIYANG_AND_ZONE, False),
        (square(121.4, 121.6), (), False),  # it only touches
        (square(120.55, 120.65), ("370682", "point-1"), False),
        (circle(121.6, 36.8, 10), (), False),  # 17.8 km east of the border
        (circle(121.6, 36.8, 20), HAIYANG_AND_ZONE, False),
        (
            AlertArea("x", polygons=(((121.1, 36.7), (121.3, 36.9), (121.3, 36.7), (121.1, 36.9), (121.1, 36.7)),)),
            HAIYANG_AND_ZONE,
            False,
        ),
    ],
)
def test_which_areas_an_alert_covers(block: AlertArea, codes: tuple[str, ...], unplaced: bool) -> None:
    assert covered([block], OURS) == (codes, unplaced)


def test_blocks_add_up() -> None:
    blocks = [AlertArea("x", geocodes=(("a", "370687"),)), square(120.55, 120.59), AlertArea("?")]
    assert covered(blocks, OURS) == (("370682", "370687", "zone-1"), True)


def unordered(count: int) -> tuple[tuple[float, float], ...]:
    """A ring around the middle of Haiyang whose points stand in no order; repairing it would take for ever."""
    points = [(121.1 + 0.2 * (n * 37 % 101) / 101, 36.7 + 0.2 * (n * 61 % 103) / 103) for n in range(count - 1)]
    return (*points, points[0])


def test_rings_that_cross_themselves_or_each_other_a_thousand_times_are_placed_as_they_are() -> None:
    ring = unordered(4000)
    assert covered([AlertArea("x", polygons=(ring,))], OURS) == (HAIYANG_AND_ZONE, False)
    teeth = [(n / 2000, 0.1 + 0.8 * (n % 4 in (1, 2))) for n in range(2000)]
    comb = [*teeth, (1.0, 0.1), (1.0, 0.0), (0.0, 0.0), (0.0, 0.1)]
    across = tuple((120.55 + x / 9, 36.65 + y / 9) for x, y in comb)
    upright = tuple((120.55 + y / 9, 36.65 + x / 9) for x, y in comb)
    assert covered([AlertArea("x", polygons=(across, upright))], OURS) == (("370682",), False)  # the hill is between


def test_what_lies_within_a_ring_that_crosses_itself_elsewhere_is_covered() -> None:
    bow = ((120.0, 36.0), (122.0, 36.0), (122.0, 38.0), (120.0, 38.0), (119.0, 37.0), (119.5, 36.0), (119.5, 38.0))
    assert covered([AlertArea("x", polygons=((*bow, bow[0]),))], OURS) == (
        ("370682", "370687", "point-1", "zone-1"),
        False,
    )
    flat = AlertArea("x", polygons=(((121.2, 36.8),) * 4,))
    assert covered([flat], OURS) == (HAIYANG_AND_ZONE, False)


def test_an_outline_is_thinned_for_drawing_and_never_beyond_a_thousand_points() -> None:
    near = [(121.0 + n / 1e5, 36.8) for n in range(3000)]
    assert len(outline([*near, (121.01, 36.9), near[0]])) == 33
    assert outline(square(121.1, 121.6).polygons[0]) == [list(point) for point in square(121.1, 121.6).polygons[0]]
    hull = outline([(120 + (n * 7919 % 5003) / 5003, 36 + (n * 104729 % 5009) / 5009) for n in range(5000)])
    assert 3 < len(hull) < 1000
    assert hull[0] == hull[-1]


def test_each_value_of_a_geocode_is_looked_up_once() -> None:
    areas = {
        f"{code:06d}": Area(f"{code:06d}", AreaKind.COUNTY, str(code), str(code)) for code in range(370601, 373601)
    }
    block = AlertArea("x", geocodes=tuple(("a", f"{number:012d}") for number in range(440100000000, 440100006600)))
    assert covered([replace(block, description=str(n)) for n in range(20)], areas) == ((), False)
