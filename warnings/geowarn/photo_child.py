"""Decodes one photo and draws it anew, in a process of its own with little memory and time; see `geowarn.photo`.

Arguments: parent, memory, seconds, most bytes, width, height, orientation, kind. Standard input: the file; output: PNG.
"""

from __future__ import annotations

import sys
import zlib
from base64 import b64encode

import resvg_py

from geowarn.domain.photo import LONGEST_SIDE, Picture
from geowarn.sources.limits import die_with, limit_resources

# EXIF's eight ways to hold a camera, as the matrix from stored to upright pixels: (a b c d e f) of width w, height h.
_TURNS = {
    1: "1 0 0 1 0 0",
    2: "-1 0 0 1 {w} 0",
    3: "-1 0 0 -1 {w} {h}",
    4: "1 0 0 -1 0 {h}",
    5: "0 1 1 0 0 0",
    6: "0 1 -1 0 {h} 0",
    7: "0 -1 -1 0 {h} {w}",
    8: "0 -1 1 0 0 {w}",
}


def fitting(body: bytes, picture: Picture, most: int) -> bytes:
    """The picture upright as PNG of at most so many bytes, drawn smaller until it is; empty as `draw` says."""
    drawn = draw(body, picture)
    while len(drawn) > most:
        size = int.from_bytes(drawn[16:20], "big"), int.from_bytes(drawn[20:24], "big")
        smaller = min(0.9, (most / len(drawn)) ** 0.5)
        drawn = draw(drawn, Picture("png", *size), max(1, int(max(size) * smaller)))
    return drawn


def draw(body: bytes, picture: Picture, longest: int = LONGEST_SIDE) -> bytes:
    """The picture upright as PNG, of its size to keep; empty where nothing could be decoded."""
    (across, down), (width, height) = picture.upright, picture.kept(longest)
    turn = _TURNS[picture.orientation].format(w=picture.width, h=picture.height)
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" width="{width}" '
        f'height="{height}" viewBox="0 0 {across} {down}" preserveAspectRatio="none"><g transform="matrix({turn})">'
        f'<image width="{picture.width}" height="{picture.height}" preserveAspectRatio="none" '
        f'xlink:href="data:image/{picture.kind};base64,{b64encode(body).decode()}"/></g></svg>'
    )
    drawn = bytes(resvg_py.svg_to_bytes(svg_string=svg, skip_system_fonts=True))
    return b"" if _blank(drawn, height) else drawn


def _blank(png: bytes, rows: int) -> bool:
    """Whether every pixel is transparent: what the library makes of a picture that it cannot read."""
    at, packed = 8, bytearray()
    while at + 8 <= len(png):
        length, kind = int.from_bytes(png[at : at + 4], "big"), png[at + 4 : at + 8]
        if kind == b"IDAT":
            packed += png[at + 8 : at + 8 + length]
        at += 12 + length
    # The first byte of a row only says how it is packed.
    return len(zlib.decompress(bytes(packed)).replace(b"\0", b"")) <= rows


def main() -> None:
    """One photo from standard input to standard output; exit 1 where it cannot be read."""
    parent, memory, seconds, most, width, height, orientation = (int(text) for text in sys.argv[1:8])
    die_with(parent)
    limit_resources(memory, seconds)
    drawn = fitting(sys.stdin.buffer.read(), Picture(sys.argv[8], width, height, orientation), most)
    if not drawn:
        raise SystemExit(1)
    sys.stdout.buffer.write(drawn)


if __name__ == "__main__":
    main()
