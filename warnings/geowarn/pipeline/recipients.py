"""The people who get the text: taken in from a CSV, counted, and given out only with a reason."""

from __future__ import annotations

import csv
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from geowarn.domain.errors import Refused
from geowarn.domain.recipient import Recipient
from geowarn.pipeline.recipient_file import COLUMNS, Row, read_rows
from geowarn.ports import Clock, Store, UnitOfWork, Vault

_STEP = 1000  # rows between two calls of `progress`


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What an import did: rows of the file, registrations that are new, rows that only repeat an earlier one."""

    rows: int
    added: int
    duplicates: int

    @property
    def updated(self) -> int:
        """Registrations that were there before."""
        return self.rows - self.added - self.duplicates


def import_recipients(
    store: Store,
    vault: Vault,
    clock: Clock,
    file: Path,
    actor_text: str,
    progress: Callable[[int], None] | None = None,
) -> ImportReport:
    """Take in a CSV `phone,area,language,role,consent`, all of it or nothing; numbers are sealed at once.

    A row that repeats number and area word for word is counted as a duplicate; one that contradicts an earlier row is
    refused, as is anything else bad: raises Refused naming file, line, field and reason, the number masked. A
    registration that has opted out stays opted out.
    """
    with store.read() as work:
        areas = {area.code for area in work.areas.plain()}
    first: dict[tuple[str, str], Row] = {}
    sealed: list[Recipient] = []
    count, now = 0, clock.now()
    for count, row in enumerate(read_rows(file, areas), 1):
        known = _repeated(file.name, first, row)
        if not known:
            sealed.append(_sealed(vault, row, now))
        if progress is not None and count % _STEP == 0:
            progress(count)
    if not sealed:
        raise Refused("recipients.empty", file=file.name)
    with store.begin() as work:
        added = work.recipients.add_all(sealed)
        report = ImportReport(count, added, count - len(sealed))
        facts = {"file": file.name, "rows": report.rows, "new": report.added, "duplicates": report.duplicates}
        work.ledger.append(now, actor_text, "recipients.imported", "recipients", facts)
        work.commit()
    if progress is not None:
        progress(count)
    return report


def _repeated(file: str, first: dict[tuple[str, str], Row], row: Row) -> bool:
    held = first.setdefault((row.phone, row.area), row)
    if held is row:
        return False
    if (held.language, held.role, held.consent) != (row.language, row.role, row.consent):
        raise Refused("recipients.contradiction", file=file, line=row.line, first=held.line, number=row.masked)
    return True


def _sealed(vault: Vault, row: Row, now: datetime) -> Recipient:
    return Recipient(
        id=f"r-{secrets.token_hex(8)}",
        phone_key=vault.key_of(row.phone),
        phone_sealed=vault.seal(row.phone),
        phone_masked=row.masked,
        area=row.area,
        language=row.language,
        role=row.role,
        consent=row.consent,
        added_at=now,
    )


def stats(work: UnitOfWork) -> dict[tuple[str, str, str], int]:
    """(area, language, role) -> how many get the text; those who opted out are not counted."""
    return work.recipients.counts()


def export_recipients(store: Store, vault: Vault, clock: Clock, file: Path, reason: str, actor_text: str) -> int:
    """Write everyone who has not opted out with the number in the clear; returns how many.

    The reason goes into the ledger before the first number is opened. The new file is readable by its owner only.
    Raises Refused without a reason, when the file exists or cannot be written, or when the key does not fit.
    """
    if not reason.strip():
        raise Refused("recipients.reason-missing")
    try:
        out = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise Refused("recipients.not-written", file=str(file), reason=error.strerror or "unwritable") from None
    with os.fdopen(out, "w", encoding="utf-8", newline="") as text:
        with store.begin() as work:
            found = [recipient for recipient in work.recipients.all() if recipient.opted_out_at is None]
            facts = {"count": len(found), "reason": reason.strip()}
            work.ledger.append(clock.now(), actor_text, "recipients.exported", "recipients", facts)
            work.commit()
        csv.writer(text).writerows(_lines(vault, found))
    return len(found)


def _lines(vault: Vault, found: list[Recipient]) -> Iterator[tuple[str, ...]]:
    yield COLUMNS
    for given in found:
        yield (vault.open(given.phone_sealed), given.area, given.language, given.role, given.consent)
