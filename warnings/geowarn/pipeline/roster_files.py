"""Rosters from and to other programs: iCalendar and CSV, each row a shift.

CSV columns: `id,start,end,officer,deputy,leader`. `id` may be empty; times are ISO 8601, without an offset the wall
clock of the installation; people are account names or the names pages show. In iCalendar people stand in
`X-GEOWARN-OFFICER`, `-DEPUTY`, `-LEADER`, else in SUMMARY as `officer / deputy / leader`.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from geowarn.domain.duty import Part, seats
from geowarn.domain.errors import Refused
from geowarn.domain.ical import calendar, content_lines, escape, events, utc_text
from geowarn.domain.people import Shift, User
from geowarn.domain.roster import wall_moment

COLUMNS = ("id", "start", "end", "officer", "deputy", "leader")
PRODUCT = "-//geowarn//roster//EN"
LARGEST = 4 * 1024 * 1024  # characters
_NAMES = {Part.OFFICER: "X-GEOWARN-OFFICER", Part.DEPUTY: "X-GEOWARN-DEPUTY", Part.LEADER: "X-GEOWARN-LEADER"}


@dataclass(frozen=True, slots=True)
class Row:
    """One shift of a file; `key` is its UID or id, empty where it has none."""

    line: int
    key: str
    start: datetime
    end: datetime
    people: Mapping[Part, str]
    cancelled: bool = False


def read_rows(text: str, file: str, users: Mapping[str, User], zone: ZoneInfo) -> tuple[Row, ...]:
    """Every row of an iCalendar file or a CSV, told apart by how it begins; raises Refused naming file and line."""
    if len(text) > LARGEST:
        raise Refused("roster.file-large", file=file, limit=LARGEST // 1024 // 1024)
    if text.lstrip("\ufeff \r\n").upper().startswith("BEGIN:"):
        rows = tuple(_from_calendar(text, file, users, zone))
    else:
        rows = tuple(_from_csv(text, file, users, zone))
    if not rows:
        raise Refused("roster.file-empty", file=file)
    _refuse_twice(rows, file)
    return rows


def _refuse_twice(rows: Iterable[Row], file: str) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        if row.key and row.key in seen:
            raise Refused("roster.file-twice", file=file, line=row.line, first=seen[row.key])
        seen[row.key] = row.line


# --- iCalendar


def _from_calendar(text: str, file: str, users: Mapping[str, User], zone: ZoneInfo) -> Iterator[Row]:
    for event in events(text, file, zone, _zones(text, file)):
        told = {part: event.text(name) for part, name in _NAMES.items()}
        if not any(told.values()):
            told = dict(
                zip(Part, [*(piece.strip() for piece in event.text("SUMMARY").split("/")), "", ""], strict=False)
            )
        cancelled = event.text("STATUS").upper() == "CANCELLED"
        people = {} if cancelled else _people(told, file, event.line, users)
        yield Row(event.line, event.uid, event.start, event.end, people, cancelled)


def _zones(text: str, file: str) -> dict[str, ZoneInfo]:
    """The zones a file names, by the names of the IANA database; a path in front (`/org/Europe/Berlin`) is no part."""
    found: dict[str, ZoneInfo] = {}
    for line in content_lines(text.removeprefix("\ufeff"), file):
        name = line.parameters.get("TZID", "")
        plain = "/".join(name.split("/")[-2:])
        if name and re.fullmatch(r"[A-Za-z0-9_+./-]+", plain):
            try:
                found[name] = ZoneInfo(plain.strip("/"))
            except (ZoneInfoNotFoundError, ValueError):
                continue
    return found


def calendar_of(shifts: Iterable[Shift], users: Mapping[str, User], host: str, stamp: datetime, language: str) -> str:
    """Shifts as an iCalendar file in UTC; a shift keeps its UID however often it is written."""
    return calendar((line for shift in shifts for line in _event_lines(shift, users, host, stamp, language)), PRODUCT)


def _event_lines(shift: Shift, users: Mapping[str, User], host: str, stamp: datetime, language: str) -> Iterator[str]:
    shown = [users[name].display(language) if name in users else name for _, name in seats(shift)]
    yield "BEGIN:VEVENT"
    yield f"UID:{shift.uid or f'{shift.id}@{host}'}"
    yield f"DTSTAMP:{utc_text(stamp)}"
    yield f"DTSTART:{utc_text(shift.start)}"
    yield f"DTEND:{utc_text(shift.end)}"
    yield f"SUMMARY:{escape(' / '.join(shown))}"
    for part, name in seats(shift):
        yield f"{_NAMES[part]}:{escape(name)}"
    yield "END:VEVENT"


# --- CSV


def _from_csv(text: str, file: str, users: Mapping[str, User], zone: ZoneInfo) -> Iterator[Row]:
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    if tuple(cell.strip() for cell in _next(reader, file) or ()) != COLUMNS:
        raise Refused("roster.csv-columns", file=file, columns=",".join(COLUMNS))
    while (cells := _next(reader, file)) is not None:
        if not any(cell.strip() for cell in cells):
            continue
        if len(cells) != len(COLUMNS):
            raise Refused("roster.csv-cells", file=file, line=reader.line_num, found=len(cells), wanted=len(COLUMNS))
        key, start, end, *names = (cell.strip() for cell in cells)
        begun, over = (_csv_time(value, file, reader.line_num, zone) for value in (start, end))
        if over <= begun:
            raise Refused("roster.ics-order", file=file, line=reader.line_num)
        people = _people(dict(zip(Part, names, strict=True)), file, reader.line_num, users)
        yield Row(reader.line_num, key, begun, over, people)


def _next(reader: Iterator[list[str]], file: str) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise Refused("roster.csv-broken", file=file, line=getattr(reader, "line_num", 0)) from None


def _csv_time(value: str, file: str, line: int, zone: ZoneInfo) -> datetime:
    try:
        return wall_moment(value, zone)
    except ValueError:
        raise Refused("roster.csv-time", file=file, line=line, value=value[:40]) from None


def csv_of(shifts: Iterable[Shift], zone: ZoneInfo) -> str:
    """Shifts as CSV, times with the zone's offset."""
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for shift in shifts:
        held = dict(seats(shift))
        times = (moment.astimezone(zone).isoformat() for moment in (shift.start, shift.end))
        writer.writerow((shift.id, *times, *(held.get(part, "") for part in Part)))
    return out.getvalue()


def _people(told: Mapping[Part, str], file: str, line: int, users: Mapping[str, User]) -> dict[Part, str]:
    """Account names by seat; a shown name must belong to one person only. Raises Refused naming the line."""
    found: dict[Part, str] = {}
    for part, text in told.items():
        if not text:
            continue
        named = [u.name for u in users.values() if text in (u.display_zh, u.display_en)]
        names = [text] if text in users else named
        if len(names) != 1:
            raise Refused("roster.file-person", file=file, line=line, person=text[:40])
        found[part] = names[0]
    if Part.OFFICER not in found:
        raise Refused("roster.file-officer", file=file, line=line)
    return found
