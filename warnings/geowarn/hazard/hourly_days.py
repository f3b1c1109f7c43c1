"""Daily totals of a ground: the rolling 24 h that end with the window, and the whole days before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

import numpy as np

from geowarn.domain.period import Period
from geowarn.hazard.filling import Fill, Ground, Sampler, exact_sum, fill
from geowarn.hazard.hourly import Supply, Tier
from geowarn.hazard.zonal import Numbers

_DAY = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Days:
    """`mm` by day and cell: row 0 the rolling 24 h, row i the 24 h i days earlier; `before`: all but the window."""

    mm: Numbers
    inside: Fill
    before: tuple[Fill, ...]


@dataclass(frozen=True, slots=True)
class DayFiller:
    """Fills the days of one window; whole intervals only."""

    supply: Supply
    sampler: Sampler
    window: Period
    days: int

    def fill(self, ground: Ground) -> Days:
        """The days of one ground."""
        inside = self._fill(self.window, self.supply.inside, ground)
        first = Period(self.window.end - _DAY, self.window.start) if self.window.hours < 24 else None
        rest = self._fill(first, self.supply.before, ground) if first else None
        whole = [
            self._fill(Period(self.window.end - (day + 1) * _DAY, self.window.end - day * _DAY),
                       self.supply.before, ground)
            for day in range(1, self.days + 1)
        ]  # fmt: skip
        newest = exact_sum([inside.mm, *([rest.mm] if rest else [])], ground.size)
        return Days(np.array([newest, *(day.mm for day in whole)]), inside, (*([rest] if rest else []), *whole))

    def _fill(self, piece: Period, tiers: Sequence[Tier], ground: Ground) -> Fill:
        layers = [
            self.sampler.layers(
                [one for one in tier.fields if one.period.overlaps(piece)], ground, own_only=tier.own_only
            )
            for tier in tiers
        ]
        return fill(piece, layers, ground.size)
