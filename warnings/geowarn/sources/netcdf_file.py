"""A NetCDF file as its decoding child described it: variables by name, found from one another as CF names them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from geowarn.domain.errors import Refused


@dataclass(frozen=True, slots=True)
class Variable:
    """One variable; `values` stand here where it is small, `stored` names a file of a 2-D coordinate's values."""

    name: str
    dims: tuple[str, ...]
    shape: tuple[int, ...]
    type: str
    attributes: Mapping[str, Any]
    values: tuple[float, ...] | None
    stored: str | None

    def text(self, name: str) -> str:
        """An attribute as text, empty where it is absent."""
        value = self.attributes.get(name, "")
        return value.strip() if isinstance(value, str) else str(value)

    def number(self, name: str, otherwise: float) -> float:
        """An attribute as one number."""
        value = self.attributes.get(name, otherwise)
        return float(value) if isinstance(value, int | float) else otherwise

    def numbers(self, name: str) -> list[float]:
        """An attribute as numbers, none where it is absent or text."""
        value = self.attributes.get(name, [])
        listed = value if isinstance(value, list) else [value]
        return [float(one) for one in listed if isinstance(one, int | float)]

    @property
    def short(self) -> str:
        """The name without its groups."""
        return self.name.rsplit("/", 1)[-1]


@dataclass(frozen=True, slots=True)
class File:
    """One file: `at` counts the files of the run, `file` is its name for messages."""

    at: int
    file: str
    attributes: Mapping[str, Any]
    variables: Mapping[str, Variable]

    def named(self, name: str, near: Variable) -> Variable | None:
        """The variable of that name in the same group, in the root, or the only one anywhere."""
        group = near.name.rsplit("/", 1)[0] + "/" if "/" in near.name else ""
        for full in (name, group + name):
            if full in self.variables:
                return self.variables[full]
        found = [one for one in self.variables.values() if one.short == name]
        return found[0] if len(found) == 1 else None

    def refused(self, key: str, variable: str, **facts: object) -> Refused:
        """A refusal of this file, naming the variable."""
        return Refused(f"netcdf.{key}", file=self.file, variable=variable, **facts)


def file_of(at: int, name: str, found: Mapping[str, Any]) -> File:
    """A file from the child's description."""
    variables = {
        key: Variable(
            name=key,
            dims=tuple(held["dims"]),
            shape=tuple(held["shape"]),
            type=held["type"],
            attributes=held["attributes"],
            values=tuple(held["values"]) if "values" in held else None,
            stored=held.get("stored"),
        )
        for key, held in found["variables"].items()
    }
    return File(at, name, found["attributes"], variables)
