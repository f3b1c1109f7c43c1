"""iCalendar (RFC 5545) as far as a roster needs it: lines folded and unfolded, texts escaped, events with times.

Repeating events, days without hours and files that do not end are refused, each with its line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo

from geowarn.domain.errors import Refused

LONGEST_LINE = 75  # octets without the line end (RFC 5545, 3.1)
_LINE = re.compile(
    r"([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:\"[^\"]*\"|[^\";:,]*)(?:,(?:\"[^\"]*\"|[^\";:,]*))*)*):(.*)", re.S
)
_PARAMETER = re.compile(r";([A-Za-z0-9-]+)=(\"[^\"]*\"|[^\";:]*)")
_DURATION = re.compile(r"\+?P(?:(\d+)W|(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?)")
_ESCAPES = {"\\": "\\", ";": ";", ",": ",", "n": "\n", "N": "\n"}


@dataclass(frozen=True, slots=True)
class Property:
    """One content line; `line` counts from 1 in the file as it came."""

    line: int
    name: str
    parameters: Mapping[str, str]
    value: str


@dataclass(frozen=True, slots=True)
class Event:
    """One VEVENT; times in UTC, `properties` by name, the first of each."""

    line: int
    uid: str
    start: datetime
    end: datetime
    properties: Mapping[str, Property] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A property's text without its escapes, or an empty one."""
        found = self.properties.get(name)
        return unescape(found.value) if found else ""


def escape(text: str) -> str:
    """A text as a value (RFC 5545, 3.3.11)."""
    plain = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return plain.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\\n")


def unescape(value: str) -> str:
    """The text of a value; an escape nobody knows stands for itself."""
    return re.sub(r"\\(.)", lambda found: _ESCAPES.get(found[1], found[0]), value, flags=re.S)


def fold(line: str) -> str:
    """One content line in pieces of at most 75 octets, never within a character."""
    pieces, size = [""], 0
    for character in line:
        octets = len(character.encode())
        if size + octets > LONGEST_LINE:
            pieces.append(" ")
            size = 1
        pieces[-1] += character
        size += octets
    return "\r\n".join(pieces) + "\r\n"


def utc_text(moment: datetime) -> str:
    """20260722T120000Z."""
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def calendar(lines: Iterable[str], product: str) -> str:
    """A whole file around the lines of its events."""
    whole = ["BEGIN:VCALENDAR", "VERSION:2.0", f"PRODID:{product}", "CALSCALE:GREGORIAN", "METHOD:PUBLISH"]
    return "".join(fold(line) for line in (*whole, *lines, "END:VCALENDAR"))


def content_lines(text: str, file: str) -> Iterator[Property]:
    """The file's lines, unfolded; raises Refused naming the first that is none."""
    held: list[tuple[int, str]] = []
    for number, raw in enumerate(text.split("\n"), 1):
        line = raw.removesuffix("\r")
        if line[:1] in (" ", "\t") and held:
            held[-1] = (held[-1][0], held[-1][1] + line[1:])
        elif line:
            held.append((number, line))
    for number, line in held:
        found = _LINE.fullmatch(line)
        if found is None:
            raise Refused("roster.ics-line", file=file, line=number)
        parameters = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(found[2])}
        yield Property(number, found[1].upper(), parameters, found[3])


def events(text: str, file: str, zone: tzinfo, zones: Mapping[str, tzinfo]) -> tuple[Event, ...]:
    """Every event of a file; a time without zone is in `zone`. Raises Refused naming file and line."""
    lines = list(content_lines(text.removeprefix("\ufeff"), file))
    if not lines or (lines[0].name, lines[0].value.upper()) != ("BEGIN", "VCALENDAR"):
        raise Refused("roster.ics-begin", file=file, line=lines[0].line if lines else 1)
    found: list[Event] = []
    open_parts: list[Property] = []
    held: list[Property] = []
    for one in lines:
        if one.name == "BEGIN":
            open_parts.append(one)
            held = [] if one.value.upper() == "VEVENT" else held
        elif one.name == "END":
            if not open_parts or open_parts.pop().value.upper() != one.value.upper():
                raise Refused("roster.ics-end", file=file, line=one.line)
            if one.value.upper() == "VEVENT":
                found.append(_event(held, one.line, file, zone, zones))
        elif open_parts and open_parts[-1].value.upper() == "VEVENT":
            held.append(one)
    if open_parts:
        raise Refused("roster.ics-open", file=file, line=open_parts[-1].line, part=open_parts[-1].value[:40])
    return tuple(found)


def _event(held: list[Property], line: int, file: str, zone: tzinfo, zones: Mapping[str, tzinfo]) -> Event:
    by_name = {one.name: one for one in reversed(held)}
    for name in ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID"):
        if name in by_name:
            raise Refused("roster.ics-repeats", file=file, line=by_name[name].line, name=name)
    for name in ("UID", "DTSTART"):
        if name not in by_name or not by_name[name].value.strip():
            raise Refused("roster.ics-missing", file=file, line=line, name=name)
    start = _moment(by_name["DTSTART"], file, zone, zones)
    if "DTEND" in by_name:
        end = _moment(by_name["DTEND"], file, zone, zones)
    elif "DURATION" in by_name:
        end = start + _duration(by_name["DURATION"], file)
    else:
        raise Refused("roster.ics-missing", file=file, line=line, name="DTEND")
    if end <= start:
        raise Refused("roster.ics-order", file=file, line=by_name["DTSTART"].line)
    return Event(by_name["DTSTART"].line, by_name["UID"].value.strip(), start, end, by_name)


def _moment(given: Property, file: str, zone: tzinfo, zones: Mapping[str, tzinfo]) -> datetime:
    """In UTC; a wall clock that a change of the clocks skips or repeats is read as RFC 5545, 3.3.5 says."""
    text = given.value.strip()
    if given.parameters.get("VALUE", "DATE-TIME").upper() == "DATE" or re.fullmatch(r"\d{8}", text):
        raise Refused("roster.ics-day", file=file, line=given.line)
    name = given.parameters.get("TZID", "")
    if name and name not in zones:
        raise Refused("roster.ics-zone", file=file, line=given.line, zone=name[:60])
    if not re.fullmatch(r"\d{8}T\d{6}Z?", text, re.ASCII):
        raise Refused("roster.ics-time", file=file, line=given.line, value=text[:40])
    try:
        at = datetime.strptime(text.removesuffix("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007 -- the zone follows
    except ValueError:
        raise Refused("roster.ics-time", file=file, line=given.line, value=text[:40]) from None
    return at.replace(tzinfo=UTC if text.endswith("Z") else zones[name] if name else zone).astimezone(UTC)


def _duration(given: Property, file: str) -> timedelta:
    found = _DURATION.fullmatch(given.value.strip())
    weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()) if found else (0, 0, 0, 0, 0)
    length = timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    if not length:
        raise Refused("roster.ics-time", file=file, line=given.line, value=given.value[:40])
    return length
