"""Where GRIB messages begin and end in a file, and the single fields of an edition 2 message of many fields.

Nothing is decoded here: lengths are followed and checked, so that a broken file is placed before a decoder sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from geowarn.sources.decoding import Bad

_FRAME = {1: 8, 2: 16}  # bytes of section 0
_END = b"7777"
_LARGE = 0x800000  # an edition 1 length above counts blocks of 120 bytes (ECMWF's way beyond 8 MiB)
_SAME_BITMAP = 254  # code table 6.0: the bitmap defined before in this message


def frames(data: Any) -> Iterator[tuple[int, int, int]]:
    """Number, first and past-last byte of each message; raises Bad for anything that is not whole messages."""
    number, position = 0, 0
    while True:
        start = data.find(b"GRIB", position)
        stop = start if start >= 0 else len(data)
        if start < 0 and number == 0:
            raise Bad("sources.grib-none")
        if not _harmless(data[position:stop]):
            raise Bad("sources.grib-gap", message=number + 1, offset=position, size=stop - position)
        if start < 0:
            return
        number += 1
        position = _end_of(data, number, start)
        yield number, start, position


def _harmless(gap: bytes) -> bool:
    # Zero padding and the short heading of a WMO bulletin stand between messages in real files.
    return not gap.strip(b"\0") or (len(gap) <= 80 and all(32 <= byte < 127 or byte in b"\1\3\r\n" for byte in gap))


def _end_of(data: Any, number: int, start: int) -> int:
    have = len(data) - start
    if have < 20:
        raise Bad("sources.grib-truncated", message=number, have=have, want=20)
    edition = data[start + 7]
    if edition not in _FRAME:
        raise Bad("sources.grib-edition", message=number, edition=edition)
    length = _length(data, start, edition)
    if length > have:
        raise Bad("sources.grib-truncated", message=number, have=have, want=length)
    if length < _FRAME[edition] + 4 or data[start + length - 4 : start + length] != _END:
        raise Bad("sources.grib-field", message=number, field="totalLength", value=length)
    return start + length


def _length(data: Any, start: int, edition: int) -> int:
    if edition == 2:
        return int.from_bytes(data[start + 8 : start + 16], "big")
    length = int.from_bytes(data[start + 4 : start + 7], "big")
    if length < _LARGE:
        return length
    position, flags = start + 8, data[start + 15]
    for present in (True, bool(flags & 0x80), bool(flags & 0x40)):
        position += int.from_bytes(data[position : position + 3], "big") if present else 0
    rest = int.from_bytes(data[position : position + 3], "big")
    return length if rest >= 120 else (length & (_LARGE - 1)) * 120 - rest + 4


@dataclass(frozen=True, slots=True)
class Field:
    """One field: `parameter` is discipline, category and number (edition 1: empty); `pieces` are spans of bytes.

    `name` is "#3", and "#3.2" for the second field of message 3; a field alone in its message is one piece.
    """

    number: int
    name: str
    parameter: tuple[int, ...]
    pieces: tuple[tuple[int, int], ...]

    def message(self, data: Any) -> bytes:
        """A whole message that holds this field alone."""
        if len(self.pieces) == 1:
            start, end = self.pieces[0]
            return bytes(data[start:end])
        first = self.pieces[0][0]
        length = _FRAME[2] + sum(end - start for start, end in self.pieces[1:]) + 4
        head = bytes(data[first : first + 8]) + length.to_bytes(8, "big")
        return b"".join([head, *(data[start:end] for start, end in self.pieces[1:]), _END])


def fields(data: Any, number: int, start: int, end: int) -> list[Field]:
    """The fields of one message; raises Bad for broken sections."""
    if data[start + 7] == 1:
        return [Field(number, f"#{number}", (), ((start, end),))]
    found = list(_split(data, number, start, end))
    return [replace(found[0], pieces=((start, end),))] if len(found) == 1 else found


def _split(data: Any, number: int, start: int, end: int) -> Iterator[Field]:
    held: dict[int, tuple[int, int]] = {0: (start, start + _FRAME[2])}
    bitmap: tuple[int, int] | None = None
    count = 0
    position = start + _FRAME[2]
    while position < end - 4:
        length, section = int.from_bytes(data[position : position + 4], "big"), data[position + 4]
        if length < 5 or position + length > end - 4 or not 1 <= section <= 7:
            raise Bad("sources.grib-field", message=number, field=f"section{section}Length", value=length)
        held[section] = (position, position + length)
        if section == 6 and length >= 6:
            if data[position + 5] == _SAME_BITMAP and bitmap:
                held[6] = bitmap
            bitmap = held[6]
        if section == 7:
            count += 1
            yield _field(data, number, f"#{number}" if count == 1 else f"#{number}.{count}", held)
        position += length


def _field(data: Any, number: int, name: str, held: dict[int, tuple[int, int]]) -> Field:
    lacking = [section for section in (1, 3, 4, 5, 6) if section not in held]
    product, product_end = held.get(4, (0, 0))
    if lacking or product_end - product < 11:
        raise Bad("sources.grib-field", message=number, field=f"section{(lacking or [4])[0]}Length", value=0)
    parameter = (data[held[0][0] + 6], data[product + 9], data[product + 10])
    return Field(number, name, parameter, tuple(held[section] for section in range(8) if section in held))
