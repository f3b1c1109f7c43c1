"""A recipients CSV → checked rows, or a refusal that names file, line, field and reason and shows no number."""

from __future__ import annotations

import csv
import re
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import phonenumbers

from geowarn.domain.errors import Refused
from geowarn.domain.recipient import LANGUAGES, ROLES, mask_phone
from geowarn.domain.unread import why

COLUMNS = ("phone", "area", "language", "role", "consent")
LARGEST = 256 * 1024 * 1024  # bytes
LONGEST_CONSENT = 200  # characters

# Numbers the North American plan keeps for fiction: valid in form, assigned to nobody, whatever the area code.
NEVER_ASSIGNED = re.compile(r"\+1[2-9]\d{2}55501\d{2}")


@dataclass(frozen=True, slots=True)
class Row:
    """One checked line; the number in E.164."""

    line: int
    phone: str = field(repr=False)
    masked: str
    area: str
    language: str
    role: str
    consent: str


@dataclass(frozen=True, slots=True)
class _Place:
    """Where in the file we are, for refusals."""

    file: str
    line: int

    def refuse(self, key: str, **facts: object) -> Refused:
        return Refused(key, file=self.file, line=self.line, **facts)


def read_rows(file: Path, areas: Container[str]) -> Iterator[Row]:
    """Every row, checked, in order; raises Refused at the first bad one.

    Numbers need their country code: `+8613…`, or the same with blanks, dots and dashes.
    """
    for line, cells in read_lines(file, COLUMNS, "recipients.columns"):
        yield _row(_Place(file.name, line), cells, areas)


def read_lines(file: Path, columns: tuple[str, ...], other: str) -> Iterator[tuple[int, list[str]]]:
    """Number and cells, blanks around them taken off, of every line that holds anything below a first line `columns`.

    Raises Refused for what cannot be read, and under the key `other` for another first line.
    """
    try:
        if file.stat().st_size > LARGEST:
            raise Refused("recipients.too-large", file=file.name, limit=LARGEST // 1024 // 1024)
        with file.open(encoding="utf-8-sig", newline="") as text:
            yield from _lines(file.name, csv.reader(text, strict=True), columns, other)
    except OSError as error:
        raise Refused("recipients.unreadable", file=file.name, reason=why(error)) from None
    except UnicodeDecodeError:
        raise Refused("recipients.not-text", file=file.name) from None


def _lines(
    name: str, reader: Iterator[list[str]], columns: tuple[str, ...], other: str
) -> Iterator[tuple[int, list[str]]]:
    head = _next(name, reader, 1)
    if head is None or tuple(cell.strip() for cell in head) != columns:
        raise Refused(other, file=name, columns=",".join(columns))
    line = 1
    while (cells := _next(name, reader, line + 1)) is not None:
        line += 1
        if any(cell.strip() for cell in cells):
            yield line, [cell.strip() for cell in cells]


def _next(name: str, reader: Iterator[list[str]], line: int) -> list[str] | None:
    try:
        return next(reader, None)
    except csv.Error:
        raise Refused("recipients.not-csv", file=name, line=line) from None


def _row(place: _Place, cells: list[str], areas: Container[str]) -> Row:
    if len(cells) != len(COLUMNS):
        raise place.refuse("recipients.cells", found=len(cells), wanted=len(COLUMNS))
    text, area, language, role, consent = cells
    phone, masked = _number(place, text)
    if area not in areas:
        raise place.refuse("recipients.unknown-area", area=area[:20])
    if language not in LANGUAGES:
        raise place.refuse("recipients.unknown-language", value=language[:20], known=", ".join(LANGUAGES))
    if role not in ROLES:
        raise place.refuse("recipients.unknown-role", value=role[:20], known=", ".join(ROLES))
    if not consent or len(consent) > LONGEST_CONSENT or not consent.isprintable():
        raise place.refuse("recipients.consent", number=masked, longest=LONGEST_CONSENT)
    return Row(place.line, phone, masked, area, language, role, consent)


def _number(place: _Place, text: str) -> tuple[str, str]:
    try:
        parsed = phonenumbers.parse(text[:40], None)
    except phonenumbers.NumberParseException:
        raise place.refuse("recipients.not-a-number", number=_hidden(text)) from None
    phone = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    masked = mask_phone(parsed.country_code or 0, phone)
    valid = phonenumbers.is_possible_number(parsed) and phonenumbers.is_valid_number(parsed)
    if parsed.extension or not (valid or NEVER_ASSIGNED.fullmatch(phone)):
        raise place.refuse("recipients.invalid-number", number=masked)
    return phone, masked


def _hidden(text: str) -> str:
    """What is no number may still be most of one."""
    digits = re.sub(r"\D", "", text)
    return f"*** **{digits[-2:]}" if len(digits) >= 6 else "***"
