"""GRIB 2 on regular longitude/latitude grids, decoded in a child process within limits on time and memory.

Totals (kg m-2, mm, m) and mean rates become disjoint interval totals; a production status of "test" (code table
1.3) makes the reading synthetic, because rain its producer marks as a test is nobody's forecast.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.rain import Grid, Payload, RainField, RainKind, Reading
from geowarn.sources.accumulation import Total, disjoint
from geowarn.sources.gates import check_range, check_size, only_file
from geowarn.sources.grib_message import Message, message_of

_CHILD = Path(__file__).with_name("grib_child.py")


class GribReader:
    """`geowarn.ports.Reader` for GRIB 2; limits are seconds, MiB, grid points per message and per file."""

    name = "grib"

    def __init__(
        self,
        *,
        seconds: int = 120,
        memory_mebibytes: int = 3072,
        points: int = 10_000_000,
        values: int = 120_000_000,
        messages: int = 20_000,
        file_mebibytes: int = 512,
    ) -> None:
        self.seconds = seconds
        self.file_mebibytes = file_mebibytes
        self.limits = {
            "seconds": seconds,
            "memory": memory_mebibytes << 20,
            "points": points,
            "values": values,
            "messages": messages,
        }

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Fields of every rain message; raises Refused naming message, field and reason."""
        file = only_file(files, self.name)
        return (self._reading(file.path, file.name),)

    def _reading(self, payload: Path, file_name: str) -> Reading:
        check_size(payload, file_name, self.file_mebibytes)
        with TemporaryDirectory(prefix="geowarn-grib-", ignore_cleanup_errors=True) as folder:
            result = self._decoded(payload, Path(folder), file_name)
            messages = [_load(Path(folder), header, file_name) for header in result["messages"]]
        return _reading(messages, result, file_name)

    def _decoded(self, payload: Path, folder: Path, file_name: str) -> dict[str, Any]:
        code = self._run(payload, folder, file_name)
        found = folder / "result.json"
        if code != 0 or not found.is_file():
            reason = _signal_name(-code) if code < 0 else f"exit {code}"
            raise Refused("sources.grib-crashed", file=file_name, message=_last_begun(folder), reason=reason)
        result: dict[str, Any] = json.loads(found.read_text("utf-8"))
        if "refused" in result:
            facts = {"limit": self.limits["points"], **result["facts"]}
            raise Refused(f"sources.{result['refused']}", file=file_name, **facts)
        return result

    def _run(self, payload: Path, folder: Path, file_name: str) -> int:
        # By path and with -P: the child sees the standard library, numpy and eccodes, and none of our secrets.
        command = [sys.executable, "-P", "-B", str(_CHILD), str(payload), str(folder), json.dumps(self.limits)]
        own = {key: value for key, value in os.environ.items() if not key.startswith("GEOWARN_")}
        try:
            with (folder / "progress").open("wb") as progress:
                return subprocess.run(  # noqa: S603
                    command,
                    stdin=subprocess.DEVNULL,
                    stdout=progress,
                    stderr=subprocess.DEVNULL,
                    env=own | {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"},
                    timeout=self.seconds,
                    check=False,
                ).returncode
        except subprocess.TimeoutExpired:
            message = _last_begun(folder)
            raise Refused("sources.grib-timeout", file=file_name, message=message, seconds=self.seconds) from None


def _signal_name(number: int) -> str:
    with contextlib.suppress(ValueError):
        return signal.Signals(number).name
    return f"signal {number}"


def _last_begun(folder: Path) -> str:
    lines = (folder / "progress").read_text("ascii", "replace").split()
    return lines[-1] if lines else "1"


def _load(folder: Path, header: dict[str, Any], file_name: str) -> Message:
    path = folder / f"{header['number']}.npy"
    raw = np.load(path, allow_pickle=False)
    path.unlink()
    return message_of(header, raw, file_name)


def _reading(messages: Sequence[Message], result: dict[str, Any], file_name: str) -> Reading:
    _refuse_without_intervals(messages, result, file_name)
    first = messages[0]
    for other in messages[1:]:
        _refuse_mixture(first, other, file_name)
    fields: list[RainField] = []
    for member in sorted({m.member for m in messages}, key=lambda member: -1 if member is None else member):
        fields += _fields([m for m in messages if m.member == member and m.period], file_name)
    notes = tuple(
        note(f"sources.note-ignored-{why}", count=result["ignored"].count(why)) for why in ("instant", "derived")
    )
    kept = tuple(text for text in notes if not text.endswith("count=0"))
    return Reading(tuple(fields), first.source, first.run_time, first.test, kept)


def _refuse_without_intervals(messages: Sequence[Message], result: dict[str, Any], file_name: str) -> None:
    if not messages and "instant" in result["ignored"]:
        raise Refused("sources.grib-instant", file=file_name)
    if not messages and "derived" in result["ignored"]:
        raise Refused("sources.grib-derived", file=file_name)
    if not messages:
        raise Refused("sources.grib-no-rain", file=file_name, count=result["seen"])
    if not any(message.period for message in messages):
        raise Refused("sources.grib-no-interval", file=file_name, message=messages[0].number)


def _refuse_mixture(first: Message, other: Message, file_name: str) -> None:
    for field in ("run_time", "grid", "kind", "source", "test"):
        one, two = getattr(first, field), getattr(other, field)
        if one != two:
            facts = {"message": other.number, "other": first.number, "field": field, "one": _shown(two)}
            raise Refused("sources.grib-mixture", file=file_name, two=_shown(one), **facts)


def _shown(value: object) -> str:
    if isinstance(value, Grid):
        return f"{value.nx} x {value.ny} @ {value.lon0:g}, {value.lat0:g}"
    return value.value if isinstance(value, RainKind) else str(value)


def _fields(messages: Sequence[Message], file_name: str) -> list[RainField]:
    if not messages:
        return []
    whole = [(m.is_rate, Total(m.period, m.values, m.quantum, str(m.number))) for m in messages if m.period]
    totals, rates = [t for rate, t in whole if not rate], [t for rate, t in whole if rate]
    parted = disjoint(totals, rates, file_name)
    first = messages[0]
    check_range([(total.period, total.values) for total in parted], first.grid, file_name)
    return [_field(total, first) for total in parted]


def _field(total: Total, of: Message) -> RainField:
    total.values.setflags(write=False)
    values = cast(Sequence[float], total.values)
    return RainField(
        total.period, of.grid, values, of.kind, of.source, of.run_time, of.member, tuple(dict.fromkeys(total.quality))
    )
