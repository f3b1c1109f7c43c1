"""Time under each level and landslide class, worked out by hand and for any season; area-hours and lead times too."""

from __future__ import annotations

from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score_season import AREAS, at, bulletin, event

from geowarn.domain.bulletin import Bulletin
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score_edumap import Criteria, duration_matrix, groups, hours_of, indicators
from geowarn.domain.score_issued import Issued, hours_by_level, spans_of
from geowarn.domain.score_times import lead_of, quantile, summary
from geowarn.domain.score_units import Event
from geowarn.domain.warning import Act
from geowarn.pipeline.score_rules import load_score_rules
from geowarn.resources import config_dir

SHIPPED = load_score_rules(config_dir() / "score.toml")
CRITERIA = SHIPPED.criteria
NONE, BLUE, YELLOW, ORANGE, RED = Level
SEASON = Period(at(0), at(100))


def issued(*chain: Bulletin) -> Issued:
    return Issued(spans_of(chain), AREAS)


def test_a_season_by_hand() -> None:
    """County a: yellow from 10:00 to 30:00 h, red 30-40; reports at 25, 26.5 (one event of 2) and 80 (not warned)."""
    seen = issued(bulletin(1, 10, 60, {"a": YELLOW}), bulletin(2, 30, 40, {"a": RED}, Act.UPDATE))
    events = [event("a", 25), event("a1", 26.5, 27.5), event("a", 80, 80.5)]
    matrix = duration_matrix(["a", "b"], SEASON, seen, {"a": events}, CRITERIA)
    # a: yellow 20 h, of which hours 25, 26 and 27 belong to the event of two reports (class 2); red 10 h
    assert matrix[YELLOW] == (17, 0, 3, 0, 0)
    assert matrix[RED] == (10, 0, 0, 0, 0)
    assert matrix[NONE] == (69 + 100, 1, 0, 0, 0)
    kinds = hours_of(matrix, CRITERIA.kinds)
    assert kinds == {"TN": 169, "MA": 1, "FA": 27, "CP": 3}
    found = indicators(matrix, CRITERIA)
    assert found["efficiency"] == pytest.approx(172 / 200)
    assert found["efficiency_active"] == pytest.approx(3 / 31)
    assert found["hit_rate"] == pytest.approx(3 / 4)
    assert found["predictive_power"] == pytest.approx(3 / 30)
    assert found["threat_score"] == pytest.approx(3 / 31)
    assert found["odds_ratio"] == pytest.approx(172 / 28)
    assert found["missed_false_balance"] == pytest.approx(1 / 28)


def test_a_quiet_season_has_no_hit_rate() -> None:
    found = indicators(duration_matrix(["a"], SEASON, issued(), {}, CRITERIA), CRITERIA)
    assert found["efficiency"] == 1
    assert all(value is None for name, value in found.items() if name != "efficiency")


def test_a_warning_counts_from_its_release_plus_the_lead() -> None:
    late = Criteria(**{name: getattr(CRITERIA, name) for name in CRITERIA.__slots__} | {"lead_hours": 5.0})
    seen = issued(bulletin(1, 10, 30, {"a": RED}))
    assert sum(duration_matrix(["a"], SEASON, seen, {}, CRITERIA)[RED]) == 20
    assert sum(duration_matrix(["a"], SEASON, seen, {}, late)[RED]) == 15


def test_reports_close_in_time_are_one_event() -> None:
    reports = [event("a", 0), event("a", 20, 30), event("a", 53), event("a", 78)]
    assert [len(group) for group in groups(reports, 24)] == [3, 1]


