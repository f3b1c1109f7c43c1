"""Renders the pre-approved wording: the operator's templates first, then the shipped ones."""

from __future__ import annotations

import hashlib
from datetime import datetime
from pathlib import Path
from types import CodeType
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import BytecodeCache, Environment, FileSystemLoader, StrictUndefined, select_autoescape
from jinja2.bccache import Bucket

from geowarn.resources import templates_dir

_ENDS = ("。", "！", "？", ".", "!", "?")


class _Compiled(BytecodeCache):
    """What this process has compiled, by name, place and content: opening an installation again compiles nothing."""

    def __init__(self) -> None:
        self._codes: dict[tuple[str, str], CodeType] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        bucket.code = self._codes.get((bucket.key, bucket.checksum))

    def dump_bytecode(self, bucket: Bucket) -> None:
        if bucket.code is not None:
            self._codes[bucket.key, bucket.checksum] = bucket.code


_COMPILED = _Compiled()


class JinjaTemplates:
    """`geowarn.ports.Templates` over Jinja2; HTML, XML and SVG are escaped, plain text is not."""

    def __init__(self, own: Path | None = None) -> None:
        self._folders = [*([own] if own and own.is_dir() else []), templates_dir()]
        self.environment = Environment(
            loader=FileSystemLoader(self._folders),
            undefined=StrictUndefined,
            autoescape=select_autoescape(("html.j2", "xml.j2", "svg.j2"), default=False),
            trim_blocks=True,
            lstrip_blocks=True,
            keep_trailing_newline=False,
            bytecode_cache=_COMPILED,
        )
        self.environment.filters["local"] = local
        self.environment.filters["stop"] = stop

    def render(self, name: str, /, **values: Any) -> str:
        """Render one template file; an undefined name raises."""
        return self.environment.get_template(name).render(**values)

    def digest(self, folder: str) -> str:
        """SHA-256 over every template file of one folder, the operator's and the shipped ones."""
        found = hashlib.sha256()
        for base in self._folders:
            for file in sorted(path for path in (base / folder).rglob("*") if path.is_file()):
                found.update(file.relative_to(base).as_posix().encode() + b"\n" + file.read_bytes() + b"\n")
        return found.hexdigest()


def local(moment: datetime, zone: str) -> datetime:
    """The moment in the installation's zone."""
    return moment.astimezone(ZoneInfo(zone))


def stop(text: str, mark: str) -> str:
    """The text as a sentence: with `mark` at its end, unless a person has ended it already."""
    return text if text.endswith(_ENDS) else text + mark
