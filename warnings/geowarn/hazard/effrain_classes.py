"""Rain classes of all areas: quick sums decide wherever they can.

Where one comes closer to a break than it may be wrong, the compensated sum of this very cell decides; so every class
is the one that compensated sums of all cells would give.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.effrain import EffrainRules
from geowarn.hazard.effrain_sums import Sums
from geowarn.hazard.places import statistics
from geowarn.hazard.zonal import Cells, Numbers

ASK = -2  # to be worked out by itself
_TIE = 1e-13  # of an area's weight: adding up in another order may differ by less
_TINY = 1e-30  # mm: rain below it may round to nothing in single precision
Classes = NDArray[np.int8]


class _Doubt(NamedTuple):
    """Classes of which those `at` these places hang on sums at `cells`, positions in `Index.every_cell`."""

    classes: Classes
    at: Cells
    cells: Cells


class Found(NamedTuple):
    """Rain classes, ASK where something is missing or hangs on the last digit; statistics of polygons in mm."""

    of_polygons: Classes
    of_points: Classes
    max_mm: Numbers
    mean_mm: Numbers


class _Lines:
    """The breaks as quick sums meet them: what reaches `surely` is above, what misses `perhaps` is below."""

    def __init__(self, breaks: Sequence[float], margin: float) -> None:
        above = np.array([line * (1 + margin) + _TINY for line in breaks], dtype=np.float32)
        below = np.array([line * (1 - margin) - _TINY for line in breaks], dtype=np.float32)
        self._surely = np.nextafter(above, np.float32(np.inf))
        self._perhaps = np.nextafter(below, np.float32(-np.inf))

    def between(self, lowest: NDArray[Any], highest: NDArray[Any]) -> tuple[Cells, Cells]:
        """The lowest and the highest class that quick sums from `lowest` to `highest` may have."""
        return np.searchsorted(self._surely, lowest, "right"), np.searchsorted(self._perhaps, highest, "right")

    def classes(self, quick: NDArray[Any], lowest: int, highest: int) -> tuple[Classes, Cells]:
        """Classes of sums, from `lowest` to `highest`, ASK for none; and where one is too close to a break to tell."""
        surely, perhaps = np.full(quick.size, lowest, np.int8), np.full(quick.size, lowest, np.int8)
        for above, below in zip(self._surely[lowest:highest], self._perhaps[lowest:highest], strict=True):
            surely += (quick >= above).view(np.int8)
            perhaps += (quick >= below).view(np.int8)
        close = np.flatnonzero(surely != perhaps)
        surely[np.isnan(quick)] = ASK
        return surely, close


@dataclass(frozen=True, slots=True)
class _Mixed:
    """Polygons of a segment whose cells may be of more than one class; of these cells weights and classes."""

    at: Cells  # of the polygons
    sizes: Cells
    total: Numbers
    weights: Numbers
    classes: Classes

    def by_class(self, width: int) -> Numbers:
        """The weight of each class in each polygon."""
        slots = np.repeat(np.arange(0, self.at.size * width, width), self.sizes) + self.classes
        weights = np.bincount(slots, weights=self.weights, minlength=self.at.size * width)
        return np.asarray(weights.reshape(-1, width), dtype=np.float64)


def classes_of(sums: Sums) -> Found:
    """Rain classes of every polygon and point by itself."""
    index, quick, lines = sums.index, sums.quick(), _Lines(sums.limits.breaks, sums.margin)
    polygons, points = np.empty(index.areas.size, np.int8), np.empty(index.points.size, np.int8)
    greatest, mean = np.empty(polygons.size), np.empty(polygons.size)
    mixed, doubts = list[_Mixed](), list[_Doubt]()
    for one in index.segments:
        values, at = quick(one.span), one.polygons
        greatest[at], mean[at] = statistics(one, values)
        lowest, highest = lines.between(np.minimum.reduceat(values, one.starts), greatest[at])
        polygons[at] = np.where(np.isnan(greatest[at]), ASK, highest)
        uneven = lowest != highest
        if uneven.any():
            sizes, cells = one.sizes[uneven], np.repeat(uneven, one.sizes)
            classes, close = lines.classes(values[cells], int(lowest[uneven].min()), int(highest[uneven].max()))
            mixed.append(
                _Mixed(np.flatnonzero(uneven) + at.start, sizes, one.total[uneven], one.weights[cells], classes)
            )
            if close.size:
                doubts.append(_Doubt(classes, close, np.flatnonzero(cells)[close] + one.span.start))
    for span in index.spans:
        values = quick(span)
        lowest, highest = lines.between(np.fmin.reduce(values), np.fmax.reduce(values))
        classes, close = lines.classes(values, int(lowest), int(highest))
        into = points[span.start - index.split : span.stop - index.split]
        into[:] = classes
        doubts.append(_Doubt(into, close, close + span.start))
    _settle(sums, doubts)
    if mixed:
        polygons[np.concatenate([one.at for one in mixed])] = _reached(mixed, sums.limits)
    return Found(polygons, points, greatest, mean)


def _settle(sums: Sums, doubts: Sequence[_Doubt]) -> None:
    """Put in the classes that compensated sums give."""
    cells = np.concatenate([np.empty(0, np.int64), *(doubt.cells for doubt in doubts)])
    if cells.size:
        classes = np.searchsorted(sums.limits.breaks, sums.exact_at(cells), side="right")
        for doubt, part in zip(doubts, np.split(classes, np.cumsum([one.at.size for one in doubts])), strict=False):
            doubt.classes[doubt.at] = part


def _reached(mixed: Sequence[_Mixed], limits: EffrainRules) -> Classes:
    """The class that the area share of each polygon's weight reaches."""
    by_class = np.concatenate([one.by_class(len(limits.breaks) + 1) for one in mixed])
    total = np.concatenate([one.total for one in mixed])[:, None]
    at_least = np.cumsum(by_class[:, ::-1], axis=1)[:, ::-1][:, 1:]
    needed = limits.area_share * total * (1 - 1e-12)
    tie = (np.abs(at_least - needed) <= _TIE * total).any(axis=1)
    return np.where(tie, ASK, (at_least >= needed).sum(axis=1)).astype(np.int8)