def test_an_area_is_warned_by_what_it_lies_in_and_only_until_the_next_bulletin() -> None:
    chain = [bulletin(1, 0, 24, {"a": ORANGE}), bulletin(2, 10, 40, {"a": BLUE}, Act.UPDATE)]
    seen = issued(*chain, bulletin(3, 30, 31, {}, Act.LIFT))
    assert [seen.at("a1", at(hour)) for hour in (0, 1, 10, 10.5, 30, 30.5)] == [NONE, ORANGE, ORANGE, BLUE, BLUE, NONE]
    assert seen.highest("b", SEASON) is NONE
    assert hours_by_level(seen, ["a", "a1", "b"], SEASON) == {BLUE: 40, YELLOW: 0, ORANGE: 20, RED: 0}


def test_where_two_warnings_overlap_the_higher_one_counts() -> None:
    spans = (*spans_of([bulletin(1, 0, 20, {"a": YELLOW})]), *spans_of([bulletin(2, 5, 10, {"a": RED}, warning="v")]))
    assert hours_by_level(Issued(spans, AREAS), ["a"], SEASON) == {BLUE: 0, YELLOW: 15, ORANGE: 0, RED: 5}


def test_lead_times_have_a_least_and_a_most() -> None:
    seen = issued(bulletin(1, 0, 30, {"a": BLUE}), bulletin(2, 4, 30, {"a": RED}, Act.UPDATE))
    known, vague = lead_of(event("a1", 10), seen, YELLOW), lead_of(event("a", 6, 9), seen, YELLOW)
    assert (known.least, known.most) == (6, 6)
    assert (vague.least, vague.most) == (2, 5)
    too_late, none = lead_of(event("a", 1, 2), seen, YELLOW), lead_of(event("b", 10), seen, YELLOW)
    assert (too_late.least, too_late.most) == (-3, -2)
    assert none.least is None
    ended = lead_of(event("a", 31), seen, YELLOW)
    assert ended.least is None
    found = summary([known, vague, too_late, none])
    assert (found.events, found.warned, found.median, found.median_most) == (4, 3, 2, 5)
    assert (found.under_an_hour, found.negative) == (0, 1)


def test_quantiles_of_nothing_and_of_a_few() -> None:
    assert quantile([], 0.5) is None
    assert quantile([3.0, 1.0, 2.0], 0.5) == 2
    assert quantile([0.0, 10.0], 0.1) == pytest.approx(1)


_bulletins = st.lists(
    st.tuples(
        st.integers(-10, 110),
        st.integers(1, 40),
        st.sampled_from(["city", "a", "a1", "b"]),
        st.sampled_from(list(Level)),
    ),
    max_size=8,
).map(
    lambda found: [
        bulletin(n, start, start + long, {code: level}, warning=f"w{n}")
        for n, (start, long, code, level) in enumerate(found)
    ]
)
_reports = st.lists(st.tuples(st.integers(-20, 120), st.integers(0, 10)), max_size=12).map(
    lambda found: [event("a", start, start + long, str(n)) for n, (start, long) in enumerate(found)]
)


@given(_bulletins, _reports, st.integers(0, 999))
def test_all_time_is_counted_once_in_any_order(bulletins: list[Bulletin], reports: list[Event], seed: int) -> None:
    spans = [span for one in bulletins for span in spans_of([one])]
    codes = ["a", "a1", "b"]
    matrix = duration_matrix(codes, SEASON, Issued(spans, AREAS), {"a": reports}, CRITERIA)
    assert sum(map(sum, matrix)) == 300
    assert sum(hours_of(matrix, CRITERIA.kinds).values()) == 300
    assert sum(hours_of(matrix, CRITERIA.grades).values()) == 300
    assert all(value is None or value >= 0 for value in indicators(matrix, CRITERIA).values())
    other, shuffled = list(spans), list(reports)
    Random(seed).shuffle(other)
    Random(seed).shuffle(shuffled)
    assert duration_matrix(codes[::-1], SEASON, Issued(other, AREAS), {"a": shuffled}, CRITERIA) == matrix
    hours = hours_by_level(Issued(spans, AREAS), codes, SEASON)
    assert sum(hours.values()) <= 300
    assert hours == {level: sum(matrix[level]) for level in hours}  # these bulletins begin and end on full hours
