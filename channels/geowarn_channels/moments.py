"""Times as people read them (date and hour, installation zone) and as CAP writes them."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

_MONTHS = (
    "January February March April May June July August September October November December".split()  # noqa: SIM905
)


def floor_hour(moment: datetime, zone: str) -> datetime:
    """The full hour at or before `moment`, in the zone."""
    return moment.astimezone(ZoneInfo(zone)).replace(minute=0, second=0, microsecond=0)


def ceil_hour(moment: datetime, zone: str) -> datetime:
    """The full hour at or after `moment`, in the zone."""
    whole = floor_hour(moment, zone)
    return whole if whole == moment else whole + timedelta(hours=1)


def cap_time(moment: datetime, zone: str) -> str:
    """CAP 1.2 section 3.3.2: whole seconds with offset (`+08:00`), never `Z`, UTC as `-00:00`."""
    text = moment.astimezone(ZoneInfo(zone)).replace(microsecond=0).isoformat()
    return text.removesuffix("+00:00") + "-00:00" if text.endswith("+00:00") else text


def moment_words(local: datetime, language: str) -> str:
    """`7月24日2时` or `24 July, 02:00`; the moment must be a full hour in the zone of reading."""
    if language == "zh":
        return f"{local.month}月{local.day}日{local.hour}时"
    return f"{local.day} {_MONTHS[local.month - 1]}, {local:%H}:00"


def period_words(start: datetime, end: datetime, language: str) -> str:
    """`7月23日2时至24日2时` or `23 July, 02:00 to 24 July, 02:00`; what start and end share is said once."""
    head = moment_words(start, language)
    if language == "zh":
        if start.date() == end.date():
            return f"{head}至{end.hour}时"
        same_month = (start.year, start.month) == (end.year, end.month)
        return f"{head}至{end.day}日{end.hour}时" if same_month else f"{head}至{moment_words(end, language)}"
    tail = f"{end:%H}:00" if start.date() == end.date() else moment_words(end, language)
    return f"{head} to {tail}"
