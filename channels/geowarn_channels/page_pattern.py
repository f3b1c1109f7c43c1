"""Pages that differ in a few places: rendered once with slots, then filled for each place without a template engine."""

from __future__ import annotations

import re
from collections.abc import Mapping

from markupsafe import Markup

# Control characters that no text of ours may hold, so a slot is never mistaken for content.
_OPEN, _CLOSE = "\x02", "\x03"
_SLOT = re.compile(f"{_OPEN}([a-z_]+){_CLOSE}")


def slot(name: str) -> Markup:
    """What stands in a rendered page for a value that is filled in later."""
    return Markup(f"{_OPEN}{name}{_CLOSE}")  # noqa: S704 -- our own words


class Pattern:
    """A rendered text with slots."""

    def __init__(self, text: str) -> None:
        self._pieces = _SLOT.split(text)  # text, name, text, name … text

    def fill(self, values: Mapping[str, str]) -> str:
        """The text with every slot replaced; the values must be escaped already. Raises KeyError for a missing one."""
        pieces = self._pieces.copy()
        pieces[1::2] = [values[name] for name in pieces[1::2]]
        return "".join(pieces)
