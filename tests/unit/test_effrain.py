"""The formulas, against published figures and as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.area import Susceptibility
from geowarn.domain.effrain import class_bounds, factor, level_for, margins, rain_class, read_parameters, threshold
from geowarn.domain.errors import Refused
from geowarn.domain.level import Level
from geowarn.pipeline.rules import load_rules
from geowarn.resources import config_dir

RULES = load_rules(config_dir() / "rules" / "effrain-matrix.toml")
LIMITS = read_parameters(RULES.parameters)
RAIN = st.floats(0, 1500, allow_nan=False)
TERRAIN = st.sampled_from(list(Susceptibility))


@pytest.mark.parametrize(
    ("mm", "expected"),
    [
        (0, 0),
        (49.999999, 0),
        (50, 1),
        (69.99, 1),
        (70, 2),
        (110, 3),
        (159.999, 3),
        (160, 4),
        (249.99, 4),
        (250, 5),
        (385.4, 5),
    ],
)
def test_a_break_belongs_to_the_higher_class(mm: float, expected: int) -> None:
    assert rain_class(mm, LIMITS.breaks) == expected


def test_the_matrix_is_the_documented_one() -> None:
    rains = (49, 50, 70, 110, 160, 250)
    table = {
        one.value: [int(level_for(mm, LIMITS.shifts[one], LIMITS.breaks)) for mm in rains] for one in Susceptibility
    }
    assert table == {
        "high": [0, 1, 2, 3, 4, 4],
        "medium": [0, 0, 1, 2, 3, 4],
        "low": [0, 0, 0, 1, 2, 3],
        "very-low": [0, 0, 0, 0, 1, 2],
    }


def test_the_decay_is_what_a_pencil_gets() -> None:
    assert [factor(0.79, day) for day in (1, 2, 3)] == [0.79, 0.6241, 0.493039]


def test_the_worked_example_has_its_margins() -> None:
    re_mm = 96 + 30 * factor(0.79, 1) + 10 * factor(0.79, 2) + 5 * factor(0.79, 3)
    assert round(re_mm, 2) == 128.41
    level = level_for(re_mm, 1, LIMITS.breaks)
    to_next, over = margins(re_mm, level, 1, LIMITS.breaks)
    assert (level, round(to_next or 0, 2), round(over or 0, 2)) == (Level.YELLOW, 31.59, 18.41)
    assert class_bounds(3, LIMITS.breaks) == (110, 160)


def test_red_is_out_of_reach_on_gentle_terrain() -> None:
    assert threshold(Level.RED, LIMITS.shifts[Susceptibility.LOW], LIMITS.breaks) is None
    assert margins(400, Level.ORANGE, 2, LIMITS.breaks) == (None, 150)


@given(RAIN, RAIN, TERRAIN, TERRAIN)
def test_more_rain_or_worse_terrain_never_lowers(
    one: float, other: float, a: Susceptibility, b: Susceptibility
) -> None:
    less, more = sorted((one, other))
    order = list(Susceptibility)
    worse, better = sorted((a, b), key=order.index)
    assert level_for(less, LIMITS.shifts[better], LIMITS.breaks) <= level_for(more, LIMITS.shifts[worse], LIMITS.breaks)


@given(RAIN, TERRAIN)
def test_margins_lead_to_the_next_level(mm: float, terrain: Susceptibility) -> None:
    shift = LIMITS.shifts[terrain]
    level = level_for(mm, shift, LIMITS.breaks)
    to_next, over = margins(mm, level, shift, LIMITS.breaks)
    assert to_next is None or to_next > 0
    assert over is None or over >= 0
    line = threshold(Level(level + 1), shift, LIMITS.breaks) if level < Level.RED else None
    assert line is None or level_for(line, shift, LIMITS.breaks) == level + 1


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("k", 0.0),
        ("k", 1.5),
        ("k", True),
        ("k", "0.79"),
        ("antecedent_days", 2.5),
        ("antecedent_days", -1),
        ("breaks_mm", [50, 70, 70, 160, 250]),
        ("breaks_mm", [50, 70]),
        ("breaks_mm", None),
        ("shifts", {"high": 2, "medium": 1, "low": 2, "very-low": 3}),
        ("shifts", {"high": 0}),
        ("area_share", 0),
        ("max_missing", 1.2),
        ("points_raise_area", 1),
    ],
)
def test_a_bad_parameter_is_named(name: str, value: object) -> None:
    with pytest.raises(Refused) as refused:
        read_parameters({**RULES.parameters, name: value})
    assert refused.value.key == ("rules.parameter-missing" if value is None else "rules.parameter")
    assert refused.value.facts["parameter"] == name


@pytest.mark.parametrize(("name", "value"), [("station_km", 0), ("station_km", "20"), ("member_share", 1.5)])
def test_a_distance_and_a_share_that_cannot_be_are_refused_and_both_have_a_default(name: str, value: object) -> None:
    plain = {key: one for key, one in RULES.parameters.items() if key not in ("station_km", "member_share")}
    assert (read_parameters(plain).station_km, read_parameters(plain).member_share) == (20.0, 0.5)
    with pytest.raises(Refused, match=r"rules\.parameter"):
        read_parameters({**plain, name: value})
