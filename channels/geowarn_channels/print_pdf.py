"""The sheet of A4 as PDF: text that can be marked, searched and read aloud, the same bytes every time (extra `pdf`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timezone
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from importlib.resources import as_file, files
from typing import Literal

from geowarn.ports import Templates
from geowarn_channels.picture import Undrawn

TEMPLATE = "website/sheet.typ"
# PDF/UA-1: title, language, headings and the map's text alternative are there, and every character has its glyph.
_STANDARD: Literal["ua-1"] = "ua-1"


@cache
def drawn_by() -> str:
    """The version of what draws PDFs; empty where the extra `pdf` is not installed."""
    try:
        return version("typst")
    except PackageNotFoundError:
        return ""


def pdf(templates: Templates, sheet: Mapping[str, object], made: datetime) -> bytes:
    """One page of A4 as `website/sheet.typ` sets it out of `sheet`, dated `made`, with the font we carry and no other.

    Raises Undrawn on any fault of the library, its panics included: nothing else is to suffer for it.
    """
    source, offset = templates.render(TEMPLATE), made.utcoffset()
    try:
        import typst

        with as_file(files("geowarn_channels") / "fonts") as folder:
            fonts = typst.Fonts(include_system_fonts=False, include_embedded_fonts=False, font_paths=[folder])
            body = typst.Compiler(font_paths=fonts, sys_inputs={"sheet": json.dumps(sheet)}).compile(
                input=source.encode(),
                format="pdf",
                pdf_standards=[_STANDARD],
                timestamp=made if offset is None else made.replace(tzinfo=timezone(offset)),
            )
    except (KeyboardInterrupt, SystemExit):
        raise
    except BaseException as fault:  # a panic is no Exception
        raise Undrawn(" ".join(str(fault).split())) from fault
    if not isinstance(body, bytes):
        raise Undrawn(f"{type(body).__name__} instead of one PDF")
    return body
