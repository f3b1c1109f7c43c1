"""NetCDF 4 and HDF5 by the CF conventions, read in a child process; also IMERG, whose groups and order are its own.

The interval of a number is proven by bounds of time, the unit by `units`, the run by `forecast_reference_time`.
What was measured (IMERG, or a `source` that says so) needs no run: its last interval's end stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import isfinite, prod
from typing import Any, cast

import numpy as np

from geowarn.domain.errors import Refused
from geowarn.domain.period import Period
from geowarn.domain.rain import Payload, RainField, RainKind, Reading
from geowarn.sources.accumulation import Total, disjoint
from geowarn.sources.child import Child
from geowarn.sources.gates import check_range, check_sizes
from geowarn.sources.netcdf_file import File, Variable, file_of
from geowarn.sources.netcdf_grid import Place, place_of
from geowarn.sources.netcdf_rain import Meaning, meaning_of, rain_of
from geowarn.sources.netcdf_time import periods_of, run_of, time_of
from geowarn.sources.stored import Folder

_MEASURED = re.compile(r"\b(observ|radar|gauge|satellite|radiometer|measure)", re.IGNORECASE)
_MEMBERS = frozenset({"member", "number", "ensemble", "ensemble_member", "realization", "realisation", "ens"})


@dataclass(frozen=True, slots=True)
class Slab:
    """One field of one file: where it lies, over which interval, of which member."""

    file: File
    rain: Variable
    meaning: Meaning
    place: Place
    run: datetime | None
    period: Period
    member: int | None
    select: tuple[int | None, ...]
    time_axis: int | None

    @property
    def label(self) -> str:
        """For notes and refusals."""
        step = "" if self.time_axis is None else f"[{self.select[self.time_axis]}]"
        return f"{self.file.file} {self.rain.name}{step}"

    @property
    def factor(self) -> float:
        """To mm, for a rate over the whole interval."""
        return self.meaning.factor * (self.period.hours * 3600 if self.meaning.is_rate else 1.0)

    def plan(self, at: int) -> dict[str, Any]:
        """What the child must know."""
        packing = self.meaning.packing
        return {
            "at": at, "file": self.file.at, "variable": self.rain.name, "select": self.select,
            "time_axis": self.time_axis, "transpose": self.place.transpose, "flip": self.place.flip,
            "scale": self.meaning.scale, "offset": self.meaning.offset, "fill": packing["fill"],
            "valid": packing["valid"], "unsigned": packing["unsigned"], "factor": self.factor,
            "quantum": self.meaning.step * self.factor,
        }  # fmt: skip


class NetcdfReader:
    """`geowarn.ports.Reader` for NetCDF; limits: seconds, MiB of memory and of all files, points a field and in all."""

    name = "netcdf"
    child = "geowarn.sources.netcdf_child"

    def __init__(
        self,
        *,
        seconds: int = 120,
        memory_mebibytes: int = 2048,
        points: int = 10_000_000,
        values: int = 240_000_000,
        file_mebibytes: int = 512,
    ) -> None:
        self.file_mebibytes = file_mebibytes
        self.limits = {"seconds": seconds, "memory": memory_mebibytes << 20, "points": points, "values": values}

    def read(self, files: Sequence[Payload]) -> tuple[Reading, ...]:
        """Fields of every step of every file; raises Refused naming file, variable, attribute and reason."""
        check_sizes(files, self.file_mebibytes)
        for file in files:
            _refuse_other_formats(file)
        folder = Folder("netcdf")
        request = {"files": [str(file.path.absolute()) for file in files], "limits": self.limits}
        with Child(self.child, request, folder, [file.name for file in files]) as child:
            found = child.describe()["files"]
            described = [file_of(at, file.name, held) for at, (file, held) in enumerate(zip(files, found, strict=True))]
            slabs = [slab for file in described for slab in _slabs(file, folder, self.limits)]
            if not slabs:
                raise Refused("netcdf.no-interval", file=files[0].name)
            for other in slabs[1:]:
                _refuse_mixture(slabs[0], other)
            return (_reading(slabs, child, folder),)


def _refuse_other_formats(file: Payload) -> None:
    with file.path.open("rb") as opened:
        head = opened.read(8)
    if head[:3] == b"CDF":
        raise Refused("netcdf.classic", file=file.name)
    if head != b"\x89HDF\r\n\x1a\n":
        raise Refused("netcdf.none", file=file.name)


def _slabs(file: File, folder: Folder, limits: dict[str, int]) -> list[Slab]:
    rain = rain_of(file)
    meaning = meaning_of(file, rain)
    place = place_of(file, rain, lambda name: np.load(folder.path / name, allow_pickle=False))
    if place.grid.size > limits["points"] or prod(rain.shape) > limits["values"]:
        raise Refused(
            "netcdf.points", file=file.file, variable=rain.name, points=prod(rain.shape), limit=limits["points"]
        )
    time = time_of(file, rain)
    periods, run = periods_of(file, time), run_of(file, rain)
    if run is None and not _measured(file):
        raise file.refused("no-run", rain.name)
    axis = next((at for at, dim in enumerate(rain.dims) if dim.rsplit("/", 1)[-1] == time.short), None)
    return [
        Slab(file, rain, meaning, place, run, period, member, select, axis)
        for member, fixed in _members(file, rain, place, axis)
        for step, period in enumerate(periods)
        if period
        for select in [tuple(step if at == axis else one for at, one in enumerate(fixed))]
    ]


def _measured(file: File) -> bool:
    source, header = (str(file.attributes.get(name, "")) for name in ("source", "FileHeader"))
    return bool(_MEASURED.search(source.split("\n")[0])) or "AlgorithmID=3IMERG" in header


def _members(
    file: File, rain: Variable, place: Place, time_axis: int | None
) -> Iterator[tuple[int | None, list[int | None]]]:
    """Each member with the index of every dimension that is neither time nor place; raises Refused for others."""
    fixed: list[int | None] = [None] * len(rain.dims)
    ensemble: int | None = None
    for axis, dim in enumerate(rain.dims):
        if axis in place.axes or axis == time_axis:
            continue
        own = file.variables.get(dim)
        is_member = dim.rsplit("/", 1)[-1].lower() in _MEMBERS or (own and own.text("standard_name") == "realization")
        if is_member and ensemble is None:
            ensemble = axis
        elif rain.shape[axis] != 1:
            raise file.refused("dimension", rain.name, dimension=dim, size=rain.shape[axis])
        fixed[axis] = 0
    if ensemble is None:
        yield None, fixed
        return
    for index, number in enumerate(_numbers(file, rain, ensemble)):
        yield number, [index if at == ensemble else one for at, one in enumerate(fixed)]


def _numbers(file: File, rain: Variable, axis: int) -> list[int]:
    """Members' own numbers where they are whole and all different, else counted from 0."""
    own, count = file.variables.get(rain.dims[axis]), rain.shape[axis]
    values = own.values if own and own.values else ()
    whole = [int(value) for value in values if isfinite(value) and value == int(value)]
    return whole if len(set(whole)) == len(values) == count else list(range(count))


