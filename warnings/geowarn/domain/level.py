"""The four warning levels of Chinese practice, and none."""

from __future__ import annotations

from enum import IntEnum

from geowarn.domain.errors import Refused


class Level(IntEnum):
    """A hazard level; a higher number is a greater danger."""

    NONE = 0
    BLUE = 1
    YELLOW = 2
    ORANGE = 3
    RED = 4

    @property
    def code(self) -> str:
        """The lower-case English colour, as used in files, addresses and JSON."""
        return self.name.lower()

    @property
    def roman(self) -> str:
        """IV for blue to I for red; an empty text for none (突发事件应对法, article 42)."""
        return ("", "IV", "III", "II", "I")[self]

    @classmethod
    def parse(cls, text: str) -> Level:
        """Read a colour name; raises Refused when it is not one of the five."""
        try:
            return cls[text.strip().upper()]
        except KeyError:
            raise Refused("level.unknown", value=text) from None
