"""A roster file taken in: all of it or nothing, what has begun is never changed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.duty import Part
from geowarn.domain.errors import Refused
from geowarn.domain.people import Shift
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.roster import drop, keep, refuse_unfit
from geowarn.pipeline.roster_desk import RULERS, RosterDesk, people
from geowarn.pipeline.roster_files import Row, read_rows
from geowarn.ports import UnitOfWork


@dataclass(frozen=True, slots=True)
class Imported:
    """What a file did to the roster."""

    added: int
    changed: int
    removed: int
    same: int


def import_roster(desk: RosterDesk, actor: Actor, text: str, file: str) -> Imported:
    """Take in an iCalendar file or a CSV; raises Refused naming file and line, and then nothing was changed.

    A row belongs to the shift of its UID or id, else to the one of the same start and end, else it is new.
    """
    actor.need(*RULERS)
    return take_in(desk, actor.label, text, file)


def take_in(desk: RosterDesk, actor: str, text: str, file: str) -> Imported:
    """`import_roster` for whoever runs the command line."""
    with desk.store.begin() as work:
        now = desk.clock.now()
        rows = read_rows(text, file, people(work), desk.zone)
        done = [_row(work, row, file, actor, now) for row in rows]
        result = Imported(*(done.count(word) for word in ("added", "changed", "removed", "same")))
        facts = {"file": file[:200], "rows": len(rows), "sha256": sha256_hex(text.encode())}
        counted = {name: getattr(result, name) for name in ("added", "changed", "removed", "same")}
        work.ledger.append(now, actor, "roster.imported", "roster", facts | counted)
        work.commit()
    return result


def _row(work: UnitOfWork, row: Row, file: str, actor: str, now: datetime) -> str:
    held = _held(work, row)
    if row.cancelled:
        if held is None:
            return "same"
        _refuse_begun(held.start, row, file, now)
        drop(work, held, actor, now)
        return "removed"
    made = _made(row, held)
    if made == held:
        return "same"
    _refuse_begun(min(held.start, made.start) if held else made.start, row, file, now)
    try:
        refuse_unfit(work, made)
    except Refused as refusal:
        raise Refused("roster.file-unfit", file=file, line=row.line, user=str(refusal.facts.get("user"))) from None
    keep(work, made, held, actor, now)
    return "changed" if held else "added"


def _refuse_begun(start: datetime, row: Row, file: str, now: datetime) -> None:
    if start <= now:
        raise Refused("roster.file-begun", file=file, line=row.line)


def _held(work: UnitOfWork, row: Row) -> Shift | None:
    """The shift a row is about."""
    if row.key:
        found = work.shifts.get(row.key.partition("@")[0]) or work.shifts.get(_id_of(row.key))
        if found is not None:
            return found
    same: Iterable[Shift] = work.shifts.between(row.start, row.end)
    return next((shift for shift in same if (shift.start, shift.end) == (row.start, row.end)), None)


def _made(row: Row, held: Shift | None) -> Shift:
    names = {part.value: row.people.get(part) for part in (Part.DEPUTY, Part.LEADER)}
    officer = row.people[Part.OFFICER]
    if held is not None:
        return replace(held, officer=officer, start=row.start, end=row.end, **names)  # type: ignore[arg-type]
    foreign = row.key or f"{row.start.isoformat()} {row.end.isoformat()}"
    return Shift(_id_of(foreign), officer, names["deputy"], row.start, row.end, names["leader"], uid=row.key or None)


def _id_of(key: str) -> str:
    return f"sh-{sha256_hex(key)[:12]}"
