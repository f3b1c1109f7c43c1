"""Units and parts of SMS texts against the published tables and a slow second counter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn_channels.sms_text import ROOM, SmsSize, size


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", SmsSize("GSM-7", 0, 1)),
        ("a" * 160, SmsSize("GSM-7", 160, 1)),
        ("a" * 161, SmsSize("GSM-7", 161, 2)),
        ("a" * 306, SmsSize("GSM-7", 306, 2)),
        ("a" * 307, SmsSize("GSM-7", 307, 3)),
        ("€" * 80, SmsSize("GSM-7", 160, 1)),
        ("[" * 81, SmsSize("GSM-7", 162, 2)),
        ("雨" * 70, SmsSize("UCS-2", 70, 1)),
        ("雨" * 71, SmsSize("UCS-2", 71, 2)),
        ("雨" * 134, SmsSize("UCS-2", 134, 2)),
        ("雨" * 135, SmsSize("UCS-2", 135, 3)),
        ("𠀀" * 35, SmsSize("UCS-2", 70, 1)),
        ("ç", SmsSize("UCS-2", 1, 1)),  # only the capital is in the alphabet
    ],
)
def test_published_limits(text: str, expected: SmsSize) -> None:
    assert size(text) == expected


def test_an_escaped_character_is_never_split() -> None:
    """152 septets, then one that costs two: the second part begins with it although one septet is free."""
    assert size("a" * 152 + "€" + "a" * 152).parts == 3
    assert size("a" * 152 + "b" + "€" + "a" * 151).parts == 2


def test_a_surrogate_pair_is_never_split() -> None:
    assert size("雨" * 66 + "𠀀" + "雨" * 66).parts == 3
    assert size("雨" * 65 + "𠀀" + "雨" * 67).parts == 2


def test_a_text_of_the_review_page_counts_as_drawn() -> None:
    text = (
        "【烟台地灾预警】合成演示降雨（非真实预报）。栖霞、招远、莱州24日2时前地灾风险较高（黄色），"
        "请远离陡坡沟谷。市自规局、市气象台"
    )
    assert size(text) == SmsSize("UCS-2", 64, 1)


@given(st.text(max_size=400))
def test_counts_agree_with_the_coding(text: str) -> None:
    found = size(text)
    if found.encoding == "UCS-2":
        assert found.units == len(text.encode("utf-16-be", "surrogatepass")) // 2
    single, each = ROOM[found.encoding]
    assert found.parts >= 1
    assert (found.parts == 1) == (found.units <= single)
    if found.parts > 1:
        assert found.units <= each * found.parts
        assert found.units > (each - 1) * (found.parts - 1)
