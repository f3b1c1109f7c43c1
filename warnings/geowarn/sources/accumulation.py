"""Totals that overlap by design become disjoint intervals: differences of what shares a start, everything once.

Works along the stream: two fields at most stand in memory at a time, however long the run is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.period import Period, uncovered
from geowarn.sources.gates import Values
from geowarn.sources.grib_message import tolerance
from geowarn.sources.stored import Numbers, extremes_of

Keep = Callable[[Values, Numbers | None], Numbers]


def _as_it_is(values: Values, instead_of: Numbers | None) -> Numbers:
    return values


@dataclass(frozen=True, slots=True)
class Total:
    """Rain in mm over one interval; `message` names where it came from, `quantum` is its packing step in mm."""

    period: Period
    values: Numbers
    quantum: float
    message: str
    quality: tuple[str, ...] = ()


def disjoint(
    totals: Iterable[Total], rates: Iterable[Total], file_name: str, keep: Keep = _as_it_is
) -> tuple[Total, ...]:
    """Disjoint interval totals in order of time; raises Refused where numbers contradict or cannot be parted.

    Both come in order of start, then end. `rates` are mean rates already multiplied by their interval's length; where
    totals cover the same time the total counts, and the two must agree. `keep` puts every new array away, in place of
    one that is no longer needed where there is one.
    """
    parted = _parted(totals, file_name, keep)
    merged = _with_rates(parted, _parted(rates, file_name, keep), file_name)
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


def _parted(totals: Iterable[Total], file_name: str, keep: Keep) -> list[Total]:
    direct: list[Total] = []
    derived: list[Total] = []
    last: Total | None = None  # the one before; its numbers are held only where their file holds a difference by now
    made = direct  # where what came of it went
    for given in totals:
        total = _not_negative(given, file_name, keep)
        if last and last.period == total.period:
            agreed = _agreed(last, total, file_name)
            made[-1] = replace(made[-1], quality=(*made[-1].quality, agreed.quality[-1]))
            continue
        made = derived if last and last.period.start == total.period.start else direct
        held = replace(total, values=np.asarray(total.values)) if made is derived else total
        made.append(_difference(last, held, total.values, file_name, keep) if last and made is derived else total)
        last = held
    return _once([*direct, *derived], file_name)


def _once(totals: Sequence[Total], file_name: str) -> list[Total]:
    """One total per interval, the first given kept; in order of start, then end."""
    kept: dict[Period, Total] = {}
    for total in totals:
        first = kept.setdefault(total.period, total)
        if first is not total:
            kept[total.period] = _agreed(first, total, file_name)
    return [kept[period] for period in sorted(kept)]


def _agreed(first: Total, other: Total, file_name: str) -> Total:
    one, two = np.asarray(first.values), np.asarray(other.values)
    if not np.array_equal(np.isnan(one), np.isnan(two)):
        raise _contradiction(first, other, "?", "?", file_name)
    gap = np.abs(one - two) - 0.01 * np.fmax(one, two)  # 1 % for rounding inside the model
    worst = int(np.argmax(np.nan_to_num(gap, nan=-1.0)))
    if gap[worst] > tolerance(first.quantum, other.quantum):
        raise _contradiction(first, other, f"{one[worst]:.2f}", f"{two[worst]:.2f}", file_name)
    noted = note("sources.note-once", message=first.message, other=other.message)
    return replace(first, quality=(*first.quality, noted))


def _contradiction(first: Total, other: Total, one: str, two: str, file_name: str) -> Refused:
    facts = {"message": other.message, "other": first.message, "one": two, "two": one}
    return Refused("sources.grib-contradiction", file=file_name, span=_span(first.period), **facts)


def _difference(shorter: Total, longer: Total, stood: Numbers, file_name: str, keep: Keep) -> Total:
    """What fell between the two ends, kept where the longer total `stood`."""
    period = Period(shorter.period.end, longer.period.end)
    quality = (*longer.quality, note("sources.note-differenced", message=longer.message, other=shorter.message))
    quantum = shorter.quantum + longer.quantum
    rest = np.asarray(longer.values) - np.asarray(shorter.values)
    total = Total(period, rest, quantum, longer.message, quality)
    checked = _not_negative(total, file_name, _as_it_is)
    return replace(checked, values=keep(np.asarray(checked.values), stood))


def _not_negative(total: Total, file_name: str, keep: Keep) -> Total:
    most = -extremes_of(total.values)[0]
    if not most > 0:
        return total
    if most > max(tolerance(total.quantum), 0.01):
        raise Refused(
            "sources.grib-negative",
            file=file_name,
            message=total.message,
            value=f"{-most:.4g}",
            span=_span(total.period),
        )
    numbers = np.asarray(total.values)
    negative = numbers < 0
    clipped = note("sources.note-clipped", message=total.message, cells=int(negative.sum()), most=f"{most:.4g}")
    return replace(total, values=keep(np.where(negative, 0, numbers), total.values), quality=(*total.quality, clipped))


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
            values=_sum([part.values for part in parts]),
            quantum=sum(part.quantum for part in parts),
        )
        checked = _agreed(whole, rate, file_name)
        merged[inside[0]] = replace(parts[0], quality=checked.quality)
    return tuple(sorted(merged, key=lambda total: total.period))


def _sum(parts: Sequence[Numbers]) -> Values:
    total = np.asarray(parts[0], dtype=np.float64)
    for part in parts[1:]:
        total = total + np.asarray(part)
    return total
