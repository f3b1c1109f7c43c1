"""`jma-swi`: the soil water index of three tanks, its highest value in the window against lines in mm.

The tanks start dry, the rule set's spin-up hours before the window; rain that is unknown there is left out, and the
index is then a lower bound. Common evidence: `geowarn.hazard.hourly_evidence`; its own figures:

swi_mm = s1_mm + s2_mm + s3_mm, swi_at       the highest index in the window, its three storages and the time
rain_mm, spin_up_mm                          rain of the window, and of the spin-up before it
start_swi_mm                                 the index at the window's start
levels_mm, to_next_mm, over_own_mm           the class breaks; mm to the next level; mm over the own line
dt_minutes, spin_up_hours                    time step of the tanks, and how long they ran before
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from math import fsum
from pathlib import Path

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.assessment import Assessment
from geowarn.domain.effrain import level_for, margins
from geowarn.domain.period import Period
from geowarn.domain.rules import RuleSet
from geowarn.domain.soil_water import DRY, SwiRules, Tanks, index_of, read_parameters, storages
from geowarn.hazard.hourly_areas import Needs, Place, assess_areas
from geowarn.hazard.hourly_evidence import Verdict, neighbours
from geowarn.hazard.zonal import Numbers
from geowarn.ports import Rain

FIGURES = (
    "swi_mm",
    "s1_mm",
    "s2_mm",
    "s3_mm",
    "swi_at",
    "rain_mm",
    "spin_up_mm",
    "start_swi_mm",
    "levels_mm",
    "to_next_mm",
    "over_own_mm",
    "dt_minutes",
    "spin_up_hours",
)


class JmaSwi:
    """`geowarn.ports.HazardModel` of the soil water index (Ishihara & Kobatake 1979)."""

    name = "jma-swi"

    def check(self, rules: RuleSet) -> None:
        """Raise Refused when a parameter does not fit, naming it."""
        read_parameters(rules.parameters)

    def history_hours(self, rules: RuleSet) -> int:
        """The spin-up before the longest window."""
        return 24 + read_parameters(rules.parameters).spin_up_hours

    def assess(
        self, areas: Sequence[Area], rain: Rain, window: Period, rules: RuleSet, cache: Path | None
    ) -> tuple[Assessment, ...]:
        """One assessment per area in the order given; raises Refused for a window that is no number of steps."""
        return assess_areas(_Method(read_parameters(rules.parameters)), areas, rain, window, rules, cache)


class _Method:
    """`hourly_areas.Method`."""

    figures: Sequence[str] = FIGURES

    def __init__(self, rules: SwiRules) -> None:
        self.rules, self.areas = rules, rules.areas
        self.needs = Needs(rules.steps, rules.spin_up_hours)

    def lack(self, codes: Sequence[str]) -> None:
        """Every area can be classified."""

    def told_by(self, codes: Sequence[str]) -> None:
        """Rain and terrain say everything."""

    def scores(self, series: Numbers, first_inside: int, days: Numbers) -> Numbers:
        """The highest index in the window."""
        return highest_index(series, first_inside, self.rules.tanks, self.rules.parts)

    def judge(self, area: Area, codes: Sequence[str], place: Place) -> Verdict:
        """The level at one cell."""
        rules, shift, first = self.rules, self.areas.shifts[area.susceptibility], place.first_inside
        found = storages(place.series, rules.tanks, rules.parts)
        at = max(range(first, len(found)), key=lambda one: (index_of(found[one]), -one))
        swi_mm, state = index_of(found[at]), found[at]
        level = level_for(swi_mm, shift, rules.breaks)
        to_next, over = margins(swi_mm, level, shift, rules.breaks)
        facts = {
            "shift": shift,
            "own_level": level.code,
            **neighbours(level, to_next, over),
            "swi_mm": swi_mm,
            "s1_mm": state[0],
            "s2_mm": state[1],
            "s3_mm": state[2],
            "swi_at": place.period(at, 1)["to"],
            "rain_mm": fsum(place.series[first:]),
            "spin_up_mm": fsum(place.series[:first]),
            "start_swi_mm": index_of(found[first - 1] if first else DRY),
            "levels_mm": list(rules.breaks),
            "to_next_mm": to_next,
            "over_own_mm": over,
            "dt_minutes": round(timedelta(hours=rules.tanks.dt).total_seconds() / 60),
            "spin_up_hours": rules.spin_up_hours,
        }
        return Verdict(level, facts)


def highest_index(series: Numbers, first_inside: int, tanks: Tanks, parts: int) -> Numbers:
    """The highest index by cell from step `first_inside` on; the same steps as `Tanks.step`, all cells at once."""
    s1, s2, s3 = (np.zeros(series.shape[1]) for _ in DRY)
    (l1, l2, l3, l4), (a1, a2, a3, a4), (b1, b2, b3) = tanks.outlets, tanks.outflow, tanks.seepage
    highest, dt = np.zeros(series.shape[1]), tanks.dt
    for at, mm in enumerate(series):
        for _ in range(parts):
            out1 = a1 * np.maximum(s1 - l1, 0.0) + a2 * np.maximum(s1 - l2, 0.0)
            out2, out3 = a3 * np.maximum(s2 - l3, 0.0), a4 * np.maximum(s3 - l4, 0.0)
            s1, s2, s3 = (
                np.maximum((1 - b1 * dt) * s1 - out1 * dt + mm / parts, 0.0),
                np.maximum((1 - b2 * dt) * s2 - out2 * dt + b1 * s1 * dt, 0.0),
                np.maximum((1 - b3 * dt) * s3 - out3 * dt + b2 * s2 * dt, 0.0),
            )
        if at >= first_inside:
            highest = np.maximum(highest, s1 + s2 + s3)
    return highest
