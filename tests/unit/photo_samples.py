"""Small pictures as telephones make them, and the pixels of a PNG: red on the left, blue on the right, 16 by 8."""

from __future__ import annotations

import struct
import zlib
from base64 import b64decode

JPEG = b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a"
    "YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAAR"
    "CAAIABADASIAAhEBAxEB/8QAFgABAQEAAAAAAAAAAAAAAAAAAAUG/8QAFBABAAAAAAAAAAAAAAAAAAAAAP/EABQBAQAAAAAAAAAAAAAAAAAA"
    "AAX/xAAZEQACAwEAAAAAAAAAAAAAAAAAQwWBwQb/2gAMAwEAAhEDEQA/AMskAU5ttaMz67w//9k="
)
WEBP = b64decode("UklGRjwAAABXRUJQVlA4IDAAAABwAQCdASoQAAgAAoBCJaACdAFAAAD+9Jz/5Rr9zf/6ln9bf0Gv/tLOlv/9St8AAAA=")
PLACE = b"GPS 37.4213N 120.9526E"  # what a telephone writes beside the pixels


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """A PNG of grey rows, or one that only says it has so many pixels."""
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = b"".join(b"\0" + b"\x80" * width for _ in range(height)) if rows is None else rows
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(body)) + chunk(b"IEND", b"")


def with_exif(orientation: int, order: str = "<") -> bytes:
    """The JPEG with EXIF: which way up, and where it was taken."""
    mark = b"II" if order == "<" else b"MM"
    entry = struct.pack(f"{order}HHIHH", 0x0112, 3, 1, orientation, 0)
    tiff = mark + struct.pack(f"{order}HIH", 42, 8, 1) + entry + struct.pack(f"{order}I", 0) + PLACE
    exif = b"Exif\0\0" + tiff
    return JPEG[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + JPEG[2:]


def pixels(body: bytes) -> list[list[tuple[int, ...]]]:
    """The pixels of an RGBA PNG of 8 bits, row by row."""
    width, height = struct.unpack(">II", body[16:24])
    assert body[24:26] == b"\x08\x06"
    at, packed = 8, b""
    while at < len(body):
        length = int.from_bytes(body[at : at + 4], "big")
        packed += body[at + 8 : at + 8 + length] if body[at + 4 : at + 8] == b"IDAT" else b""
        at += 12 + length
    raw, rows, above = zlib.decompress(packed), [], bytes(4 * width)
    for row in range(height):
        start = row * (4 * width + 1)
        above = _unpacked(raw[start], raw[start + 1 : start + 1 + 4 * width], above)
        rows.append([tuple(above[4 * x : 4 * x + 4]) for x in range(width)])
    return rows


def _unpacked(kind: int, line: bytes, above: bytes) -> bytes:
    found = bytearray()
    for at, byte in enumerate(line):
        left, up = (found[at - 4], above[at]) if at >= 4 else (0, above[at])
        corner = above[at - 4] if at >= 4 else 0
        guess = left + up - corner
        nearest = min((left, up, corner), key=lambda one: abs(guess - one))
        found.append((byte + (0, left, up, (left + up) // 2, nearest)[kind]) & 255)
    return bytes(found)
