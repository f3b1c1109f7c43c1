"""GRIB of either edition, in every packing and on every grid that eccodes can place, decoded in a child process.

All files of one run are read together by one child. Totals (kg m-2, mm, m) and mean rates become disjoint interval
totals; a production status of "test" (code table 1.3) makes the reading synthetic, because rain its producer marks
as a test is nobody's forecast. Regular longitude/latitude grids stay what they are; every other grid becomes a
`CurvedGrid` of eccodes' own coordinates.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.notes import note
from geowarn.domain.rain import CurvedGrid, Payload, RainField, Reading, curved_grid
from geowarn.sources.accumulation import Total, disjoint
from geowarn.sources.child import Child
from geowarn.sources.gates import check_range, check_sizes
from geowarn.sources.grib_message import Message, message_of, mixture
from geowarn.sources.stored import Folder


class GribReader:
    """`geowarn.ports.Reader` for GRIB; limits: seconds, MiB of memory and of all files, points a field and in all."""

    name = "grib"
    child = "geowarn.sources.grib_child"

    def __init__(
        self,
        *,
        seconds: int = 120,
        memory_mebibytes: int = 3072,
        points: int = 10_000_000,
        values: int = 240_000_000,
        messages: int = 20_000,
        file_mebibytes: int = 512,
    ) -> None:
        self.file_mebibytes = file_mebibytes
        self.limits = {
            "seconds": seconds,
            "memory": memory_mebibytes << 20,
            "points": points,
            "values": values,
            "messages": messages,
        }

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Fields of every rain message of every file; raises Refused naming file, message, field and reason."""
        check_sizes(files, self.file_mebibytes)
        names = [file.name for file in files]
        folder = Folder("grib")
        request = {"files": [str(file.path.absolute()) for file in files], "limits": self.limits}
        with Child(self.child, request, folder, names) as child:
            found = child.describe()
            curved = _Curved(folder)
            headers = enumerate(found["messages"])
            messages = [message_of(at, header, names, curved) for at, header in headers]
            _refuse_without_intervals(messages, found, names)
            fields = _fields(messages, child, folder)
        notes = [(why, found["ignored"].count(why)) for why in ("instant", "derived")]
        kept = tuple(note(f"sources.note-ignored-{why}", count=count) for why, count in notes if count)
        first = messages[0]
        return (Reading(fields, first.source, first.times.run, first.test, kept),)


class _Curved:
    """Grids by the name the child gave them, each made once."""

    def __init__(self, folder: Folder) -> None:
        self.folder, self.made = folder, dict[str, CurvedGrid]()

    def __call__(self, name: str, nx: int, ny: int) -> CurvedGrid:
        if name not in self.made:
            paths = [self.folder.path / f"{axis}-{name}.npy" for axis in ("lon", "lat")]
            lon, lat = (np.load(path, allow_pickle=False) for path in paths)
            lon.setflags(write=False)
            lat.setflags(write=False)
            self.made[name] = curved_grid(lon, lat, nx, ny)
        return self.made[name]


def _refuse_without_intervals(messages: Sequence[Message], found: dict[str, Any], names: Sequence[str]) -> None:
    if not messages and "instant" in found["ignored"]:
        raise Refused("sources.grib-instant", file=names[0])
    if not messages and "derived" in found["ignored"]:
        raise Refused("sources.grib-derived", file=names[0])
    if not messages:
        raise Refused("sources.grib-no-rain", file=names[0], count=found["seen"])
    if not any(message.period for message in messages):
        raise Refused("sources.grib-no-interval", file=messages[0].file, message=messages[0].number)
    for other in messages[1:]:
        refusal = mixture(messages[0], other)
        if refusal:
            raise refusal


def _fields(messages: Sequence[Message], child: Child, folder: Folder) -> tuple[RainField, ...]:
    """Fields of all members, decoded and parted member by member in the order of time."""
    members = sorted({message.member for message in messages}, key=lambda member: -1 if member is None else member)
    parted = {member: _in_order([m for m in messages if m.member == member and m.period]) for member in members}
    ordered = [message for both in parted.values() for some in both for message in some]
    child.decode([{"at": m.at, "factor": m.factor, "quantum": m.quantum} for m in ordered])
    fields: list[RainField] = []
    for totals, rates in parted.values():
        file = (totals + rates)[0].file if totals or rates else messages[0].file
        made = disjoint(_totals(totals, child), _totals(rates, child), file, folder.keep)
        check_range([(total.period, total.values) for total in made], messages[0].grid, file)
        fields += [_field(total, (totals + rates)[0]) for total in made]
    return tuple(fields)


def _in_order(messages: Sequence[Message]) -> tuple[list[Message], list[Message]]:
    """Totals and rates, each in order of time; of one interval the finest packing first, whatever file came first."""
    ordered = sorted(messages, key=lambda m: (m.period, m.quantum, m.file, m.number))
    return [m for m in ordered if not m.is_rate], [m for m in ordered if m.is_rate]


def _totals(messages: Sequence[Message], child: Child) -> Iterator[Total]:
    for message in messages:
        if message.period:
            yield Total(message.period, child.field(message.at), message.quantum, message.label)


def _field(total: Total, of: Message) -> RainField:
    values, quality = cast(Sequence[float], total.values), tuple(dict.fromkeys(total.quality))
    return RainField(total.period, of.grid, values, of.kind, of.source, of.times.run, of.member, quality)
