"""Offices and newsrooms that get warnings by mail, from a CSV `mail,area,language,role,consent`.

A row a mailbox and area; a row without area means every area. All of it is taken in or nothing, sealed at once.
"""

from __future__ import annotations

from collections.abc import Container
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.exercise import TARGET
from geowarn.domain.level import Level
from geowarn.domain.recipient import LANGUAGES
from geowarn.domain.subscriber import ROLES, SUBSCRIBER, Subscriber, Wish, mail_address, mask_address, same_mailbox
from geowarn.pipeline.identifiers import new_id
from geowarn.pipeline.recipient_file import LONGEST_CONSENT, read_lines
from geowarn.pipeline.recipients import ImportReport
from geowarn.pipeline.subscribing import sealed
from geowarn.ports import Clock, Store, UnitOfWork, Vault

COLUMNS = ("mail", "area", "language", "role", "consent")
_IMPORTED = tuple(role for role in ROLES if role != SUBSCRIBER)  # people subscribe by themselves


@dataclass(frozen=True, slots=True)
class MailRow:
    """One checked line."""

    line: int
    address: str = field(repr=False)
    area: str
    language: str
    role: str
    consent: str


def is_mail_file(file: Path) -> bool:
    """Whether a file of recipients holds addresses instead of numbers, by its first line."""
    try:
        with file.open(encoding="utf-8-sig") as text:
            return text.readline(200).split(",")[0].strip() == COLUMNS[0]
    except (OSError, UnicodeDecodeError):
        return False


def import_mail(store: Store, vault: Vault, clock: Clock, file: Path, least: Level, actor_text: str) -> ImportReport:
    """Take in the file; who is there already keeps id and first day. Raises Refused naming file, line and field."""
    with store.read() as work:
        areas = {area.code for area in work.areas.plain()}
    lines = read_lines(file, COLUMNS, "mail.columns")
    rows = [_row(file.name, number, cells, areas) for number, cells in lines]
    if not rows:
        raise Refused("recipients.empty", file=file.name)
    now, by_mailbox = clock.now(), _by_mailbox(file.name, rows)
    people = [_sealed(vault, of_one, least, now) for of_one in by_mailbox]
    with store.begin() as work:
        _refuse_moves(work, file.name, by_mailbox, people)
        added = work.subscribers.save_all(people)
        report = ImportReport(len(rows), added, len(rows) - len(people))
        facts = {"file": file.name, "rows": report.rows, "new": report.added, "duplicates": report.duplicates}
        work.ledger.append(now, actor_text, "subscribers.imported", "subscribers", facts)
        work.commit()
    return report


def _by_mailbox(file: str, rows: list[MailRow]) -> list[list[MailRow]]:
    found: dict[str, list[MailRow]] = {}
    for row in rows:
        held = found.setdefault(same_mailbox(row.address), [row])
        if held[0] is row:
            continue
        if replace(held[0], line=row.line, area=row.area, address=row.address) != row:
            shown = mask_address(row.address)
            raise Refused("mail.contradiction", file=file, line=row.line, first=held[0].line, address=shown)
        held.append(row)
    return list(found.values())


def _refuse_moves(work: UnitOfWork, file: str, rows: list[list[MailRow]], people: list[Subscriber]) -> None:
    """Nobody stops getting real warnings, or begins to, because a list of the exercise group names them, or leaves
    them out (house rule 10).
    """
    held = {one.address_key: one.role for one in work.subscribers.all()}
    for of_one, person in zip(rows, people, strict=True):
        known = held.get(person.address_key, person.role)
        if (known == TARGET) is not (person.role == TARGET):
            facts = {"held": known, "role": person.role, "address": person.address_masked}
            raise Refused("mail.role-kept", file=file, line=of_one[0].line, **facts)


def _sealed(vault: Vault, rows: list[MailRow], least: Level, now: datetime) -> Subscriber:
    first, kept = rows[0], sealed(vault, rows[0].address)
    areas = () if any(not row.area for row in rows) else tuple(sorted({row.area for row in rows}))
    wish = Wish(first.language, areas, least)
    return Subscriber(new_id("m"), kept.key, kept.sealed, kept.masked, wish, first.role, first.consent, now)


def _row(file: str, line: int, cells: list[str], areas: Container[str]) -> MailRow:
    if len(cells) != len(COLUMNS):
        raise Refused("recipients.cells", file=file, line=line, found=len(cells), wanted=len(COLUMNS))
    text, area, language, role, consent = cells
    address = mail_address(text)
    if address is None:
        raise Refused("mail.bad-address", file=file, line=line, address=f"{text[:1]}***")
    if area and area not in areas:
        raise Refused("mail.unknown-area", file=file, line=line, area=area[:20])
    if language not in LANGUAGES:
        known = ", ".join(LANGUAGES)
        raise Refused("recipients.unknown-language", file=file, line=line, value=language[:20], known=known)
    if role not in _IMPORTED:
        raise Refused("mail.unknown-role", file=file, line=line, value=role[:20], known=", ".join(_IMPORTED))
    if not consent or len(consent) > LONGEST_CONSENT or not consent.isprintable():
        shown = mask_address(address)
        raise Refused("recipients.consent", file=file, line=line, number=shown, longest=LONGEST_CONSENT)
    return MailRow(line, address, area, language, role, consent)
