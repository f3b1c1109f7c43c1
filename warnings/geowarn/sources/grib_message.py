"""The header of one GRIB field as what its rain is: which interval, which factor to mm, which run and member."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import CurvedGrid, Grid, RainKind
from geowarn.sources.grib_grid import regular_grid
from geowarn.sources.grib_time import Header, Timed, timed

# mm of water per unit; a rate also takes the interval's seconds
_DEPTHS = {"m": 1000.0, "kg m**-2": 1.0, "mm": 1.0}
_RATES = {"kg m**-2 s**-1": 1.0, "mm s**-1": 1.0, "m s**-1": 1000.0}
_TEST_STATUS = frozenset({1, 5, 7, 9, 11, 13})  # code table 1.3: operational test, TIGGE test, S2S test …
_OBSERVATION = 8  # code table 4.3
_FROM_SATELLITE_OR_RADAR = frozenset({6, 7})  # code table 1.4
_NO_CENTRE = 255  # common code table C-1: missing
_COARSEST = 1.0  # mm; a packing step beyond this excuses nothing

Curved = Callable[[str, int, int], CurvedGrid]


@dataclass(frozen=True, slots=True)
class Message:
    """Rain of one field; `at` counts the headers, `label` names file and message, `period` is None for a step of no
    length, `factor` makes mm of its numbers and `quantum` is its packing step in mm."""

    at: int
    label: str
    file: str
    number: int
    period: Period | None
    factor: float
    quantum: float
    is_rate: bool
    grid: Grid | CurvedGrid
    member: int | None
    kind: RainKind
    times: Timed
    source: str
    test: bool

    @property
    def run_time(self) -> object:
        """Reference time of the run."""
        return self.times.run


def message_of(at: int, header: Mapping[str, Any], names: list[str], curved: Curved) -> Message:
    """The message of header `at`; raises Refused naming file, message and field."""
    named = Header(header, names[header["file"]])
    times = timed(named)
    factor, is_rate = _factor(named, times.period)
    number = header["number"]
    grid = curved(header["grid"], header["Ni"], header["Nj"]) if "grid" in header else regular_grid(named)
    return Message(
        at=at,
        label=header["name"] if len(names) == 1 else named.file + header["name"],
        file=named.file,
        number=number,
        period=times.period,
        factor=factor,
        quantum=_quantum(header) * factor,
        is_rate=is_rate,
        grid=grid,
        member=header["member"],
        kind=_kind(header, times),
        times=times,
        source=_source(named, min(names)),
        test=header.get("productionStatusOfProcessedData") in _TEST_STATUS,
    )


def _kind(header: Mapping[str, Any], times: Timed) -> RainKind:
    """Rain that had fallen when the run began is no forecast: gauges, radar, satellite and analyses of them."""
    measured = header.get("typeOfGeneratingProcess") == _OBSERVATION or "hours" in header
    measured |= header.get("typeOfProcessedData") in _FROM_SATELLITE_OR_RADAR
    fallen = times.period is not None and times.period.end <= times.run
    return RainKind.OBSERVED if measured or fallen else RainKind.FORECAST


def _source(header: Header, run_name: str) -> str:
    if header["centre"] == _NO_CENTRE:
        return run_name.rsplit(".", 1)[0]
    return f"{header['source']}, {header['generatingProcessIdentifier']}"


def _factor(header: Header, period: Period | None) -> tuple[float, bool]:
    units = header["units"]
    rate = header["rate"] if header["edition"] == 1 else header.get("typeOfStatisticalProcessing") == 0
    table = _RATES if rate else _DEPTHS
    # ecCodes names a total rate summed over time by the rate's unit; such a sum is a depth.
    if not rate and units in _RATES:
        return _RATES[units], False
    if units not in table:
        raise header.bad("units")
    seconds = period.hours * 3600 if rate and period else 1.0
    return table[units] * seconds, bool(rate)


def _quantum(header: Mapping[str, Any]) -> float:
    binary, decimal = header["binaryScaleFactor"], header["decimalScaleFactor"]
    if not header["bitsPerValue"] or binary is None or decimal is None:
        return 0.0
    return float(2.0 ** max(-200.0, min(binary, 200.0)) / 10.0 ** max(-100.0, min(decimal, 100.0)))


def tolerance(*quanta: float) -> float:
    """By how many mm packed numbers may err: their packing steps, never beyond 1 mm in all."""
    return min(sum(quanta), _COARSEST) + 1e-6


def mixture(first: Message, other: Message) -> Refused | None:
    """Why two fields cannot belong to one run; None where they can."""
    for field in ("run_time", "grid", "kind", "source", "test"):
        one, two = getattr(first, field), getattr(other, field)
        if one != two:
            facts = {"message": other.label, "other": first.label, "field": field}
            return Refused("sources.grib-mixture", file=other.file, one=_shown(two), two=_shown(one), **facts)
    return None


def _shown(value: object) -> str:
    if isinstance(value, Grid):
        return f"{value.nx} x {value.ny} @ {value.lon0:g}, {value.lat0:g}"
    if isinstance(value, CurvedGrid):
        return f"{value.nx} x {value.ny} ({value.digest[:8]})"
    return value.value if isinstance(value, RainKind) else str(value)
