"""Photos that strangers send: looked at before anything decodes them, drawn anew, and nothing of the file left."""

from __future__ import annotations

from contextlib import ExitStack
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.photo_samples import JPEG, PLACE, WEBP, pixels, png, with_exif

from geowarn import photo
from geowarn.domain.errors import Refused
from geowarn.domain.photo import LONGEST_SIDE, Picture, look_at
from geowarn.photo import drawn_anew
from geowarn.photo_child import draw

MANY = 60_000_000
RED, BLUE = "red", "blue"


def corners(body: bytes) -> list[str]:
    """What stands at the four corners: first row from left to right, then the last."""
    rows = pixels(body)
    found = [rows[0][0], rows[0][-1], rows[-1][0], rows[-1][-1]]
    return [RED if red > blue else BLUE for red, _, blue, _ in found]


@pytest.mark.parametrize(
    ("body", "found"),
    [
        (JPEG, Picture("jpeg", 16, 8)),
        (with_exif(6), Picture("jpeg", 16, 8, 6)),
        (with_exif(3, ">"), Picture("jpeg", 16, 8, 3)),
        (with_exif(99), Picture("jpeg", 16, 8, 1)),
        (WEBP, Picture("webp", 16, 8)),
        (png(3, 5), Picture("png", 3, 5)),
    ],
)
def test_kind_size_and_which_way_up_are_read_from_the_first_bytes(body: bytes, found: Picture) -> None:
    assert look_at(body, MANY) == found


@pytest.mark.parametrize(
    ("body", "key"),
    [
        (b"", "photo.kind"),
        (b"GIF89a" + b"\0" * 40, "photo.kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "photo.kind"),
        (JPEG[:30], "photo.kind"),
        (b"\xff\xd8\xff\xda" + b"\0" * 40, "photo.kind"),
        (b"\xff\xd8\xff\xe0\x00\x00" + b"\0" * 40, "photo.kind"),
        (png(0, 5), "photo.kind"),
        (png(60_000, 60_000, b""), "photo.pixels"),  # a bomb: few bytes, three thousand million pixels
    ],
)
def test_what_is_no_photo_is_refused_before_anything_decodes_it(body: bytes, key: str) -> None:
    with pytest.raises(Refused) as raised:
        drawn_anew(body, 1 << 20, MANY)
    assert raised.value.key == key


@given(st.binary(max_size=200), st.sampled_from([b"", JPEG[:40], WEBP[:16], with_exif(6)[:60], png(9, 9)[:20]]))
def test_no_bytes_at_all_make_it_fail_otherwise(body: bytes, start: bytes) -> None:
    try:
        found = look_at(start + body, MANY)
    except Refused:
        return
    assert 0 < found.width * found.height <= MANY


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [
        (1, [RED, BLUE, RED, BLUE]),
        (2, [BLUE, RED, BLUE, RED]),
        (3, [BLUE, RED, BLUE, RED]),
        (4, [RED, BLUE, RED, BLUE]),
        (5, [RED, RED, BLUE, BLUE]),
        (6, [RED, RED, BLUE, BLUE]),
        (7, [BLUE, BLUE, RED, RED]),
        (8, [BLUE, BLUE, RED, RED]),
    ],
)
def test_a_picture_is_drawn_upright_and_nothing_beside_its_pixels_is_kept(orientation: int, seen: list[str]) -> None:
    body = with_exif(orientation)
    assert PLACE in body
    drawn = draw(body, look_at(body, MANY))
    assert corners(drawn) == seen
    assert PLACE not in drawn
    assert b"Exif" not in drawn


def test_a_large_picture_is_made_smaller_and_one_that_cannot_be_read_is_nothing() -> None:
    assert Picture("jpeg", 4000, 3000, 6).kept() == (LONGEST_SIDE * 3 // 4, LONGEST_SIDE)
    assert corners(draw(WEBP, Picture("webp", 16, 8))) == [RED, BLUE, RED, BLUE]
    assert draw(png(9, 9)[:40] + b"\0" * 90, Picture("png", 9, 9)) == b""


def test_the_child_draws_and_a_broken_or_a_large_file_is_refused_with_a_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    assert corners(drawn_anew(with_exif(6), 1 << 20, MANY)) == [RED, RED, BLUE, BLUE]
    for body, key in ((png(9, 9)[:50], "photo.unreadable"), (b"\0" * (1 << 20) + b"\0", "photo.large")):
        with pytest.raises(Refused) as raised:
            drawn_anew(body, 1 << 20, MANY)
        assert raised.value.key == key
    monkeypatch.setattr(photo, "PATIENCE", 0.01)
    with photo._turn, photo._turn, pytest.raises(Refused, match=r"photo\.busy"):
        drawn_anew(JPEG, 1 << 20, MANY)
    with ExitStack() as waiting:  # there is a turn, but as many wait as may
        for _ in range(photo.AT_ONCE + photo.WAITING):
            waiting.enter_context(photo._line)
        with pytest.raises(Refused, match=r"photo\.busy"):
            drawn_anew(JPEG, 1 << 20, MANY)


def test_what_takes_too_many_bytes_is_drawn_smaller(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = b"".join(b"\0" + Random(row).randbytes(64) for row in range(48))
    noise, most = png(64, 48, rows), 4000
    assert len(draw(noise, Picture("png", 64, 48))) > most
    monkeypatch.setattr(photo, "MOST_KEPT", most)
    drawn = drawn_anew(noise, 1 << 20, MANY)
    assert most // 3 < len(drawn) <= most
    width, height = (int.from_bytes(drawn[at : at + 4], "big") for at in (16, 20))
    assert abs(width / height - 64 / 48) < 0.1
