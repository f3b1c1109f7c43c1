"""What people say, its receipt and its bounds: pure rules."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.domain.people import Role
from geowarn.domain.voice import (
    ALPHABET,
    LONGEST_TEXT,
    Said,
    VoiceKind,
    VoiceRules,
    check_said,
    folded,
    mask_contact,
    personal_data,
    plain_word,
    same_spot,
    tidy_text,
    word_of,
)
from geowarn.domain.voice_limits import Load, SayLimits, refused_for, takes_photo
from geowarn.policy_voices import voice_rules

HEX = st.text("0123456789abcdef", min_size=64, max_size=64)


@settings(max_examples=30)
@given(HEX)
def test_a_word_is_read_off_a_screen_and_typed_back_in_any_way(key: str) -> None:
    word = word_of(key)
    assert len(plain_word(word)) == 8
    assert set(plain_word(word)) <= set(ALPHABET)
    for typed in (word.lower(), word.replace("-", " "), f" {word} ", word.replace("Q", "0").replace("L", "1")):
        assert plain_word(typed) == plain_word(word)


@pytest.mark.parametrize(
    ("kind", "sign", "said", "contact", "key"),
    [
        ("rumour", "", Said("看到裂缝"), "", "say.kind"),
        ("observation", "", Said("看到裂缝"), "", "say.sign"),
        ("question", "", Said("?"), "", "say.text"),
        ("question", "", Said("……！！"), "", "say.text"),
        ("question", "", Said("长" * (LONGEST_TEXT + 1)), "", "say.text"),
        ("question", "", Said("什么时候解除", "村" * 201), "", "say.place"),
        ("question", "", Said("什么时候解除", lon=120.9), "", "say.point"),
        ("question", "", Said("什么时候解除", lon=120.9, lat=97.0), "", "say.point"),
        ("question", "", Said("什么时候解除"), "微信 abc", "say.contact"),
        ("question", "", Said("什么时候解除"), "a@b", "say.contact"),
    ],
)
def test_what_cannot_be_taken_names_its_field(kind: str, sign: str, said: Said, contact: str, key: str) -> None:
    with pytest.raises(Refused) as raised:
        check_said(kind, sign, said, contact)
    assert raised.value.key == key


@pytest.mark.parametrize("contact", ["", "138 1234 5678", "+86-535-6240000", "z.wei@example.org"])
def test_a_number_an_address_or_none_is_taken(contact: str) -> None:
    assert check_said("observation", "crack", Said("看到裂缝"), contact) is VoiceKind.OBSERVATION


@given(st.text("0123456789", min_size=6, max_size=15), st.text("abcdefgh", min_size=2, max_size=20))
def test_a_mask_says_next_to_nothing(digits: str, name: str) -> None:
    """House rule 14: no personal data leaves."""
    assert digits[:-2] not in mask_contact(digits)
    address = f"{name}@example.org"
    masked = mask_contact(address)
    assert name not in masked
    assert "example" not in masked
    assert mask_contact("") == ""


@settings(max_examples=30)
@given(st.text(st.sampled_from("裂a \n\r\t\x00\u202e\u3000，"), max_size=60))
def test_a_text_made_tidy_stays_as_it_is(text: str) -> None:
    once = tidy_text(text)
    assert tidy_text(once) == once
    assert all(character == "\n" or character.isprintable() for character in once)


def test_texts_that_differ_in_blanks_marks_and_case_are_one() -> None:
    assert folded("后山 裂缝，两指宽！ABC") == folded("后山裂缝两指宽。abc")
    assert folded("后山裂缝两指宽") != folded("后山裂缝三指宽")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("请联系13812345678", "138…"),
        ("+86 138 1234 5678 是他", "+86…"),
        ("身份证37060219900101123X", "370…"),
        ("写信到 li@example.org 说", "li@…"),
        ("值班电话 0535-6240000，12379", ""),
        ("2026-07-23 14:00 烟地灾预警〔2026〕12号", ""),
    ],
)
def test_a_private_number_in_a_text_for_the_public_is_found(text: str, found: str) -> None:
    assert personal_data(["好的", text]) == found


Mark = tuple[float, float] | None
LIMITS = SayLimits(per_address=3, per_address_in_force=9, busy=20, most=50, photos=5, standing=200, photo_bytes=1000)


@pytest.mark.parametrize(
    ("kind", "load", "in_force", "why"),
    [
        (VoiceKind.QUESTION, Load(2, 19, 0), False, ""),
        (VoiceKind.QUESTION, Load(3, 3, 0), False, "address"),
        (VoiceKind.QUESTION, Load(3, 3, 0), True, "address"),
        (VoiceKind.OBSERVATION, Load(8, 8, 0), True, ""),
        (VoiceKind.OBSERVATION, Load(9, 9, 0), True, "address"),
        (VoiceKind.COMPLAINT, Load(0, 20, 0), True, "busy"),
        (VoiceKind.OBSERVATION, Load(0, 49, 0), False, ""),
        (VoiceKind.OBSERVATION, Load(0, 50, 0), True, "most"),
        (VoiceKind.QUESTION, Load(0, 0, 0, standing=99), False, ""),
        (VoiceKind.QUESTION, Load(0, 0, 0, standing=100), False, "busy"),
        (VoiceKind.OBSERVATION, Load(0, 0, 0, standing=199), False, ""),
        (VoiceKind.OBSERVATION, Load(0, 0, 0, standing=200), False, "most"),
    ],
)
def test_what_can_wait_is_turned_away_first_and_danger_last(
    kind: VoiceKind, load: Load, in_force: bool, why: str
) -> None:
    assert refused_for(kind, load, LIMITS, in_force) == why


def test_photos_stop_before_words_do() -> None:
    assert takes_photo(Load(0, 49, 4), LIMITS)
    assert not takes_photo(Load(0, 6, 5), LIMITS)
    assert takes_photo(Load(0, 0, 0, stored=999), LIMITS)
    assert not takes_photo(Load(0, 0, 0, stored=1000), LIMITS)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (None, None, True),
        (None, (120.9, 37.1), False),  # who marked it may mean somewhere else
        ((120.9, 37.1), (120.92, 37.11), True),
        ((120.9, 37.1), (120.9, 37.13), False),
        ((120.9, 37.1), (120.94, 37.1), False),
    ],
)
def test_two_marks_far_apart_are_two_places(one: Mark, other: Mark, same: bool) -> None:
    said = [Said("落石", "", *(mark or (None, None))) for mark in (one, other)]
    assert same_spot(said[0], said[1]) is same_spot(said[1], said[0]) is same


def test_the_policy_names_owners_and_times() -> None:
    table: dict[str, Any] = {"keep_days": 90, "question": {"owner": "leader"}, "observation": {"minutes": 10}}
    rules = voice_rules(table, "policy.toml")
    assert rules.keep_days == 90
    assert rules.owners[VoiceKind.QUESTION] is Role.LEADER
    assert rules.time_for(VoiceKind.OBSERVATION).total_seconds() == 600
    assert rules.due[VoiceKind.QUESTION] == VoiceRules().due[VoiceKind.QUESTION]


@pytest.mark.parametrize(
    ("table", "key"),
    [
        ({"rumour": {}}, "voices.rumour"),
        ({"keep_days": 0}, "voices.keep_days"),
        ({"question": {"owner": "observatory"}}, "voices.question.owner"),
        ({"question": {"minutes": "soon"}}, "voices.question.minutes"),
        ({"question": {"hours": 3}}, "voices.question.hours"),
    ],
)
def test_a_wrong_policy_is_refused_by_its_key(table: dict[str, Any], key: str) -> None:
    with pytest.raises(Refused) as raised:
        voice_rules(table, "policy.toml")
    assert raised.value.facts["key"] == key
    assert raised.value.facts["file"] == Path("policy.toml").name
