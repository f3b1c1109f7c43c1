"""The parts of the public form: its stamp, its pace, its map and what is typed into it."""

from __future__ import annotations

import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.site_desk import small_city

from geowarn.domain.errors import Refused
from geowarn.pipeline.voices import from_key
from geowarn.security import FileVault
from geowarn.web.haste import Haste, Pace
from geowarn.web.multipart import form_of
from geowarn.web.say_form import nearer, pressed, typed_of, view_in, window_of
from geowarn.web.say_map import STEPS, WIDTH, SayMap, Window
from geowarn.web.say_token import new_token, read_token

NOON = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
DAY = timedelta(hours=24)


def test_a_stamp_is_ours_not_too_young_and_not_too_old(vault: FileVault) -> None:
    token = new_token(vault, NOON)
    nonce = read_token(vault, token, NOON + timedelta(seconds=4), DAY)
    assert nonce == read_token(vault, token, NOON + timedelta(hours=23), DAY)
    assert nonce != read_token(vault, new_token(vault, NOON), NOON + timedelta(seconds=4), DAY)
    wrong = {
        "say.quick": (token, timedelta(seconds=1)),
        "say.stale": (token, timedelta(hours=25)),
    }
    for key, (given_token, age) in wrong.items():
        with pytest.raises(Refused, match=key):
            read_token(vault, given_token, NOON + age, DAY)
    for forged in ("", "1.x", token[:-1] + ("0" if token[-1] != "0" else "1"), f"9{token}", token.replace(".", "..")):
        with pytest.raises(Refused, match=r"say\.stale"):
            read_token(vault, forged, NOON + timedelta(minutes=1), DAY)


def test_an_address_is_another_key_tomorrow_and_a_house_is_one(vault: FileVault) -> None:
    assert from_key(vault, "192.0.2.7", NOON) == from_key(vault, "192.0.2.7", NOON + timedelta(hours=3))
    assert from_key(vault, "192.0.2.7", NOON) != from_key(vault, "192.0.2.7", NOON + DAY)
    assert from_key(vault, "192.0.2.7", NOON) != from_key(vault, "192.0.2.8", NOON)
    assert from_key(vault, "2001:db8:1:2::1", NOON) == from_key(vault, "2001:db8:1:2:ffff::9", NOON)
    assert from_key(vault, "2001:db8:1:2::1", NOON) != from_key(vault, "2001:db8:1:3::1", NOON)
    assert from_key(vault, "::ffff:192.0.2.7", NOON) == from_key(vault, "192.0.2.7", NOON)
    assert "192" not in from_key(vault, "testclient", NOON)


def test_a_pace_is_kept_by_address_and_by_all_and_begins_anew() -> None:
    haste, pace = Haste(), Pace("look", mine=2, all=4)
    assert [haste.count(pace, "a", 0) for _ in range(30)] == [True, True] + [False] * 28
    assert haste.count(pace, "b", 1)  # the third of all: what one address was refused keeps nobody else off
    assert haste.count(pace, "b", 1)
    assert not haste.count(pace, "c", 2)
    assert haste.count(Pace("map", 2, 4), "a", 2)
    assert haste.count(pace, "a", 60)


MAP = SayMap(small_city())


@settings(max_examples=30)
@given(
    st.integers(0, len(STEPS) - 1), st.floats(119, 121), st.floats(36, 39), st.integers(0, WIDTH), st.integers(0, 288)
)
def test_a_pressed_place_is_drawn_where_it_was_pressed(step: int, lon: float, lat: float, x: int, y: int) -> None:
    window = Window(step, lon, lat)
    y = min(y, MAP.height)
    mark = MAP.picture(window, MAP.place(window, x, y), "zh").mark
    assert mark is not None
    assert abs(mark[0] - x) <= 1
    assert abs(mark[1] - y) <= 1


