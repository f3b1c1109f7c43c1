"""One decoded GRIB 2 message as rain in mm over an interval, on a grid that begins in the west."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Grid, RainKind
from geowarn.sources.gates import Values

# Code table 4.4
_UNITS = {0: 60, 1: 3600, 2: 86400, 10: 3 * 3600, 11: 6 * 3600, 12: 12 * 3600, 13: 1}
# mm of water per unit; a rate also takes the interval's seconds
_DEPTHS = {"m": 1000.0, "kg m**-2": 1.0, "mm": 1.0}
_RATES = {"kg m**-2 s**-1": 1.0, "mm s**-1": 1.0, "m s**-1": 1000.0}
_TEST_STATUS = frozenset({1, 5, 7, 9, 11, 13})  # code table 1.3: operational test, TIGGE test, S2S test …
_OBSERVATION = 8  # code table 4.3
_NO_CENTRE = 255  # common code table C-1: missing
_VERIFYING_TIME = 2  # code table 1.2
_COARSEST = 1.0  # mm; a packing step beyond this excuses nothing

Header = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Message:
    """Rain of one message; `period` is None for a step of no length, `quantum` is its packing step in mm."""

    number: int
    period: Period | None
    values: Values
    quantum: float
    is_rate: bool
    grid: Grid
    member: int | None
    kind: RainKind
    run_time: datetime
    source: str
    test: bool


def message_of(header: Header, raw: Values, file_name: str) -> Message:
    """The message of one header and its values in storage order; raises Refused naming message and field."""
    run_time = _run_time(header, file_name)
    period = _period(header, run_time, file_name)
    factor, is_rate = _factor(header, period, file_name)
    return Message(
        number=header["number"],
        period=period,
        values=_in_order(header, raw) * factor,
        quantum=_quantum(header) * factor,
        is_rate=is_rate,
        grid=_grid(header, file_name),
        member=header["member"],
        kind=RainKind.OBSERVED if header["typeOfGeneratingProcess"] == _OBSERVATION else RainKind.FORECAST,
        run_time=run_time,
        source=_source(header, file_name),
        test=header["productionStatusOfProcessedData"] in _TEST_STATUS,
    )


def _source(header: Header, file_name: str) -> str:
    if header["centre"] == _NO_CENTRE:
        return file_name.rsplit(".", 1)[0]
    return f"{header['source']}, {header['generatingProcessIdentifier']}"


def _bad(header: Header, field: str, file_name: str, value: object = None) -> Refused:
    shown = header.get(field) if value is None else value
    return Refused("sources.grib-field", file=file_name, message=header["number"], field=field, value=shown)


def _run_time(header: Header, file_name: str) -> datetime:
    if header["significanceOfReferenceTime"] == _VERIFYING_TIME:
        raise _bad(header, "significanceOfReferenceTime", file_name)
    return _moment(header, ("year", "month", "day", "hour", "minute", "second"), file_name)


def _moment(header: Header, keys: tuple[str, ...], file_name: str) -> datetime:
    try:
        moment = datetime(*(header[key] for key in keys), tzinfo=UTC)  # type: ignore[misc]
    except (ValueError, OverflowError):
        raise _bad(header, keys[0], file_name, " ".join(str(header[key]) for key in keys)) from None
    if not 1900 <= moment.year <= 2200:
        raise _bad(header, keys[0], file_name)
    return moment


def _seconds(header: Header, amount: str, unit: str, file_name: str) -> timedelta:
    if header[unit] not in _UNITS:
        raise _bad(header, unit, file_name)
    seconds = header[amount] * _UNITS[header[unit]]
    if not 0 <= seconds <= 400 * 86400:
        raise _bad(header, amount, file_name)
    return timedelta(seconds=seconds)


def _period(header: Header, run_time: datetime, file_name: str) -> Period | None:
    if header["numberOfTimeRange"] != 1:
        raise _bad(header, "numberOfTimeRange", file_name)
    parts = ("year", "month", "day", "hour", "minute", "second")
    end = _moment(header, tuple(f"{part}OfEndOfOverallTimeInterval" for part in parts), file_name)
    start = run_time + _seconds(header, "forecastTime", "indicatorOfUnitOfTimeRange", file_name)
    length = _seconds(header, "lengthOfTimeRange", "indicatorOfUnitForTimeRange", file_name)
    if start + length != end:
        raise _bad(header, "lengthOfTimeRange", file_name, f"{start:%Y-%m-%dT%H:%M} + {length} != {end:%Y-%m-%dT%H:%M}")
    return Period(start, end) if length else None


def _factor(header: Header, period: Period | None, file_name: str) -> tuple[float, bool]:
    units = header["units"]
    rate = header["typeOfStatisticalProcessing"] == 0
    table = _RATES if rate else _DEPTHS
    # ecCodes names a total rate summed over time by the rate's unit; such a sum is a depth.
    if not rate and units in _RATES:
        return _RATES[units], False
    if units not in table:
        raise _bad(header, "units", file_name)
    return table[units] * (period.hours * 3600 if rate and period else 1.0), rate


def _quantum(header: Header) -> float:
    binary, decimal = header["binaryScaleFactor"], header["decimalScaleFactor"]
    if not header["bitsPerValue"] or binary is None or decimal is None:
        return 0.0
    return float(2.0 ** max(-200.0, min(binary, 200.0)) / 10.0 ** max(-100.0, min(decimal, 100.0)))


def tolerance(*quanta: float) -> float:
    """By how many mm packed numbers may err: their packing steps, never beyond 1 mm in all."""
    return min(sum(quanta), _COARSEST) + 1e-6


def _in_order(header: Header, raw: Values) -> Values:
    nx, ny = header["Ni"], header["Nj"]
    rows = raw.reshape(nx, ny) if header["jPointsAreConsecutive"] else raw.reshape(ny, nx)
    if header["alternativeRowScanning"]:
        rows = rows.copy()
        rows[1::2] = rows[1::2, ::-1]
    table = rows.T if header["jPointsAreConsecutive"] else rows
    if header["iScansNegatively"]:
        table = table[:, ::-1]
    return np.ascontiguousarray(table).reshape(-1)


def _grid(header: Header, file_name: str) -> Grid:
    first, last = (header[f"longitudeOf{end}GridPointInDegrees"] for end in ("First", "Last"))
    west, east = (last, first) if header["iScansNegatively"] else (first, last)
    lat0, lat1 = (header[f"latitudeOf{end}GridPointInDegrees"] for end in ("First", "Last"))
    if max(abs(lat0), abs(lat1)) > 90:
        raise _bad(header, "latitudeOfFirstGridPointInDegrees", file_name)
    if not all(-180 <= lon <= 360 for lon in (west, east)):
        raise _bad(header, "longitudeOfFirstGridPointInDegrees", file_name)
    span = east - west if east > west or header["Ni"] == 1 else east - west + 360
    dlon = _step(header, "Ni", span, "iDirectionIncrementInDegrees", file_name)
    dlat = _step(header, "Nj", abs(lat1 - lat0), "jDirectionIncrementInDegrees", file_name)
    if (lat1 < lat0) == bool(header["jScansPositively"]) and header["Nj"] > 1:
        raise _bad(header, "jScansPositively", file_name)
    lon0 = west - 360 if west >= 180 else west
    return Grid(lon0, lat0, dlon, dlat if header["jScansPositively"] else -dlat, header["Ni"], header["Nj"])


def _step(header: Header, count: str, span: float, field: str, file_name: str) -> float:
    """Degrees between neighbours, from the corners in whole microdegrees; a written step must fit but for rounding."""
    steps, written, whole = header[count] - 1, header[field], round(span * 1e6)
    micro = round(written * 1e6) if written else 0
    if steps == 0 and micro > 0:
        return micro / 1e6
    if steps == 0 or whole <= 0:
        raise _bad(header, field, file_name)
    if micro and micro * steps == whole:
        return micro / 1e6
    if micro and abs(micro * steps - whole) > max(1000 * steps, 1000) * 0.5 + 1:
        raise _bad(header, field, file_name)
    return float(whole / steps / 1e6)
