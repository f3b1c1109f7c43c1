"""What is wrong with a roster, and what a swap makes of a shift."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta, tzinfo
from enum import StrEnum
from itertools import combinations

from geowarn.domain.duty import ROLES_OF, Band, Part, RosterRules, seats
from geowarn.domain.people import Shift, User
from geowarn.domain.period import Period, uncovered


class Fault(StrEnum):
    """Closed set of what can be wrong."""

    GAP = "gap"  # nobody at all
    VACANT = "vacant"  # a seat without a person
    OVERLAP = "overlap"  # two shifts at once
    DOUBLE = "double"  # one person in two seats at once
    NO_NUMBER = "no-number"
    INACTIVE = "inactive"
    NO_ROLE = "no-role"


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault for [start, end) in UTC; `people` are account names."""

    fault: Fault
    start: datetime
    end: datetime
    people: tuple[str, ...] = ()
    part: Part | None = None
    shifts: tuple[str, ...] = ()


def findings(
    shifts: Iterable[Shift], users: Mapping[str, User], start: datetime, end: datetime, rules: RosterRules, zone: tzinfo
) -> tuple[Finding, ...]:
    """Everything wrong in [start, end), earliest first."""
    window = Period(start, end)
    known = sorted((s for s in shifts if s.start < end and s.end > start), key=lambda s: (s.start, s.end, s.id))
    found = [Finding(Fault.GAP, gap.start, gap.end) for gap in gaps(known, window)]
    found += _overlaps(known)
    found += [one for shift in known for one in _vacant(shift, rules, zone)]
    found += _doubles(known)
    found += [one for shift in known for one in _unfit(shift, users)]
    return tuple(sorted((clipped(one, window) for one in found), key=lambda f: (f.start, f.end, f.fault, f.people)))


def gaps(shifts: Iterable[Shift], window: Period) -> tuple[Period, ...]:
    """The pieces of the window in which nobody is on duty."""
    return uncovered(window, (Period(shift.start, shift.end) for shift in shifts))


def clipped(finding: Finding, window: Period) -> Finding:
    """The part of a finding that lies in the window."""
    return replace(finding, start=max(finding.start, window.start), end=min(finding.end, window.end))


def _overlaps(shifts: list[Shift]) -> Iterator[Finding]:
    for one, other in combinations(shifts, 2):
        if other.start < one.end and one.start < other.end:
            people = tuple(sorted({one.officer, other.officer}))
            span = (max(one.start, other.start), min(one.end, other.end))
            yield Finding(Fault.OVERLAP, *span, people, Part.OFFICER, (one.id, other.id))


def _doubles(shifts: list[Shift]) -> Iterator[Finding]:
    held = [(shift, part, name) for shift in shifts for part, name in seats(shift)]
    for (one, part, name), (other, other_part, other_name) in combinations(held, 2):
        span = (max(one.start, other.start), min(one.end, other.end))
        if name != other_name or span[0] >= span[1] or part is other_part:
            continue  # the same seat of two shifts at once is an overlap of the shifts
        yield Finding(Fault.DOUBLE, *span, (name,), other_part, tuple(dict.fromkeys((one.id, other.id))))


def _vacant(shift: Shift, rules: RosterRules, zone: tzinfo) -> Iterator[Finding]:
    taken = {part for part, _ in seats(shift)}
    needed = rules.needed | ({Part.LEADER} if on_holiday(shift, rules, zone) else frozenset())
    for part in Part:
        if part in needed - taken:
            yield Finding(Fault.VACANT, shift.start, shift.end, (), part, (shift.id,))


def on_holiday(shift: Shift, rules: RosterRules, zone: tzinfo) -> bool:
    """Whether any of the shift lies on a holiday of the calendar people live by."""
    first, last = shift.start.astimezone(zone).date(), (shift.end - timedelta.resolution).astimezone(zone).date()
    return any(holiday.first <= last and first <= holiday.last for holiday in rules.holidays)


def _unfit(shift: Shift, users: Mapping[str, User]) -> Iterator[Finding]:
    for part, name in seats(shift):
        fault = unfit(users.get(name), part)
        if fault is not None:
            yield Finding(fault, shift.start, shift.end, (name,), part, (shift.id,))


def unfit(user: User | None, part: Part) -> Fault | None:
    """What keeps a person from this seat; the gravest first."""
    if user is None or not user.active:
        return Fault.INACTIVE
    if not user.roles & ROLES_OF[part]:
        return Fault.NO_ROLE
    return None if user.phone_sealed else Fault.NO_NUMBER


def candidates(
    users: Iterable[User], shifts: Iterable[Shift], start: datetime, end: datetime, part: Part, rest: timedelta
) -> tuple[str, ...]:
    """Who could sit there: fit, reachable, and rested before and after; those with the fewest seats first."""
    near = [s for s in shifts if s.start < end + rest and s.end > start - rest]
    busy = {name for shift in near for _, name in seats(shift)}
    load = [name for shift in shifts for _, name in seats(shift)]
    free = [user.name for user in users if unfit(user, part) is None and user.name not in busy]
    return tuple(sorted(free, key=lambda name: (load.count(name), name)))


def taken_over(
    shift: Shift, part: Part, taker: str, start: datetime, end: datetime, new_id: Callable[[], str]
) -> tuple[Shift, ...]:
    """The shift in pieces after somebody takes over a seat for [start, end): together as long as before.

    The first piece keeps id and UID, so that what was signed under them still names it. When the taker already sits
    in the shift, the two exchange seats. Raises ValueError for a time outside the shift, or when the officer's seat
    would be left empty.
    """
    held = dict(seats(shift))
    mine = next((other for other, name in held.items() if name == taker), None)
    empties = mine is Part.OFFICER and part not in held
    if not shift.start <= start < end <= shift.end or empties:
        raise ValueError("no such exchange")
    changed = {mine.value: held.get(part)} if mine is not None else {}
    changed[part.value] = taker
    pieces = [
        replace(shift, end=start) if shift.start < start else None,
        replace(shift, start=start, end=end, **changed),  # type: ignore[arg-type]
        replace(shift, start=end) if end < shift.end else None,
    ]
    first, *others = [piece for piece in pieces if piece is not None]
    return (first, *(replace(piece, id=new_id(), uid=None) for piece in others))


def week_of(day: date) -> tuple[date, ...]:
    """Monday to Sunday."""
    monday = day - timedelta(days=day.weekday())
    return tuple(monday + timedelta(days=n) for n in range(7))


def band_window(day: date, band: Band, zone: tzinfo) -> tuple[datetime, datetime]:
    """[start, end) of a band on a day in UTC: 23 or 25 hours away where the clocks change in between."""
    last = day if band.end > band.start else day + timedelta(days=1)
    start, end = datetime.combine(day, band.start, zone), datetime.combine(last, band.end, zone)
    return start.astimezone(UTC), end.astimezone(UTC)


def day_window(day: date, zone: tzinfo) -> tuple[datetime, datetime]:
    """A calendar day in UTC."""
    start, end = (datetime.combine(d, datetime.min.time(), zone) for d in (day, day + timedelta(days=1)))
    return start.astimezone(UTC), end.astimezone(UTC)


def wall_moment(text: str, zone: tzinfo) -> datetime:
    """An ISO 8601 time in UTC; without an offset it is the zone's wall clock.

    Raises ValueError for text that is no time, and for a wall clock that the change of the clocks skips or repeats.
    """
    at = datetime.fromisoformat(text)
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    early, late = (at.replace(tzinfo=zone, fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        raise ValueError("the clocks change then: give the offset from UTC")
    return early.astimezone(UTC)
