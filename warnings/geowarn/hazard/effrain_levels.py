"""Levels of all areas of a gridded run in a few passes of numpy, the same that one area after another would get."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.area import Area, Susceptibility
from geowarn.domain.level import Level
from geowarn.hazard.effrain_classes import ASK, classes_of
from geowarn.hazard.effrain_sums import Sums, units_by_area
from geowarn.hazard.pieces import UnitPiece
from geowarn.hazard.places import Places
from geowarn.hazard.zonal import Numbers
from geowarn.hazard.zones import Marks, Rows

__all__ = ["ASK", "UNKNOWN", "Levels", "levels_of", "raise_by_points"]

UNKNOWN = -1


@dataclass(frozen=True, slots=True)
class Levels:
    """One level for each area in the order given, UNKNOWN or ASK; whether it is a lower bound; statistics in mm.

    `max_mm` and `mean_mm` are those of the effective rainfall of the polygons at positions `polygons`, by quick sums:
    right to `Sums.margin` of themselves, 0.001 mm in 300 for a day of hourly fields. Evidence has the exact ones.
    """

    level: NDArray[np.int8]
    lower: Marks
    polygons: Rows
    max_mm: Numbers
    mean_mm: Numbers


def levels_of(sums: Sums) -> Levels:
    """Levels of every area by itself."""
    index, count, zones = sums.index, len(sums.places.areas), sums.places.zones(sums.grid)
    if sums.window.tiling.gaps:
        level = np.where(zones.row_of < 0, np.int8(ASK), np.int8(UNKNOWN))
        return Levels(level, np.zeros(count, np.bool_), index.areas, np.empty(0), np.empty(0))
    found = classes_of(sums)
    found.of_polygons[zones.outside > 0] = ASK
    # Areas without a row have -1: the last.
    by_row = np.concatenate([found.of_polygons, found.of_points, np.array([ASK], dtype=np.int8)])
    classes = by_row.take(zones.row_of, mode="wrap")
    shifts = np.array([sums.limits.shifts[one] for one in Susceptibility], dtype=np.int8)
    # An enumeration's number would make 64-bit integers of them all.
    level = classes - shifts.take(sums.places.terrain, mode="clip")
    np.clip(level, np.int8(Level.NONE), np.int8(Level.RED), out=level)
    level[classes == ASK] = ASK
    return Levels(level, _lower(sums) & (level >= 0), index.areas, found.max_mm, found.mean_mm)


def raise_by_points(found: Levels, places: Places, level_of_area: Callable[[Area], Level | None]) -> Levels:
    """No area below a hazard point inside it; where bounds differ or are not known yet, areas are left to be asked."""
    ask, raised = found.level == ASK, places.raised
    own = np.where(ask, np.int8(UNKNOWN), found.level)
    asked = np.flatnonzero(ask[raised.points]) if ask.any() else np.empty(0, np.int64)
    for at in np.unique(raised.points[asked]).tolist():
        level = level_of_area(places.areas[at])
        own[at] = UNKNOWN if level is None else level
    if not raised.areas.size:
        return found
    highest = np.maximum.reduceat(own.take(raised.points, mode="clip"), raised.starts)
    over = highest > np.maximum(own[raised.areas], Level.NONE)
    # Each raising point adds its reasons: only where all are alike is there nothing to look at.
    ask[raised.areas[over & (own[raised.areas] < 0)]] = True
    uneven = not (found.lower.all() or not found.lower.any())
    unlike = np.flatnonzero(found.lower[raised.points] != found.lower[raised.around]) if uneven else asked
    for pairs in (asked, unlike):
        points, around = raised.points[pairs], raised.around[pairs]
        ask[around[own[points] > np.maximum(own[around], Level.NONE)]] = True
    own[raised.areas[over]] = highest[over]
    return Levels(np.where(ask, np.int8(ASK), own), found.lower, found.polygons, found.max_mm, found.mean_mm)


def _lower(sums: Sums) -> Marks:
    """Where hours before the window are missing."""
    lower = np.zeros(len(sums.places.areas), np.bool_)
    for slot in sums.before:
        if isinstance(slot.whole, UnitPiece):
            lower |= units_by_area(slot.whole, sums.places)[1]
        elif slot.whole is not None and slot.whole.tiling.gaps:
            lower[:] = True
    return lower
