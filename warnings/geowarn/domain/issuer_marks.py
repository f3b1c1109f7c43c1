"""What is remembered of each message that a feed names: taken, refused, or not brought yet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum


class How(StrEnum):
    """What became of a message that a feed names, as it begins the text that is kept."""

    TAKEN = ""
    REFUSED = "!"
    MISSING = "?"  # it could not be fetched: asked for again
    LEFT = "-"  # the same, and something newer of this feed was read since


@dataclass(frozen=True, slots=True)
class Mark:
    """The feed's own mark of a message, what became of it, and how often it could not be fetched."""

    mark: str
    how: How = How.TAKEN
    tries: int = 0

    @classmethod
    def read(cls, text: str) -> Mark:
        """What was kept as a text."""
        head, _, mark = text.rpartition(" ")
        return cls(mark, How(head[:1]), int(head[1:] or 0))

    def __str__(self) -> str:
        return self.mark if self.how is How.TAKEN else f"{self.how}{self.tries} {self.mark}"

    @property
    def final(self) -> bool:
        """Whether it is not asked for again under this mark."""
        return self.how in (How.TAKEN, How.REFUSED)

    @property
    def unread(self) -> bool:
        """Whether it could not be read, and nothing that came after it could."""
        return self.how in (How.REFUSED, How.MISSING)

    def missed(self) -> Mark:
        """The same after one more try that failed."""
        return replace(self, how=self.how if self.how is How.LEFT else How.MISSING, tries=self.tries + 1)

    def passed(self) -> Mark:
        """The same once something newer of its feed was read."""
        return replace(self, how={How.REFUSED: How.TAKEN, How.MISSING: How.LEFT}.get(self.how, self.how))


def marks_of(kept: Mapping[str, str]) -> dict[str, Mark]:
    """What was kept, by address."""
    return {address: Mark.read(text) for address, text in kept.items()}


def unread(marks: Iterable[Mark]) -> int:
    """How many messages could not be read though nothing newer was."""
    return sum(mark.unread for mark in marks)
