"""A roster file taken in: all of it or nothing, what has begun is never changed."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from geowarn.domain.canonical import sha256_hex
from geowarn.domain.duty import Part
from geowarn.domain.errors import Refused
from geowarn.domain.people import Shift
from geowarn.pipeline.actor import Actor
from geowarn.pipeline.propose import new_id
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
        about = sorted(_shifts_of(work, rows, file), key=lambda pair: not pair[0].cancelled)
        done = [_row(work, row, held, file, actor, now) for row, held in about]
        result = Imported(*(done.count(word) for word in ("added", "changed", "removed", "same")))
        facts = {"file": file[:200], "rows": len(rows), "sha256": sha256_hex(text.encode())}
        counted = {name: getattr(result, name) for name in ("added", "changed", "removed", "same")}
        work.ledger.append(now, actor, "roster.imported", "roster", facts | counted)
        work.commit()
    return result


def _shifts_of(work: UnitOfWork, rows: Iterable[Row], file: str) -> list[tuple[Row, Shift | None]]:
    """Each row with the shift it is about, all read before any is changed; two rows about one are refused."""
    named = [(row, _named(work, row)) for row in rows]
    taken = {shift.id for _, shift in named if shift is not None}
    found: list[tuple[Row, Shift | None]] = []
    seen: dict[object, int] = {}
    for row, shift in named:
        held = shift or _at_the_time(work, row, taken)
        kept = () if row.cancelled else ((row.start, row.end),)
        for what in (*kept, *(() if held is None else (held.id,))):
            if what in seen:
                raise Refused("roster.file-twice", file=file, line=row.line, first=seen[what])
            seen[what] = row.line
        found.append((row, held))
    return found


def _row(work: UnitOfWork, row: Row, held: Shift | None, file: str, actor: str, now: datetime) -> str:
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


def _named(work: UnitOfWork, row: Row) -> Shift | None:
    """The shift of a row's UID or id."""
    if not row.key:
        return None
    return work.shifts.get(row.key.partition("@")[0]) or work.shifts.get(_id_of(row.key))


def _at_the_time(work: UnitOfWork, row: Row, named: Collection[str]) -> Shift | None:
    """The shift of a row's start and end that no other row names."""
    same = (shift for shift in work.shifts.between(row.start, row.end) if shift.id not in named)
    found = next((shift.id for shift in same if (shift.start, shift.end) == (row.start, row.end)), None)
    return work.shifts.get(found) if found else None


def _made(row: Row, held: Shift | None) -> Shift:
    names = {part.value: row.people.get(part) for part in (Part.DEPUTY, Part.LEADER)}
    officer = row.people[Part.OFFICER]
    if held is not None:
        return replace(held, officer=officer, start=row.start, end=row.end, **names)  # type: ignore[arg-type]
    made = _id_of(row.key) if row.key else new_id("sh")
    return Shift(made, officer, names["deputy"], row.start, row.end, names["leader"], uid=row.key or None)


def _id_of(key: str) -> str:
    return f"sh-{sha256_hex(key)[:12]}"
