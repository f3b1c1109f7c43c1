"""The parts of the evidence of `effrain-matrix` that follow from the cells: amounts, statistics, what was observed."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

from geowarn.domain.area import Area
from geowarn.domain.effrain import factor
from geowarn.domain.period import Period
from geowarn.hazard.filling import Fill, Ground
from geowarn.hazard.finding import gap_fact, observed_facts, unsplit_facts
from geowarn.hazard.zonal import Numbers

_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of time before the window: day 0 completes the rolling 24 h, day i is R_i."""

    day: int
    fill: Fill


def amounts(k: float, at: int, re_mm: float, r0_mm: float, inside: Fill, before: Sequence[Part]) -> dict[str, Any]:
    """The sum as a pencil does it, at the deciding cell."""
    terms = [
        {
            "day": part.day,
            "mm": float(part.fill.mm[at]),
            "factor": factor(k, part.day),
            "missing_hours": sum(gap.hours for gap in part.fill.gaps),
        }
        for part in before
        if part.day > 0
    ]
    facts: dict[str, Any] = {
        "re_mm": re_mm,
        "r0_mm": r0_mm,
        "window_mm": float(inside.mm[at]),
        "before_window_mm": sum(float(part.fill.mm[at]) for part in before if part.day == 0),
        "antecedent_mm": sum(term["mm"] * term["factor"] for term in terms),
        "antecedent": terms,
    }
    return facts | {"digits": closing_digits(facts)}


def closing_digits(facts: Mapping[str, Any]) -> int:
    """How many decimals to print so that the printed numbers add up on paper, 2 to 6."""
    for digits in range(2, 6):
        terms = sum(
            (_printed(one["mm"], digits) * _factor(one["factor"], digits) for one in facts["antecedent"]), _ZERO
        )
        r0, decayed, re = (_printed(facts[name], digits) for name in ("r0_mm", "antecedent_mm", "re_mm"))
        if r0 + decayed == re and terms.quantize(decayed) == decayed:
            return digits
    return 6


def _printed(mm: float, digits: int) -> Decimal:
    return Decimal(f"{mm:.{digits}f}")


def _factor(k: float, digits: int) -> Decimal:
    """As the sentence prints it: four decimals beside rain in hundredths, else all of them."""
    return Decimal(f"{k:.4f}") if digits == 2 else Decimal(repr(k))


def area_statistics(ground: Ground, re: Numbers, inside: Fill, missing: float) -> dict[str, Any]:
    """How the effective rainfall and the window's rain lie over the area."""
    seen = ~inside.holes
    weights = ground.weights[seen]
    way = "unit" if ground.footprint is None else "nearest-cell" if ground.footprint.nearest else "cells"
    return {
        "way": way,
        "cells": ground.size,
        "cells_missing": int(inside.holes.sum()),
        "missing_share": round(max(missing, 0.0), 12),
        "max_mm": float(re[seen].max()),
        "mean_mm": _mean(re[seen], weights),
        "window_max_mm": float(inside.mm[seen].max()),
        "window_mean_mm": _mean(inside.mm[seen], weights),
    }


def series(at: int, inside: Fill, before: Sequence[Part]) -> list[dict[str, Any]]:
    """Rain at the deciding cell over the rolling 24 h, interval by interval; what is missing has no number."""
    fills = [*(part.fill for part in before if part.day == 0), inside]
    entries = [
        _entry(layer.field.period, mm, layer.field.kind.value)
        for fill in fills
        for layer, mm in zip(fill.used, fill.amounts_at(at), strict=True)
    ]
    entries += [_entry(gap, math.nan, "missing") for fill in fills for gap in fill.gaps]
    return sorted(entries, key=lambda one: (one["from"], one["to"]))


def observed(area: Area, areas: Mapping[str, Area], before: Sequence[Part]) -> dict[str, Any]:
    """Where observed rain came from, and what of it is missing."""
    layers = [layer for part in before for layer in part.fill.used]
    return observed_facts(area, areas, layers) | {
        "missing_observed": [{"part": f"r{part.day}"} | gap_fact(gap) for part in before for gap in part.fill.gaps],
        "unsplit": unsplit_facts(field for part in before for field in part.fill.unsplit),
    }


def reasons(ground: Ground, inside: Fill, before: Sequence[Part]) -> list[str]:
    """Why the level is a lower bound; empty where it is not."""
    seen = ~inside.holes
    return [
        reason
        for reason, holds in (
            ("observed-missing", any(part.fill.gaps for part in before)),
            ("observed-cells-missing", any(bool(part.fill.holes[seen].any()) for part in before)),
            ("cells-missing", bool(inside.holes.any())),
            ("outside-grid", ground.outside > 0),
        )
        if holds
    ]


def _mean(mm: Numbers, weights: Numbers) -> float:
    """Weighted mean; summed by numpy itself, whose order does not depend on the processor's own routines."""
    return float(np.add.reduce(mm * weights) / np.add.reduce(weights))


def _entry(period: Period, mm: float, kind: str) -> dict[str, Any]:
    amount = None if math.isnan(mm) else mm
    start, end = _moments(period)
    return {"from": start, "to": end, "mm": amount, "kind": kind}


@lru_cache(maxsize=1024)
def _moments(period: Period) -> tuple[str, str]:
    return period.start.isoformat(), period.end.isoformat()
