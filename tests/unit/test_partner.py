"""Signatures, cursors and waits of the partners' part, as properties."""

from __future__ import annotations

import hashlib
import hmac
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.errors import Refused
from geowarn.domain.partner import PREFIX, ApiKey, Event, Scope, call_digest, hook_back_off, release_event, signature
from geowarn.domain.warning import Act
from geowarn.pipeline.partner_keys import key_state, parse_call_signature
from geowarn.web.api_call import page
from geowarn.web.api_problem import limit_headers

NOW = datetime(2026, 7, 22, 18, 33, tzinfo=UTC)
TEXTS = st.text(st.characters(codec="ascii", exclude_characters="\n"), min_size=1, max_size=30)


@given(TEXTS, st.integers(0, 2**40), st.binary(max_size=200))
def test_an_outgoing_signature_is_the_hmac_over_time_and_body(secret: str, at: int, body: bytes) -> None:
    expected = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    assert signature(secret, at, body) == f"t={at},v1={expected}"


@given(TEXTS, TEXTS, st.integers(0, 2**40), TEXTS, st.binary(max_size=100), st.integers(0, 4))
def test_a_call_signature_covers_every_part(
    secret: str, path: str, at: int, nonce: str, body: bytes, changed: int
) -> None:
    parts = ["POST", path, at, nonce, body]
    whole = call_digest(secret, "POST", path, at, nonce, body)
    parts[changed] = ["PUT", f"{path}x", at + 1, f"{nonce}x", body + b"x"][changed]
    assert call_digest(secret, *parts) != whole  # type: ignore[arg-type]
    assert call_digest(f"{secret}x", "POST", path, at, nonce, body) != whole
    assert call_digest(secret, "post", path, at, nonce, body) == whole


@pytest.mark.parametrize(
    "header", ["", "t=1", "t=1,n=short,v1=" + "0" * 64, f"t=x,n={'n' * 16},v1={'0' * 64}", f"t=1,n={'n' * 16},v1=0"]
)
def test_a_header_of_another_form_is_refused(header: str) -> None:
    with pytest.raises(Refused, match="not-signed"):
        parse_call_signature(header)


@given(st.lists(st.integers(0, 10_000), unique=True, max_size=60), st.integers(1, 20))
def test_pages_hold_every_item_once_in_order(numbers: list[int], limit: int) -> None:
    items, seen, cursor, pages = [str(n) for n in numbers], [], "", 0
    while True:
        shown, after = page(items, lambda item: item, limit, cursor)
        seen += shown
        pages += 1
        if after is None:
            break
        assert len(shown) == limit
        cursor = after
    assert seen == items
    assert pages == max(1, -(-len(items) // limit))


@given(st.integers(1, 500), st.floats(0, 1, exclude_max=True))
def test_waits_grow_and_end_at_an_hour(attempt: int, chance: float) -> None:
    wait, step = hook_back_off(attempt, chance).total_seconds(), min(5.0 * 2 ** (min(attempt, 20) - 1), 3600.0)
    assert step / 2 <= wait <= step <= 3600


def test_every_act_has_its_event() -> None:
    found = {act: release_event(act.value) for act in Act}
    assert found[Act.ISSUE] is Event.RELEASED
    assert {act for act, event in found.items() if event is Event.UPDATED} == {Act.UPDATE, Act.EXTEND}
    assert {act for act, event in found.items() if event is Event.ENDED} == {Act.LIFT, Act.CANCEL, Act.RETRACT}


def test_a_key_ends_when_it_should_and_shows_no_secret() -> None:
    key = ApiKey(
        "k", PREFIX, "0" * 64, "duty", True, frozenset({Scope.READ}), 1, NOW, "x",
        expires_at=NOW + timedelta(hours=1), signing_sealed=b"sealed secret", confirmed_at=NOW,
    )  # fmt: skip
    assert key_state(key, NOW) == "active"
    assert key_state(key, NOW + timedelta(hours=1)) == "expired"
    assert "sealed secret" not in repr(key)
    assert limit_headers(60, 59, 7) == {"RateLimit-Policy": '"minute";q=60;w=60', "RateLimit": '"minute";r=59;t=7'}
