"""Standing of bulletins, periods, recipients, and the content's own JSON."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.area import Area, AreaKind, by_code
from geowarn.domain.bulletin import Bulletin, Standing, slug_of, standing
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.domain.period import Period, uncovered
from geowarn.domain.recipient import Recipient, addressees
from geowarn.domain.warning import (
    TRANSITIONS,
    Act,
    AreaLevel,
    Content,
    HazardWarning,
    Series,
    WarningStatus,
    content_from_json,
)

NOW = datetime(2026, 7, 22, 18, tzinfo=UTC)


def content(act: Act = Act.ISSUE) -> Content:
    areas = (AreaLevel("1", Level.RED), AreaLevel("2", Level.BLUE))
    return Content(
        act, Series.REAL, areas, NOW, NOW + timedelta(hours=24), NOW + timedelta(hours=2), {"a.red.zh": "撤"}
    )


def bulletin(serial: int, act: Act) -> Bulletin:
    slug = slug_of(Series.REAL, 2026, serial)
    return Bulletin(f"b{serial}", "w", "p", Series.REAL, 2026, serial, slug, slug, NOW, content(act), "d", {}, {})


@pytest.mark.parametrize(
    ("acts", "expected"),
    [
        ([Act.ISSUE], Standing.IN_FORCE),
        ([Act.ISSUE, Act.UPDATE], Standing.SUPERSEDED),
        ([Act.ISSUE, Act.EXTEND, Act.LIFT], Standing.SUPERSEDED),
        ([Act.ISSUE, Act.LIFT], Standing.LIFTED),
        ([Act.ISSUE, Act.CANCEL], Standing.CANCELLED),
        ([Act.ISSUE, Act.RETRACT], Standing.RETRACTED),
    ],
)
def test_where_the_first_bulletin_stands(acts: list[Act], expected: Standing) -> None:
    chain = tuple(bulletin(index + 1, act) for index, act in enumerate(acts))
    assert standing(chain[0], chain, NOW) is expected


def test_a_passed_end_is_not_a_lift() -> None:
    alone = (bulletin(1, Act.ISSUE),)
    assert standing(alone[0], alone, NOW + timedelta(hours=24)) is Standing.VALIDITY_ENDED
    lift = (*alone, bulletin(2, Act.LIFT))
    assert standing(lift[1], lift, NOW) is Standing.CLOSING


def test_series_have_slugs_of_their_own() -> None:
    assert slug_of(Series.REAL, 2026, 12) == "2026-012"
    assert slug_of(Series.EXERCISE, 2026, 3) == "ex-2026-003"
    assert slug_of(Series.INTERNAL, 2026, 3) == "in-2026-003"


def test_content_reads_back_what_it_wrote() -> None:
    assert content_from_json(content().as_json()) == content()


@given(st.sampled_from(list(WarningStatus)), st.sampled_from(list(WarningStatus)))
def test_transitions_are_those_of_the_table(here: WarningStatus, there: WarningStatus) -> None:
    warning = HazardWarning("w", Series.REAL, here, NOW)
    if there in TRANSITIONS[here]:
        warning.may_become(there)
    else:
        with pytest.raises(Refused):
            warning.may_become(there)


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 12)), max_size=6))
def test_uncovered_hours_are_exactly_those_no_part_holds(parts: list[tuple[int, int]]) -> None:
    whole = Period(NOW, NOW + timedelta(hours=24))
    periods = [Period(NOW + timedelta(hours=s), NOW + timedelta(hours=s + n)) for s, n in parts]
    gaps = uncovered(whole, periods)
    for hour in range(24):
        single = Period(NOW + timedelta(hours=hour), NOW + timedelta(hours=hour + 1))
        held = any(p.contains(single) for p in periods)
        assert any(gap.contains(single) for gap in gaps) is not held


def test_a_time_without_offset_is_refused() -> None:
    with pytest.raises(ValueError, match="no offset"):
        Period(datetime(2026, 1, 1), NOW)  # noqa: DTZ001


def recipient(number: str, area: str, role: str = "resident") -> Recipient:
    return Recipient(f"r{number}{area}", number, b"", "+1 *** *** **00", area, "zh", role, "form", NOW)


AREAS = by_code(
    [
        Area("1", AreaKind.COUNTY, "甲", "A"),
        Area("11", AreaKind.TOWNSHIP, "甲一", "A1", parent="1"),
        Area("111", AreaKind.POINT, "点", "P", parent="11"),
        Area("2", AreaKind.COUNTY, "乙", "B"),
    ]
)


def test_the_highest_level_wins_and_points_come_first() -> None:
    people = [
        recipient("k1", "2"),
        recipient("k1", "11"),
        recipient("k2", "111"),
        recipient("k3", "2", "subscriber"),
        recipient("k4", "1", "warden"),
        replace(recipient("k5", "1"), opted_out_at=NOW),
    ]
    found = addressees(people, {"1": Level.RED, "2": Level.YELLOW}, AREAS)
    assert [(a.recipient.phone_key, a.level, a.tier) for a in found] == [
        ("k2", Level.RED, 0),
        ("k4", Level.RED, 0),
        ("k1", Level.RED, 1),
        ("k3", Level.YELLOW, 2),
    ]


@given(st.permutations(["1", "2", "11", "111"]), st.sampled_from(list(Level)), st.sampled_from(list(Level)))
def test_a_number_gets_one_message_whatever_the_order(order: list[str], one: Level, two: Level) -> None:
    found = addressees([recipient("k", area) for area in order], {"1": one, "2": two}, AREAS)
    assert len(found) == (1 if max(one, two) else 0)
    assert not found or found[0].level is max(one, two)
