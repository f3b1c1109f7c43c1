"""Rain classes of all areas: quick sums decide wherever they can.

Where one comes closer to a break than it may be wrong, the compensated sum of this very cell decides; so every class
is the one that compensated sums of all cells would give.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.effrain import EffrainRules
from geowarn.hazard.effrain_sums import Sums
from geowarn.hazard.places import Segment, statistics
from geowarn.hazard.zonal import Cells, Numbers
from geowarn.hazard.zones import Marks

ASK = -2  # to be worked out by itself
_TIE = 1e-13  # of an area's weight: adding up in another order may differ by less
_TINY = 1e-30  # mm: rain below it may round to nothing in single precision
_LOOK = -3  # a table cannot tell
_CUT = 13  # bits of a number in single precision that the table leaves out: 1,024 steps from a number to twice it
_INFINITE = 0x7F80_0000 >> _CUT  # what follows are negative numbers and none
Classes = NDArray[np.int8]


class _Doubt(NamedTuple):
    """What hangs on sums at `cells`, positions in `Index.every_cell`; `settle` takes the classes of these."""

    cells: Cells
    settle: Callable[[Classes], None]


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
        self.width = len(breaks) + 1
        self._table = self._by_upper_bits()

    def between(self, lowest: NDArray[Any], highest: NDArray[Any]) -> tuple[Cells, Cells]:
        """The lowest and the highest class that quick sums from `lowest` to `highest` may have."""
        return np.searchsorted(self._surely, lowest, "right"), np.searchsorted(self._perhaps, highest, "right")

    def classes(self, quick: NDArray[Any]) -> tuple[Classes, Cells]:
        """Classes of sums, ASK for none; and where one is too close to a break to tell."""
        # Rounding to single precision moves no number over another, so a table by the upper bits tells most of them.
        upper = quick.astype(np.float32, copy=False).view(np.uint32) >> _CUT
        found = self._table.take(upper, mode="clip")
        look = np.flatnonzero(found == _LOOK)
        surely, perhaps = self.between(quick[look], quick[look])
        found[look] = np.where(np.isnan(quick[look]), ASK, surely)
        return found, look[surely != perhaps]

    def _by_upper_bits(self) -> Classes:
        """The class of all numbers with these upper bits in single precision, _LOOK where they differ or at the end."""
        first, last = (np.maximum(lines, 0).view(np.uint32) >> _CUT for lines in (self._perhaps, self._surely))
        runs = np.diff([0, *first.tolist(), _INFINITE, _INFINITE + 1])
        table = np.repeat(np.array([*range(self.width), _LOOK], dtype=np.int8), runs)
        for at, end in zip(first.tolist(), last.tolist(), strict=True):
            table[at : end + 1] = _LOOK
        return table


class _Mixed(NamedTuple):
    """Polygons of a segment whose cells may be of more than one class; the weight of each class in each of them."""

    at: Cells  # of the polygons
    total: Numbers
    by_class: Numbers


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
        if (lowest != highest).any():
            mixed.append(_mixed(one, values, lowest != highest, lines, doubts))
    for span in index.spans:
        classes, close = lines.classes(quick(span))
        into = points[span.start - index.split : span.stop - index.split]
        into[:] = classes
        if close.size:
            doubts.append(_Doubt(close + span.start, partial(into.__setitem__, close)))
    _settle(sums, doubts)
    if mixed:
        polygons[np.concatenate([one.at for one in mixed])] = _reached(mixed, sums.limits)
    return Found(polygons, points, greatest, mean)


def _mixed(one: Segment, values: NDArray[Any], uneven: Marks, lines: _Lines, doubts: list[_Doubt]) -> _Mixed:
    """The uneven polygons of a segment, weighed while their cells are near the processor; doubts come to the others."""
    cells, total = np.repeat(uneven, one.sizes), one.total[uneven]
    classes, close = lines.classes(values[cells])
    slots = np.repeat(np.arange(0, total.size * lines.width, lines.width), one.sizes[uneven])
    weights = one.weights[cells]
    weighed = np.bincount(slots + classes, weights=weights, minlength=total.size * lines.width)
    by_class = np.asarray(weighed, dtype=np.float64)
    if close.size:
        rows, was, moved = slots[close], classes[close], weights[close]

        def settle(exact: Classes) -> None:
            np.subtract.at(by_class, rows + was, moved)
            np.add.at(by_class, rows + exact, moved)

        doubts.append(_Doubt(np.flatnonzero(cells)[close] + one.span.start, settle))
    return _Mixed(np.flatnonzero(uneven) + one.polygons.start, total, by_class.reshape(-1, lines.width))


def _settle(sums: Sums, doubts: Sequence[_Doubt]) -> None:
    """Put in the classes that compensated sums give."""
    if doubts:
        exact = sums.exact_at(np.concatenate([doubt.cells for doubt in doubts]))
        classes = np.searchsorted(sums.limits.breaks, exact, side="right").astype(np.int8)
        for doubt, part in zip(doubts, np.split(classes, np.cumsum([one.cells.size for one in doubts])), strict=False):
            doubt.settle(part)


def _reached(mixed: Sequence[_Mixed], limits: EffrainRules) -> Classes:
    """The class that the area share of each polygon's weight reaches."""
    by_class = np.concatenate([one.by_class for one in mixed])
    total = np.concatenate([one.total for one in mixed])[:, None]
    at_least = np.cumsum(by_class[:, ::-1], axis=1)[:, ::-1][:, 1:]
    needed = limits.area_share * total * (1 - 1e-12)
    tie = (np.abs(at_least - needed) <= _TIE * total).any(axis=1)
    return np.where(tie, ASK, (at_least >= needed).sum(axis=1)).astype(np.int8)
