"""The week as a grid: who sits where, what they answered, and what is missing, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from markupsafe import Markup

from geowarn.domain.dispatch import DispatchState
from geowarn.domain.duty import Ask, Band, Part, RosterRules, Swap, SwapState, seats
from geowarn.domain.people import Shift, User
from geowarn.domain.period import Period
from geowarn.domain.roster import band_window, gaps, unfit
from geowarn.ports import UnitOfWork
from geowarn.web.wording import Words

_LOST = frozenset({DispatchState.FAILED, DispatchState.EXPIRED_UNSENT})


@dataclass(frozen=True, slots=True)
class Entry:
    """One person, or nobody, in one cell."""

    name: str
    note: Markup | str
    fault: bool = False
    here: bool = False
    shift: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One seat of a band, Monday to Sunday."""

    part: Part
    cells: tuple[tuple[Entry, ...], ...]


@dataclass(frozen=True, slots=True)
class Group:
    """A band with its seats."""

    title: Markup
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Around:
    """What is known around the shifts of a week."""

    users: Mapping[str, User]
    asks: Mapping[tuple[str, str], tuple[Ask, ...]]  # by shift and person, in order of time
    lost: frozenset[str]  # questions whose text did not arrive
    swaps: tuple[Swap, ...]


def around(work: UnitOfWork, shifts: Iterable[Shift], users: Mapping[str, User], since: datetime) -> Around:
    """Read it."""
    found: dict[tuple[str, str], tuple[Ask, ...]] = {}
    asks = work.roster.asks([shift.id for shift in shifts])
    for ask in asks:
        found[ask.shift, ask.person] = (*found.get((ask.shift, ask.person), ()), ask)
    lost = {ask.id for ask in asks for notice in work.notices.of_subject(ask.id) if notice.state in _LOST}
    return Around(users, found, frozenset(lost), work.roster.swaps(since))


