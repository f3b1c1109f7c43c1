"""Draws one SVG as PNG, in a process of its own; started by its path and imports little. See `picture`.

Arguments: file of the font, its family, dots to the inch, dots from side to side. Standard input: SVG; output: PNG.
"""

from __future__ import annotations

import sys

import resvg_py


def main() -> None:
    """One picture from standard input to standard output."""
    font, family, dpi, width = sys.argv[1:5]
    drawn = resvg_py.svg_to_bytes(
        svg_string=sys.stdin.buffer.read().decode(),
        skip_system_fonts=True,
        font_files=[font],
        font_family=family,
        dpi=float(dpi),
        width=int(width),
    )
    sys.stdout.buffer.write(bytes(drawn))


if __name__ == "__main__":
    main()
