"""A CSV of places that must answer → checked rows, or one refusal that names every bad row and shows no number."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from geowarn.domain.area import Area, AreaKind
from geowarn.domain.calls import CallKind
from geowarn.domain.errors import Refused
from geowarn.domain.unread import why
from geowarn.pipeline.phones import number_of

COLUMNS = ("area", "kind", "name_zh", "name_en", "place", "order", "phone")
LARGEST = 16 * 1024 * 1024  # bytes
LONGEST_NAME, LONGEST_PLACE = 60, 120  # characters
MOST_CONTACTS = 9  # of one place
MOST_NAMED = 20  # bad rows that one refusal spells out
_KINDS = {kind.value: kind for kind in CallKind} | {
    "县级值班室": CallKind.COUNTY,
    "乡镇街道": CallKind.TOWNSHIP,
    "隐患点责任人": CallKind.WARDEN,
    "学校医院景区": CallKind.SITE,
}


@dataclass(frozen=True, slots=True)
class Row:
    """One checked line; the number in E.164."""

    line: int
    area: str
    kind: CallKind
    name_zh: str
    name_en: str
    where: str
    order: int
    phone: str = field(repr=False)
    masked: str

    @property
    def place(self) -> tuple[str, str, str]:
        """What makes two rows contacts of one place."""
        return (self.area, self.kind.value, self.name_zh)


def read_contacts(file: Path, areas: Mapping[str, Area]) -> tuple[Row, ...]:
    """Every row, checked; raises Refused naming the file and every bad row, each with what is wrong and what fits."""
    try:
        if file.stat().st_size > LARGEST:
            raise Refused("contacts.too-large", file=file.name, limit=LARGEST // 1024 // 1024)
        text = file.read_text("utf-8-sig")
    except OSError as error:
        raise Refused("contacts.unreadable", file=file.name, reason=why(error)) from None
    except UnicodeDecodeError:
        raise Refused("contacts.not-text", file=file.name) from None
    rows, faults = _checked(_lines(file.name, text), areas)
    faults += _against_each_other(rows)
    if faults:
        raise Refused("contacts.bad-rows", file=file.name, count=len(faults), rows=_said(sorted(faults, key=_line_of)))
    if not rows:
        raise Refused("contacts.empty", file=file.name)
    return tuple(rows)


def _line_of(fault: Refused) -> int:
    return int(str(fault.facts["line"]))


def _said(faults: list[Refused]) -> Refused:
    """The faults one after the other; past a number only how many more there are."""
    said = faults[:MOST_NAMED]
    left = len(faults) - len(said)
    told = Refused("contacts.row-more", count=left) if left else said.pop()
    for fault in reversed(said):
        told = Refused("contacts.row-and", first=fault, rest=told)
    return told


def _lines(name: str, text: str) -> Iterator[tuple[int, list[str]]]:
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        head = next(reader, [])
        if tuple(cell.strip() for cell in head) != COLUMNS:
            raise Refused("contacts.columns", file=name, columns=",".join(COLUMNS))
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error:
        raise Refused("contacts.not-csv", file=name, line=reader.line_num) from None


def _checked(lines: Iterable[tuple[int, list[str]]], areas: Mapping[str, Area]) -> tuple[list[Row], list[Refused]]:
    rows: list[Row] = []
    faults: list[Refused] = []
    for line, cells in lines:
        try:
            rows.append(_row(line, cells, areas))
        except Refused as fault:
            faults.append(fault)
    return rows, faults


def _row(line: int, cells: list[str], areas: Mapping[str, Area]) -> Row:
    if len(cells) != len(COLUMNS):
        raise Refused("contacts.cells", line=line, found=len(cells), wanted=len(COLUMNS))
    area, kind, name_zh, name_en, where, order, phone = cells
    if area not in areas:
        raise Refused("contacts.unknown-area", line=line, area=area[:20])
    if areas[area].kind is AreaKind.CITY:
        raise Refused("contacts.city", line=line, area=area)
    if kind not in _KINDS:
        raise Refused("contacts.unknown-kind", line=line, value=kind[:20], known=", ".join(CallKind))
    for column, value, longest in (
        ("name_zh", name_zh, LONGEST_NAME),
        ("name_en", name_en, LONGEST_NAME),
        ("place", where, LONGEST_PLACE),
    ):
        if not value or len(value) > longest or not value.isprintable():
            raise Refused("contacts.text", line=line, column=column, longest=longest)
    if not (order.isascii() and order.isdigit() and 1 <= int(order) <= MOST_CONTACTS):
        raise Refused("contacts.order", line=line, value=order[:20], most=MOST_CONTACTS)
    try:
        number, masked = number_of(phone)
    except Refused:
        raise Refused("contacts.not-a-number", line=line) from None
    return Row(line, area, _KINDS[kind], name_zh, name_en, where, int(order), number, masked)


def _against_each_other(rows: Iterable[Row]) -> list[Refused]:
    """What only shows beside other rows: a contact twice, a place said in two ways, a gap in the order."""
    faults: list[Refused] = []
    places: dict[tuple[str, str, str], dict[int, Row]] = defaultdict(dict)
    for row in rows:
        held = places[row.place]
        first = next(iter(held.values()), row)
        if row.order in held:
            faults.append(Refused("contacts.twice", line=row.line, first=held[row.order].line, order=row.order))
        elif (row.name_en, row.where) != (first.name_en, first.where):
            faults.append(Refused("contacts.contradiction", line=row.line, first=first.line))
        elif any(row.phone == other.phone for other in held.values()):
            faults.append(Refused("contacts.same-number", line=row.line, number=row.masked))
        else:
            held[row.order] = row
    for held in places.values():
        lacking = next((n for n in range(1, max(held) + 1) if n not in held), None)
        if lacking is not None:
            last = held[max(held)]
            faults.append(Refused("contacts.gap", line=last.line, place=last.name_zh, order=lacking))
    return faults
