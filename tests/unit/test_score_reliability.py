"""What was said beside how often it happened: bins, the Brier score, the frequency by level."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.score_season import at, event

from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.domain.score import Outcome, wilson
from geowarn.domain.score_reliability import Chance, Share, brier, by_level, by_tenths, said_of
from geowarn.domain.score_units import Unit
from geowarn.pipeline.score_said import _chances

CHANCES = st.lists(st.builds(Chance, st.floats(0, 1), st.booleans()), max_size=60)


@given(CHANCES)
def test_every_unit_is_in_the_bin_that_holds_what_was_said(chances: list[Chance]) -> None:
    bins = by_tenths(chances)
    assert sum(one.units for one in bins) == len(chances)
    assert sum(one.with_events for one in bins) == sum(one.happened for one in chances)
    for number, one in enumerate(bins):
        if one.mean is not None:
            assert number / 10 - 1e-9 <= one.mean <= (number + 1) / 10 + 1e-9


@given(CHANCES)
def test_the_brier_score_is_the_mean_square_error_and_its_reference_the_variance(chances: list[Chance]) -> None:
    found = brier(chances)
    if not chances:
        assert found is None
        return
    assert found is not None
    score, reference = found
    assert 0 <= score <= 1
    base = sum(one.happened for one in chances) / len(chances)
    always = brier([Chance(base, one.happened) for one in chances])
    assert always is not None
    assert always[0] == pytest.approx(reference)


def test_a_forecast_that_is_always_right_has_no_error() -> None:
    assert brier([Chance(1, happened=True), Chance(0, happened=False)]) == (0, 0.25)


def test_the_share_of_members_counts_the_level_and_all_above() -> None:
    evidence = {"ensemble": {"levels": {"none": 4, "yellow": 3, "orange": 2, "red": 1}}}
    assert said_of(evidence, Level.YELLOW) == (None, 0.6)
    assert said_of(evidence, Level.RED) == (None, 0.1)
    assert said_of({"probability": 0.25}, Level.YELLOW) == (0.25, None)
    assert said_of({"ensemble": None, "probability": None}, Level.YELLOW) == (None, None)


def test_the_frequency_by_level_with_its_interval() -> None:
    outcomes = [Outcome(Level.RED, 1), Outcome(Level.RED, 0), Outcome(Level.NONE, 0), Outcome(None, 3)]
    found = by_level(outcomes)
    assert list(found) == [Level.RED, Level.ORANGE, Level.YELLOW, Level.BLUE, Level.NONE, None]
    assert found[Level.RED] == Share(2, 1)
    assert found[Level.RED].interval == wilson(1, 2)
    assert found[None].share == 1
    assert (found[Level.BLUE].share, found[Level.BLUE].interval) == (None, None)


def unit(evidence: Mapping[str, object], happened: bool) -> Unit:
    events = (event("a", 1),) if happened else ()
    return Unit("a", Period(at(0), at(24)), "r", Level.BLUE, False, False, False, events, evidence)


def test_a_models_own_probability_goes_before_the_share_of_members() -> None:
    members = {"ensemble": {"levels": {"none": 1, "red": 1}}}
    units = [unit({"probability": 0.3}, True), unit(members, False), unit({}, True)]
    assert _chances(units, Level.YELLOW) == ("probability", [Chance(0.3, True)])
    assert _chances(units[1:], Level.YELLOW) == ("member-share", [Chance(0.5, False)])
    assert _chances(units[2:], Level.YELLOW) == (None, [])
