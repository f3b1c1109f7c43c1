"""What a MICAPS title and file name prove: how long the total is, which zone the header is in, forecast or observed.

The header holds none of the three. Its code -1 ("draw as 6-hour rain") stands on files of 24-hour totals too, and its
hour is in UTC on some products and in Beijing time on others. The title and the name settle it, or the file is
refused with what would settle it:
- `YYMMDDHH.FFF`, the MICAPS name, is in Beijing time (UTC+8, no summer time) and FFF the lead in hours; a header that
  says the same is in Beijing time too, unless it is a run of 00, 06, 12 or 18 h, the hours at which runs start in UTC;
- `r24-YYMMDDHH.FFF` says totals of 24 h, `acc-YYMMDDHH.FFF` totals since the start of the run.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from geowarn.domain.errors import Refused
from geowarn.sources.micaps_text import MicapsFile

FROM_START = 0  # a length of no hours: the total since the start of the run
LENGTHS = (1, 2, 3, 6, 12, 24)
UTC, BEIJING = timedelta(0), timedelta(hours=8)

_NAME = re.compile(r"(?:(?:r(?P<hours>\d{2})|(?P<start>acc))[-_])?(?:.*\D)?(?P<label>\d{8}|\d{10})\.(?P<lead>\d{3})")
_LABELS = (
    re.compile(r"(\d{4}|\d{2})年(\d{1,2})月(\d{1,2})日(\d{1,2})[时點点]"),
    re.compile(r"(?<!\d)((?:19|20)\d{2})-(\d{2})-(\d{2})[T_ ](\d{2}):00"),
    re.compile(r"(?<!\d)((?:19|20)\d{2})(\d{2})(\d{2})(\d{2})(?!\d)"),
    re.compile(r"(?<!\d)(\d{2})(\d{2})(\d{2})(\d{2})(?!\d)"),
)
_LEAD = re.compile(r"(?<!\d)(\d{1,3})(?:小时)?时效")
_HOURS = (
    re.compile(r"(?<!\d)(\d{1,3})\s*(?:小时|[hH](?![A-Za-z]))(?!时效)[^\d]{0,24}?(?:降水|降雨|雨量)"),
    re.compile(r"(?<![A-Za-z])(?:[eE]?[rR]|[rR][aA][iI][nN]|[tT][pP])_?(\d{2})(?!\d)"),
)
_RAIN = re.compile(r"降水|降雨|雨量|(?i:rain|precip|(?<![a-z])tp(?![a-z]))|(?<![A-Za-z])[eE]?[rR]\d{2}(?!\d)")
_NO_TOTAL = re.compile(
    r"温|雪|湿|风速|风向|阵风|概率|距平|相态|类型|等级|日数|平均|最大|最小|百分|中位|(?i:prob|mean|anom|max|min)"
)
_SINCE_START = re.compile(r"起报以来|自起报|从起报|起报累[计积]")
_OBSERVED = re.compile(r"实况|实测|观测|估测|(?i:qpe|obs)")
_UNIT = re.compile(r"(?i:unit[:=]|单位[：:])\s*([^\s)）\]]{1,12})|[(（](cm|m|kg|inch|in|dm|℃|oC|%)[)）]")


class Meaning(NamedTuple):
    """What one file holds: hours of its totals (`FROM_START`: since the run), offset of its header, lead, kind."""

    hours: int
    offset: timedelta  # of the header's clock from UTC
    lead: int
    observed: bool


def meaning_of(file: MicapsFile, zone: str | None, hours: int | None) -> Meaning:
    """What title, name and the reader's settings prove; raises Refused with advice where they leave it open."""
    named = _NAME.fullmatch(file.name)
    _refuse_other_elements(file, stated=hours is not None or (named is not None and _named_hours(named) is not None))
    lead = _lead(file, named)
    found = _hours(file, named, hours)
    observed = lead == 0
    if observed and (found == FROM_START or (not _OBSERVED.search(file.title) and _is_forecast(file))):
        raise Refused("micaps.lead", file=file.name, title=file.title[:60], value=lead)
    if not observed and found > lead:
        raise Refused("micaps.lead-short", file=file.name, hours=found, lead=lead)
    return Meaning(found, _offset(file, named, zone, observed), lead, observed)


def _refuse_other_elements(file: MicapsFile, *, stated: bool) -> None:
    unit = _UNIT.search(file.title)
    shown = (unit[1] or unit[2]) if unit else "mm"
    if shown.lower() not in ("mm", "毫米", "kg/m2", "kg/m^2"):
        raise Refused("micaps.unit", file=file.name, unit=shown, title=file.title[:60])
    if _NO_TOTAL.search(file.title) or not (stated or _RAIN.search(file.title)):
        raise Refused("micaps.not-rain", file=file.name, title=file.title[:60])


