"""What people write into the ledger: never a telephone number (house rule 14), and every date they need."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.pipeline.kept_words import LONGEST, kept_words

FORMS = ("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S", "%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d %H:%M")
EVENING = datetime(2026, 7, 15, 20, tzinfo=UTC)
moments = st.integers(-(36 * 365 * 1440), 73 * 365 * 1440).map(lambda minutes: EVENING + timedelta(minutes=minutes))
forms = st.sampled_from(FORMS)
around = st.sampled_from(["", "雨带", "在 ", "（", "见", "; "])


@st.composite
def phones(draw: st.DrawFn) -> str:
    """Mobile numbers, numbers with an area code, numbers with a country's, as people group them."""
    digits = draw(
        st.one_of(
            st.from_regex(r"1[3-9]\d{9}", fullmatch=True),
            st.from_regex(r"0[1-9]\d{1,2}[2-9]\d{6,7}", fullmatch=True),
            st.from_regex(r"86 ?1[3-9]\d{9}", fullmatch=True),
        )
    )
    cut = draw(st.sampled_from([(), (3, 7), (4,), (3,)]))
    parts = [digits[a:b] for a, b in zip((0, *cut), (*cut, None), strict=True)]
    return draw(st.sampled_from(["", "+"])) + draw(st.sampled_from([" ", "-"])).join(part for part in parts if part)


def refused(text: str) -> str:
    with pytest.raises(Refused) as refusal:
        kept_words(text, "reason")
    return refusal.value.key


@given(around, moments, forms, around)
def test_a_date_is_no_telephone_number(before: str, at: datetime, form: str, after: str) -> None:
    text = before + at.strftime(form) + after
    assert kept_words(text, "reason") == text.strip()


@given(moments, st.sampled_from(FORMS[:3]), st.integers(0, 999))
def test_nor_is_a_date_with_an_amount_after_it(at: datetime, form: str, amount: int) -> None:
    text = f"{at.strftime(form)} {amount} mm"
    assert kept_words(text, "reason") == text


@given(moments, forms, st.integers(0, 200), st.sampled_from(["-", " - ", " 至 ", "/"]))
def test_nor_is_a_span_of_time(at: datetime, form: str, hours: int, between: str) -> None:
    text = between.join(moment.strftime(form) for moment in (at, at + timedelta(hours=hours)))
    assert kept_words(text, "reason") == text


@given(around, phones(), around)
def test_a_telephone_number_is_refused(before: str, phone: str, after: str) -> None:
    assert refused(before + phone + after) == "counsel.phone"


@given(phones(), moments, forms, st.sampled_from([" ", ", ", " 电 "]), st.booleans())
@example("138 0000 0000", EVENING, "%Y-%m-%d %H:%M", " ", False)
def test_a_date_beside_it_does_not_hide_it(phone: str, at: datetime, form: str, between: str, first: bool) -> None:
    parts = (phone, at.strftime(form)) if first else (at.strftime(form), phone)
    assert refused(between.join(parts)) == "counsel.phone"


@pytest.mark.parametrize("text", ["与 2026-012 重复", "2026-07-15 20:00-22:00 最强", "RE 128.41 mm, 121.1597 36.7758"])
def test_what_else_has_digits_is_kept(text: str) -> None:
    assert kept_words(text, "reason") == text


def test_it_is_one_line_of_bounded_length() -> None:
    assert kept_words(" 先会商\n 再发 ", "reason") == "先会商 再发"
    assert kept_words("长" * LONGEST, "reason")
    for text in ("", " \n ", "长" * (LONGEST + 1)):
        assert refused(text) == "counsel.text"
