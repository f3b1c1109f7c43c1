"""Rain as the line knows it: interval totals in mm over half-open UTC intervals, nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

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


Support = Grid | AreaUnits


@dataclass(frozen=True, slots=True)
class RainField:
    """Interval totals in mm over `period`; `values` holds one number a cell or area, NaN = missing.

    Grid values are row-major, shape (ny, nx) flattened; `quality` lists what a reader had to note.
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
class Reading:
    """What a reader made of one payload: disjoint fields and the facts that hold for all of them."""

    fields: tuple[RainField, ...]
    source: str
    run_time: datetime
    synthetic: bool = False
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Forecast:
    """One run of one source as it was handed in; its fields are read again from the raw payload when needed."""

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
