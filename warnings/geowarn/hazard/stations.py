"""Rain of gauges brought to places: the nearest station that has a value, within a distance."""

from __future__ import annotations

import numpy as np

from geowarn.domain.rain import Grid, Stations
from geowarn.hazard.zones import Cells, Numbers

STATION_KM = 20.0  # a choice of this project: beyond it a gauge says nothing about a slope
_NEIGHBOURS = 8  # stations looked through for one with a value
_EARTH_KM = 6371.0088  # mean radius, IUGG
_AT_ONCE = 4096  # places compared with all stations in one go

# Areas whose rain comes from gauges alone are cut into these cells of 0.05 degrees, each asking its nearest station.
LATTICE = Grid(lon0=-179.975, lat0=-89.975, dlon=0.05, dlat=0.05, nx=7200, ny=3600)


def nearest_stations(stations: Stations, lon: Numbers, lat: Numbers, km: float) -> Cells:
    """Indices of the stations within `km` of each place, shape (places, <= 8), nearest first, -1 for none."""
    gauges = _directions(np.asarray(stations.lons, np.float64), np.asarray(stations.lats, np.float64))
    most = (2 * np.sin(min(km / (2 * _EARTH_KM), np.pi / 2))) ** 2
    tables = [
        _nearest(gauges, _directions(lon[at : at + _AT_ONCE], lat[at : at + _AT_ONCE]), most)
        for at in range(0, lon.size, _AT_ONCE)
    ]
    return np.concatenate([np.empty((0, min(stations.size, _NEIGHBOURS)), np.int64), *tables])


def value_of_nearest(values: Numbers, table: Cells) -> Numbers:
    """The value of the first station in each row that has one; NaN where none has."""
    found = np.full(table.shape[0], np.nan)
    for column in range(table.shape[1] - 1, -1, -1):
        near = table[:, column]
        mm = np.where(near >= 0, values[near], np.nan)
        found = np.where(np.isnan(mm), found, mm)
    return found


def lattice_around(lons: Numbers, lats: Numbers) -> Grid:
    """The part of the lattice that holds these positions, with two cells to spare."""
    west, south = LATTICE.lon0 - LATTICE.dlon / 2, LATTICE.lat0 - LATTICE.dlat / 2
    left, right = (int((one - west) // LATTICE.dlon) for one in (lons.min(), lons.max()))
    low, high = (int((one - south) // LATTICE.dlat) for one in (lats.min(), lats.max()))
    left, right, low, high = left - 2, right + 2, max(low - 2, 0), min(high + 2, LATTICE.ny - 1)
    lon0, lat0 = LATTICE.lon0 + left * LATTICE.dlon, LATTICE.lat0 + low * LATTICE.dlat
    return Grid(lon0, lat0, LATTICE.dlon, LATTICE.dlat, right - left + 1, high - low + 1)


def _directions(lon: Numbers, lat: Numbers) -> Numbers:
    """Unit vectors, shape (3, n): straight distances between them grow with the way over ground."""
    east, north = np.radians(lon), np.radians(lat)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])


def _nearest(gauges: Numbers, places: Numbers, most: float) -> Cells:
    low, high = places[2].min() - np.sqrt(most), places[2].max() + np.sqrt(most)
    chosen = np.flatnonzero((gauges[2] >= low) & (gauges[2] <= high)).astype(np.int64)
    width = min(gauges.shape[1], _NEIGHBOURS)
    table = np.full((places.shape[1], width), -1, dtype=np.int64)
    if not chosen.size:
        return table
    apart = np.zeros((places.shape[1], chosen.size))
    for axis in range(3):
        apart += (places[axis][:, None] - gauges[axis][chosen][None, :]) ** 2
    near = np.sort(np.argpartition(apart, min(width, chosen.size) - 1, axis=1)[:, :width], axis=1)
    order = np.argsort(np.take_along_axis(apart, near, axis=1), axis=1, kind="stable")
    near = np.take_along_axis(near, order, axis=1)
    within = np.take_along_axis(apart, near, axis=1) <= most
    table[:, : near.shape[1]] = np.where(within, chosen[near], -1)
    return table
