"""iCalendar by RFC 5545: what is written reads back, what is broken is refused with its line."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geowarn.domain.duty import Part, seats
from geowarn.domain.errors import Refused
from geowarn.domain.ical import content_lines, escape, fold, unescape
from geowarn.domain.people import Role, Shift, User
from geowarn.pipeline.roster_files import calendar_of, csv_of, read_rows

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 7, 20, 4, 0, tzinfo=UTC)
TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc")) | st.just("\n"))


def person(name: str, zh: str) -> User:
    return User(name, zh, name.title(), frozenset({Role.DUTY_OFFICER}))


PEOPLE = {u.name: u for u in (person("jia", "值班员甲"), person("ji", "值班员己"), person("yi", "分管领导乙"))}


def file(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""))


def event(*lines: str, uid: str = "1@x") -> tuple[str, ...]:
    return ("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT")


TIMES = ("DTSTART:20261024T180000Z", "DTEND:20261025T070000Z")


@given(TEXT)
def test_texts_read_back_through_escape_and_fold(text: str) -> None:
    line = f"SUMMARY:{escape(text)}"
    folded = fold(line)
    assert all(len(piece.encode()) <= 75 for piece in folded.removesuffix("\r\n").split("\r\n"))
    (found,) = content_lines(folded, "f.ics")
    assert unescape(found.value) == text


@given(
    st.lists(
        st.tuples(st.integers(1, 200), st.sampled_from(["jia", "ji"]), st.sampled_from(["yi", None]), st.booleans()),
        min_size=1,
        max_size=12,
    )
)
def test_a_roster_reads_back_from_both_kinds_of_file(spans: list[tuple[int, str, str | None, bool]]) -> None:
    made, start = [], NOW
    for n, (quarters, officer, leader, foreign) in enumerate(spans):
        end = start + quarters * timedelta(minutes=15)
        made.append(Shift(f"sh-{n}", officer, None, start, end, leader, f"u{n}@else" if foreign else None))
        start = end
    text = calendar_of(made, PEOPLE, "warn.example", NOW, "zh")
    rows = read_rows(text, "f.ics", PEOPLE, BERLIN)
    assert [row.key for row in rows] == [one.uid or f"{one.id}@warn.example" for one in made]
    for rows_read in (rows, read_rows(csv_of(made, BERLIN), "f.csv", PEOPLE, BERLIN)):
        assert [(row.start, row.end, dict(row.people)) for row in rows_read] == [
            (one.start, one.end, dict(seats(one))) for one in made
        ]


def test_times_by_zone_by_floating_clock_and_by_duration() -> None:
    zoned = event(
        'DTSTART;TZID="/example.org/Europe/Berlin":20261024T200000',
        "DURATION:PT13H",
        "SUMMARY:值班员甲 / 值班员己",
    )
    floating = event("DTSTART:20261025T080000", "DTEND:20261025T200000", "SUMMARY:ji", uid="2@x")
    first, second = read_rows(file(*zoned, *floating), "f.ics", PEOPLE, BERLIN)
    assert first.start == datetime(2026, 10, 24, 18, 0, tzinfo=UTC)
    assert first.end == second.start == datetime(2026, 10, 25, 7, 0, tzinfo=UTC)  # 08:00 after the clocks went back
    assert dict(first.people) == {Part.OFFICER: "jia", Part.DEPUTY: "ji"}


def test_a_zone_of_the_file_itself_is_not_needed() -> None:
    zone: tuple[str, ...] = ("BEGIN:VTIMEZONE", "TZID:Europe/Berlin", "BEGIN:STANDARD", "DTSTART:19701025T030000")
    zone += ("RRULE:FREQ=YEARLY;BYDAY=-1SU;BYMONTH=10", "TZOFFSETFROM:+0200", "TZOFFSETTO:+0100", "END:STANDARD")
    made = event("DTSTART;TZID=Europe/Berlin:20261024T200000", "DTEND;TZID=Europe/Berlin:20261025T080000", "SUMMARY:ji")
    (row,) = read_rows(file(*zone, "END:VTIMEZONE", *made), "f.ics", PEOPLE, BERLIN)
    assert row.end - row.start == timedelta(hours=13)


def test_a_cancelled_event_needs_nobody() -> None:
    (row,) = read_rows(file(*event(*TIMES, "STATUS:CANCELLED")), "f.ics", PEOPLE, BERLIN)
    assert row.cancelled


@pytest.mark.parametrize(
    ("lines", "key", "line"),
    [
        (event(*TIMES, "SUMMARY:ji", "RRULE:FREQ=DAILY"), "roster.ics-repeats", 8),
        (event("DTSTART;VALUE=DATE:20261024", "DTEND;VALUE=DATE:20261025", "SUMMARY:ji"), "roster.ics-day", 5),
        (event("DTSTART;TZID=Mars/Olympus:20261024T200000", TIMES[1], "SUMMARY:ji"), "roster.ics-zone", 5),
        (event("DTSTART:20261324T200000Z", TIMES[1], "SUMMARY:ji"), "roster.ics-time", 5),
        (event(TIMES[0], "DURATION:soon", "SUMMARY:ji"), "roster.ics-time", 6),
        (event(TIMES[0], "SUMMARY:ji"), "roster.ics-missing", 7),
        (event(*TIMES, "SUMMARY:ji", uid=""), "roster.ics-missing", 8),
        (
            event(TIMES[1].replace("END", "START"), TIMES[0].replace("START", "END"), "SUMMARY:ji"),
            "roster.ics-order",
            5,
        ),
        (event(*TIMES, "SUMMARY:nobody"), "roster.file-person", 5),
        (event(*TIMES), "roster.file-officer", 5),
        (event(*TIMES, "no colon here"), "roster.ics-line", 7),
        (("BEGIN:VEVENT", "UID:1", "END:VTODO"), "roster.ics-end", 5),
        ((*event(*TIMES, "SUMMARY:ji"), *event(*TIMES, "SUMMARY:ji")), "roster.file-twice", 11),
    ],
)
def test_a_broken_calendar_is_refused_with_its_line(lines: tuple[str, ...], key: str, line: int) -> None:
    with pytest.raises(Refused) as refused:
        read_rows(file(*lines), "f.ics", PEOPLE, BERLIN)
    assert (refused.value.key, refused.value.facts["line"]) == (key, line)


def test_a_file_that_is_cut_off_is_refused() -> None:
    whole = file(*event(*TIMES, "SUMMARY:ji"))
    for end in range(len(whole) - 2):
        with pytest.raises(Refused):
            read_rows(whole[:end] if end else "BEGIN:", "f.ics", PEOPLE, BERLIN)


HEAD = "id,start,end,officer,deputy,leader\n"


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ("start,end\n", "roster.csv-columns", None),
        (HEAD + "\na,b\n", "roster.csv-cells", 3),
        (HEAD + '"a,b', "roster.csv-broken", 2),
        (HEAD + ",2026-10-25T02:30,2026-10-25T20:00,ji,,\n", "roster.csv-time", 2),  # happens twice
        (HEAD + ",2026-07-23T20:00,2026-07-23T20:00,ji,,\n", "roster.ics-order", 2),
        (HEAD + ",2026-07-23T20:00,2026-07-24T08:00,,ji,\n", "roster.file-officer", 2),
        (HEAD, "roster.file-empty", None),
    ],
)
def test_a_broken_csv_is_refused_with_its_line(text: str, key: str, line: int | None) -> None:
    with pytest.raises(Refused) as refused:
        read_rows(text, "f.csv", PEOPLE, BERLIN)
    assert (refused.value.key, refused.value.facts.get("line")) == (key, line)
