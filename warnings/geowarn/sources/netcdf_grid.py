"""Where the cells of a NetCDF variable lie: equidistant axes as `Grid`, everything else as `CurvedGrid`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import cast

import numpy as np
from numpy.typing import NDArray

from geowarn.domain.rain import CurvedGrid, Grid, curved_grid
from geowarn.sources.netcdf_file import File, Variable

Load = Callable[[str], NDArray[np.float64]]
_ROUNDED = 3e-5  # degrees: float32 at 180 degrees, twice
_UNITS = {
    "lat": ("degrees_north", "degree_north", "degree_n", "degrees_n", "degreen", "degreesn"),
    "lon": ("degrees_east", "degree_east", "degree_e", "degrees_e", "degreee", "degreese"),
}
_NAMES = {"lat": ("lat", "latitude"), "lon": ("lon", "longitude")}


@dataclass(frozen=True, slots=True)
class Place:
    """The grid, and how a slab becomes it: which axes are horizontal, columns first, columns from east to west."""

    grid: Grid | CurvedGrid
    axes: tuple[int, int]
    transpose: bool
    flip: bool


def place_of(file: File, rain: Variable, load: Load) -> Place:
    """The place of a rain variable; raises Refused where no coordinates in degrees are found or they are broken."""
    axes = {kind: _axis(file, rain, kind) for kind in ("lat", "lon")}
    lat, lon = axes["lat"], axes["lon"]
    if lat is not None and lon is not None:
        return _from_axes(file, rain, lat, lon)
    return _from_tables(file, rain, load)


def _is(variable: Variable, kind: str) -> bool:
    units, standard = variable.text("units").lower(), variable.text("standard_name").lower()
    if "grid_" in standard or "projection_" in standard:  # rotated or projected, not degrees of the globe
        return False
    return units in _UNITS[kind] or (units == "degrees" and variable.short.lower() in _NAMES[kind])


def _axis(file: File, rain: Variable, kind: str) -> int | None:
    """The dimension of the rain whose own variable is this coordinate."""
    for axis, dim in enumerate(rain.dims):
        found = file.variables.get(dim) or file.named(dim.rsplit("/", 1)[-1], rain)
        if found and found.values and len(found.shape) == 1 and found.shape[0] == rain.shape[axis] and _is(found, kind):
            return axis
    return None


def _values(file: File, rain: Variable, axis: int) -> NDArray[np.float64]:
    dim = rain.dims[axis]
    found = file.variables.get(dim) or file.named(dim.rsplit("/", 1)[-1], rain)
    values = np.array(found.values if found else (), dtype=np.float64)
    if not np.isfinite(values).all():
        raise file.refused("coordinate", rain.name, coordinate=rain.dims[axis])
    return values


def _from_axes(file: File, rain: Variable, lat_axis: int, lon_axis: int) -> Place:
    lats, lons = _values(file, rain, lat_axis), _unwrapped(_values(file, rain, lon_axis))
    for kind, values, limit in (("lat", lats, 90.0), ("lon", lons, 540.0)):
        steps = np.diff(values)
        uneven = not ((steps > 0).all() or (steps < 0).all())
        if uneven or np.abs(values).max() > limit or (kind == "lon" and np.ptp(values) >= 360):
            raise file.refused("coordinate", rain.name, coordinate=rain.dims[lat_axis if kind == "lat" else lon_axis])
    flip = bool(len(lons) > 1 and lons[1] < lons[0])
    lons = lons[::-1] if flip else lons
    lons = lons - 360 * np.floor((lons[0] + 180) / 360)
    dlat, dlon = _step(lats), _step(lons)
    grid: Grid | CurvedGrid
    if dlat is not None and dlon is not None:
        grid = Grid(_plain(float(lons[0])), _plain(float(lats[0])), dlon, dlat, len(lons), len(lats))
    else:
        grid = _curved(*np.meshgrid(lons, lats))
    first, second = sorted((lat_axis, lon_axis))
    return Place(grid, (first, second), lon_axis < lat_axis, flip)


def _unwrapped(lons: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitudes that jump from 180 to -180, or from 360 to 0, run on instead."""
    jumps = np.where(np.diff(lons) < -180, 360.0, np.where(np.diff(lons) > 180, -360.0, 0.0))
    return lons + np.concatenate(([0.0], np.cumsum(jumps)))


def _step(values: NDArray[np.float64]) -> float | None:
    """Degrees between neighbours in as few decimals as fit; None where they are not equidistant."""
    if len(values) < 2:
        return None
    count, span = len(values) - 1, float(values[-1] - values[0])
    near = max(_ROUNDED, abs(span / count) * 1e-3)
    if np.abs(values - (values[0] + np.arange(len(values)) * span / count)).max() > near:
        return None
    for decimals in range(2, 7):
        if abs(round(span / count, decimals) * count - span) <= _ROUNDED:
            return round(span / count, decimals)
    return span / count


def _plain(degrees: float) -> float:
    """A coordinate without the rounding of float32: 29.95 where 29.950001 is written."""
    fitting = (round(degrees, decimals) for decimals in range(2, 6))
    return next((near for near in fitting if abs(near - degrees) <= _ROUNDED / 2), round(degrees, 6))


def _from_tables(file: File, rain: Variable, load: Load) -> Place:
    """Two coordinates of two dimensions each, named by `coordinates` or lying over the same dimensions."""
    tables = {kind: _table(file, rain, kind) for kind in ("lat", "lon")}
    lat, lon = tables["lat"], tables["lon"]
    if lat is None or lon is None or lat.dims != lon.dims or lat.shape != lon.shape:
        raise file.refused("grid", rain.name, dims=", ".join(rain.dims))
    loaded = [np.array(one.values) if one.values else load(one.stored or "").reshape(-1) for one in (lon, lat)]
    places = (rain.dims.index(lat.dims[0]), rain.dims.index(lat.dims[1]))
    lons, lats = (one.reshape(lat.shape) for one in loaded)
    bad = ~np.isfinite(lats) | ~np.isfinite(lons) | (np.abs(lats) > 90) | (np.abs(lons) > 540)
    if bad.all():
        raise file.refused("coordinate", rain.name, coordinate=lat.name)
    lats, lons = np.where(bad, np.nan, lats), np.where(bad, np.nan, lons - 360 * np.floor((lons + 180) / 360))
    swapped = places[0] > places[1]
    return Place(_curved(lons, lats), (min(places), max(places)), swapped, False)


def _table(file: File, rain: Variable, kind: str) -> Variable | None:
    named = [found for name in rain.text("coordinates").split() if (found := file.named(name, rain))]
    for found in (*named, *file.variables.values()):
        inside = len(found.shape) == 2 and len(set(found.dims)) == 2 and set(found.dims) <= set(rain.dims)
        if inside and _is(found, kind) and (found.values or found.stored):
            return found
    return None


def _curved(lons: NDArray[np.float64], lats: NDArray[np.float64]) -> CurvedGrid:
    ny, nx = lats.shape
    flat = [np.ascontiguousarray(one).reshape(-1) for one in (lons, lats)]
    for one in flat:
        one.setflags(write=False)
    lon, lat = (cast(Sequence[float], one) for one in flat)
    return curved_grid(lon, lat, nx, ny)
