"""CAP 1.2: one message a level, each level's chain its own, every message fit to leave."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.level import Level
from geowarn.domain.package import fill, marker
from geowarn.domain.warning import Act, Series
from geowarn_channels.cap import cap_messages, check_cap
from geowarn_channels.cap_rules import SAMPLE
from geowarn_channels.cap_schema import NAMESPACE, schema_bytes

CAP = {"c": NAMESPACE}
ANY_LEVEL = st.sampled_from([Level.BLUE, Level.YELLOW, Level.ORANGE, Level.RED])
CODES = ("370687", "370682", "370686", "370685", "370683", "370612", "370687001", "p-1", "zone-x", "zone-y", "new")
NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(lambda name: name.strip())


def read(messages: dict[str, bytes]) -> dict[str, etree._Element]:
    """Level to message, filled as at release, each checked."""
    for body in messages.values():
        assert check_cap(body) == ()
    return {path.split("/")[-1][:-4]: etree.fromstring(fill(body, SAMPLE)) for path, body in messages.items()}


def text(alert: etree._Element, path: str) -> str:
    """The first text at a path such as `info/urgency`."""
    return alert.findtext("/".join(f"{{{NAMESPACE}}}{step}" for step in path.split("/"))) or ""


def geocodes(alert: etree._Element) -> list[str]:
    """The areas the first info names."""
    first = alert.find("c:info", CAP)
    assert first is not None
    return [element.text or "" for element in first.findall("c:area/c:geocode/c:value", CAP)]


def in_force(alerts: dict[str, etree._Element], code: str) -> list[str]:
    """The levels that a reader of these messages sees in force for an area."""
    return [level for level, a in alerts.items() if text(a, "msgType") != "Cancel" and code in geocodes(a)]


def test_a_first_bulletin_is_an_alert_a_public_level(drafts: Any) -> None:
    levels = {"370687": Level.RED, "370682": Level.YELLOW, "370612": Level.BLUE}
    alerts = read(cap_messages(drafts.draft(drafts.content(levels)), drafts.templates))
    assert list(alerts) == ["red", "yellow"]
    red = alerts["red"]
    assert text(red, "identifier") == "geowarn-2000-002-red"
    assert (text(red, "status"), text(red, "msgType"), text(red, "scope")) == ("Actual", "Alert", "Public")
    assert (text(red, "info/language"), text(red, "info/category")) == ("zh-CN", "Geo")
    assert (text(red, "info/severity"), text(red, "info/certainty")) == ("Extreme", "Likely")
    assert text(red, "info/expires") == "2026-07-24T02:00:00+08:00"
    assert text(red, "info/web").endswith("/w/2000-002/")
    assert geocodes(red) == ["370687"]
    assert "370612" not in str(etree.tostring(alerts["yellow"]))


def test_sent_identifier_and_page_are_late_fields(drafts: Any) -> None:
    body = cap_messages(drafts.draft(drafts.content({"370687": Level.RED})), drafts.templates)["website/cap/red.xml"]
    found = etree.fromstring(body)
    assert text(found, "sent") == marker("sent")
    assert text(found, "identifier") == f"geowarn-{marker('slug')}-red"


def test_urgency_is_expected_when_it_begins_within_the_hour_else_future(drafts: Any) -> None:
    content = drafts.content({"370687": Level.RED})
    for hour, wanted in ((18, "Expected"), (17, "Expected"), (16, "Future")):
        draft = drafts.draft(content, prepared_at=content.onset.replace(hour=hour))
        assert text(read(cap_messages(draft, drafts.templates))["red"], "info/urgency") == wanted


def test_an_update_keeps_each_levels_chain_apart(drafts: Any) -> None:
    first = drafts.released(drafts.content({"370687": Level.ORANGE, "370682": Level.YELLOW}), 1)
    content = drafts.content({"370687": Level.RED, "370682": Level.YELLOW}, Act.UPDATE)
    alerts = read(cap_messages(drafts.draft(content, (first,)), drafts.templates))
    assert {level: text(a, "msgType") for level, a in alerts.items()} == {
        "red": "Alert",
        "yellow": "Update",
        "orange": "Cancel",
    }
    sender = text(alerts["red"], "sender")
    assert text(alerts["red"], "references") == ""
    assert text(alerts["yellow"], "references") == f"{sender},geowarn-2026-001-yellow,2026-07-23T02:01:00+08:00"
    assert text(alerts["orange"], "references") == f"{sender},geowarn-2026-001-orange,2026-07-23T02:01:00+08:00"
    assert text(alerts["orange"], "info/responseType") == ""  # 海阳 is red now: no all-clear
    assert in_force(alerts, "370687") == ["red"]


def test_a_level_left_by_all_is_an_all_clear_for_them(drafts: Any) -> None:
    first = drafts.released(drafts.content({"370687": Level.ORANGE, "370682": Level.YELLOW}), 1)
    content = drafts.content({"370682": Level.YELLOW, "370687": Level.BLUE}, Act.UPDATE)
    alerts = read(cap_messages(drafts.draft(content, (first,)), drafts.templates))
    assert text(alerts["orange"], "info/responseType") == "AllClear"
    assert geocodes(alerts["orange"]) == ["370687"]


def test_every_earlier_message_that_stands_is_named_and_a_broken_chain_starts_anew(drafts: Any) -> None:
    one = drafts.released(drafts.content({"370687": Level.RED}), 1)
    two = drafts.released(drafts.content({"370687": Level.RED}, Act.EXTEND), 2)
    alerts = read(
        cap_messages(drafts.draft(drafts.content({"370687": Level.RED}, Act.LIFT), (one, two)), drafts.templates)
    )
    assert [part.split(",")[1] for part in text(alerts["red"], "references").split()] == [
        "geowarn-2026-001-red",
        "geowarn-2026-002-red",
    ]
    lowered = drafts.released(drafts.content({"370687": Level.YELLOW}, Act.UPDATE), 3, caps=[Level.RED])
    again = drafts.content({"370687": Level.RED}, Act.UPDATE)
    alerts = read(cap_messages(drafts.draft(again, (one, two, lowered)), drafts.templates))
    assert (text(alerts["red"], "msgType"), text(alerts["red"], "references")) == ("Alert", "")
    assert text(alerts["yellow"], "msgType") == "Cancel"


@pytest.mark.parametrize("act", [Act.LIFT, Act.CANCEL])
def test_an_end_can_be_read_and_speaks_of_the_same_areas(drafts: Any, act: Act) -> None:
    levels = {"370687": Level.RED, "370682": Level.YELLOW}
    first = drafts.released(drafts.content(levels), 1)
    alerts = read(cap_messages(drafts.draft(drafts.content(levels, act), (first,)), drafts.templates))
    for alert in alerts.values():
        assert text(alert, "msgType") == "Cancel"
        assert (text(alert, "info/urgency"), text(alert, "info/responseType")) == ("Past", "AllClear")
    assert geocodes(alerts["red"]) == ["370687"]


def test_a_retraction_names_the_message_it_is_prepared_with(drafts: Any) -> None:
    original = drafts.content({"370687": Level.RED})
    draft = drafts.draft(drafts.content({"370687": Level.RED}, Act.RETRACT), original=original)
    body = cap_messages(draft, drafts.templates)["website/cap/red.xml"]
    assert check_cap(body) == ()
    wanted = f"geohazard@example.invalid,geowarn-{marker('original.slug')}-red,{marker('original.sent')}"
    assert text(etree.fromstring(body), "references") == wanted


def test_an_exercise_and_a_demo_are_never_actual(drafts: Any) -> None:
    exercise = drafts.draft(drafts.content({"370687": Level.RED}, series=Series.EXERCISE))
    demo = drafts.draft(drafts.content({"370687": Level.RED}), synthetic=True)
    fed = drafts.draft(drafts.content({"370687": Level.RED}, synthetic=True))
    for draft, note in ((exercise, "2000-002"), (demo, "合成演示降雨（非真实预报）"), (fed, "SYNTHETIC DEMO RAINFALL")):
        red = read(cap_messages(draft, drafts.templates))["red"]
        assert text(red, "status") == "Exercise"
        assert note in text(red, "note")


def test_an_area_without_lines_is_drawn_as_what_holds_it_and_says_so(drafts: Any) -> None:
    levels = {code: Level.RED for code in ("370687001", "p-1", "zone-x", "zone-y")}
    red = read(cap_messages(drafts.draft(drafts.content(levels)), drafts.templates))["red"]
    areas = {text(a, "areaDesc"): a for a in red.findall("c:info/c:area", CAP)[:4]}
    assert text(areas["海阳市方圆街道（范围按海阳市表示）"], "polygon")
    assert text(areas["方圆街道北山滑坡点"], "circle") == "36.85,121.15 1"
    assert text(areas["高新区"], "circle") == "37.4,121.5 10"
    assert text(areas["昆嵛区（范围按牟平区表示）"], "polygon")


@settings(deadline=None, max_examples=40)
@given(
    before=st.dictionaries(st.sampled_from(CODES), ANY_LEVEL, min_size=1, max_size=6),
    after=st.dictionaries(st.sampled_from(CODES), ANY_LEVEL, min_size=1, max_size=6),
    act=st.sampled_from(list(Act)),
    name=NAMES,
    slot=st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    synthetic=st.booleans(),
)
def test_whatever_is_drafted_the_message_may_leave(
    drafts: Any, before: dict[str, Level], after: dict[str, Level], act: Act, name: str, slot: str, synthetic: bool
) -> None:
    areas = {**drafts.areas, "new": Area("new", AreaKind.COUNTY, f"𠀀{name}", f"{name}&<x", None, 121.0, 37.0)}
    first = drafts.released(drafts.content(before), 1)
    kept = before if act in (Act.LIFT, Act.CANCEL, Act.EXTEND) else after
    earlier = () if act in (Act.ISSUE, Act.RETRACT) else (first,)
    content = drafts.content(kept, act, slots={"action.red.zh": slot, "action.red.en": slot}, reason=slot)
    draft = drafts.draft(content, earlier, synthetic, areas=areas)
    alerts = read(cap_messages(draft, drafts.templates))
    public = {code: level for code, level in kept.items() if level >= Level.YELLOW}
    if act in (Act.ISSUE, Act.UPDATE, Act.EXTEND):
        assert all(in_force(alerts, code) == [level.code] for code, level in public.items())
        assert all(in_force(alerts, code) == [] for code in before if code not in public)


def test_the_schema_is_the_pinned_copy() -> None:
    assert b"urn:oasis:names:tc:emergency:cap:1.2" in schema_bytes()


@pytest.mark.parametrize(
    ("old", "new", "key"),
    [
        ("<scope>Public</scope>", "<scope>public</scope>", "cap.schema"),
        ("<alert ", "<alert", "cap.unreadable"),
        ("geohazard@example", "geo hazard@example", "cap.identifier"),
        ("<status>Actual", "<status>Test", "cap.status"),
        ("<msgType>Alert", "<msgType>Update", "cap.references"),
        ("<event>地质灾害气象风险", "<event>", "cap.empty"),
        ("<contact>12379", "<contact>[[late:other]]", "cap.marker"),
        ("2026-07-23T02:00:00+08:00</onset>", "2026-07-22T18:00:00+00:00</onset>", "cap.time"),
        ("<language>zh-CN", "<language>zh-TW", "cap.languages"),
        ("<severity>Extreme", "<severity>Severe", "cap.differs"),
        ("2026-07-24T02:00:00+08:00</expires>", "2026-07-23T02:00:00+08:00</expires>", "cap.expires"),
        ("<headline>", "<headline>" + "长" * 140, "cap.headline"),
        ("<web>http://127.0.0.1:8765", "<web>", "cap.web"),
        ("<polygon>", "<polygon>37,120 38,121 38,120 37,121 37,120 ", "cap.area"),
    ],
)
def test_what_receivers_refuse_is_found_before_anyone_signs(drafts: Any, old: str, new: str, key: str) -> None:
    body = cap_messages(drafts.draft(drafts.content({"370687": Level.RED})), drafts.templates)["website/cap/red.xml"]
    assert old in body.decode()
    spoilt = body.decode().replace(old, new, 1).encode()
    assert key in [found for found, _ in check_cap(spoilt)]


def test_a_message_with_a_document_type_is_refused() -> None:
    body = (
        b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/hostname">]><alert xmlns="'
        + NAMESPACE.encode()
        + b'">&x;</alert>'
    )
    assert [key for key, _ in check_cap(body)] == ["cap.unreadable"]
