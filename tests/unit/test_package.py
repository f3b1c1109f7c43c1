"""House rule 2: what is signed, and how late fields are filled."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.domain.package import OWN_LATE, Artefact, Package, fill, filled, late_fields, marker, refuse_markers

texts = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60).filter(lambda t: "[[late:" not in t)
values = st.fixed_dictionaries({name: texts for name in OWN_LATE})


@given(st.lists(st.tuples(texts, st.sampled_from(OWN_LATE)), max_size=5), texts, values)
def test_filling_replaces_exactly_the_markers(parts: list[tuple[str, str]], tail: str, late: dict[str, str]) -> None:
    body = "".join(text + marker(name) for text, name in parts) + tail
    expected = "".join(text + late[name] for text, name in parts) + tail
    assert fill(body.encode(), late) == expected.encode()


@given(texts, st.integers(0, 10_000), values)
def test_any_other_byte_gives_another_digest(text: str, place: int, late: dict[str, str]) -> None:
    body = (text + marker("slug")).encode()
    at = place % len(body)
    changed = body[:at] + bytes([body[at] ^ 1]) + body[at + 1 :]
    try:
        other = Package({}, (Artefact("a/b.txt", "text/plain", changed),)).sha256
    except Refused:
        return  # the change made a late field that does not exist
    assert other != Package({}, (Artefact("a/b.txt", "text/plain", body),)).sha256


def test_the_digest_does_not_depend_on_the_order_of_artefacts() -> None:
    one, two = Artefact("a", "text/plain", b"1"), Artefact("b", "text/plain", b"2")
    assert Package({"x": 1}, (one, two)).sha256 == Package({"x": 1}, (two, one)).sha256


def test_the_prepared_retraction_is_signed_with_the_package() -> None:
    body = (Artefact("a", "text/plain", b"1"),)
    undo = Package({"act": "retract"}, (Artefact("a", "text/plain", b"undo"),))
    other = Package({"act": "retract"}, (Artefact("a", "text/plain", b"other"),))
    assert len({Package({}, body, retraction).sha256 for retraction in (None, undo, other)}) == 3


def test_a_retraction_is_filled_in_two_steps() -> None:
    artefact = Artefact("a", "text/plain", f"{marker('original.slug')} {marker('slug')}".encode())
    (half,) = filled((artefact,), {"original.slug": "2026-001"})
    assert half.body == b"2026-001 [[late:slug]]"
    (whole,) = filled((half,), {"slug": "2026-002"})
    assert whole.body == b"2026-001 2026-002"


def test_unknown_late_fields_and_equal_paths_are_refused() -> None:
    with pytest.raises(Refused, match=re.escape("package.unknown-late-field")):
        late_fields([Artefact("a", "text/plain", b"[[late:minute]]")])
    with pytest.raises(Refused, match=re.escape("package.duplicate-path")):
        _ = Package({}, (Artefact("a", "x", b"1"), Artefact("a", "x", b"2"))).sha256


def test_a_person_cannot_write_a_late_field() -> None:
    with pytest.raises(Refused):
        refuse_markers("sent at [[late:sent]]", "action.red.en")
    refuse_markers("[[not late]]", "action.red.en")
