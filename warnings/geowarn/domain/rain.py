"""Rain as the line knows it: interval totals in mm over half-open UTC intervals, nothing else."""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from geowarn.domain.period import Period


class RainKind(StrEnum):
    """Whether rain was forecast or measured."""

    FORECAST = "forecast"
    OBSERVED = "observed"


@dataclass(frozen=True, slots=True)
class Grid:
    """A regular longitude/latitude grid of cell centres in degrees, rows from `lat0` on, WGS 84.

    Value (row j, column i) is at longitude lon0 + i*dlon, latitude lat0 + j*dlat; dlon > 0, dlat of either
    sign. Longitudes are -180..180 at lon0 and may run on past 180.
    """

    lon0: float
    lat0: float
    dlon: float
    dlat: float
    nx: int
    ny: int

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.nx * self.ny

    @property
    def digest(self) -> str:
        """SHA-256 over the six numbers: the key of cached zonal weights."""
        text = f"{self.lon0!r},{self.lat0!r},{self.dlon!r},{self.dlat!r},{self.nx},{self.ny}"
        return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class AreaUnits:
    """Values given per warning area, by code."""

    codes: tuple[str, ...]

    @property
    def size(self) -> int:
        """Number of areas."""
        return len(self.codes)


@dataclass(frozen=True, slots=True)
class CurvedGrid:
    """Cell centres of a projected, rotated or thinned grid, degrees, WGS 84, row-major; make it with `curved_grid`.

    Equal grids have equal digests: SHA-256 over the shape and both coordinates.
    """

    lon: Sequence[float] = field(repr=False, compare=False)
    lat: Sequence[float] = field(repr=False, compare=False)
    nx: int
    ny: int
    digest: str

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.nx * self.ny


def curved_grid(lon: Sequence[float], lat: Sequence[float], nx: int, ny: int) -> CurvedGrid:
    """A curved grid of nx * ny cell centres; raises ValueError where the counts do not fit."""
    if not len(lon) == len(lat) == nx * ny:
        raise ValueError(f"{len(lon)} longitudes and {len(lat)} latitudes for {nx} x {ny} cells")
    digest = hashlib.sha256(f"{nx},{ny},".encode())
    for coordinates in (lon, lat):
        digest.update(array("d", coordinates).tobytes())
    return CurvedGrid(lon, lat, nx, ny, digest.hexdigest())


@dataclass(frozen=True, slots=True)
class Stations:
    """Values given per gauge, by station id; positions in degrees, WGS 84."""

    ids: tuple[str, ...]
    lons: tuple[float, ...]
    lats: tuple[float, ...]

    @property
    def size(self) -> int:
        """Number of stations."""
        return len(self.ids)


Support = Grid | CurvedGrid | Stations | AreaUnits


@dataclass(frozen=True, slots=True)
class RainField:
    """Interval totals in mm over `period`; `values` holds one number a cell, station or area, NaN = missing.

    Grid values are row-major, shape (ny, nx) flattened, and may be loaded from disk each time they are asked for:
    hold on to `numpy.asarray(field.values)` no longer than needed. `quality` lists what a reader had to note.
    """

    period: Period
    support: Support
    values: Sequence[float]
    kind: RainKind
    source: str
    run_time: datetime
    member: int | None = None
    quality: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Payload:
    """One file of a run as it lies on disk; `name` is what the person or the source called it, for messages."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader made of one run: disjoint fields and the facts that hold for all of them.

    `part` tells apart the runs that one payload holds side by side (several models in one response); it is empty
    where there is only one.
    """

    fields: tuple[RainField, ...]
    source: str
    run_time: datetime
    synthetic: bool = False
    notes: tuple[str, ...] = ()
    part: str = ""


@dataclass(frozen=True, slots=True)
class RawFile:
    """A kept file of a run: its name and the SHA-256 of its bytes below `raw/`."""

    name: str
    digest: str


Option = tuple[str, str | int | float | bool]  # name and value


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run of one source as it was handed in; its fields are read again from the raw payload when needed.

    `file_name` and `payload_digest` are those of the only file; for a run in several files the first one's name and
    the SHA-256 over the list of names and digests. `files` lists every file, in the order the reader got them. Options
    count as a part of the payload: the same file read otherwise is another forecast.
    """

    id: str
    reader: str
    source: str
    file_name: str
    payload_digest: str  # SHA-256 of the bytes kept below raw/
    received_at: datetime
    run_time: datetime
    coverage: Period
    fields: int
    kinds: frozenset[RainKind]
    synthetic: bool
    part: str = ""  # which of the runs in the payload
    origin: str = ""  # the configured source that brought it, empty: handed in by a person
    files: tuple[RawFile, ...] = ()  # empty: one file, `file_name` with `payload_digest`
    options: tuple[Option, ...] = ()  # what the reader was told beside the files, in order of name

    @property
    def raw_files(self) -> tuple[RawFile, ...]:
        """Every kept file of this run."""
        return self.files or (RawFile(self.file_name, self.payload_digest),)
