"""Why a file could not be read, as a refusal that a sentence takes as its `reason`, in either language."""

from __future__ import annotations

import csv
import errno
import json
import re
import tomllib

from geowarn.domain.errors import Refused

_SYSTEM = {
    errno.ENOENT: "reason.no-file",
    errno.EACCES: "reason.no-permission",
    errno.EPERM: "reason.no-permission",
    errno.EISDIR: "reason.folder",
    errno.ENOTDIR: "reason.no-file",
}
_TOML_PLACE = re.compile(r"at line (\d+), column (\d+)")


def why(error: Exception) -> Refused:
    """The reason that an exception of the standard library stands for."""
    if isinstance(error, UnicodeDecodeError):
        return Refused("reason.not-utf8", byte=error.start)
    if isinstance(error, tomllib.TOMLDecodeError):
        found = _TOML_PLACE.search(str(error))
        return Refused("reason.toml", line=found[1], column=found[2]) if found else Refused("reason.toml-end")
    if isinstance(error, json.JSONDecodeError):
        return Refused("reason.json", line=error.lineno, column=error.colno)
    if isinstance(error, csv.Error):
        return Refused("reason.csv")
    if isinstance(error, RecursionError):
        return Refused("reason.nested")
    if isinstance(error, OSError):
        return Refused(_SYSTEM[error.errno]) if error.errno in _SYSTEM else _other(error.strerror or str(error))
    return _other(str(error))


def _other(text: str) -> Refused:
    return Refused("reason.other", text=text[:200] or "-")


def larger_than(limit: int, unit: str) -> Refused:
    """The reason that a file is larger than `limit` of `unit` ("MiB", "B")."""
    return Refused("reason.too-large", limit=limit, unit=unit)