@dataclass(frozen=True, slots=True)
class Sheet:
    """Draws one week; every sentence is of the catalogue."""

    words: Words
    rules: RosterRules
    known: Around
    now: datetime

    def groups(self, days: Iterable[date], shifts: tuple[Shift, ...]) -> tuple[Group, ...]:
        """The bands of the week."""
        week = tuple(days)
        return tuple(Group(self._title(band), tuple(self._rows(band, week, shifts))) for band in self.rules.bands)

    def _title(self, band: Band) -> Markup:
        name = band.name_zh if self.words.language == "zh" else band.name_en
        key = "roster.band" if band.end > band.start else "roster.band_next"
        return self.words(key, name=name, start=f"{band.start:%H:%M}", end=f"{band.end:%H:%M}")

    def _rows(self, band: Band, days: tuple[date, ...], shifts: tuple[Shift, ...]) -> Iterator[Row]:
        windows = [Period(*band_window(day, band, self.words.zone)) for day in days]
        for part in Part:
            yield Row(part, tuple(tuple(self._cell(part, window, shifts)) for window in windows))

    def _cell(self, part: Part, window: Period, shifts: tuple[Shift, ...]) -> Iterator[Entry]:
        inside = [s for s in shifts if s.start < window.end and s.end > window.start]
        for shift in inside:
            yield self.seat(shift, part, window)
        for gap in gaps(inside, window):
            past, whole = gap.end <= self.now, gap == window
            if past:
                yield Entry(self.words.sentences["roster.none"], self._span(gap, whole))
            else:
                note = self._span(gap, whole) or self._before(max(gap.start, self.now))
                yield Entry(self.words.sentences["roster.gap"], note, fault=True)

    def _span(self, part: Period, whole: bool) -> Markup | str:
        """The times of what does not fill its cell."""
        times = {"start": self.words.clock(part.start), "end": self.words.clock(part.end)}
        return "" if whole else self.words("roster.span", **times)

    def soon(self, moment: datetime) -> Markup | str:
        """07:00 today, 周五 08:00 within the week, else with its date: a cell is narrow."""
        days = (self.words.local(moment).date() - self.words.local(self.now).date()).days
        if days == 0:
            return self.words.clock(moment)
        if 0 < days < 7:
            return self.words("roster.on", weekday=self.words.weekday(moment), clock=self.words.clock(moment))
        return self.words.moment(moment)

    def named(self, moment: datetime) -> Markup | str:
        """The same with 今日 in front where it is today: for the cells of other days."""
        today = self.words.local(moment).date() == self.words.local(self.now).date()
        return self.words.when(moment, self.now) if today else self.soon(moment)

    def _before(self, moment: datetime) -> Markup:
        if moment <= self.now:
            return self.words("roster.at_once")
        return self.words("roster.fill_before", when=self.named(moment))

    def seat(self, shift: Shift, part: Part, window: Period) -> Entry:
        """One seat of one shift, with the times where the shift does not fill the cell."""
        name = dict(seats(shift)).get(part)
        shared = Period(max(shift.start, window.start), min(shift.end, window.end))
        span = self._span(shared, shared == window)
        if name is None:
            if part not in self.rules.needed or shift.end <= self.now:
                return Entry(self.words.sentences["roster.none"], span, shift=shift.id)
            return Entry(self.words.sentences["roster.gap"], span or self._before(shift.start), True, shift=shift.id)
        text, fault = self.state(shift, name, shared)
        note = self.words("roster.both", span=span, note=text) if span else text
        here = shared.start <= self.now < shared.end and part is Part.OFFICER
        return Entry(self.display(name), note, fault, here, shift.id)

    def display(self, name: str) -> str:
        """The name pages show."""
        user = self.known.users.get(name)
        return user.display(self.words.language) if user else name

    def state(self, shift: Shift, name: str, shared: Period) -> tuple[Markup, bool]:
        """What is known of one person and the part of a shift in one cell, and whether somebody must act."""
        w = self.words
        if shared.end <= self.now:
            return w("roster.served"), False
        part = next(part for part, held in seats(shift) if held == name)
        if shift.covers(self.now):
            key = "roster.now" if shared.start <= self.now else "roster.goes_on"
            return w(key, end=self.soon(shift.end)), False
        asks = self.known.asks.get((shift.id, name), ())
        return self._answered(shift, part, name, asks)

    def _answered(self, shift: Shift, part: Part, name: str, asks: tuple[Ask, ...]) -> tuple[Markup, bool]:
        w, newest = self.words, asks[-1] if asks else None
        fault = unfit(self.known.users.get(name), part)
        if fault is not None and (newest is None or newest.answer is None):
            return w(f"roster.unfit.{fault.value}"), True
        if newest is not None and newest.answer == "no":
            return w("roster.cannot"), True
        if newest is not None and newest.answer is None:
            if newest.id in self.known.lost:
                return w("roster.lost"), True
            silent = newest.due_at <= self.now
            return w("roster.silent" if silent else "roster.asked", by=self.soon(newest.due_at)), silent
        return self._ahead(shift, name, newest), False

    def _ahead(self, shift: Shift, name: str, newest: Ask | None) -> Markup:
        w = self.words
        later = [hours for hours in self.rules.ask_hours if newest is None or hours < newest.hours]
        moments = [shift.start - timedelta(hours=hours) for hours in later]
        moment = next((one for one in moments if one > self.now), None)
        when = self.soon(moment) if moment else ""
        swap = next((s for s in reversed(self.known.swaps) if s.shift == shift.id and name in (s.giver, s.taker)), None)
        if newest is not None:
            return w("roster.again", when=when) if moment else w("roster.answered")
        if swap is not None and swap.state is not SwapState.REFUSED:
            return w(f"roster.swap.{swap.state.value}", giver=self.display(swap.giver), taker=self.display(swap.taker))
        return w("roster.will_ask", when=self.named(moment)) if moment else w("roster.no_ask")
