"""One table of a configuration file, read key by key: a wrong value is refused with file, table, key and what fits."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.errors import Refused

_URL = re.compile(r"https?://[^\s/?#@]+(/[^\s?#]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class SettingsTable:
    """The values of one table with the places they came from."""

    file: str
    name: str
    values: Mapping[str, Any]

    def bad(self, key: str, allowed: str) -> Refused:
        """The refusal of the value at `key`, or of a key that is missing."""
        value = repr(self.values[key])[:80] if key in self.values else "-"
        return Refused("plan.value", file=self.file, source=self.name, key=key, value=value, allowed=allowed)

    def text(self, key: str, default: str | None = None, pattern: str = r".+", allowed: str = '"…"') -> str:
        """A text that `pattern` matches whole."""
        value = self.values.get(key, default)
        if not isinstance(value, str) or (value != default and not re.fullmatch(pattern, value)):
            raise self.bad(key, allowed)
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        """A whole number from `low` to `high`."""
        value = self.values.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(key, f"{low} … {high}")
        return value

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        """A number from `low` to `high`."""
        value = self.values.get(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool) or not low <= value <= high:
            raise self.bad(key, f"{low:g} … {high:g}")
        return float(value)

    def truth(self, key: str, default: bool) -> bool:
        """True or false."""
        value = self.values.get(key, default)
        if not isinstance(value, bool):
            raise self.bad(key, "true, false")
        return value

    def wholes(self, key: str, low: int, high: int, default: Iterable[int] | None = None) -> tuple[int, ...]:
        """Ascending whole numbers from `low` to `high`, at least one."""
        value = self.values.get(key, list(default) if default is not None else None)
        if not isinstance(value, list) or not value or not all(type(one) is int for one in value):
            raise self.bad(key, f"[{low} … {high}]")
        if sorted(set(value)) != value or not low <= value[0] <= value[-1] <= high:
            raise self.bad(key, f"[{low} … {high}]")
        return tuple(value)

    def numbers(self, key: str, low: float, high: float) -> tuple[float, ...]:
        """Numbers from `low` to `high`, at least one."""
        value = self.values.get(key)
        if not isinstance(value, list) or not value:
            raise self.bad(key, f"[{low:g} … {high:g}]")
        if not all(type(one) in (int, float) and low <= one <= high for one in value):
            raise self.bad(key, f"[{low:g} … {high:g}]")
        return tuple(float(one) for one in value)

    def url(self, key: str, default: str | None = None) -> str:
        """An address without user, query and fragment, and without a slash at its end."""
        return self.text(key, default, _URL.pattern, "http(s)://host/path").rstrip("/")

    def refuse_unknown(self, known: Iterable[str]) -> None:
        """Raise Refused for the first key that is none of these."""
        for key in self.values:
            if key not in set(known):
                raise self.bad(key, ", ".join(sorted(known)))