def _is_forecast(file: MicapsFile) -> bool:
    return file.type == 4 or "预报" in file.title


def _lead(file: MicapsFile, named: re.Match[str] | None) -> int:
    """Hours from the header's time to the end of the total; 0: the total ends there and was observed."""
    if file.lead is not None:
        return file.lead
    told = {int(match[1]) for match in _LEAD.finditer(file.title)} | ({int(named["lead"])} if named else set())
    if len(told) > 1:
        leads = " / ".join(str(one) for one in sorted(told))
        raise Refused("micaps.lead", file=file.name, title=file.title[:60], value=leads)
    return told.pop() if told else 0


def _named_hours(named: re.Match[str]) -> int | None:
    return FROM_START if named["start"] else int(named["hours"]) if named["hours"] else None


def _hours(file: MicapsFile, named: re.Match[str] | None, setting: int | None) -> int:
    told = {int(match[1]) for pattern in _HOURS for match in pattern.finditer(file.title)}
    since = {FROM_START} if _SINCE_START.search(file.title) else set()
    own = _named_hours(named) if named else None
    found = told | since | ({own} if own is not None else set())
    if not found and setting is not None:
        found = {setting}
    if len(found) > 1:
        shown = " / ".join("0" if one == FROM_START else str(one) for one in sorted(found))
        raise Refused("micaps.lengths", file=file.name, title=file.title[:60], lengths=shown)
    if not found:
        raise Refused("micaps.length", file=file.name, title=file.title[:60], level=file.level)
    (only,) = found
    if only != FROM_START and only not in LENGTHS:
        raise Refused("micaps.length-odd", file=file.name, title=file.title[:60], hours=only)
    return only


def _offset(file: MicapsFile, named: re.Match[str] | None, zone: str | None, observed: bool) -> timedelta:
    """How far the header's clock is ahead of UTC: by the title's word, by 8 h of difference, by settings, by name."""
    proven = _told_by_word(file) if _told_by_word(file) is not None else _told_by_difference(file, named)
    configured = {"utc": UTC, "beijing": BEIJING}.get(zone or "")
    if proven is not None and configured is not None and proven != configured:
        raise Refused("micaps.zone-contradiction", file=file.name, header=_shown(file.time), zone=str(zone))
    settled = configured if proven is None else proven
    if settled is None and named and (observed or file.time.hour % 6):
        settled = BEIJING  # the name says the same as the header, and names are in Beijing time
    if settled is None:
        raise Refused("micaps.zone", file=file.name, header=_shown(file.time), title=file.title[:60])
    return settled


def _told_by_word(file: MicapsFile) -> timedelta | None:
    if file.time not in _labels(file.title):
        return None
    if re.search(r"世界时|(?i:utc|gmt)", file.title):
        return UTC
    return BEIJING if re.search(r"北京时|(?i:bjt)", file.title) else None


def _told_by_difference(file: MicapsFile, named: re.Match[str] | None) -> timedelta | None:
    """UTC where a time in Beijing time, in the name or first in the title, is 8 h after the header's; else None.

    A name that says the same as the header proves little: some producers write both in UTC, whose runs start at 00,
    06, 12 or 18 h.
    """
    if not named:
        labels = _labels(file.title)
        return UTC if labels and labels[0] == file.time + BEIJING else None
    text = named["label"]
    year = len(text) - 6
    label = _moment([text[:year], text[year : year + 2], text[-4:-2], text[-2:]])
    header_end = file.time + timedelta(hours=file.lead if file.lead is not None else int(named["lead"]))
    ahead = label + timedelta(hours=int(named["lead"])) - header_end if label else None
    if ahead not in (timedelta(0), BEIJING):
        raise Refused("micaps.name", file=file.name, header=_shown(file.time), label=text)
    return UTC if ahead == BEIJING else None


def _labels(title: str) -> list[datetime]:
    found = [_moment(match.groups()) for pattern in _LABELS for match in pattern.finditer(title)]
    return [label for label in found if label is not None]


def _moment(parts: Sequence[str]) -> datetime | None:
    year, month, day, hour = (int(part) for part in parts)
    year += 0 if year >= 100 else 2000 if year < 70 else 1900
    try:
        return datetime(year, month, day, hour)  # noqa: DTZ001  compared with a header that has no zone either
    except ValueError:
        return None


def _shown(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H}"
