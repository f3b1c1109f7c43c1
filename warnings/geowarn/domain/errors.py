"""Everything the line can say no with.

Exception
└── Refused                 a person or a file asked for something that must not happen
    ├── NotFound            the thing named does not exist
    ├── NotEntitled         the person may not do this
    └── TooOften            it was asked more often than is taken
├── Collided                another transaction stood in the way: the same once more goes through
└── SendFailure             a channel could not prove that a message went out
    ├── TemporaryFailure    try again later
    ├── PermanentFailure    never try this target again for this message
    └── OutcomeUnknown      the far end may have it: ask before sending again
"""

from __future__ import annotations


class Refused(Exception):
    """Say no with a catalogue key and the facts its sentence needs.

    The sentence lives in `templates/messages/<part>.<language>.toml` under `key` (for example
    `areas.duplicate-code`), so that a duty officer reads it in Chinese and an operator in English.
    """

    def __init__(self, key: str, /, **facts: object) -> None:
        super().__init__(key, facts)
        self.key = key
        self.facts = facts

    def __str__(self) -> str:
        return f"{self.key}: " + ", ".join(f"{name}={value}" for name, value in self.facts.items())

    def kept(self) -> dict[str, object]:
        """The facts as plain JSON, for the ledger: text, and a fact that is a refusal itself as `key` and `facts`."""
        return {
            name: {"key": value.key, "facts": value.kept()} if isinstance(value, Refused) else str(value)[:500]
            for name, value in self.facts.items()
        }


class NotFound(Refused):
    """The thing named does not exist."""


class NotEntitled(Refused):
    """The person may not do this, whatever else they would fill in."""


class TooOften(Refused):
    """It was asked more often than is taken; the fact `seconds` says when it may be asked again."""


class Collided(Exception):
    """The database ended this transaction only because of another one; nothing of it is kept, and again it goes."""


class SendFailure(Exception):
    """A channel could not prove that a message went out; `reason` is for the officer, never a number."""

    def __init__(self, reason: str, *, code: str = "", alarm: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.code = code
        self.alarm = alarm  # an operator must act: every further message would fail the same way


class TemporaryFailure(SendFailure):
    """The message did not go out, and a later try may succeed."""


class PermanentFailure(SendFailure):
    """The message did not go out and never will to this target."""


class OutcomeUnknown(SendFailure):
    """The message may have gone out: ask the far end before anything is sent again."""
