"""Time in NetCDF by CF: "hours since ...", calendars of the real world only, intervals from bounds only."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone, tzinfo

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.sources.netcdf_file import File, Variable

_UNITS = {"s": 1, "min": 60, "h": 3600, "d": 86400}
_NAMES = {
    "seconds": "s", "second": "s", "secs": "s", "sec": "s", "s": "s", "minutes": "min", "minute": "min", "mins": "min",
    "min": "min", "hours": "h", "hour": "h", "hrs": "h", "hr": "h", "h": "h", "days": "d", "day": "d", "d": "d",
}  # fmt: skip
_CALENDARS = frozenset({"", "standard", "gregorian", "proleptic_gregorian"})
_SINCE = re.compile(
    r"(?P<unit>[A-Za-z]+) since (?P<day>\d{1,4}-\d{1,2}-\d{1,2})(?:[T ]+(?P<clock>\d{1,2}(?::\d{1,2}){0,2})(?:\.\d+)?)?"
    r"\s*(?P<zone>Z|UTC|GMT|[+-]\d{1,2}(?::?\d{2})?)?"
)
_FIRST_YEAR = 1900


def is_time(variable: Variable) -> bool:
    """Whether this coordinate counts time since a moment, and is not the run itself."""
    if variable.text("standard_name") == "forecast_reference_time":
        return False
    return bool(re.match(r"[A-Za-z]+ since \d", variable.text("units")))


class Scale:
    """Numbers of one time variable as moments."""

    def __init__(self, file: File, variable: Variable) -> None:
        self.file, self.variable = file, variable
        written, calendar = variable.text("units"), variable.text("calendar").lower()
        # IMERG calls its Unix time "julian"; its documentation says seconds since 1970-01-01 00:00 UTC.
        imerg = calendar == "julian" and "AlgorithmID=3IMERG" in str(file.attributes.get("FileHeader"))
        if calendar not in _CALENDARS and not imerg:
            raise file.refused("calendar", variable.name, value=calendar)
        found = _SINCE.fullmatch(written)
        if not found or found["unit"].lower() not in _NAMES:
            raise file.refused("time-unit", variable.name, value=written)
        self.seconds = _UNITS[_NAMES[found["unit"].lower()]]
        try:
            self.start = _start(found)
        except (ValueError, OverflowError):
            raise file.refused("time-unit", variable.name, value=written) from None

    def moment(self, number: float) -> datetime:
        """To the nearest second; raises Refused for what no calendar of today holds."""
        try:
            moment = self.start + timedelta(seconds=round(number * self.seconds))
        except (OverflowError, ValueError):
            raise self.file.refused("time-value", self.variable.name, value=number) from None
        if not _FIRST_YEAR <= moment.year <= 2200:
            raise self.file.refused("time-value", self.variable.name, value=number)
        return moment


def _start(found: re.Match[str]) -> datetime:
    year, month, day = (int(part) for part in found["day"].split("-"))
    clock = timedelta(
        **dict(zip(("hours", "minutes", "seconds"), map(int, (found["clock"] or "0").split(":")), strict=False))
    )
    zone = found["zone"] or "Z"
    offset: tzinfo = UTC
    if zone[0] in "+-":
        digits = zone[1:].replace(":", "")
        hours, minutes = (int(digits[:-2]), int(digits[-2:])) if len(digits) > 2 else (int(digits), 0)
        offset = timezone((1 if zone[0] == "+" else -1) * timedelta(hours=hours, minutes=minutes))
    return (datetime(year, month, day, tzinfo=offset) + clock).astimezone(UTC)


def time_of(file: File, rain: Variable) -> Variable:
    """The time coordinate: a dimension's variable, or a scalar one; raises Refused where there is none."""
    for dim in rain.dims:
        found = file.variables.get(dim) or file.named(dim.rsplit("/", 1)[-1], rain)
        if found and is_time(found) and found.values:
            return found
    for name in (*rain.text("coordinates").split(), "time"):
        found = file.named(name, rain)
        if found and is_time(found) and found.values and len(found.values) == 1:
            return found
    raise file.refused("no-time", rain.name)


def periods_of(file: File, time: Variable) -> list[Period | None]:
    """The interval of each step, None for a step of no length; raises Refused without bounds.

    A label alone does not say whether it stands at the start or at the end of its interval (CF 7.1).
    """
    name = time.text("bounds")
    bounds = file.named(name, time) if name else None
    count = len(time.values or ())
    if not bounds or bounds.values is None or len(bounds.values) != 2 * count:
        raise file.refused("no-bounds", time.name)
    scale = Scale(file, bounds if is_time(bounds) else time)
    Scale(file, time)
    found: list[Period | None] = []
    for first, last in zip(bounds.values[::2], bounds.values[1::2], strict=True):
        start, end = scale.moment(first), scale.moment(last)
        if start > end:
            raise file.refused("time-value", bounds.name, value=f"{first:g} .. {last:g}")
        found.append(Period(start, end) if start < end else None)
    return found


def run_of(file: File, rain: Variable) -> datetime | None:
    """The run's reference time, where the file states one."""
    named = [one for one in file.variables.values() if one.text("standard_name") == "forecast_reference_time"]
    named = named or [one for one in (file.named("forecast_reference_time", rain),) if one]
    if not named:
        return None
    values = set(named[0].values or ())
    if len(values) != 1:
        raise Refused("netcdf.runs", file=file.file, variable=named[0].name, count=len(values))
    return Scale(file, named[0]).moment(values.pop())
