"""Totals that overlap by design become disjoint intervals: differences of what shares a start, everything once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period, uncovered
from geowarn.sources.gates import Values
from geowarn.sources.grib_message import tolerance


@dataclass(frozen=True, slots=True)
class Total:
    """Rain in mm over one interval; `message` names where it came from, `quantum` is its packing step in mm."""

    period: Period
    values: Values
    quantum: float
    message: str
    quality: tuple[str, ...] = ()


def disjoint(totals: Sequence[Total], rates: Sequence[Total], file_name: str) -> tuple[Total, ...]:
    """Disjoint interval totals in order of time; raises Refused where numbers contradict or cannot be parted.

    `rates` are mean rates already multiplied by their interval's length; where totals cover the same time the
    total counts, and the two must agree.
    """
    parted = _parted(totals, file_name)
    merged = _with_rates(parted, _parted(rates, file_name), file_name)
    for before, after in pairwise(merged):
        if before.period.overlaps(after.period):
            raise Refused(
                "sources.grib-overlap",
                file=file_name,
                message=after.message,
                other=before.message,
                one=_span(before.period),
                two=_span(after.period),
            )
    return merged


def _span(period: Period) -> str:
    return f"{period.start:%Y-%m-%dT%H:%MZ}/{period.end:%Y-%m-%dT%H:%MZ}"


def _parted(totals: Sequence[Total], file_name: str) -> list[Total]:
    by_start: dict[datetime, list[Total]] = {}
    for total in _once([_not_negative(total, file_name) for total in totals], file_name):
        by_start.setdefault(total.period.start, []).append(total)
    direct = [group[0] for group in by_start.values()]
    derived = [
        _difference(shorter, longer, file_name) for group in by_start.values() for shorter, longer in pairwise(group)
    ]
    return _once([*direct, *derived], file_name)


def _once(totals: Sequence[Total], file_name: str) -> list[Total]:
    """One total per interval, the first given kept; in order of start, then end."""
    kept: dict[Period, Total] = {}
    for total in totals:
        first = kept.setdefault(total.period, total)
        if first is not total:
            kept[total.period] = _agreed(first, total.values, total.quantum, total.message, file_name)
    return [kept[period] for period in sorted(kept)]


def _agreed(first: Total, values: Values, quantum: float, message: str, file_name: str) -> Total:
    if not np.array_equal(np.isnan(first.values), np.isnan(values)):
        raise _contradiction(first, message, "?", "?", file_name)
    gap = np.abs(first.values - values) - 0.01 * np.fmax(first.values, values)  # 1 % for rounding inside the model
    worst = int(np.argmax(np.nan_to_num(gap, nan=-1.0)))
    if gap[worst] > tolerance(first.quantum, quantum):
        raise _contradiction(first, message, f"{first.values[worst]:.2f}", f"{values[worst]:.2f}", file_name)
    return replace(first, quality=(*first.quality, note("sources.note-once", message=first.message, other=message)))


def _contradiction(first: Total, message: str, one: str, two: str, file_name: str) -> Refused:
    facts = {"message": message, "other": first.message, "one": two, "two": one}
    return Refused("sources.grib-contradiction", file=file_name, span=_span(first.period), **facts)


def _difference(shorter: Total, longer: Total, file_name: str) -> Total:
    period = Period(shorter.period.end, longer.period.end)
    quality = (*longer.quality, note("sources.note-differenced", message=longer.message, other=shorter.message))
    quantum = shorter.quantum + longer.quantum
    total = Total(period, longer.values - shorter.values, quantum, longer.message, quality)
    return _not_negative(total, file_name)


def _not_negative(total: Total, file_name: str) -> Total:
    negative = total.values < 0
    if not negative.any():
        return total
    most = float(-np.nanmin(total.values))
    if most > max(tolerance(total.quantum), 0.01):
        raise Refused(
            "sources.grib-negative",
            file=file_name,
            message=total.message,
            value=f"{-most:.4g}",
            span=_span(total.period),
        )
    clipped = note("sources.note-clipped", message=total.message, cells=int(negative.sum()), most=f"{most:.4g}")
    return replace(total, values=np.where(negative, 0.0, total.values), quality=(*total.quality, clipped))


def _with_rates(totals: list[Total], rates: list[Total], file_name: str) -> tuple[Total, ...]:
    merged = list(totals)
    for rate in rates:
        inside = [i for i, total in enumerate(merged) if rate.period.contains(total.period)]
        if not inside or uncovered(rate.period, (merged[i].period for i in inside)):
            merged.append(replace(rate, quality=(*rate.quality, note("sources.note-rate", message=rate.message))))
            continue
        parts = [merged[i] for i in inside]
        whole = replace(
            parts[0],
            period=rate.period,
            values=np.sum([part.values for part in parts], axis=0),
            quantum=sum(part.quantum for part in parts),
        )
        checked = _agreed(whole, rate.values, rate.quantum, rate.message, file_name)
        merged[inside[0]] = replace(parts[0], quality=checked.quality)
    return tuple(sorted(merged, key=lambda total: total.period))
