"""What a picture's first bytes say of it: kind, size and which way up, before anything decodes it."""

from __future__ import annotations

from dataclasses import dataclass

from geowarn.domain.errors import Refused

LONGEST_SIDE = 1280  # pixels of what is kept
MOST_KEPT = 2_000_000  # bytes of it; what is larger, as a picture of noise, is drawn smaller
_EXIF = b"Exif\x00\x00"
_ORIENTATION = 0x0112
_NO_SIZE = frozenset({0xC4, 0xC8, 0xCC})  # among the markers of frames, those of tables


@dataclass(frozen=True, slots=True)
class Picture:
    """Kind (`jpeg`, `png`, `webp`), size in pixels as stored, and EXIF's orientation 1 to 8."""

    kind: str
    width: int
    height: int
    orientation: int = 1

    @property
    def upright(self) -> tuple[int, int]:
        """Width and height as a viewer shows it."""
        return (self.height, self.width) if self.orientation >= 5 else (self.width, self.height)

    def kept(self, longest: int = LONGEST_SIDE) -> tuple[int, int]:
        """The size it is drawn anew at: no side longer than `longest`, in pixels."""
        width, height = self.upright
        factor = min(1.0, longest / max(width, height))
        return max(1, round(width * factor)), max(1, round(height * factor))


def look_at(body: bytes, most_pixels: int) -> Picture:
    """The picture that these bytes begin; raises Refused for what is none of the three kinds, or too large."""
    try:
        found = _jpeg(body) or _png(body) or _webp(body)
    except IndexError:
        found = None
    if found is None or found.width < 1 or found.height < 1:
        raise Refused("photo.kind")
    if found.width * found.height > most_pixels:
        raise Refused("photo.pixels", width=found.width, height=found.height, megapixels=most_pixels // 1_000_000)
    return found


def _big(body: bytes, at: int, length: int) -> int:
    if at + length > len(body):
        raise IndexError
    return int.from_bytes(body[at : at + length], "big")


def _jpeg(body: bytes) -> Picture | None:
    if body[:3] != b"\xff\xd8\xff":
        return None
    at, orientation = 2, 1
    while at < len(body):
        if body[at] != 0xFF:
            return None
        marker = body[at + 1]
        if marker == 0xFF:  # fill
            at += 1
            continue
        if marker in (0xD9, 0xDA):  # the end, or pixels before a size
            return None
        length = _big(body, at + 2, 2)
        if length < 2:
            return None
        if marker == 0xE1 and body[at + 4 : at + 10] == _EXIF:
            orientation = _orientation(body[at + 10 : at + 2 + length])
        if 0xC0 <= marker <= 0xCF and marker not in _NO_SIZE:
            return Picture("jpeg", _big(body, at + 7, 2), _big(body, at + 5, 2), orientation)
        at += 2 + length
    return None


def _orientation(tiff: bytes) -> int:
    """The orientation in the first directory; 1 where there is none or it makes no sense."""
    order = {b"II": "little", b"MM": "big"}.get(tiff[:2])
    if order is None:
        return 1

    def number(at: int, length: int) -> int:
        return int.from_bytes(tiff[at : at + length], order)  # type: ignore[arg-type]

    start = number(4, 4)
    for entry in range(min(number(start, 2), 200)):
        at = start + 2 + 12 * entry
        if number(at, 2) == _ORIENTATION:
            found = number(at + 8, 2)
            return found if 1 <= found <= 8 else 1
    return 1


def _png(body: bytes) -> Picture | None:
    if body[:8] != b"\x89PNG\r\n\x1a\n" or body[12:16] != b"IHDR":
        return None
    return Picture("png", _big(body, 16, 4), _big(body, 20, 4))


def _webp(body: bytes) -> Picture | None:
    if body[:4] != b"RIFF" or body[8:12] != b"WEBP":
        return None
    kind = body[12:16]
    if kind == b"VP8X":
        width, height = (int.from_bytes(body[at : at + 3], "little") + 1 for at in (24, 27))
    elif kind == b"VP8 " and body[23:26] == b"\x9d\x01\x2a":
        width, height = (int.from_bytes(body[at : at + 2], "little") & 0x3FFF for at in (26, 28))
    elif kind == b"VP8L" and body[20:21] == b"\x2f":
        bits = int.from_bytes(body[21:25], "little")
        width, height = (bits & 0x3FFF) + 1, ((bits >> 14) & 0x3FFF) + 1
    else:
        return None
    return Picture("webp", width, height) if len(body) >= 30 else None
