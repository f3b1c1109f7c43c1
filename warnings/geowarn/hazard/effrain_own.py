"""What the rain of one run says about each area by itself, before points raise it or a parent lends its level."""

from __future__ import annotations

import weakref
from collections.abc import Sequence
from datetime import timedelta

import numpy as np

from geowarn.domain.area import Area, ancestors
from geowarn.domain.effrain import factor
from geowarn.domain.period import Period
from geowarn.domain.rain import AreaUnits, CurvedGrid, Grid, RainField, RainKind, Stations
from geowarn.hazard.effrain_evidence import Context, known, unknown
from geowarn.hazard.effrain_facts import Part
from geowarn.hazard.effrain_sums import Sums, sums_of
from geowarn.hazard.filling import Fill, Ground, Sampler, exact_sum, fill, quantile_cell
from geowarn.hazard.finding import Finding
from geowarn.hazard.pieces import QuickSums, Slot, Tier, layers_of, piece_for_all
from geowarn.hazard.places import Places, placed
from geowarn.hazard.zonal import Cells, Mesh
from geowarn.ports import Rain

_DAY = timedelta(hours=24)
_HELD_BYTES = 64 << 20  # of rain by interval and cell


class Own:
    """One run under assessment; each area is worked out once, when it is asked for."""

    def __init__(self, context: Context, rain: Rain, places: Places, quick: QuickSums | None = None) -> None:
        self._quick = quick or QuickSums()
        self.context, self.places, self.limits = context, places, context.limits
        self._forecast = tuple(field for field in rain.fields if field.kind is RainKind.FORECAST)
        self._own_observed = tuple(field for field in rain.fields if field.kind is RainKind.OBSERVED)
        self._observed = rain.observed
        self.member = self._forecast[0].member if self._forecast else None
        self._inside = _near(rain.fields, context.window)
        self._units = {code for f in self._inside if isinstance(f.support, AreaUnits) for code in f.support.codes}
        self.grid = _grid_of(self._inside, places)
        self._sampler = Sampler(places.zones, station_km=self.limits.station_km)
        self.window = self._slot(0, context.window, self._window_tiers())
        self.before = [self._slot(day, piece, self._before_tiers(piece)) for day, piece in self._pieces()]
        self._found: dict[str, Finding | None] = {}

    def finding(self, area: Area) -> Finding | None:
        """None: this input says nothing about the area itself."""
        if area.code not in self._found:
            self._found[area.code] = self._work_out(area)
        return self._found[area.code]

    def _work_out(self, area: Area) -> Finding | None:
        codes = ancestors(area.code, self.context.areas)
        if self.grid is not None and (place := self.places.zones(self.grid).get(area.code)) is not None:
            return self._classify(area, Ground(codes, self.grid, place, True))
        if area.code in self._units or not self._inside:
            return self._classify(area, Ground(codes, None, None, placed(area)))
        return unknown(self.context, area, "outside-grid") if self.grid is not None and placed(area) else None

    def _classify(self, area: Area, ground: Ground) -> Finding:
        inside = self._fill(self.window, ground)
        if inside.gaps:
            return unknown(self.context, area, "missing-hours", inside.gaps, inside.unsplit)
        missing = missing_share(ground, inside)
        if missing > self.limits.max_missing + 1e-12:
            return unknown(self.context, area, "missing-cells", share=missing)
        before = [Part(slot.day, self._fill(slot, ground)) for slot in self.before]
        r0 = exact_sum([inside.mm, *(part.fill.mm for part in before if part.day == 0)], ground.size)
        decayed = [factor(self.limits.k, part.day) * part.fill.mm for part in before if part.day > 0]
        re = exact_sum([r0, *decayed], ground.size)
        seen = np.flatnonzero(~inside.holes)
        at = int(seen[quantile_cell(re[seen], ground.weights[seen], self.limits.area_share)])
        return known(self.context, area, ground, at, re, r0, inside, before, missing)

    def _fill(self, slot: Slot, ground: Ground) -> Fill:
        whole = slot.whole.on(ground) if slot.whole is not None else None
        return whole or fill(slot.piece, layers_of(self._sampler, slot.tiers, ground), ground.size)

    def _slot(self, day: int, piece: Period, tiers: Sequence[Tier]) -> Slot:
        near = tuple(Tier(_near(tier.fields, piece), tier.own_only) for tier in tiers)
        # Held weakly: in a ring of references a run and its sums would stay until the collector passes by.
        me = weakref.proxy(self)
        whole = piece_for_all(self._sampler, self.grid, piece, near, lambda cell: me._wanted(cell), self._quick)
        return Slot(day, piece, near, whole)

    def _window_tiers(self) -> list[Tier]:
        """The assessed id fills the window; other observations only fill what lies before its run."""
        run_time = self.context.forecast.run_time
        earlier = tuple(field for field in self._observed if self._forecast and field.period.end <= run_time)
        return [Tier(self._forecast, True), Tier(self._own_observed, True), Tier(earlier)]

    def _pieces(self) -> list[tuple[int, Period]]:
        """The rest of the rolling 24 h, then the days before."""
        end, start = self.context.window.end, self.context.window.start
        days = [(day, Period(end - (day + 1) * _DAY, end - day * _DAY)) for day in range(1, self.limits.days + 1)]
        return [(0, Period(end - _DAY, start)), *days] if end - _DAY < start else days

    def _before_tiers(self, piece: Period) -> list[Tier]:
        """Observed first, the forecast where nothing was."""
        return [Tier((*self._own_observed, *self._observed)), Tier(self._forecast)]

    def sums(self) -> Sums | None:
        """Effective rainfall of all areas at once; None where they are filled one by one."""
        return sums_of(self.places, self.grid, self.limits, self.window, self.before)

    def _wanted(self, cell: int) -> Cells:
        """The cells whose rain by interval will be asked for."""
        sums = self.sums()
        if sums is not None:
            return sums.deciding_cells()
        used = np.unique(self.places.zones(self.grid).cells) if self.grid is not None else np.empty(0, np.int64)
        return used if used.size * len(self._inside) * 8 <= _HELD_BYTES else np.array([cell], dtype=np.int64)


def missing_share(ground: Ground, inside: Fill) -> float:
    """The share of the area without a value: cells missing in the window, and what lies off the grid."""
    whole = float(ground.weights.sum()) / (1.0 - ground.outside)
    return 1.0 - float(ground.weights[~inside.holes].sum()) / whole


def _near(fields: Sequence[RainField], piece: Period) -> tuple[RainField, ...]:
    return tuple(field for field in fields if field.period.overlaps(piece))


def _grid_of(inside: Sequence[RainField], places: Places) -> Mesh | None:
    """The grid on which areas are cut into cells: the earliest field's own, or the lattice where only gauges speak."""
    supports = [field.support for field in sorted(inside, key=lambda field: field.period)]
    own = next((support for support in supports if isinstance(support, Grid | CurvedGrid)), None)
    return places.lattice() if own is None and any(isinstance(one, Stations) for one in supports) else own
