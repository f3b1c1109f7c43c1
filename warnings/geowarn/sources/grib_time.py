"""When the rain of a GRIB field fell: run and interval, proven from two sides as far as the edition allows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period

# Seconds by code: code table 4.4 of edition 2, code table 4 of edition 1
_UNITS = {0: 60, 1: 3600, 2: 86400, 10: 3 * 3600, 11: 6 * 3600, 12: 12 * 3600, 13: 1}
_UNITS_1 = {0: 60, 1: 3600, 2: 86400, 10: 3 * 3600, 11: 6 * 3600, 12: 12 * 3600, 13: 900, 14: 1800, 254: 1}
_LONGEST = 400 * 86400
_VERIFYING_TIME = 2  # code table 1.2
_SIGN = 1 << 31


@dataclass(frozen=True, slots=True)
class Timed:
    """Reference time of the run and the interval; None: a step of no length."""

    run: datetime
    period: Period | None


@dataclass(frozen=True, slots=True)
class Header:
    """Keys of one header and the name of its file."""

    keys: Mapping[str, Any]
    file: str

    def __getitem__(self, key: str) -> Any:
        return self.keys[key]

    def get(self, key: str) -> Any:
        """One key; None where this kind of header does not have it."""
        return self.keys.get(key)

    def bad(self, field: str, value: object = None) -> Refused:
        """The refusal of this field's value."""
        shown = self.keys.get(field) if value is None else value
        return Refused("sources.grib-field", file=self.file, message=self["number"], field=field, value=shown)


def timed(header: Header) -> Timed:
    """Run and interval; raises Refused where the header contradicts itself or uses a unit not known."""
    if header["edition"] == 1:
        return _edition_1(header)
    if header["significanceOfReferenceTime"] == _VERIFYING_TIME and header.get("hours") is None:
        raise header.bad("significanceOfReferenceTime")
    run = _moment(header, ("year", "month", "day", "hour", "minute", "second"))
    if header.get("hours") is not None:
        return Timed(run, Period.ending(run, header["hours"]))
    if header["numberOfTimeRange"] != 1:
        raise header.bad("numberOfTimeRange")
    parts = ("year", "month", "day", "hour", "minute", "second")
    end = _moment(header, tuple(f"{part}OfEndOfOverallTimeInterval" for part in parts))
    steps = _signed(header["lengthOfTimeRange"])
    if steps[0] < 0:
        return Timed(run, _backwards(header, run, end))
    length = _seconds(header, "lengthOfTimeRange", "indicatorOfUnitForTimeRange", steps[0])
    start = _start(header, run, end, length)
    return Timed(run, Period(start, end) if length else None)


def _signed(written: int) -> list[int]:
    """What a number of 32 bits may mean: itself, or below zero, written by complement or by a sign bit."""
    bits = written if written >= 0 else _SIGN - written
    if not _SIGN <= bits < 2 * _SIGN:
        return [written]
    return [bits - 2 * _SIGN, _SIGN - bits]


def _start(header: Header, run: datetime, end: datetime, length: timedelta) -> datetime:
    """The start that leads to the written end; a forecast time below zero is written in either of two ways."""
    near = [step for step in _signed(header["forecastTime"]) if abs(step) < _SIGN // 2]
    starts = [run + _seconds(header, "forecastTime", "indicatorOfUnitOfTimeRange", step) for step in near]
    if not starts:
        raise header.bad("forecastTime")
    if end - length in starts:
        return end - length
    shown = f"{starts[0]:%Y-%m-%dT%H:%M} + {length} != {end:%Y-%m-%dT%H:%M}"
    raise header.bad("lengthOfTimeRange", shown)


def _backwards(header: Header, run: datetime, end: datetime) -> Period:
    """The interval of an analysis whose forecast time and length bear each other's sign (Canada's RDPA).

    Taken only where the written end is the reference time itself and both have the same size.
    """
    steps, unit = -_signed(header["lengthOfTimeRange"])[0], "indicatorOfUnitForTimeRange"
    if steps >= _SIGN // 2:
        raise header.bad("lengthOfTimeRange")
    length = _seconds(header, "lengthOfTimeRange", unit, steps)
    if end != run or length != _seconds(header, "forecastTime", "indicatorOfUnitOfTimeRange", header["forecastTime"]):
        raise header.bad("lengthOfTimeRange", -steps)
    return Period(end - length, end)


def _edition_1(header: Header) -> Timed:
    day, hour, minute = header["dataDate"], header["hour"], header["minute"]
    try:
        run = datetime(day // 10000, day // 100 % 100, day % 100, hour, minute, tzinfo=UTC)
    except (ValueError, OverflowError):
        raise header.bad("dataDate", f"{day} {hour}:{minute}") from None
    if header["unitOfTimeRange"] not in _UNITS_1:
        raise header.bad("unitOfTimeRange")
    first, last = (timedelta(seconds=step * _UNITS_1[header["unitOfTimeRange"]]) for step in _steps(header))
    if not first <= last <= timedelta(seconds=_LONGEST):
        raise header.bad("P2", f"{header['P1']} .. {header['P2']}")
    return Timed(run, Period(run + first, run + last) if first < last else None)


def _steps(header: Header) -> tuple[int, int]:
    """First and last step by code table 5 of edition 1."""
    first, last, indicator = header["P1"], header["P2"], header["timeRangeIndicator"]
    if header["from_start"]:
        return 0, first
    if indicator in (2, 3, 4):
        return first, last
    if indicator in (6, 7):
        return -first, last if indicator == 7 else -last
    raise header.bad("timeRangeIndicator")


def _moment(header: Header, keys: tuple[str, ...]) -> datetime:
    try:
        moment = datetime(*(header[key] for key in keys), tzinfo=UTC)  # type: ignore[misc]
    except (ValueError, OverflowError):
        raise header.bad(keys[0], " ".join(str(header[key]) for key in keys)) from None
    if not 1900 <= moment.year <= 2200:
        raise header.bad(keys[0])
    return moment


def _seconds(header: Header, amount: str, unit: str, steps: int) -> timedelta:
    if header[unit] not in _UNITS:
        raise header.bad(unit)
    seconds = steps * _UNITS[header[unit]]
    if not -_LONGEST <= seconds <= _LONGEST or (steps < 0 and amount != "forecastTime"):
        raise header.bad(amount)
    return timedelta(seconds=seconds)
