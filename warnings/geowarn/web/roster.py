"""排班: the week, what must be filled, who answered, what was handed over."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

from fastapi import APIRouter
from starlette.responses import Response

from geowarn.domain.duty import Handover, Part, SwapState, seats
from geowarn.domain.errors import NotFound, Refused
from geowarn.domain.people import Role, Shift
from geowarn.domain.roster import Fault, Finding, day_window, week_of
from geowarn.domain.task import Task
from geowarn.pipeline.roster import check, proposed
from geowarn.pipeline.roster_asks import SILENT
from geowarn.pipeline.roster_desk import RULERS, find_shift, people
from geowarn.pipeline.roster_files import calendar_of, csv_of
from geowarn.pipeline.roster_handover import shift_to_hand_over
from geowarn.pipeline.roster_report import shift_report
from geowarn.ports import UnitOfWork
from geowarn.web.access import Visit, Visiting
from geowarn.web.ledger_page import told_rows
from geowarn.web.ledger_said import alone
from geowarn.web.roster_sheet import Sheet, around

router = APIRouter(prefix="/console/roster", include_in_schema=False)
CHANGE = "/console/roster/change"
_LISTED = timedelta(hours=36)  # how far ahead the table of questions reaches


def _week(visit: Visit) -> tuple[date, ...]:
    """The week the address names as `2026-W30`, else this one."""
    wanted = visit.request.query_params.get("week", "")
    if not wanted:
        return week_of(visit.words.local(visit.now).date())
    try:
        return week_of(date.fromisoformat(f"{wanted}-1"))
    except ValueError:
        raise NotFound("web.no-page") from None


def week_name(day: date) -> str:
    """2026-W30."""
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02d}"


@router.get("")
def roster(visit: Visiting) -> Response:
    """The week with everything around it."""
    days = _week(visit)
    start, end = day_window(days[0], visit.words.zone)[0], day_window(days[-1], visit.words.zone)[1]
    desk = visit.system.roster_desk
    with visit.system.store.read() as work:
        users = people(work)
        near = work.shifts.between(visit.now - timedelta(hours=1), visit.now + _LISTED)
        shifts = work.shifts.between(start, end + timedelta(days=1))
        sheet = Sheet(visit.words, desk.rules, around(work, {*shifts, *near}, users, start), visit.now)
        values: dict[str, Any] = {
            "todo": [*_todo(visit, work, sheet), *_unanswered(visit, work, sheet)],
            "groups": sheet.groups(days, shifts),
            "questions": _questions(sheet, near),
            "mine": [(s, part) for s in near for part, name in _open_seats(sheet, s) if name == visit.user.name],
            "others": [(s, name) for s in near for _, name in _open_seats(sheet, s) if name != visit.user.name],
            "handover": _handover(visit, work),
            "to_give": _to_give(visit, work),
        }
    first, last = days[0], days[-1]
    return visit.page(
        "roster",
        days=days,
        noons=[datetime.combine(day, time(12), visit.words.zone) for day in days],
        today=visit.words.local(visit.now).date(),
        before=week_name(first - timedelta(days=7)),
        after=week_name(last + timedelta(days=1)),
        number=first.isocalendar().week,
        year=first.isocalendar().year,
        holidays=[next((h for h in desk.rules.holidays if h.first <= day <= h.last), None) for day in days],
        span=_span(visit, start, end - timedelta(seconds=1)),
        sheet=sheet,
        rules=desk.rules,
        may_answer_for=bool(visit.user.roles & {*RULERS, Role.DUTY_OFFICER}),
        **values,
    )


def _todo(visit: Visit, work: UnitOfWork, sheet: Sheet) -> list[dict[str, Any]]:
    desk, w = visit.system.roster_desk, visit.words
    rows = []
    for one in check(desk, work, visit.now):
        free = [sheet.display(name) for name in proposed(desk, work, one)[:3]] if _fillable(one) else []
        names = w.names(sheet.display(name) for name in one.people)
        seat = w.sentences[f"roster.seat.{one.part.value}"] if one.part else ""
        times = {"start": w.when(one.start, visit.now), "end": w.when(one.end, visit.now)}
        text = w(f"roster.todo.{one.fault.value}", who=names, seat=seat, **times)
        rows.append({"text": text, "free": w.names(free), "link": _link(one)})
    return rows


def _fillable(one: Finding) -> bool:
    return one.fault in (Fault.GAP, Fault.VACANT, Fault.INACTIVE, Fault.NO_ROLE, Fault.NO_NUMBER)


def _link(one: Finding) -> str:
    if one.shifts:
        return f"{CHANGE}?{urlencode({'shift': one.shifts[0], 'part': one.part.value if one.part else ''})}"
    return f"{CHANGE}?{urlencode({'start': one.start.isoformat(), 'end': one.end.isoformat()})}"


def _unanswered(visit: Visit, work: UnitOfWork, sheet: Sheet) -> list[dict[str, Any]]:
    """Who was asked and is silent, or said no."""
    tasks: list[Task] = [task for task in work.tasks.pending() if task.kind == SILENT]
    rows = []
    for task in tasks:
        start = datetime.fromisoformat(str(task.facts["start"]))
        who = sheet.display(str(task.facts["person"]))
        text = visit.words(f"roster.todo.{task.facts['why']}", who=who, start=visit.words.when(start, visit.now))
        rows.append({"text": text, "free": "", "link": f"{CHANGE}?{urlencode({'shift': task.facts['shift']})}"})
    return rows


def _open_seats(sheet: Sheet, shift: Shift) -> list[tuple[Part, str]]:
    """Seats whose person was asked and has not said yes."""
    found = []
    for part, name in seats(shift):
        asks = sheet.known.asks.get((shift.id, name), ())
        if asks and asks[-1].answer != "yes" and shift.start > sheet.now:
            found.append((part, name))
    return found


def _questions(sheet: Sheet, shifts: tuple[Shift, ...]) -> list[dict[str, Any]]:
    rows = []
    for shift in (one for one in shifts if one.start > sheet.now):
        for part, name in seats(shift):
            asks = {ask.hours: ask for ask in sheet.known.asks.get((shift.id, name), ())}
            cells = [_question(sheet, shift, hours, asks.get(hours)) for hours in sheet.rules.ask_hours]
            rows.append({"name": sheet.display(name), "part": part, "start": shift.start, "cells": cells})
    return rows


def _question(sheet: Sheet, shift: Shift, hours: int, ask: Any) -> tuple[Any, bool]:
    w = sheet.words
    if ask is None:
        moment = shift.start - timedelta(hours=hours)
        return (w("roster.ask_at", when=sheet.named(moment)), False) if moment > sheet.now else ("—", False)
    if ask.answer is not None:
        key = "roster.said_yes" if ask.answer == "yes" else "roster.said_no"
        return w(key, when=_ago(sheet, ask.answered_at)), ask.answer == "no"
    if ask.id in sheet.known.lost:
        return w("roster.lost"), True
    silent = ask.due_at <= sheet.now
    return w("roster.silent" if silent else "roster.asked", by=sheet.soon(ask.due_at)), silent


def _ago(sheet: Sheet, moment: datetime) -> Any:
    """The clock of what was said within a day, else with its date."""
    near = sheet.now - moment < timedelta(hours=18)
    return sheet.words.clock(moment) if near else sheet.words.moment(moment)


def _span(visit: Visit, first: datetime, last: datetime) -> Any:
    """7月20日至26日, or with both months."""
    w = visit.words
    begin, end = w.local(first), w.local(last)
    if begin.month == end.month:
        month = w.sentences["time.months"].split()[begin.month - 1]
        return w("roster.days_same", month=month, begin=begin.day, end=end.day)
    return w("roster.days", first=w.day(first), last=w.day(last))


def _handover(visit: Visit, work: UnitOfWork) -> dict[str, Any] | None:
    newest: Handover | None = next(iter(work.roster.handovers(1)), None)
    if newest is None:
        return None
    shift = work.shifts.get(newest.shift)
    later = work.shifts.get(newest.next_shift) if newest.next_shift else next(iter(work.shifts.at(visit.now)), None)
    takes = later is not None and visit.user.name in (later.officer, later.deputy)
    return {
        "row": newest,
        "shift": shift,
        "report": shift_report(work, shift, visit.now) if shift else None,
        "may_take": newest.taken_at is None and takes and newest.giver != visit.user.name,
    }


def _to_give(visit: Visit, work: UnitOfWork) -> Shift | None:
    if Role.DUTY_OFFICER not in visit.user.roles:
        return None
    return shift_to_hand_over(work, visit.user.name, visit.now)


@router.get("/change")
def change(visit: Visiting) -> Response:
    """The forms that change the roster, and what waits for a decision."""
    ask = visit.request.query_params
    with visit.system.store.read() as work:
        users = people(work)
        ahead = work.shifts.between(visit.now, visit.now + timedelta(days=31))
        sheet = Sheet(visit.words, visit.system.roster_desk.rules, around(work, (), users, visit.now), visit.now)
        swaps = [s for s in work.roster.swaps(visit.now) if s.state in (SwapState.ASKED, SwapState.AGREED)]
    chosen = next((shift for shift in ahead if shift.id == ask.get("shift")), None)
    active = [user for user in users.values() if user.active]
    return visit.page(
        "roster_change",
        chosen=chosen,
        part=ask.get("part") or Part.OFFICER.value,
        start=_wall(visit, ask.get("start") or (chosen.start.isoformat() if chosen else "")),
        end=_wall(visit, ask.get("end") or (chosen.end.isoformat() if chosen else "")),
        ahead=ahead,
        removable=[shift for shift in ahead if shift.start > visit.now],
        officers=[user for user in active if Role.DUTY_OFFICER in user.roles],
        leaders=[user for user in active if user.roles & {Role.LEADER, Role.CHIEF}],
        swaps=swaps,
        sheet=sheet,
        rules_it=bool(visit.actor.roles_over(None, ()).intersection(RULERS)),
        seats=tuple(Part),
    )


def _wall(visit: Visit, iso: str) -> str:
    """A moment as a form field has it."""
    try:
        return visit.words.local(datetime.fromisoformat(iso)).strftime("%Y-%m-%dT%H:%M") if iso else ""
    except ValueError:
        return ""


@router.get("/shifts/{shift_id}")
def shift(visit: Visiting, shift_id: str) -> Response:
    """The report of one shift, fit to be printed."""
    with visit.system.store.read() as work:
        users = people(work)
        found = find_shift(work, shift_id)
        made = shift_report(work, found, visit.now)
        rows = told_rows(work, visit, [alone(entry) for entry in made.lines])
    return visit.page("shift", report=made, rows=rows, users=users, sheet=None)


@router.get("/export.{kind}")
def export(visit: Visiting, kind: str) -> Response:
    """From a week ago to two months ahead, as iCalendar or CSV."""
    with visit.system.store.read() as work:
        users = people(work)
        shifts = work.shifts.between(visit.now - timedelta(days=7), visit.now + timedelta(days=62))
    if kind == "csv":
        text, media = csv_of(shifts, visit.system.roster_desk.zone), "text/csv; charset=utf-8"
    elif kind == "ics":
        host = urlsplit(visit.system.settings.site.public_url).hostname or "localhost"
        text = calendar_of(shifts, users, host, visit.now, visit.words.language)
        media = "text/calendar; charset=utf-8"
    else:
        raise Refused("roster.suffix", file=f"export.{kind[:20]}")
    headers = {"Content-Disposition": f'attachment; filename="roster.{kind}"'}
    return Response(text, media_type=media, headers=headers)
