"""The second trigger of a nowcast window: never lowers, raises by one level at most, and says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.assessment import Assessment, AssessmentRun
from geowarn.domain.level import Level
from geowarn.domain.period import Period
from geowarn.pipeline.second_trigger import KEY, raised_again, raised_by_trigger, trigger_sentence

NOW = datetime(2026, 7, 23, 4, 0, tzinfo=UTC)
Said = tuple[Level | None, bool]
LEVELS = st.one_of(st.none(), st.sampled_from(Level))
SAID = st.tuples(LEVELS, st.booleans()).map(lambda one: (one[0], one[1] and one[0] is not None))


def run(model: str, *said: Said, calibrated: bool = True) -> AssessmentRun:
    found = tuple(Assessment(f"a{at}", level, lower, {"model": model}) for at, (level, lower) in enumerate(said))
    return AssessmentRun(
        id=model, forecast_id="f", inputs=("f",), model=model, rules=f"{model} 1", rules_digest=model, areas_digest="",
        window=Period(NOW, NOW + timedelta(hours=6)), run_time=NOW, age_hours=0, created_at=NOW, synthetic=False,
        calibrated=calibrated, stale_reason=None, assessments=found,
    )  # fmt: skip


def heard(own: Said, triggers: list[Said], silent: tuple[str, ...] = ()) -> Assessment:
    runs = [run(f"t{at}", said) for at, said in enumerate(triggers)]
    return raised_by_trigger(run("own", own), runs, silent).assessments[0]


@given(SAID, st.lists(SAID, max_size=3), st.booleans())
def test_it_never_lowers_and_raises_by_one_level_at_most(own: Said, triggers: list[Said], silent: bool) -> None:
    found = heard(own, triggers, ("gone",) if silent else ())
    if own[0] is None:
        assert found.level is None, "what cannot be classified stays so"
        return
    assert found.level is not None
    assert own[0] <= found.level <= own[0] + 1
    highest = max((level for level, _ in triggers if level is not None), default=Level.NONE)
    assert (found.level > own[0]) == (highest > own[0])
    assert (found.evidence[KEY]["by"] is not None) == (found.level > own[0])
    assert found.lower_bound or not own[1], "a lower bound stays one"


@given(SAID, st.lists(SAID, min_size=1, max_size=3), st.integers(0, 2), LEVELS)
def test_more_rain_for_a_trigger_never_lowers(own: Said, triggers: list[Said], at: int, more: Level | None) -> None:
    before = heard(own, triggers)
    at %= len(triggers)
    risen = max(triggers[at][0] or Level.NONE, more or Level.NONE)
    after = heard(own, [*triggers[:at], (risen, False), *triggers[at + 1 :]])
    assert (after.level is None) == (before.level is None)
    assert before.level is None or (after.level or Level.NONE) >= before.level


@given(SAID, st.lists(SAID, min_size=1, max_size=3))
def test_a_trigger_that_falls_silent_never_lowers_for_sure(own: Said, triggers: list[Said]) -> None:
    """House rule 1: only what is complete may lower, and a lower bound is not."""
    loud = heard(own, triggers)
    for quiet in (heard(own, triggers[1:], ("t0",)), heard(own, [(None, False), *triggers[1:]])):
        assert loud.level is None or quiet.level is None or quiet.level >= loud.level or quiet.lower_bound


def test_the_sentence_says_who_raised_it_from_which_level() -> None:
    found = heard((Level.YELLOW, False), [(Level.RED, False), (Level.BLUE, False)])
    assert found.level is Level.ORANGE
    assert trigger_sentence(found.evidence, "en", short=True) == (
        "Second trigger of the nowcast: t0 (rules t0 1) says I red, more than III yellow; "
        "raised by one level, the most it may."
    )
    assert "t0（规则 t0 1）判为I级（红色），比III级（黄色）高，据此上调一级" in trigger_sentence(
        found.evidence, "zh", short=False
    )


def test_the_sentence_says_that_nothing_was_raised_and_who_was_silent() -> None:
    found = heard((Level.YELLOW, False), [(Level.YELLOW, False)], ("rolling-nowcast",))
    assert (found.level, found.lower_bound) == (Level.YELLOW, True)
    said = trigger_sentence(found.evidence, "en", short=False)
    assert "(t0 1): nothing higher" in said
    assert "no result from rolling-nowcast, so the level is a lower bound" in said
    assert trigger_sentence(found.evidence, "zh", short=True) == ""


def test_an_uncalibrated_trigger_makes_the_run_uncalibrated() -> None:
    """House rule 17: a level that other numbers may have moved is as calibrated as they are."""
    trigger = run("t0", (Level.NONE, False), calibrated=False)
    assert not raised_by_trigger(run("own", (Level.RED, False)), [trigger], ()).calibrated


@pytest.mark.parametrize("with_trigger", [True, False])
def test_worked_out_again_it_is_raised_as_the_stored_run_was(with_trigger: bool) -> None:
    own, trigger, other = run("o", (Level.BLUE, False)), run("t", (Level.ORANGE, False)), run("x", (Level.RED, False))
    stored = raised_by_trigger(own, [trigger], ("gone",)) if with_trigger else own
    assert raised_again(stored, own, [other, trigger]) == stored
