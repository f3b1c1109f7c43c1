"""Reader options: what an office knows of its files and they do not say, kept with every forecast made with it.

They come from `[<source>.options]` in sources.toml or from `geowarn ingest READER --option key=value`. A reader takes
them by a member `configured`; which there are and what fits is the reader's own affair.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from geowarn.domain.errors import Refused
from geowarn.domain.rain import Option
from geowarn.domain.settings_table import SettingsTable
from geowarn.ports import Reader

COMMAND_LINE = "--option"


def reader_named(readers: Mapping[str, Reader], name: str) -> Reader:
    """The installed reader of this name; raises Refused."""
    if name not in readers:
        raise Refused("ingest.unknown-reader", reader=name, known=", ".join(sorted(readers)))
    return readers[name]


def with_options(reader: Reader, table: SettingsTable) -> Reader:
    """The reader set by these options, itself where there are none; raises Refused naming the option."""
    if not table.values:
        return reader
    for key, value in table.values.items():
        if not isinstance(value, str | int | float | bool):
            raise table.bad(key, '"…", 1, 0.5, true')
    configured = getattr(reader, "configured", None)
    if configured is None:
        raise Refused("reader.no-options", file=table.file, source=table.name, reader=reader.name)
    found: Reader = configured(table)
    return found


def kept(table: SettingsTable | None) -> tuple[Option, ...]:
    """The options as a forecast keeps them, in order of name."""
    return tuple(sorted(table.values.items())) if table else ()


def of_forecast(name: str, options: Sequence[Option]) -> SettingsTable:
    """A kept forecast's options, for its reader; `name` is what a refusal calls the forecast."""
    return SettingsTable(name, "options", dict(options))


def of_command_line(given: Sequence[str], reader: str) -> SettingsTable:
    """`key=value` pairs, the value as in a TOML file or as plain text; raises Refused for anything else."""
    values: dict[str, Any] = {}
    for one in given:
        key, sign, text = one.partition("=")
        if not (key.strip() and sign) or key.strip() in values:
            raise Refused("reader.option", value=one[:60])
        values[key.strip()] = _value(text.strip())
    return SettingsTable(COMMAND_LINE, reader, values)


def _value(text: str) -> Any:
    try:
        found = tomllib.loads(f"value = {text}")
    except tomllib.TOMLDecodeError:
        return text
    return found["value"] if list(found) == ["value"] else text
