"""What is wrong with a value of `config/policy.toml`, as a reason that is said in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, TypeVar

from geowarn.domain.errors import Refused

T = TypeVar("T")
NAMES = '["…", "…"]'


def invalid(file: str, key: str, reason: Refused) -> Refused:
    """The refusal of one value, by file and key."""
    return Refused("config.invalid", file=file, key=key, reason=reason)


def wrong(value: object, allowed: str) -> Refused:
    """The reason that a value is not among those that can be used."""
    return Refused("reason.value", value=repr(value)[:80], allowed=allowed)


def choices(known: Collection[str]) -> str:
    """How a reason shows a list of words to choose from."""
    return f"[{', '.join(known)}]"


def table_of(value: Any, known: Collection[str] | None, file: str, key: str) -> Mapping[str, Any]:
    """A table with no other keys than those known; None: with any. Raises Refused."""
    if not isinstance(value, dict):
        raise invalid(file, key, Refused("reason.table", value=repr(value)[:80]))
    for name in value:
        if known is not None and name not in known:
            raise invalid(file, f"{key}.{name}", Refused("reason.unknown-key", known=", ".join(sorted(known))))
    return value


def read(file: str, key: str, value: Any, reader: Callable[[Any], T]) -> T:
    """What a reader makes of a value; its reason gets file and key. Raises Refused."""
    try:
        return reader(value)
    except Refused as reason:
        raise invalid(file, key, reason) from None


def names(value: Any, allowed: str = NAMES) -> tuple[str, ...]:
    """A list of words; raises Refused."""
    if not isinstance(value, list) or not all(isinstance(name, str) and name for name in value):
        raise wrong(value, allowed)
    return tuple(value)


def each(value: Any, known: Mapping[str, T]) -> tuple[T, ...]:
    """A list of words out of those known, as what they stand for; raises Refused."""
    allowed = choices(known)
    found = names(value, allowed)
    if unknown := [name for name in found if name not in known]:
        raise wrong(unknown, allowed)
    return tuple(known[name] for name in found)
