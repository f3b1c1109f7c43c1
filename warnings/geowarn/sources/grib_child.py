"""Decodes the rain of the GRIB files of one run in a process of its own; see `geowarn.sources.decoding`.

`described.json` holds `messages` (headers, each with the number `file`), `ignored` and `seen`. An item of the plan
names the header `at`, the `factor` to mm and the packing step `quantum` in mm. Every header is checked before
anything is decoded; values come row by row, west to east, as far as the grid is a table.
"""

from __future__ import annotations

import mmap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from geowarn.sources.decoding import Bad, put_away, run, say, without_written_missing
from geowarn.sources.grib_frames import Field, fields, frames
from geowarn.sources.grib_header import MRMS_HOURS, RAIN, Header

_SENTINEL = -1.0e34  # stands for "missing" while decoding
_MRMS_MISSING = (-1.0, -3.0)  # no coverage, no data

Values = NDArray[np.float64]


class GribDecoder:
    """Headers first, then values in the order asked for."""

    def __init__(self, eccodes: Any, files: Sequence[Path], limits: Mapping[str, int]) -> None:
        self.eccodes, self.limits = eccodes, limits
        self.data = [_mapped(file) for file in files]
        self.found: list[tuple[dict[str, Any], Field]] = []
        self.points, self.grids = 0, set[str]()

    def describe(self) -> dict[str, Any]:
        """Headers of every rain field of every file."""
        ignored: list[str] = []
        seen = 0
        for at in range(len(self.data)):
            for field in self._fields(at):
                seen += 1
                if seen > self.limits["messages"]:
                    raise Bad("sources.grib-messages", limit=self.limits["messages"])
                if field.parameter and not _may_be_rain(field.parameter):
                    continue
                header = self._header(at, field)
                if isinstance(header, str):
                    ignored.append(header)
                else:
                    self.found.append((header, field))
                _let_go(self.data[at])
        return {"messages": [header for header, _ in self.found], "ignored": ignored, "seen": seen}

    def decode(self, item: Mapping[str, Any]) -> None:
        """Values of one header, in mm."""
        header, field = self.found[item["at"]]
        data = self.data[header["file"]]
        say("begin", header["file"], field.name)
        handle = self.eccodes.codes_new_from_message(field.message(data))
        _let_go(data)
        try:
            values = _in_order(header, self._values(handle, header))
            put_away(item["at"], values if item["factor"] == 1 else values * item["factor"], item["quantum"])
        except self.eccodes.CodesInternalError as error:
            raise Bad("sources.grib-undecodable", message=field.number, reason=str(error)[:120]) from None
        finally:
            self.eccodes.codes_release(handle)

    def _fields(self, at: int) -> Iterator[Field]:
        for number, start, end in frames(self.data[at]):
            say("begin", at, f"#{number}")
            yield from fields(self.data[at], number, start, end)

    def _header(self, at: int, field: Field) -> dict[str, Any] | str:
        try:
            handle = self.eccodes.codes_new_from_message(field.message(self.data[at]))
        except self.eccodes.CodesInternalError as error:
            raise Bad("sources.grib-undecodable", message=field.number, reason=str(error)[:120]) from None
        try:
            header = Header(self.eccodes, handle, field.number).read()
            if isinstance(header, dict):
                self._check_points(header)
                self._coordinates(handle, header)
                header |= {"file": at, "name": field.name}
            return header
        finally:
            self.eccodes.codes_release(handle)

    def _check_points(self, header: Mapping[str, Any]) -> None:
        nx, ny, points, number = header["Ni"], header["Nj"], header["numberOfDataPoints"], header["number"]
        if nx < 1 or ny < 1 or nx * ny != points:
            raise Bad("sources.grib-field", message=number, field="numberOfDataPoints", value=f"{points} ({nx} x {ny})")
        self.points += points
        if points > self.limits["points"] or self.points > self.limits["values"]:
            raise Bad("sources.grib-points", message=number, points=max(points, self.points))

    def _coordinates(self, handle: Any, header: Mapping[str, Any]) -> None:
        """Write both coordinates of a grid that is not regular, once."""
        name = header.get("grid")
        if not name or name in self.grids:
            return
        try:
            lat, lon = (self.eccodes.codes_get_double_array(handle, key) for key in ("latitudes", "longitudes"))
        except self.eccodes.CodesInternalError:
            raise Bad("sources.grib-grid", message=header["number"], grid=header["gridType"]) from None
        if not len(lat) == len(lon) == header["numberOfDataPoints"]:
            raise Bad("sources.grib-field", message=header["number"], field="latitudes", value=len(lat))
        beyond = (lat == 0) & (lon == 0) if header["gridType"] == "space_view" else np.abs(lat) > 90
        for axis, values in (("lat", lat), ("lon", lon - 360 * np.floor((lon + 180) / 360))):
            np.save(f"{axis}-{name}.npy", _in_order(header, np.where(beyond, np.nan, values)))
        self.grids.add(name)

    def _values(self, handle: Any, header: Mapping[str, Any]) -> Values:
        number, points = header["number"], header["numberOfDataPoints"]
        if self.eccodes.codes_get_size(handle, "values") != points:
            raise Bad("sources.grib-field", message=number, field="numberOfValues", value="?")
        self.eccodes.codes_set(handle, "missingValue", _SENTINEL)
        values: Values = np.asarray(self.eccodes.codes_get_values(handle), dtype=np.float64)
        if values.shape != (points,):
            raise Bad("sources.grib-field", message=number, field="values", value="?")
        return _without_missing(values, header)


def _may_be_rain(parameter: tuple[int, ...]) -> bool:
    return parameter in RAIN or (parameter[:2] == (209, 6) and parameter[2] in MRMS_HOURS)


def _without_missing(values: Values, header: Mapping[str, Any]) -> Values:
    """NaN where the bitmap, a number that stands for missing, or a NaN of the file itself says so."""
    if np.fmin.reduce(values) == _SENTINEL:
        values = np.where(values == _SENTINEL, np.nan, values)
    binary, decimal = header["binaryScaleFactor"] or 0.0, header["decimalScaleFactor"] or 0.0
    step = 2.0 ** max(-200.0, min(binary, 200.0)) / 10.0 ** max(-100.0, min(decimal, 100.0))
    return without_written_missing(values, step, _MRMS_MISSING if header.get("hours") else ())


def _in_order(header: Mapping[str, Any], raw: Values) -> Values:
    nx, ny = header["Ni"], header["Nj"]
    rows = raw.reshape(nx, ny) if header["jPointsAreConsecutive"] else raw.reshape(ny, nx)
    if header.get("alternativeRowScanning"):
        rows = rows.copy()
        rows[1::2] = rows[1::2, ::-1]
    table = rows.T if header["jPointsAreConsecutive"] else rows
    if header.get("iScansNegatively"):
        table = table[:, ::-1]
    return np.ascontiguousarray(table).reshape(-1)


def _mapped(file: Path) -> mmap.mmap:
    with file.open("rb") as opened:
        return mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)


def _let_go(data: mmap.mmap) -> None:
    """Pages read so far need not stay in memory: a long file costs no more than a short one."""
    if hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _begin(files: Sequence[Path], limits: Mapping[str, int]) -> GribDecoder:
    try:
        import eccodes  # type: ignore[import-untyped,unused-ignore]
    except (ImportError, RuntimeError, OSError):
        raise Bad("sources.grib-not-installed") from None
    return GribDecoder(eccodes, files, limits)


if __name__ == "__main__":
    run(_begin)
