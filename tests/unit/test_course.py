"""What the runs call for, path by path: rise, hold, lower, extend, all-clear, and a person's no (house rule 1)."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.unit.course_runs import (
    AT_ONCE,
    BLUE,
    GAP,
    NONE,
    ORANGE,
    RED,
    TOWN,
    YELLOW,
    A,
    B,
    because,
    decided,
    held,
    hour,
    run,
)

from geowarn.domain.course import Answer, Held, Way
from geowarn.domain.level import Level
from geowarn.domain.votes import CourseRules

RANKED = replace(AT_ONCE, sources=("ecmwf", "gfs"))


def test_the_first_level_is_a_rise_with_the_window_s_end() -> None:
    found = decided(Held(), [run(0, {A: YELLOW, B: NONE})], now=1)
    assert (found.way, found.levels, found.expires) == (Way.RISE, {A: YELLOW}, hour(24))
    assert found.run is not None
    assert found.run.id == "gfs-0"
    assert because(found) == {A: "reached"}


def test_no_level_and_no_run_call_for_nothing() -> None:
    assert decided(Held(), [run(0, {A: NONE})], now=1).way is Way.NOTHING
    assert decided(Held(), [], now=1).way is Way.NOTHING


def test_a_run_whose_window_is_over_raises_nothing() -> None:
    assert decided(Held(), [run(0, {A: RED})], now=24).way is Way.NOTHING


def test_a_raise_counts_at_once_and_keeps_the_others() -> None:
    found = decided(held({A: YELLOW}), [run(0, {A: YELLOW}), run(6, {A: GAP, B: ORANGE})], now=7)
    assert (found.way, found.levels) == (Way.RISE, {A: YELLOW, B: ORANGE})
    assert because(found) == {A: "incomplete", B: "reached"}


def test_a_lower_bound_raises() -> None:
    assert decided(held({A: YELLOW}), [run(0, {A: "orange?"})], now=1).levels == {A: ORANGE}


@pytest.mark.parametrize(
    ("second", "third", "reason"),
    [
        (BLUE, None, "one-of"),
        (BLUE, GAP, "incomplete"),
        (BLUE, "blue?", "incomplete"),
        (GAP, BLUE, "one-of"),
        (YELLOW, BLUE, "one-of"),
        (YELLOW, YELLOW, "kept"),
        (GAP, GAP, "incomplete"),
    ],
)
def test_one_complete_run_or_a_broken_row_only_holds(
    second: Level | str, third: Level | str | None, reason: str
) -> None:
    runs = [run(0, {A: YELLOW, B: YELLOW}), run(6, {A: second, B: YELLOW})]
    runs += [run(12, {A: third, B: YELLOW})] if third is not None else []
    found = decided(held({A: YELLOW, B: YELLOW}), runs, now=13)
    assert found.way is Way.NOTHING
    assert because(found)[A] == reason


def test_a_gap_between_two_complete_runs_breaks_the_row() -> None:
    runs = [run(0, {A: ORANGE}), run(6, {A: YELLOW}), run(12, {A: GAP}), run(18, {A: YELLOW})]
    found = decided(held({A: ORANGE}, until=60), runs, now=19)
    assert (found.way, because(found)) == (Way.NOTHING, {A: "one-of"})
    assert decided(held({A: ORANGE}, until=60), [*runs, run(24, {A: YELLOW})], now=25).way is Way.LOWER


def test_two_complete_newer_runs_lower() -> None:
    runs = [run(0, {A: ORANGE, B: YELLOW}), run(6, {A: BLUE, B: YELLOW}), run(12, {A: NONE, B: YELLOW})]
    found = decided(held({A: ORANGE, B: YELLOW}), runs, now=13)
    assert (found.way, found.levels) == (Way.LOWER, {A: BLUE, B: YELLOW})
    assert because(found) == {A: "withdrawn", B: "kept"}
    assert found.run is not None
    assert found.run.id == "gfs-12"
    later = [*runs, run(18, {A: NONE, B: YELLOW})]
    assert decided(held({A: BLUE, B: YELLOW}, until=60), later, now=19).levels == {B: YELLOW}


def test_lowering_stops_at_what_one_of_the_two_still_says() -> None:
    runs = [run(0, {A: RED}), run(6, {A: YELLOW}), run(12, {A: ORANGE})]
    assert decided(held({A: RED}), runs, now=13).levels == {A: ORANGE}


def test_an_area_that_newer_runs_do_not_name_is_a_gap() -> None:
    runs = [run(0, {A: ORANGE, B: YELLOW}), run(6, {B: YELLOW}), run(12, {B: YELLOW})]
    assert because(decided(held({A: ORANGE, B: YELLOW}), runs, now=13))[A] == "incomplete"


def test_the_same_run_assessed_again_is_one_voice() -> None:
    runs = [run(0, {A: ORANGE}), run(6, {A: YELLOW}), run(6, {A: YELLOW}, made=7), run(6, {A: YELLOW}, made=8)]
    assert decided(held({A: ORANGE}), runs, now=9).way is Way.NOTHING


def test_a_short_window_says_nothing_about_the_hours_after_it() -> None:
    runs = [run(0, {A: ORANGE}), *(run(n, {A: YELLOW}, length=6) for n in (1, 2, 3, 4))]
    found = decided(held({A: ORANGE}), runs, now=5)
    assert found.way is Way.NOTHING
    runs += [run(6, {A: YELLOW}), run(12, {A: YELLOW})]
    assert decided(held({A: ORANGE}), runs, now=13).way is Way.LOWER


def test_a_window_that_begins_later_says_nothing_about_the_hours_before_it() -> None:
    later = [replace(run(at, {A: NONE}, length=40), made_at=hour(1)) for at in (6, 7)]
    assert decided(held({A: ORANGE, B: YELLOW}), [run(0, {A: ORANGE, B: YELLOW}), *later], now=8).way is Way.NOTHING


def test_danger_persists_after_the_rain() -> None:
    runs = [run(0, {A: ORANGE}), run(3, {A: YELLOW}), run(4, {A: YELLOW})]
    rules = CourseRules(persistence_hours=6)
    early = decided(held({A: ORANGE}), runs, now=8.9, rules=rules)
    assert (early.way, because(early)) == (Way.NOTHING, {A: "persisting"})
    assert decided(held({A: ORANGE}), runs, now=9, rules=rules).levels == {A: YELLOW}


def test_what_leaves_nothing_public_is_only_asked() -> None:
    runs = [run(0, {A: YELLOW}), run(6, {A: BLUE}), run(12, {A: NONE})]
    found = decided(held({A: YELLOW}), runs, now=13)
    assert (found.way, found.levels, found.all_clear) == (Way.NOTHING, {A: YELLOW}, True)
    assert because(found) == {A: "all-clear-first"}


def test_a_rise_elsewhere_makes_the_lowering_an_update() -> None:
    runs = [run(0, {A: YELLOW}), run(6, {A: NONE}), run(12, {A: NONE, B: YELLOW})]
    found = decided(held({A: YELLOW}), runs, now=13)
    assert (found.way, found.levels, found.all_clear) == (Way.RISE, {B: YELLOW}, False)


# --- several sources -----------------------------------------------------------------------------------------------


def test_another_source_cannot_lower_while_the_first_speaks() -> None:
    runs = [run(0, {A: ORANGE}), *(run(n, {A: YELLOW}, "ecmwf") for n in (1, 2, 3))]
    found = decided(held({A: ORANGE}), runs, now=4, rules=RANKED)
    assert (found.way, because(found)) == (Way.NOTHING, {A: "other-source"})


def test_a_better_source_lowers_once_the_first_is_silent() -> None:
    runs = [run(0, {A: ORANGE}), run(12, {A: YELLOW}, "ecmwf"), run(18, {A: YELLOW}, "ecmwf")]
    assert decided(held({A: ORANGE}), runs, now=19, rules=RANKED).way is Way.LOWER
    assert decided(held({A: ORANGE}), runs, now=19).way is Way.NOTHING  # nobody said which is better
    worse = [run(0, {A: ORANGE}, "ecmwf"), run(12, {A: YELLOW}), run(18, {A: YELLOW})]
    assert decided(held({A: ORANGE}), worse, now=19, rules=RANKED).way is Way.NOTHING


def test_a_part_of_a_source_ranks_as_the_source() -> None:
    runs = [run(0, {A: ORANGE}, "gfs/west"), *(run(at, {A: YELLOW}, "ecmwf/ifs") for at in (12, 18))]
    assert decided(held({A: ORANGE}), runs, now=19, rules=RANKED).way is Way.LOWER
    both = [run(0, {A: ORANGE}, "ecmwf/aifs"), *(run(at, {A: YELLOW}, "ecmwf/ifs") for at in (12, 18))]
    assert decided(held({A: ORANGE}), both, now=19, rules=RANKED).way is Way.NOTHING


def test_a_source_that_speaks_again_is_not_overruled() -> None:
    runs = [run(0, {A: ORANGE}), run(12, {A: YELLOW}, "ecmwf"), run(12, {A: ORANGE}), run(18, {A: YELLOW}, "ecmwf")]
    assert decided(held({A: ORANGE}, until=60), runs, now=19, rules=RANKED).way is Way.NOTHING


def test_one_source_s_raise_is_not_undone_by_its_own_past() -> None:
    runs = [run(0, {A: NONE}), run(6, {A: NONE}), run(12, {A: RED})]
    assert decided(held({A: RED}), runs, now=13).way is Way.NOTHING


# --- validity ------------------------------------------------------------------------------------------------------


def test_an_end_is_moved_near_the_end_and_by_a_step() -> None:
    have = held({A: YELLOW}, until=24)
    runs = [run(at, {A: YELLOW}) for at in (0, 6, 12, 18)]
    assert decided(have, runs, now=17.9).way is Way.NOTHING
    found = decided(have, runs, now=18)
    assert (found.way, found.levels, found.expires) == (Way.EXTEND, {A: YELLOW}, hour(42))
    assert decided(held({A: YELLOW}, until=40), runs, now=35).way is Way.NOTHING


def test_what_is_only_held_extends_nothing() -> None:
    runs = [run(0, {A: YELLOW}), run(6, {A: GAP}), run(12, {A: GAP}), run(18, {A: GAP})]
    assert decided(held({A: YELLOW}), runs, now=20).way is Way.NOTHING


def test_an_internal_level_does_not_extend_the_public_one() -> None:
    runs = [run(0, {A: YELLOW, B: BLUE}), run(18, {A: GAP, B: BLUE})]
    assert decided(held({A: YELLOW, B: BLUE}), runs, now=20).way is Way.NOTHING


def test_a_rise_never_brings_the_end_forward() -> None:
    found = decided(held({A: YELLOW}, until=60), [run(0, {A: ORANGE})], now=1)
    assert (found.way, found.expires) == (Way.RISE, hour(60))


# --- a person's word -----------------------------------------------------------------------------------------------


def no(levels: dict[str, Level], until: float, at: float = 1, falls: dict[str, Level] | None = None) -> Answer:
    return Answer(levels, falls or {}, hour(until), hour(at), "dismissed", "雨带偏南")


def test_a_dismissed_level_does_not_come_back_for_the_same_window() -> None:
    answered = Held(answers=(no({A: YELLOW}, until=24),))
    assert decided(answered, [run(2, {A: YELLOW})], now=3).way is Way.NOTHING
    assert decided(answered, [run(2, {A: BLUE})], now=3).way is Way.NOTHING
    assert decided(answered, [run(2, {TOWN: YELLOW})], now=3).way is Way.NOTHING


def test_a_higher_one_does_with_the_history() -> None:
    found = decided(Held(answers=(no({A: YELLOW}, until=24),)), [run(2, {A: ORANGE})], now=3)
    assert (found.way, found.levels) == (Way.RISE, {A: ORANGE})
    assert [answer.reason for answer in found.answers] == ["雨带偏南"]


def test_another_area_and_another_window_do_too() -> None:
    answered = Held(answers=(no({A: YELLOW}, until=24),))
    assert decided(answered, [run(2, {A: YELLOW, B: YELLOW})], now=3).levels == {A: YELLOW, B: YELLOW}
    assert decided(answered, [run(3, {A: YELLOW})], now=4).levels == {A: YELLOW}


def test_a_refused_lowering_waits_for_the_end_of_validity() -> None:
    runs = [run(0, {A: RED}), run(6, {A: YELLOW}), run(12, {A: YELLOW})]
    have = held({A: RED}, answers=(no({}, until=24, falls={A: YELLOW}),))
    assert decided(have, runs, now=13).way is Way.NOTHING
    assert because(decided(have, runs, now=13)) == {A: "not-lowered"}
    milder = [run(0, {A: RED}), run(6, {A: ORANGE}), run(12, {A: ORANGE})]
    assert decided(have, milder, now=13).levels == {A: ORANGE}


def test_a_refused_end_is_not_proposed_again() -> None:
    runs = [run(18, {A: YELLOW})]
    have = held({A: YELLOW}, answers=(no({}, until=42),))
    assert decided(have, runs, now=20).way is Way.NOTHING
    assert decided(have, [run(21, {A: YELLOW})], now=22).way is Way.EXTEND


def test_what_a_person_raised_no_run_lowers() -> None:
    runs = [run(0, {A: YELLOW}), run(12, {A: YELLOW}), run(18, {A: YELLOW})]
    found = decided(held({A: RED}, by_person={A: hour(6)}), runs, now=19)
    assert (found.way, because(found)) == (Way.NOTHING, {A: "by-person"})


def test_what_a_person_lowered_only_a_newer_run_raises() -> None:
    have = held({A: YELLOW, B: YELLOW}, by_person={A: hour(6)})
    runs = [run(0, {A: ORANGE, B: YELLOW}), run(5, {A: ORANGE, B: YELLOW})]
    assert decided(have, runs, now=7).way is Way.NOTHING
    assert decided(have, [*runs, run(8, {A: ORANGE, B: YELLOW})], now=9).levels == {A: ORANGE, B: YELLOW}


def test_a_level_no_run_speaks_of_is_held() -> None:
    found = decided(held({A: YELLOW}), [run(0, {B: NONE})], now=1)
    assert (found.way, because(found)) == (Way.NOTHING, {A: "no-run"})


# --- areas within areas --------------------------------------------------------------------------------------------


def test_a_township_is_named_when_its_county_falls_below_it() -> None:
    runs = [
        run(0, {A: ORANGE, TOWN: YELLOW, B: YELLOW}),
        run(6, {A: NONE, TOWN: YELLOW, B: YELLOW}),
        run(12, {A: NONE, TOWN: YELLOW, B: YELLOW}),
    ]
    found = decided(held({A: ORANGE, B: YELLOW}), runs, now=13)
    assert (found.way, found.levels) == (Way.LOWER, {TOWN: YELLOW, B: YELLOW})
    assert because(found) == {A: "withdrawn", TOWN: "withdrawn", B: "kept"}


def test_a_township_without_data_keeps_what_its_county_loses() -> None:
    runs = [
        run(0, {A: ORANGE, TOWN: ORANGE, B: YELLOW}, made=0),
        run(6, {A: NONE, TOWN: NONE, B: YELLOW}),
        run(12, {A: NONE, TOWN: GAP, B: YELLOW}),
    ]
    assert decided(held({A: ORANGE, B: YELLOW}), runs, now=13).levels == {TOWN: ORANGE, B: YELLOW}
    never = [run(at, {A: level, TOWN: GAP, B: YELLOW}) for at, level in ((0, ORANGE), (6, NONE), (12, NONE))]
    assert decided(held({A: ORANGE, B: YELLOW}), never, now=13).levels == {TOWN: ORANGE, B: YELLOW}


def test_a_county_that_rises_takes_its_township_along() -> None:
    found = decided(held({TOWN: ORANGE}), [run(0, {TOWN: ORANGE, A: RED})], now=1)
    assert (found.way, found.levels) == (Way.RISE, {A: RED})
    assert because(found) == {A: "reached", TOWN: "shared"}


def test_a_city_is_never_named() -> None:
    assert decided(Held(), [run(0, {"370600": RED})], now=1).way is Way.NOTHING