def _refuse_mixture(first: Slab, other: Slab) -> None:
    pairs = {"run_time": (first.run, other.run), "grid": (first.place.grid, other.place.grid)}
    for field, (one, two) in pairs.items():
        if one != two:
            facts = {"message": other.label, "other": first.label, "field": field}
            raise Refused("netcdf.mixture", file=other.file.file, one=str(two)[:80], two=str(one)[:80], **facts)


def _reading(slabs: Sequence[Slab], child: Child, folder: Folder) -> Reading:
    ordered = sorted(slabs, key=lambda slab: (-1 if slab.member is None else slab.member, slab.period, slab.label))
    child.decode([slab.plan(at) for at, slab in enumerate(ordered)])
    first = ordered[0]
    run = first.run or max(slab.period.end for slab in ordered)
    source = _source(first.file)
    fields: list[RainField] = []
    for member in dict.fromkeys(slab.member for slab in ordered):
        numbered = [(at, slab) for at, slab in enumerate(ordered) if slab.member == member]
        totals = _totals([one for one in numbered if not one[1].meaning.is_rate], child)
        rates = _totals([one for one in numbered if one[1].meaning.is_rate], child)
        made = disjoint(totals, rates, first.file.file, folder.keep)
        check_range([(total.period, total.values) for total in made], first.place.grid, first.file.file)
        fields += [_field(total, first, source, run, member) for total in made]
    return Reading(tuple(fields), source, run)


def _totals(numbered: Sequence[tuple[int, Slab]], child: Child) -> Iterator[Total]:
    for at, slab in numbered:
        yield Total(slab.period, child.field(at), slab.meaning.step * slab.factor, slab.label)


def _field(total: Total, of: Slab, source: str, run: datetime, member: int | None) -> RainField:
    fallen = of.run is None or total.period.end <= run
    kind = RainKind.OBSERVED if fallen else RainKind.FORECAST
    quality = tuple(dict.fromkeys(total.quality))
    return RainField(
        total.period, of.place.grid, cast(Sequence[float], total.values), kind, source, run, member, quality
    )


def _source(file: File) -> str:
    """What the file calls itself: IMERG's algorithm, else institution and source, else the file's name."""
    header = file.attributes.get("FileHeader")
    found = re.search(r"AlgorithmID=([\w.]+)", header) if isinstance(header, str) else None
    if found:
        return found[1]
    named = [file.attributes.get(name) for name in ("institution", "source")]
    text = ", ".join(one.split("\n")[0].strip()[:60] for one in named if isinstance(one, str) and one.strip())
    return text or file.file.rsplit(".", 1)[0]
