"""Brings rain fields of every kind of support onto the places where an area's rain is taken."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from geowarn.domain.rain import AreaUnits, RainField, Stations
from geowarn.hazard.stations import LATTICE, STATION_KM, nearest_stations, value_of_nearest
from geowarn.hazard.zonal import Cells, Footprint, Mesh, Numbers, cell_of, centres
from geowarn.hazard.zones import cells_of_all

FootprintsOf = Callable[[Any], Mapping[str, Footprint]]  # of a Grid or a CurvedGrid
_KEPT_BYTES = 256 << 20  # of fields that lie on disk; a city on a national grid needs a few
_LARGE = 1 << 16  # cells


@dataclass(frozen=True, slots=True)
class Ground:
    """Where an area's rain is taken: cells of a grid, or (grid None) the area as one unit.

    `codes` are the area's own code and its ancestors', nearest first: observed rain may be given for any of them.
    An area that is `placed` takes rain of a grid or of stations at its own place only, never at its parent's.
    """

    codes: tuple[str, ...]
    grid: Mesh | None
    footprint: Footprint | None
    placed: bool = False

    @property
    def size(self) -> int:
        """Number of cells."""
        return self.footprint.cells.size if self.footprint is not None else 1

    @property
    def weights(self) -> Numbers:
        """The share of each cell inside the area."""
        return self.footprint.weights if self.footprint is not None else np.ones(1)

    @property
    def outside(self) -> float:
        """The share of the area that lies off the grid."""
        return self.footprint.outside if self.footprint is not None else 0.0


@dataclass(frozen=True, slots=True)
class Layer:
    """One field as it falls on a ground; `distance` counts ancestors between the area and the unit reported."""

    field: RainField
    mm: Numbers
    distance: int


class Sampler:
    """Brings fields onto grounds.

    Another grid is read at the cell in which each cell centre lies; of stations each cell takes the nearest one that
    has a value, at most `station_km` away. An area that is a unit has the weighted mean of its cells, known only if
    all of them are; one without a place of its own has its nearest placed ancestor's.
    """

    def __init__(self, footprints_of: FootprintsOf, *, station_km: float = STATION_KM) -> None:
        self._footprints_of, self._km = footprints_of, station_km
        self._arrays: OrderedDict[tuple[int, bool], tuple[RainField, Numbers]] = OrderedDict()
        self._bytes = 0
        self._used_cells: dict[Mesh, Cells] = {}
        self._rows: dict[int, tuple[AreaUnits, dict[str, int]]] = {}
        self._tables: dict[tuple[int, object], tuple[object, Cells]] = {}

    def layers(self, fields: Iterable[RainField], ground: Ground, *, own_only: bool = False) -> tuple[Layer, ...]:
        """The fields that know anything here, nearest unit first, otherwise in the order given."""
        found = [layer for field in fields if (layer := self._layer(field, ground, own_only)) is not None]
        return tuple(sorted(found, key=lambda layer: layer.distance))

    def unit_of(self, units: AreaUnits, codes: Iterable[str]) -> tuple[int, int] | None:
        """How many ancestors away the nearest reported unit is, and its row; None where none is reported."""
        rows = self._rows_of(units)
        return next(((at, rows[code]) for at, code in enumerate(codes) if code in rows), None)

    def onto(self, field: RainField, grid: Mesh) -> Numbers:
        """The field at every cell of a grid, NaN where it has nothing; never kept, a caller sums and lets go.

        In the precision it is given in: numpy widens float32 without loss where it is added up.
        """
        values = np.asarray(field.values)
        if field.support == grid:
            return values
        return self._at(field, values, grid, np.arange(grid.size, dtype=np.int64), ("", grid))

    def at(self, field: RainField, grid: Mesh, cells: Cells) -> Numbers:
        """The field at some cells of a grid, NaN where it has nothing; of numbers on disk nothing else is read."""
        take = getattr(field.values, "take", None)
        if field.support != grid or take is None:
            return self.onto(field, grid)[cells]
        return np.asarray(take(cells))

    def _layer(self, field: RainField, ground: Ground, own_only: bool) -> Layer | None:
        if isinstance(field.support, AreaUnits):
            found = self.unit_of(field.support, ground.codes[:1] if own_only else ground.codes)
            if found is None:
                return None
            distance, row = found
            mm = np.full(ground.size, self._array(field)[row])
        elif ground.footprint is not None and ground.grid is not None:
            distance, mm = 0, self._on_cells(field, ground, ground.grid, ground.footprint)
        else:
            whole = self._on_unit(field, ground, own_only)
            if whole is None:
                return None
            distance, mm = whole
        return None if np.isnan(mm).all() else Layer(field, mm, distance)

    def _on_cells(self, field: RainField, ground: Ground, grid: Mesh, footprint: Footprint) -> Numbers:
        if field.support == grid:
            if isinstance(field.values, np.ndarray) or grid.size < _LARGE:
                return self._array(field)[footprint.cells]
            used = self._used(grid)
            return self._kept(field, used)[np.searchsorted(used, footprint.cells)]
        return self._at(field, self._array(field), grid, footprint.cells, (ground.codes[0], grid))

    def _used(self, grid: Mesh) -> Cells:
        """The cells that any area has: of a large grid nothing else is kept."""
        if grid not in self._used_cells:
            self._used_cells[grid] = np.unique(cells_of_all(self._footprints_of(grid)))
        return self._used_cells[grid]

    def _on_unit(self, field: RainField, ground: Ground, own_only: bool) -> tuple[int, Numbers] | None:
        support = field.support
        if isinstance(support, AreaUnits):
            return None
        mesh: Mesh = LATTICE if isinstance(support, Stations) else support
        footprints = self._footprints_of(mesh)
        codes = ground.codes[:1] if own_only or ground.placed else ground.codes
        found = next(((at, code) for at, code in enumerate(codes) if code in footprints), None)
        if found is None:
            return None
        inside = footprints[found[1]]
        values = self._array(field)
        mm = values[inside.cells] if support == mesh else self._at(field, values, mesh, inside.cells, found[1])
        return found[0], np.array([np.dot(mm, inside.weights) / inside.weights.sum()])

    def _at(self, field: RainField, values: Numbers, grid: Mesh, cells: Cells, key: object) -> Numbers:
        """Values of another support at cells of a grid; `key` names these cells."""
        support = field.support
        if isinstance(support, AreaUnits):
            raise TypeError("units have no cells")
        table = self._table(support, grid, cells, key)
        if isinstance(support, Stations):
            return value_of_nearest(values, table)
        return np.where(table >= 0, values[np.maximum(table, 0)], np.nan)

    def _table(self, support: Mesh | Stations, grid: Mesh, cells: Cells, key: object) -> Cells:
        """Which station or cell each of these cells asks, worked out once."""
        if (id(support), key) not in self._tables:
            lon, lat = centres(grid, cells)
            if isinstance(support, Stations):
                self._tables[id(support), key] = (support, nearest_stations(support, lon, lat, self._km))
            else:
                self._tables[id(support), key] = (support, cell_of(support, lon, lat))
        return self._tables[id(support), key][1]

    def _array(self, field: RainField) -> Numbers:
        """All of the field's values."""
        if isinstance(field.values, np.ndarray):
            return np.asarray(field.values, dtype=np.float64)
        return self._kept(field, None)

    def _kept(self, field: RainField, cells: Cells | None) -> Numbers:
        """Values that lie on disk, all or at these cells, while there is room for the last asked for."""
        key = (id(field), cells is None)
        if key in self._arrays:
            self._arrays.move_to_end(key)
            return self._arrays[key][1]
        values = np.asarray(field.values, dtype=np.float64)
        values = values if cells is None else values[cells]
        self._arrays[key] = (field, values)
        self._bytes += values.nbytes
        while len(self._arrays) > 1 and self._bytes > _KEPT_BYTES:
            self._bytes -= self._arrays.popitem(last=False)[1][1].nbytes
        return values

    def _rows_of(self, units: AreaUnits) -> dict[str, int]:
        if id(units) not in self._rows:
            self._rows[id(units)] = (units, {code: at for at, code in enumerate(units.codes)})
        return self._rows[id(units)][1]
