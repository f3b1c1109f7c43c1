"""Figures as they are said."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn_channels.speech import number_en, number_zh, ordinal_en, seconds, spelled, spoken_hour


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "零", "zero"),
        (10, "十", "ten"),
        (12, "十二", "twelve"),
        (23, "二十三", "twenty-three"),
        (100, "一百", "one hundred"),
        (105, "一百零五", "one hundred and five"),
        (110, "一百一十", "one hundred and ten"),
        (1001, "一千零一", "one thousand and one"),
        (2026, "二千零二十六", "two thousand and twenty-six"),
        (9999, "九千九百九十九", "nine thousand nine hundred and ninety-nine"),
    ],
)
def test_numbers(value: int, zh: str, en: str) -> None:
    assert (number_zh(value), number_en(value)) == (zh, en)


@pytest.mark.parametrize(("day", "said"), [(1, "first"), (12, "twelfth"), (20, "twentieth"), (23, "twenty-third")])
def test_days(day: int, said: str) -> None:
    assert ordinal_en(day) == said


@pytest.mark.parametrize(
    ("hour", "zh", "en"),
    [
        (0, "凌晨零点", "midnight"),
        (2, "凌晨两点", "two in the morning"),
        (12, "中午十二点", "noon"),
        (18, "晚上六点", "six in the evening"),
        (20, "晚上八点", "eight in the evening"),
    ],
)
def test_hours(hour: int, zh: str, en: str) -> None:
    assert (spoken_hour(hour, "zh"), spoken_hour(hour, "en")) == (zh, en)


def test_times_telephones_and_brackets() -> None:
    assert spelled("18:30前撤离，拨打12379。", "zh") == "十八时三十分前撤离，拨打幺二三七九。"
    assert spelled("黄渤海新区（开发区）雨量120.5毫米", "zh") == "黄渤海新区，开发区雨量一百二十点五毫米"
    assert spelled("call 12379 within 30 minutes", "en") == "call one two three seven nine within thirty minutes"


@given(st.text(), st.sampled_from(["zh", "en"]))
def test_no_figure_is_left(text: str, language: str) -> None:
    said = spelled(text, language)
    assert not re.search(r"[0-9（）()【】]", said)
    assert seconds(said, language) >= 0


def test_a_minute_is_270_characters_or_150_words() -> None:
    assert seconds("字" * 270, "zh") == 60
    assert seconds("word " * 150, "en") == 60
