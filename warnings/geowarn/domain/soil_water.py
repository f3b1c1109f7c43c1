"""Soil water index of three tanks in a row, stepped in time (pure formulas).

q1 = a1 (S1-L1)+ + a2 (S1-L2)+, q2 = a3 (S2-L3)+, q3 = a4 (S3-L4)+ (mm/h);
S1' = (1-b1 dt) S1 - q1 dt + R, S2' = (1-b2 dt) S2 - q2 dt + b1 S1 dt, S3' = (1-b3 dt) S3 - q3 dt + b2 S2 dt,
with the old S on the right and nothing below 0; index = S1 + S2 + S3 in mm (Ishihara & Kobatake 1979).
30 mm/h for 3 h from dry: 84.51 with dt = 1 h, 82.70 with dt = 10 min; dt therefore stands in the rule file.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from geowarn.domain.level import Level
from geowarn.domain.parameters import AreaRules, StepRules, area_rules, numbers, rising, step_rules, whole, wrong

State = tuple[float, float, float]
DRY: State = (0.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Tanks:
    """`outlets` L1 … L4 in mm, `outflow` a1 … a4 and `seepage` b1 … b3 in 1/h, `dt` in hours."""

    outlets: tuple[float, ...]
    outflow: tuple[float, ...]
    seepage: tuple[float, ...]
    dt: float

    def step(self, state: State, rain: float) -> State:
        """The storages in mm one time step later; `rain` in mm falls during that step."""
        (s1, s2, s3), (b1, b2, b3), dt = state, self.seepage, self.dt
        out1 = self.outflow[0] * _over(s1, self.outlets[0]) + self.outflow[1] * _over(s1, self.outlets[1])
        out2 = self.outflow[2] * _over(s2, self.outlets[2])
        out3 = self.outflow[3] * _over(s3, self.outlets[3])
        return (
            max((1 - b1 * dt) * s1 - out1 * dt + rain, 0.0),
            max((1 - b2 * dt) * s2 - out2 * dt + b1 * s1 * dt, 0.0),
            max((1 - b3 * dt) * s3 - out3 * dt + b2 * s2 * dt, 0.0),
        )


@dataclass(frozen=True, slots=True)
class SwiRules:
    """The tanks, the hours they run before the window, and the index in mm of each class."""

    areas: AreaRules
    steps: StepRules
    tanks: Tanks
    spin_up_hours: int
    breaks: tuple[float, ...]

    @property
    def parts(self) -> int:
        """Time steps of the tanks in one step of rain."""
        return round(self.steps.hours / self.tanks.dt)


def storages(rain: Sequence[float], tanks: Tanks, parts: int, state: State = DRY) -> list[State]:
    """The storages after each step of rain in mm, which falls evenly over `parts` time steps."""
    found = []
    for mm in rain:
        for _ in range(parts):
            state = tanks.step(state, mm / parts)
        found.append(state)
    return found


def index_of(state: State) -> float:
    """The soil water index in mm."""
    return state[0] + state[1] + state[2]


def _over(storage: float, outlet: float) -> float:
    return max(storage - outlet, 0.0)


def read_tanks(parameters: Mapping[str, Any], steps: StepRules) -> Tanks:
    """`dt_minutes`, `outlets_mm`, `outflow_per_hour`, `seepage_per_hour`; raises Refused.

    A step so long that a tank could lose more than it holds is refused: the index would no longer rise with rain.
    """
    minutes = whole(parameters, "dt_minutes", 1, steps.minutes)
    if steps.minutes % minutes:
        raise wrong("dt_minutes", minutes, f"{steps.minutes} / x = n")
    outlets = numbers(parameters, "outlets_mm", 0.0, 1000.0, count=4)
    outflow = numbers(parameters, "outflow_per_hour", 0.0, 1.0, count=4)
    seepage = numbers(parameters, "seepage_per_hour", 0.0, 1.0, count=3)
    fastest = max(outflow[0] + outflow[1] + seepage[0], outflow[2] + seepage[1], outflow[3] + seepage[2])
    if fastest * minutes / 60 > 1:
        raise wrong("dt_minutes", minutes, f"<= {60 / fastest:.0f}")
    return Tanks(outlets, outflow, seepage, minutes / 60)


def read_parameters(parameters: Mapping[str, Any]) -> SwiRules:
    """Check and read `[parameters]` of a rule set; raises Refused naming the parameter and what it must be."""
    steps = step_rules(parameters)
    return SwiRules(
        areas=area_rules(parameters),
        steps=steps,
        tanks=read_tanks(parameters, steps),
        spin_up_hours=whole(parameters, "spin_up_hours", 24, 24 * 120),
        breaks=rising(parameters, "levels_mm", 0.0, 2000.0, fewest=Level.RED),
    )
