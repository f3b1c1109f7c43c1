"""Scores of yes/no warnings: a published table to its printed digits, and what must hold for every table."""

from __future__ import annotations

from math import isclose, log

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.level import Level
from geowarn.domain.score import (
    RATES,
    SKILLS,
    Outcome,
    Table,
    at_least,
    eds,
    exactly,
    measures,
    rate,
    sedi,
    table_of,
    wilson,
)

# Finley's tornado forecasts of 1884, counts and scores as printed by the WWRP/WGNE Joint Working Group on
# Verification (CAWCR, "Finley (1884) tornado forecasts") and in Wilks, Statistical Methods in the Atmospheric
# Sciences, chapter on forecast verification.
FINLEY = Table(28, 72, 23, 2680)
PRINTED = {
    "pod": "0.549",
    "far": "0.720",
    "csi": "0.228",
    "bias": "1.96",
    "ets": "0.216",
    "pss": "0.523",
    "hss": "0.355",
    "pofd": "0.0262",
}

counts = st.integers(0, 5000)
tables = st.builds(Table, counts, counts, counts, counts)
outcomes = st.lists(
    st.builds(Outcome, st.one_of(st.none(), st.sampled_from(list(Level))), st.integers(0, 3)), max_size=60
)


@pytest.mark.parametrize(("name", "printed"), PRINTED.items())
def test_finleys_tornadoes_to_the_printed_digits(name: str, printed: str) -> None:
    value = measures(FINLEY)[name]
    assert value is not None
    assert f"{value:.{len(printed.partition('.')[2])}f}" == printed


def test_scores_for_rare_events_by_their_formulas() -> None:
    assert isclose(eds(FINLEY) or 0, 2 * log(51 / 2803) / log(28 / 2803) - 1)
    hit, false = 28 / 51, 72 / 2752
    above = log(false) - log(hit) - log(1 - false) + log(1 - hit)
    assert isclose(sedi(FINLEY) or 0, above / (log(false) + log(hit) + log(1 - false) + log(1 - hit)))


def test_a_perfect_season_and_an_empty_one() -> None:
    perfect = measures(Table(5, 0, 0, 95))
    assert {name: perfect[name] for name in ("pod", "far", "csi", "bias", "ets", "hss", "pss", "eds")} == {
        "pod": 1, "far": 0, "csi": 1, "bias": 1, "ets": 1, "hss": 1, "pss": 1, "eds": 1,
    }  # fmt: skip
    assert perfect["sedi"] is None
    assert set(measures(Table()).values()) == {None}


def test_a_season_without_landslides_has_no_hit_rate_rather_than_zero() -> None:
    found = measures(Table(0, 3, 0, 97))
    assert found["pod"] is None
    assert found["miss_rate"] is None
    assert found["pss"] is None
    assert found["bias"] is None
    assert found["far"] == 1.0


@given(tables)
def test_rates_are_shares_and_both_sides_of_a_share_make_one(table: Table) -> None:
    for name in RATES:
        value = rate(table, name)
        assert value is None or 0 <= value <= 1
    pod, missed = rate(table, "pod"), rate(table, "miss_rate")
    assert (pod is None) == (missed is None) == (table.hits + table.misses == 0)
    assert pod is None or isclose(pod + (missed or 0), 1)


@given(tables)
def test_no_skill_is_above_one(table: Table) -> None:
    for name, skill in SKILLS.items():
        value = skill(table)
        assert name == "bias" or value is None or value <= 1 + 1e-9


@given(st.lists(tables, min_size=2, max_size=4), st.randoms())
def test_merging_seasons_adds_their_counts_in_any_order(seasons: list[Table], chance: object) -> None:
    shuffled = list(seasons)
    chance.shuffle(shuffled)  # type: ignore[attr-defined]
    merged, other = sum(seasons, Table()), sum(shuffled, Table())
    assert merged == other
    assert merged.total == sum(one.total for one in seasons)


@given(outcomes, outcomes)
def test_scoring_two_seasons_together_is_scoring_both(first: list[Outcome], second: list[Outcome]) -> None:
    for level in Level:
        assert at_least(first + second, level) == at_least(first, level) + at_least(second, level)
        assert exactly(second + first, level) == exactly(first, level) + exactly(second, level)


@given(outcomes)
def test_every_classified_unit_is_counted_once(found: list[Outcome]) -> None:
    classified = sum(one.level is not None for one in found)
    events = sum(one.level is not None and one.events > 0 for one in found)
    for level in Level:
        for table in (at_least(found, level), exactly(found, level)):
            assert table.total == classified
            assert table.hits + table.misses == events
    assert sum(exactly(found, level).hits for level in Level) == events
    assert at_least(found, Level.NONE).misses == 0


@given(outcomes)
def test_a_lower_threshold_never_detects_less(found: list[Outcome]) -> None:
    hits = [at_least(found, level).hits for level in Level]
    assert hits == sorted(hits, reverse=True)


def test_pairs_become_a_table() -> None:
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    assert table_of(pairs) == Table(1, 2, 1, 1)


def test_wilsons_interval_of_a_textbook_case() -> None:
    # Newcombe 1998, Stat. Med. 17:857-872, table I, method 3: 81 of 263 and 15 of 148 and 0 of 20
    for count, out_of, low, high in ((81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)):
        found = wilson(count, out_of)
        assert found is not None
        assert found == pytest.approx((low, high), abs=6e-5)


@given(st.integers(0, 400), st.integers(0, 400))
def test_wilsons_interval_holds_the_share(count: int, rest: int) -> None:
    found = wilson(count, count + rest)
    if count + rest == 0:
        assert found is None
    else:
        assert found is not None
        assert 0 <= found[0] <= count / (count + rest) <= found[1] <= 1