def test_the_map_shows_counties_first_and_places_inside_them_nearer() -> None:
    whole = MAP.picture(Window(), None, "zh")
    assert len(whole.paths) == 4
    assert "石门镇" not in [name.text for name in whole.names]
    near = MAP.picture(Window(2, 120.1, 37.1), None, "en")
    assert "Shimen Town" in [name.text for name in near.names]
    assert near.mark is None
    assert (MAP.area_at(120.1, 37.1), MAP.area_at(119.0, 37.1)) == ("990101", "")
    assert not SayMap({}).drawable


@pytest.mark.parametrize(
    "fields",
    [
        {"z": "9"},
        {"z": "1", "x": "nan", "y": "3"},
        {"z": "1", "x": "120"},
        {"z": "-1"},
        {"z": "1", "x": "1e9", "y": "0"},
    ],
)
def test_a_window_that_makes_no_sense_is_the_whole(fields: Mapping[str, str]) -> None:
    assert window_of(fields) == Window()


def test_where_a_map_shows_is_not_readable_in_its_address(vault: FileVault) -> None:
    """House rule 14: addresses of pictures end up in logs, beside the visitor's."""
    marked = typed_of({"lon": "120.95123", "lat": "37.42345", "z": "2", "x": "120.95123", "y": "37.42345"})
    address = marked.picture(vault, "say", "zh")
    assert not {"120", "37.4", "120.95123"} & set(re.findall(r"[0-9.]+", address))
    sealed = parse_qs(address.partition("?")[2])["v"][0]
    assert view_in(vault, sealed) == (marked.window, (120.95123, 37.42345))
    for wrong in ("", "é", "x", sealed[:-8], urlsafe_b64encode(vault.seal('{"text": "x"}')).decode()):
        assert view_in(vault, wrong) == (Window(), None)
    assert typed_of({}).picture(vault, "say", "en") == "say/map.svg?l=en"


def test_a_press_by_the_keyboard_has_no_place_and_one_by_hand_comes_nearer() -> None:
    typed = typed_of({"text": " 裂缝\r\n\r\n\r\n\r\n两指宽 \x00", "place": "村 东\n头", "lon": "x"})
    assert (typed.text, typed.place, typed.mark) == ("裂缝\n\n两指宽", "村 东 头", None)
    for at in ({"at.x": "0", "at.y": "0"}, {"at.x": "-3", "at.y": "5"}, {"at.x": "9999", "at.y": "5"}, {}):
        assert pressed(at, typed, MAP) is None
    mark = pressed({"at.x": "144", "at.y": "100"}, typed, MAP)
    assert mark is not None
    window = nearer(typed.window, mark)
    assert (window.step, window.lon, window.lat) == (1, *mark)
    assert nearer(Window(2), mark).step == 2
    with pytest.raises(Refused, match=r"say\.point"):
        typed.said()


def request(body: bytes, media_type: str) -> Any:
    return SimpleNamespace(headers={"content-type": media_type}, state=SimpleNamespace(body=body))


def part(name: str, body: bytes, file: str | None = None) -> bytes:
    named = f'; filename="{file}"' if file is not None else ""
    return f'--X\r\nContent-Disposition: form-data; name="{name}"{named}\r\n\r\n'.encode() + body + b"\r\n"


FORM = "multipart/form-data; boundary=X"


def test_a_form_with_a_file_is_read_and_an_empty_file_is_none() -> None:
    body = (
        part("text", "裂缝".encode())
        + part("photo", b"\xff\xd8" * 900_000, "a.jpg")
        + part("more", b"", "")
        + b"--X--\r\n"
    )
    found = form_of(request(body, FORM))
    assert found.fields == {"text": "裂缝"}
    assert {name: len(file) for name, file in found.files.items()} == {"photo": 1_800_000}
    assert form_of(request(b"text=a+b&photo=", "application/x-www-form-urlencoded")).fields["text"] == "a b"


@pytest.mark.parametrize(
    ("body", "media_type"),
    [
        (b"junk", FORM),
        (part("text", b"x"), "multipart/form-data"),
        (b"".join(part(f"f{n}", b"x") for n in range(300)) + b"--X--\r\n", FORM),
        (b"text=x", "application/json"),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, media_type: str) -> None:
    with pytest.raises(Refused, match=r"web\.not-a-form"):
        form_of(request(body, media_type))
