"""Writes a small NetCDF 4 file for tests with h5py: rain of a forecast on a 3 x 2 grid, every part changeable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py  # type: ignore[import-untyped,unused-ignore]
import numpy as np

UNITS = "hours since 2026-07-22 12:00:00"
LAT, LON = [38.0, 37.5], [120.0, 120.5, 121.0]


def write(
    path: Path,
    values: Any,
    *,
    name: str = "rain",
    dims: Sequence[str] = ("time", "lat", "lon"),
    bounds: Sequence[tuple[float, float]] | None = ((0, 1), (1, 2)),
    attributes: Mapping[str, Any] | None = None,
    axes: Mapping[str, tuple[Sequence[float], Mapping[str, Any]]] | None = None,
    run: float | None = 0,
    time: Mapping[str, Any] | None = None,
    storage: Mapping[str, Any] | None = None,
    tables: Mapping[str, tuple[Any, Mapping[str, Any]]] | None = None,
    globals_: Mapping[str, Any] | None = None,
) -> Path:
    """One variable with coordinates; `axes` replace or add coordinates, `tables` are coordinates of two dimensions."""
    data = np.asarray(values)
    known: dict[str, tuple[Sequence[float], Mapping[str, Any]]] = {
        "lat": (LAT, {"units": "degrees_north"}),
        "lon": (LON, {"units": "degrees_east"}),
        "time": ([end for _, end in bounds or ((0, 1), (1, 2))], {"units": UNITS, "bounds": "time_bnds"}),
    } | dict(axes or {})
    with h5py.File(path, "w") as file:
        file.attrs.update(dict(globals_ or {}))
        made = file.create_dataset(name, data=data, **dict(storage or {}))
        made.attrs.update({"units": "mm", "standard_name": "precipitation_amount"} | dict(attributes or {}))
        for axis, dim in enumerate(dims):
            if dim not in known:
                continue
            numbers, told = known[dim]
            scale = file.create_dataset(dim, data=np.asarray(numbers))
            scale.attrs.update(dict(told) | (dict(time or {}) if dim == "time" else {}))
            scale.make_scale(dim)
            made.dims[axis].attach_scale(scale)
        if bounds is not None and "time" in dims:
            file.create_dataset("time_bnds", data=np.asarray(bounds, dtype=float))
        if run is not None:
            reference = file.create_dataset("reference", data=float(run))
            reference.attrs.update({"units": UNITS, "standard_name": "forecast_reference_time"})
        for key, (table, told) in (tables or {}).items():
            extra = file.create_dataset(key, data=np.asarray(table))
            extra.attrs.update(dict(told))
            for axis, dim in enumerate(dims[-2:]):
                if dim in file:
                    extra.dims[axis].attach_scale(file[dim])
    return path
