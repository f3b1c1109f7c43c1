"""One good run for every reader that ships, so that the contract is tried on each; a new reader adds its line here."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

FORECASTS = Path(__file__).parents[1] / "data" / "forecasts"


@dataclass(frozen=True)
class Sample:
    """Files of one run by name, how many values in it are missing, and how often damage is tried."""

    files: tuple[tuple[str, bytes], ...]
    missing: int
    tries: int = 150
    largest: float = 0.0  # mm, of all values


def _grib() -> Sample:
    name = "gfs-2p5deg-2011011012-f120-rain.grib2"
    return Sample(((name, (FORECASTS / name).read_bytes()),), missing=0, tries=8, largest=67.1)


def _netcdf() -> Sample:
    """CF 1.8: two totals of three hours with bounds, packed as whole numbers, one cell missing."""
    h5py: Any = import_module("h5py")  # only where the extra is there, and it has no types
    memory = io.BytesIO()
    with h5py.File(memory, "w") as file:
        file.attrs["Conventions"] = "CF-1.8"
        sides = {"time": [3.0, 6.0], "lat": [37.0, 37.5], "lon": [121.0, 121.5, 122.0]}
        units = {"time": "hours since 2026-07-23 00:00:00", "lat": "degrees_north", "lon": "degrees_east"}
        names = {"time": "time", "lat": "latitude", "lon": "longitude"}
        for side, values in sides.items():
            made = file.create_dataset(side, data=np.array(values, dtype="f8"))
            made.make_scale(side)
            made.attrs["units"] = units[side]
            made.attrs["standard_name"] = names[side]
        file["time"].attrs["calendar"] = "standard"
        file["time"].attrs["bounds"] = "time_bnds"
        file.create_dataset("time_bnds", data=np.array([[0.0, 3.0], [3.0, 6.0]]))
        reference = file.create_dataset("forecast_reference_time", data=0.0)
        reference.attrs["units"] = units["time"]
        reference.attrs["standard_name"] = "forecast_reference_time"
        packed = np.array([[[0, 15, 20], [125, -1, 1]], [[0, 0, 0], [5, 5, 5]]], dtype="i2")
        rain = file.create_dataset("tp", data=packed, fillvalue=-1)
        for axis, side in enumerate(sides):
            rain.dims[axis].attach_scale(file[side])
        rain.attrs["units"] = "kg m-2"
        rain.attrs["standard_name"] = "precipitation_amount"
        rain.attrs["cell_methods"] = "time: sum"
        rain.attrs["scale_factor"] = 0.1
        rain.attrs["_FillValue"] = np.int16(-1)
    return Sample((("rain.nc", memory.getvalue()),), missing=1, tries=8, largest=12.5)


def _openmeteo() -> Sample:
    names = (
        "precipitation_icon_seamless_eps",
        "precipitation_member01_icon_seamless_eps",
        "precipitation_gfs_seamless",
    )
    hours = [f"2026-07-23T{hour:02}:00" for hour in range(3)]
    document = {
        "latitude": 37.5,
        "longitude": 121.0,
        "utc_offset_seconds": 28800,
        "timezone": "Asia/Shanghai",
        "hourly_units": {"time": "iso8601"} | dict.fromkeys(names, "mm"),
        "hourly": {"time": hours} | {name: [0.5 * index, None, 2.5] for index, name in enumerate(names)},
    }
    return Sample((("om.json", json.dumps(document).encode()),), missing=3, largest=2.5)


def _nws() -> Sample:
    values = [
        {"validTime": "2026-07-23T06:00:00+00:00/PT6H", "value": 2.54},
        {"validTime": "2026-07-23T12:00:00+00:00/PT3H", "value": None},
    ]
    properties = {
        "updateTime": "2026-07-23T05:00:00+00:00",
        "quantitativePrecipitation": {"uom": "wmoUnit:mm", "values": values},
    }
    point = {"type": "Point", "coordinates": [-97.08, 39.74]}
    document = {"type": "Feature", "geometry": point, "properties": properties}
    return Sample((("nws.json", json.dumps(document).encode()),), missing=1, largest=2.54)


def _csv() -> Sample:
    text = (
        "# source: 水文站\nstation,lon,lat,start,end,mm,kind\n"
        "01028,121.4,37.5,2026-07-22T20:00+08:00,2026-07-23T08:00+08:00,12.5,observed\n"
        "54863,121.2,36.8,2026-07-22T12:00Z,2026-07-23T00:00Z,,observed\n"
    )
    return Sample((("rain.csv", text.encode()),), missing=1, largest=12.5)


def _micaps() -> Sample:
    files = []
    for lead, values in ((6, "9999 1.5 2.0\n 0 12.25 0.1"), (3, "0 1 2\n 0 4 0.1")):
        text = (
            f"diamond 4 数值预报降水\n 26 07 23 08 {lead:03d} 0\n 0.5 -0.5 120.0 121.0 37.5 37.0 3 2\n"
            f" 25.0 0.0 100.0 1.0 50.0\n {values}\n"
        )
        files.append((f"acc-26072308.{lead:03d}", text.encode("gbk")))
    return Sample(tuple(files), missing=1, largest=8.25)


SAMPLES: dict[str, Callable[[], Sample]] = {
    "grib": _grib,
    "netcdf": _netcdf,
    "openmeteo": _openmeteo,
    "nws": _nws,
    "csv": _csv,
    "micaps": _micaps,
}
